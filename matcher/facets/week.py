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
import numpy.typing as npt

from matcher.config import Table
from matcher.errors import nearest, shown
from matcher.facets.base import (
    Column,
    EncodeContext,
    Facet,
    FacetContext,
    JSONSchema,
    Side,
    Sides,
    ValueProblem,
)
from matcher.facets.bitmaps import Bitmap
from matcher.facets.side_codes import SideCodes

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
SLOT = re.compile(
    r"(mon|tue|wed|thu|fri|sat|sun) ([01]\d|2[0-3]):([0-5]\d)-(?:([01]\d|2[0-3]):([0-5]\d)|(24:00))", re.ASCII
)
SLOT_PATTERN = (
    "^(mon|tue|wed|thu|fri|sat|sun) (?!([0-9:]{5})-\\2)"
    "([01][0-9]|2[0-3]):[0-5][0-9]-(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$(?!\\n)"
)
"""The same for JSON Schema, and that the end differs from the start."""
QUARTER = timedelta(minutes=15)
QUARTERS = 7 * 24 * 4
WHOLE = (1 << QUARTERS) - 1
ROWS_AT_ONCE = 1 << 14
"""Rows whose weeks are unpacked at a time: bounds the memory."""
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

    def json_schema(self) -> JSONSchema:
        """Return the schema of a zone that this installation knows, and of slots."""
        return {
            "type": "object",
            "properties": {
                "tz": {"enum": sorted(zones())},
                "slots": {
                    "type": "array",
                    "items": {"type": "string", "pattern": SLOT_PATTERN},
                    "maxItems": MOST_SLOTS,
                },
            },
            "required": ["tz", "slots"],
            "additionalProperties": False,
        }

    @staticmethod
    def _slot(slot: object, at: int) -> str:
        if not isinstance(slot, str) or not (match := SLOT.fullmatch(slot)):
            raise ValueProblem(f"found {shown(slot)}; expected a slot such as 'mon 18:00-20:00'", f".slots[{at}]")
        if match[2] == match[4] and match[3] == match[5]:
            raise ValueProblem(f"found {shown(slot)}; expected an end that differs from the start", f".slots[{at}]")
        return slot

    def encode(self, sides: Mapping[str, Sequence[Side]], shows: Sequence[bool], context: EncodeContext) -> WeekColumn:
        """Return the column of a pool."""
        return WeekColumn(self, sides[self.name], shows, context)

    @property
    def column_class(self) -> type[Column]:
        """What a saved column of this facet is."""
        return WeekColumn


def _by_day(slot: str) -> tuple[int, str]:
    return DAYS.index(slot[:3]), slot


@lru_cache(maxsize=65536)
def slot_bits(tz: str, slot: str, monday: date) -> int:
    """Return the quarter-hours of a slot as the bits of a number."""
    first, length = quarters(tz, slot, monday)
    return _turned(((1 << length) - 1) << first)


def _turned(bits: int) -> int:
    """Return `bits` with those past the end of the circle put at its beginning."""
    return (bits | bits >> QUARTERS) & WHOLE


class WeekColumn(Column):
    """When the members of a pool can start: for each quarter-hour one packed bitmap of those free from then on.

    "An hour in common" is then an OR over the quarter-hours at which the seeker can start.

    Attributes
    ----------
    can_start : ndarray of uint8, shape (672, ceil(N/8))
    """

    ARRAYS: ClassVar[tuple[str, ...]] = (*Column.ARRAYS, "can_start")
    facet: WeekFacet
    can_start: npt.NDArray[np.uint8]

    def __init__(self, facet: WeekFacet, sides: Sequence[Side], shows: npt.ArrayLike, context: EncodeContext) -> None:
        self.facet = facet
        self.ready(context)
        coded = SideCodes.of(sides)
        size = len(coded)
        starts = b"".join(self.starts(side.value).to_bytes(QUARTERS // 8, "little") for side in coded.distinct)
        patterns = np.frombuffer(starts, dtype=np.uint8).reshape(-1, QUARTERS // 8)
        self.can_start = np.zeros((QUARTERS, -(-size // 8)), dtype=np.uint8)
        for first in range(0, size, ROWS_AT_ONCE):
            codes = coded.codes[first : first + ROWS_AT_ONCE]
            free = np.unpackbits(patterns[codes], axis=1, bitorder="little")
            packed = np.packbits(np.ascontiguousarray(free.T), axis=1)
            self.can_start[:, first // 8 : first // 8 + packed.shape[1]] = packed
        self.importance = np.zeros(size, dtype=np.uint8)
        self.shows = np.array(shows, dtype=np.bool_)

    def ready(self, context: EncodeContext) -> None:
        """Make what is neither saved nor encoded."""
        self.monday = monday_from(context.day)
        self.needed = -(-self.facet.min_overlap_minutes // 15)

    def starts(self, week: object) -> int:
        """Return at which quarter-hours `week` has the needed stretch ahead of it, as bits; none if unknown."""
        able = 0
        if isinstance(week, Week):
            for slot in week.slots:
                able |= slot_bits(week.tz, slot, self.monday)
        ahead = 1
        while ahead < self.needed and able:  # able: so many are free in a row
            step = min(ahead, self.needed - ahead)
            able &= _turned(able << QUARTERS >> step)
            ahead += step
        return able

    def permit_bits(self, seeker: Sides) -> Bitmap | None:
        """Return who shares a long enough stretch with the seeker."""
        starts = self.starts(seeker[self.facet.name].value).to_bytes(QUARTERS // 8, "little")
        able = np.flatnonzero(np.unpackbits(np.frombuffer(starts, dtype=np.uint8), bitorder="little"))
        shared: Bitmap = np.bitwise_or.reduce(self.can_start[able], axis=0)
        return shared
