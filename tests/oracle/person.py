"""A member as far as consent lets them be known."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from tests.oracle import consent
from tests.oracle.consent import Programme, Record, Side

PURPOSES = ("match_serve", "be_shown_as_peer", "show_reasons", "train_model")


@dataclass
class Person:
    """A record and what may be known of it."""

    record: Record
    home: bool
    seeking: dict[str, Side]
    shown: dict[str, Side]
    on: dict[str, bool] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The member id."""
        return str(self.record["member_id"])


def read(record: Record, programme: Programme, at: datetime, home: bool = True) -> Person:
    """Read a record through its consents."""
    seeking = consent.view(record, programme, "match_serve", at)
    shown = consent.view(record, programme, "be_shown_as_peer", at)
    on = {purpose: consent.grant(record, programme, purpose, at) is not None for purpose in PURPOSES}
    return Person(record, home, seeking, shown, on)
