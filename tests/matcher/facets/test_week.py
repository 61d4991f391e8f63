"""Free time against a brute force by minutes, in weeks with and without a clock change."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from matcher.facets.base import EncodeContext, Side
from matcher.facets.week import DAYS, Week, WeekFacet, monday_from

ZONES = ["Europe/London", "America/New_York", "Asia/Kathmandu", "Pacific/Auckland", "Pacific/Honolulu", "UTC"]


def minutes(week: Week, monday: date) -> set[int]:
    """Return the minutes of the circle of a week, from Monday 00:00 UTC, in whole quarter-hours that are free."""
    free: set[int] = set()
    origin = datetime.combine(monday, time(0), UTC)
    for slot in week.slots:
        day, span = slot.split(" ")
        start, end = span.split("-")
        on = monday + timedelta(days=DAYS.index(day))
        begins = datetime.fromisoformat(f"{on}T{start}").replace(tzinfo=ZoneInfo(week.tz))
        next_day = end == "24:00" or end <= start
        end_on = on + timedelta(days=1) if next_day else on
        until = "00:00" if end == "24:00" else end
        ends = datetime.fromisoformat(f"{end_on}T{until}").replace(tzinfo=ZoneInfo(week.tz))
        first = int((begins.astimezone(UTC) - origin).total_seconds() // 60)
        last = int((ends.astimezone(UTC) - origin).total_seconds() // 60)
        for quarter in range(-96, 8 * 96):
            if first <= 15 * quarter and 15 * quarter + 15 <= last:
                free |= {(15 * quarter + minute) % (7 * 24 * 60) for minute in range(15)}
    return free


def meets(one: set[int], other: set[int], needed: int) -> bool:
    both = one & other
    return any(all((start + k) % (7 * 24 * 60) in both for k in range(needed)) for start in range(0, 7 * 24 * 60, 15))


def some_week(rng: random.Random) -> Week:
    def clock() -> str:
        return f"{rng.randrange(24):02d}:{rng.choice([0, 0, 15, 20, 30, 45]):02d}"

    slots = set()
    while len(slots) < 3:
        start, end = clock(), rng.choice([clock(), "24:00"])
        if start != end:
            slots.add(f"{rng.choice(DAYS)} {start}-{end}")
    return Week(rng.choice(ZONES), tuple(sorted(slots)))


def column(facet: WeekFacet, weeks: list[Week | None], day: date):
    sides = {facet.name: [Side(week) for week in weeks]}
    return facet.encode(sides, [True] * len(weeks), EncodeContext({}, day, {}))


@pytest.mark.parametrize("day", [date(2026, 3, 2), date(2026, 3, 9), date(2026, 3, 24), date(2026, 10, 20)])
@pytest.mark.parametrize("needed", [15, 60, 100])
def test_as_by_brute_force(day, needed):
    rng = random.Random(needed)
    facet = WeekFacet(name="availability", label="", min_overlap_minutes=needed)
    weeks: list[Week | None] = [some_week(rng) for _ in range(24)]
    encoded = column(facet, [*weeks, None], day)
    monday = monday_from(day)
    free = [minutes(week, monday) for week in weeks if week]
    rounded = -(-needed // 15) * 15
    hits = 0
    for at, week in enumerate(weeks):
        passes = encoded.permit({"availability": Side(week)})
        assert passes.tolist() == [*(meets(free[at], other, rounded) for other in free), False]
        hits += int(passes.sum())
    assert 0 < hits < 24 * 24


def test_the_week_is_that_of_the_next_monday():
    assert monday_from(date(2026, 3, 2)) == date(2026, 3, 2)
    assert monday_from(date(2026, 3, 3)) == date(2026, 3, 9)
    assert monday_from(date(2026, 3, 8)) == date(2026, 3, 9)


def test_a_slot_over_the_end_of_the_week_meets_its_beginning():
    facet = WeekFacet(name="availability", label="")
    encoded = column(facet, [Week("UTC", ("mon 00:30-02:00",))], date(2026, 3, 2))
    assert encoded.permit({"availability": Side(Week("UTC", ("sun 23:00-01:30",)))}).tolist() == [True]
    assert encoded.permit({"availability": Side(None)}).tolist() == [False]
    assert encoded.nbytes >= np.zeros(672, dtype=np.uint8).nbytes
