"""When a member is free in a week: a gate, one contiguous stretch in common.

Every slot is read in its member's own IANA zone, in one named week, and put on a circle of quarter-hours in UTC.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import ClassVar
from zoneinfo import ZoneInfo, available_timezones

import numpy as np

from matcher.config import Table
from matcher.errors import nearest, shown
from matcher.facets.base import Column, EncodeContext, Facet, FacetContext, Mask, Side, Sides, ValueProblem

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
SLOT = re.compile(
    r"(mon|tue|wed|thu|fri|sat|sun) ([01]\d|2[0-3]):([0-5]\d)-(?:([01]\d|2[0-3]):([0-5]\d)|(24:00))", re.ASCII
)
QUARTER = timedelta(minutes=15)
QUARTERS = 7 * 24 * 4
MOST_SLOTS = 50
NOT_PLACES = {"localtime", "Factory", "posixrules"}
"""Names of time zones that mean another zone on another machine, or none."""


@dataclass(frozen=True, slots=True)
class Week:
    """Free time in a usual week, in one zone."""

    tz: str
    slots: tuple[str, ...]
    """``"mon 18:00-20:00"``, sorted by day and time; an end not after its start is on the next day."""


@lru_cache(maxsize=1)
def zones() -> frozenset[str]:
    """Return the names of the IANA time zones that this installation knows."""
    return frozenset(available_timezones()) - NOT_PLACES


def monday_from(day: date) -> date:
    """Return the first Monday on or after `day`."""
    return day + timedelta(days=-day.weekday() % 7)


@lru_cache(maxsize=65536)
def quarters(tz: str, slot: str, monday: date) -> tuple[int, int]:
    """Return first quarter-hour and number of whole quarter-hours of a slot in the week of `monday`.

    The first counts from Monday 00:00 UTC and lies in ``0 … 671``; the number is 0 where less than a quarter is left.
    """
    match = SLOT.fullmatch(slot)
    assert match is not None
    day, from_hour, from_minute, to_hour, to_minute, midnight = match.groups()
    zone, on = ZoneInfo(tz), monday + timedelta(days=DAYS.index(day))
    start, end = time(int(from_hour), int(from_minute)), time(0) if midnight else time(int(to_hour), int(to_minute))
    origin = datetime.combine(monday, time(0), UTC)
    begins = datetime.combine(on, start, zone).astimezone(UTC) - origin
    ends = datetime.combine(on if end > start else on + timedelta(days=1), end, zone).astimezone(UTC) - origin
    first, last = -(-begins // QUARTER), ends // QUARTER
    return first % QUARTERS, min(max(0, last - first), QUARTERS)


@dataclass(frozen=True, kw_only=True)
class WeekFacet(Facet):
    """Free time; two people must share `min_overlap_minutes` in one piece."""

    kind: ClassVar[str] = "week"
    scorable: ClassVar[bool] = False
    min_overlap_minutes: int = 60

    @classmethod
    def from_table(cls, name: str, table: Table, context: FacetContext) -> WeekFacet:
        """Read the facet from its TOML table."""
        return cls(
            name=name,
            label=table.string("label", default=name.replace("_", " ").capitalize()),
            min_overlap_minutes=table.integer("min_overlap_minutes", default=60, minimum=15, maximum=24 * 60),
        )

    @property
    def gating(self) -> bool:
        """Free time is always a gate."""
        return True

    def parse(self, raw: object) -> object:
        """Return a `Week` from ``{"tz": …, "slots": […]}``."""
        if not isinstance(raw, Mapping):
            raise ValueProblem(f'found {shown(raw)}; expected {{"tz": "Europe/London", "slots": ["mon 18:00-20:00"]}}')
        for key in raw:
            if key not in ("tz", "slots"):
                raise ValueProblem("unknown field; expected tz and slots", f".{shown(key)[1:-1]}")
        tz, slots = raw.get("tz"), raw.get("slots")
        if not isinstance(slots, list | tuple) or len(slots) > MOST_SLOTS:
            raise ValueProblem(f"expected an array of at most {MOST_SLOTS} slots such as 'mon 18:00-20:00'", ".slots")
        free = {self._slot(slot, at) for at, slot in enumerate(slots)}
        if not isinstance(tz, str) or tz not in zones():
            hint = nearest(tz, zones()) if isinstance(tz, str) and len(tz) < 60 else ""
            raise ValueProblem(f"found {shown(tz)}; expected an IANA time zone such as Europe/London{hint}", ".tz")
        return Week(tz, tuple(sorted(free, key=_by_day)))

    @staticmethod
    def _slot(slot: object, at: int) -> str:
        if not isinstance(slot, str) or not (match := SLOT.fullmatch(slot)):
            raise ValueProblem(f"found {shown(slot)}; expected a slot such as 'mon 18:00-20:00'", f".slots[{at}]")
        if match[2] == match[4] and match[3] == match[5]:
            raise ValueProblem(f"found {shown(slot)}; expected an end that differs from the start", f".slots[{at}]")
        return slot

    def encode(self, sides: Mapping[str, Sequence[Side]], shows: Sequence[bool], context: EncodeContext) -> WeekColumn:
        """Return the column of a pool."""
        return WeekColumn(self, sides[self.name], shows, monday_from(context.day))


def _by_day(slot: str) -> tuple[int, str]:
    return DAYS.index(slot[:3]), slot


class WeekColumn(Column):
    """When the members of a pool can start: for each quarter-hour one packed bitmap of those free from then on.

    "An hour in common" is then an OR over the quarter-hours at which the seeker can start.
    """

    def __init__(self, facet: WeekFacet, sides: Sequence[Side], shows: Sequence[bool], monday: date) -> None:
        self.facet = facet
        self.monday = monday
        self.size = len(sides)
        self.needed = -(-facet.min_overlap_minutes // 15)
        codes: dict[object, int] = {}
        rows = np.fromiter((codes.setdefault(side.value, len(codes)) for side in sides), np.intp, self.size)
        patterns = np.array([self.starts(value) for value in codes], dtype=np.bool_).reshape(-1, QUARTERS)
        self.can_start = np.array([np.packbits(patterns[:, quarter][rows]) for quarter in range(QUARTERS)])
        self.importance = np.zeros(self.size, dtype=np.uint8)
        self.shows = np.fromiter(shows, np.bool_, self.size)

    def starts(self, week: object) -> Mask:
        """Return at which quarter-hours `week` has the needed stretch ahead of it, shape (672,); none if unknown."""
        free = np.zeros(QUARTERS, dtype=np.bool_)
        if isinstance(week, Week):
            for slot in week.slots:
                first, length = quarters(week.tz, slot, self.monday)
                free[np.arange(first, first + length) % QUARTERS] = True
        able = free.copy()
        for ahead in range(1, self.needed):
            able &= np.roll(free, -ahead)
        return able

    def permit(self, seeker: Sides) -> Mask | None:
        """Return who shares a long enough stretch with the seeker."""
        starts = np.flatnonzero(self.starts(seeker[self.facet.name].value))
        shared = np.zeros(self.can_start.shape[1], dtype=np.uint8)
        for quarter in starts:
            shared |= self.can_start[quarter]
        return np.unpackbits(shared, count=self.size).view(np.bool_)

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays."""
        return self.can_start.nbytes + self.importance.nbytes + self.shows.nbytes
