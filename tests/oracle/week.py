"""§5: weeks on a circle of 672 quarter-hours."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
CIRCLE = 7 * 24 * 4
QUARTER = 15 * 60


def monday(at: datetime) -> date:
    """Return the first Monday on or after the UTC day of `at`."""
    day = at.astimezone(UTC).date()
    while day.weekday() != 0:
        day += timedelta(days=1)
    return day


def local(day: date, minutes: int, zone: str) -> datetime:
    """Return the UTC instant of `minutes` after midnight on a wall clock of `zone`."""
    day += timedelta(days=minutes // 1440)
    wall = datetime.combine(day, time(minutes % 1440 // 60, minutes % 60), tzinfo=ZoneInfo(zone))
    return wall.astimezone(UTC)


def quarters(week: dict[str, Any], first: date) -> set[int]:
    """Return the quarter-hours of the circle in which somebody is free."""
    zero = datetime.combine(first, time(0), tzinfo=UTC)
    free = set()
    for slot in week["slots"]:
        name, span = slot.split()
        begin, end = ([int(part) for part in clock.split(":")] for clock in span.split("-"))
        start, stop = begin[0] * 60 + begin[1], end[0] * 60 + end[1]
        if stop <= start:
            stop += 1440
        day = first + timedelta(days=DAYS.index(name))
        from_second = int((local(day, start, week["tz"]) - zero).total_seconds())
        to_second = int((local(day, stop, week["tz"]) - zero).total_seconds())
        quarter = -(-from_second // QUARTER)
        while quarter < to_second // QUARTER:
            free.add(quarter % CIRCLE)
            quarter += 1
    return free


def longest_run(common: set[int]) -> int:
    """Return the length of the longest run of neighbours on the circle."""
    best = run = 0
    for step in range(2 * CIRCLE):
        run = run + 1 if step % CIRCLE in common else 0
        best = max(best, run)
    return min(best, CIRCLE)


def overlap(a: set[int], b: set[int], minutes: float) -> bool:
    """Tell whether two weeks share `minutes` in one piece."""
    return longest_run(a & b) * 15 >= minutes
