"""One event after a list was shown: what files and the store say happened."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime

from matcher.errors import shown
from matcher.people import member_id_of
from matcher.programme import Programme
from matcher.records import ABSENT, Fields, Problems, refuse, scan, written

EVENTS = ("shown", "viewed", "accepted", "declined", "session", "ended", "rated", "reported")
DECISIONS = {"accepted": True, "declined": False}
SIDES = ("seeker", "candidate")
MAX_RANK = 1_000_000
MAX_RATING = 7
SCALES = ("free", "felt_understood")
BOTH_WAYS = frozenset({"accepted", "declined", "session", "ended", "rated", "reported"})
"""Events of which it is told by whom they are."""
_KEYS = ("seeker", "candidate", "event", "by", "rank", "propensity", "rating", "scale", "at")


@dataclass(frozen=True, slots=True)
class Feedback:
    """One event between a seeker and a candidate of one of their lists."""

    seeker: str
    candidate: str
    event: str
    """One of `EVENTS`."""
    at: datetime
    """When, in UTC."""
    by: str = "seeker"
    """Whose decision, rating or report it is: ``seeker`` or ``candidate``."""
    rank: int | None = None
    """Place in the list, from 1; ``shown`` always has one."""
    propensity: float | None = None
    """Chance of being looked at, in [0, 1]; None: 1/rank."""
    rating: int | None = None
    """0–7, of a ``rated``."""
    scale: str = "free"
    """Of a ``rated``: ``free``, or ``felt_understood``."""

    @property
    def decision(self) -> bool | None:
        """Return True for ``accepted``, False for ``declined``, None for every other event."""
        return DECISIONS.get(self.event)

    @property
    def chance(self) -> float:
        """Return the chance of having been looked at: the propensity, else 1/rank, else 1."""
        if self.propensity is not None:
            return self.propensity
        return 1.0 / self.rank if self.rank else 1.0

    @classmethod
    def from_dict(cls, record: object, programme: Programme) -> Feedback:
        """Read one event from a JSON object, as feedback files hold them.

        Raises
        ------
        RecordError
            With every problem of the record by path.
        """
        problems: Problems = {}
        event = _read(record, problems) if scan(record, problems) else None
        refuse(problems)
        assert event is not None
        return event

    def to_dict(self) -> dict[str, object]:
        """Return the event as files write it."""
        record: dict[str, object] = {"seeker": self.seeker, "candidate": self.candidate, "event": self.event}
        if self.decision is not None or self.by != "seeker":
            record["by"] = self.by
        for key in ("rank", "propensity", "rating"):
            if (value := getattr(self, key)) is not None:
                record[key] = value
        if self.scale != "free":
            record["scale"] = self.scale
        record["at"] = written(self.at)
        return record


def _read(record: object, problems: Problems) -> Feedback | None:
    """Return the event that `record` describes, or None after noting what is wrong with it."""
    fields = Fields(record, "", problems, _KEYS)
    if not isinstance(record, dict):
        return None
    seeker, candidate = member_id_of(fields, "seeker"), member_id_of(fields, "candidate")
    if seeker and seeker == candidate:
        fields.note("candidate", "found the seeker's own member_id; expected another member")
    event = fields.text("event", f"one of {', '.join(EVENTS)}", choices=EVENTS)
    by = fields.text("by", f"one of {', '.join(SIDES)}", required=False, choices=SIDES)
    if by is not None and event is not None and event not in BOTH_WAYS:
        fields.note("by", f"found {shown(by)} on {event}, which is the seeker's alone: leave it out")
    rank = _whole(fields, "rank", 1, MAX_RANK)
    if event == "shown" and fields.values.get("rank") is None:
        fields.note("rank", "missing; expected the place in the list, from 1")
    propensity = _propensity(fields)
    rating = _whole(fields, "rating", 0, MAX_RATING)
    if event is not None and event != "rated" and rating is not None:
        fields.note("rating", f"found {rating} on {event}; only rated takes one: leave it out")
    scale = fields.text("scale", f"one of {', '.join(SCALES)}", required=False, choices=SCALES)
    if event is not None and event != "rated" and scale is not None:
        fields.note("scale", f"found {shown(scale)} on {event}; only rated has one: leave it out")
    at = fields.time("at", required=True)
    if problems or event is None or at is None:
        return None
    return Feedback(seeker, candidate, event, at, by or "seeker", rank, propensity, rating, scale or "free")


def _whole(fields: Fields, key: str, minimum: int, maximum: int) -> int | None:
    value = fields.get(key)
    if value is ABSENT:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not minimum <= value <= maximum:
        fields.note(key, f"found {shown(value)}; expected a whole number from {minimum} to {maximum}")
        return None
    return value


def _propensity(fields: Fields) -> float | None:
    value = fields.get("propensity")
    if value is ABSENT:
        return None
    numeric = isinstance(value, int | float) and not isinstance(value, bool)
    if not numeric or not math.isfinite(value) or not 0 <= value <= 1:  # type: ignore[arg-type, operator]
        fields.note("propensity", f"found {shown(value)}; expected a number from 0 to 1, the chance of being looked at")
        return None
    return float(value)  # type: ignore[arg-type]
