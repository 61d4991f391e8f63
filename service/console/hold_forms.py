"""The form that holds a member, read as a person fills it in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from service.store.holds import KINDS

MEANINGS: Final = {
    "crisis": "Crisis: a seeker is given the crisis message instead of a list",
    "safeguarding": "Safeguarding: something is being looked into",
    "pause": "Pause: they asked for a rest, or cannot be reached",
}
"""Each kind of hold, as the form offers it."""
assert tuple(MEANINGS) == KINDS


@dataclass(frozen=True)
class HoldForm:
    """What was filled in, and what is wrong with it."""

    kind: str = ""
    until: str = ""
    """As it was filled in, in UTC; nothing: until it is lifted."""
    end: datetime | None = None
    """What that means."""
    wrong: Mapping[str, str] = field(default_factory=dict)
    """By field."""

    @classmethod
    def read(cls, told: Mapping[str, str], now: datetime) -> HoldForm:
        """Return what a form says."""
        kind, until = told.get("kind", ""), told.get("until", "").strip()
        wrong = {} if kind in KINDS else {"kind": "Choose why they are held."}
        end = None
        if until:
            try:
                end = _moment(until)
            except (ValueError, OverflowError):
                wrong["until"] = "This is no date with a time. Write it like 2026-04-01T08:00, or leave it empty."
            else:
                if end <= now:
                    wrong["until"] = "This is over. Choose a moment to come, or leave it empty."
        return cls(kind, until, end, wrong)


def _moment(text: str) -> datetime:
    told = datetime.fromisoformat(text)
    return told.replace(tzinfo=UTC) if told.tzinfo is None else told.astimezone(UTC)
