"""What a revision is given, and what it tells of what it did."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from alembic import op
from sqlalchemy import Connection

from service.sealing import Keyring

NAME: Final = "peermatch"
"""The attribute of Alembic's configuration that holds it."""
_START: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Migration:
    """What is under way."""

    connection: Connection
    keyring: Keyring
    now: datetime
    notes: list[str] = field(default_factory=list)
    """What whoever runs it should know, a line each."""
    advance: Callable[[int], None] = lambda _: None
    """Called with how many rows were written since."""

    def tell(self, what: str, count: int) -> None:
        """Note something of which there are some."""
        if count:
            self.notes.append(f"{count:,} {what}")


def migration() -> Migration:
    """Return what the revision that runs was given."""
    config = op.get_context().config
    assert config is not None
    given: Migration = config.attributes[NAME]
    return given


def micros(moment: datetime) -> int:
    """Return a moment in µs since 1970; one without a zone is in UTC, as databases keep it."""
    aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return (aware - _START) // timedelta(microseconds=1)
