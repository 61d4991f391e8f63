"""Free time in a week. The oracle walks minute by minute over the wall clocks of both."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.facets.week import Week, monday_from
from tests.matcher.facets.bench import columns, declared_wrongly, facet, forward, passes, refused, says

FREE = facet("week")
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ORDINARY, SPRING, AUTUMN = date(2026, 6, 15), date(2026, 3, 23), date(2026, 10, 19)
"""Mondays; the latter two begin the weeks in which the clocks of Europe change."""


def week(tz, *slots):
    return {"tz": tz, "slots": list(slots)}


def shared(a, b, minutes=60, day=ORDINARY):
    """Tell whether the two weeks pass the gate, which must be the same both ways."""
    of = facet("week", f"min_overlap_minutes = {minutes}")
    one, two = (passes("permit", [of], says(of, x), says(of, y), day=day) for x, y in ((a, b), (b, a)))
    assert one is two
    return one


@pytest.mark.parametrize(
    ("body", "parts"),
    [
        ("min_overlap_minutes = 14", ("min_overlap_minutes: found 14", "a whole number from 15 to 1440")),
        ("min_overlap_minutes = 1441", ("found 1441",)),
        ("min_overlap_minutes = 60.0", ("found 60.0",)),
        ("min_overlap_minutes = true", ("found True",)),
        ('min_overlap_minutes = "60"', ("found '60'",)),
        ('label = ""', ("label: found ''",)),
        ("min_overlap = 60", ("min_overlap: unknown key", "did you mean 'min_overlap_minutes'?")),
    ],
)
def test_declared_wrongly(body, parts):
    declared_wrongly("week", body, *parts)


def test_declared():
    assert FREE.gating
    assert FREE.min_overlap_minutes == 60
    assert facet("week", 'label = "Free"\nmin_overlap_minutes = 15').label == "Free"
    assert forward([FREE], says(FREE), [says(FREE)]) is None


class TestParse:
    def test_slots_are_sorted_by_day_and_time(self):
        raw = week("Europe/London", "sun 09:00-10:00", "mon 18:00-20:00", "mon 08:00-24:00", "mon 18:00-20:00")
        assert FREE.parse(raw) == Week("Europe/London", ("mon 08:00-24:00", "mon 18:00-20:00", "sun 09:00-10:00"))

    def test_no_slots_is_known(self):
        assert FREE.parse(week("UTC")) == Week("UTC", ())

    @pytest.mark.parametrize("slot", ["mon 00:00-24:00", "sun 23:45-00:15", "sat 20:00-08:00", "tue 10:07-10:08"])
    def test_a_slot(self, slot):
        assert FREE.parse(week("UTC", slot)).slots == (slot,)

    @pytest.mark.parametrize(
        ("raw", "at", "parts"),
        [
            (None, "", ("found None", "expected {")),
            ([], "", ("found []",)),
            ("mon 18:00-20:00", "", ("found 'mon 18:00-20:00'",)),
            ({}, ".slots", ("an array of at most 50 slots",)),
            ({"tz": None, "slots": []}, ".tz", ("found None", "an IANA time zone such as Europe/London")),
            ({"tz": "UTC"}, ".slots", ("an array of at most 50 slots",)),
            ({"slots": []}, ".tz", ("found None",)),
            ({"tz": "UTC", "slots": [], "zone": 1}, ".zone", ("unknown field", "tz and slots")),
            ({"tz": "Europe/Londn", "slots": []}, ".tz", ("found 'Europe/Londn'", "did you mean 'Europe/London'?")),
            ({"tz": "europe/london", "slots": []}, ".tz", ("found 'europe/london'",)),
            ({"tz": "../etc/passwd", "slots": []}, ".tz", ("found '../etc/passwd'",)),
            ({"tz": "", "slots": []}, ".tz", ("found ''",)),
            ({"tz": "E" * 1_000_000, "slots": []}, ".tz", ("…",)),
            ({"tz": 0, "slots": []}, ".tz", ("found 0",)),
            ({"tz": ["UTC"], "slots": []}, ".tz", ("found ['UTC']",)),
            ({"tz": "UTC", "slots": "mon 18:00-20:00"}, ".slots", ("an array",)),
            ({"tz": "UTC", "slots": {}}, ".slots", ("an array",)),
            ({"tz": "UTC", "slots": None}, ".slots", ("an array",)),
            ({"tz": "UTC", "slots": ["mon 10:00-11:00"] * 51}, ".slots", ("at most 50",)),
            (week("UTC", "mon 10:00-11:00", "Mon 18:00-20:00"), ".slots[1]", ("found 'Mon 18:00-20:00'",)),
            (week("UTC", "monday 18:00-20:00"), ".slots[0]", ("expected a slot such as",)),
            (week("UTC", "mon 18-20"), ".slots[0]", ()),
            (week("UTC", "mon 8:00-9:00"), ".slots[0]", ()),
            (week("UTC", "mon 24:00-24:00"), ".slots[0]", ()),
            (week("UTC", "mon 10:00-24:15"), ".slots[0]", ()),
            (week("UTC", "mon 10:60-11:00"), ".slots[0]", ()),
            (week("UTC", "mon 10:00–11:00"), ".slots[0]", ()),
            (week("UTC", "mon  10:00-11:00"), ".slots[0]", ()),
            (week("UTC", "mon 10:00-11:00\n"), ".slots[0]", ()),
            (week("UTC", " mon 10:00-11:00"), ".slots[0]", ()),
            (week("UTC", "mon ١٠:00-11:00"), ".slots[0]", ()),
            (week("UTC", 5), ".slots[0]", ("found 5",)),
            (week("UTC", ["mon 10:00-11:00"]), ".slots[0]", ()),
            (week("UTC", None), ".slots[0]", ("found None",)),
            (week("UTC", "mon 10:00-10:00"), ".slots[0]", ("an end that differs from the start",)),
            (week("UTC", "tue 10:00-11:00", "mon 00:00-00:00"), ".slots[1]", ("an end that differs",)),
        ],
    )
    def test_refused(self, raw, at, parts):
        refused(FREE.parse, raw, at, *parts)


class TestTheGate:
    @pytest.mark.parametrize(
        ("a", "b", "minutes", "expected"),
        [
            (["mon 18:00-20:00"], ["mon 19:00-21:00"], 60, True),
            (["mon 18:00-20:00"], ["mon 19:15-21:00"], 60, False),
            (["mon 18:00-20:00"], ["mon 19:15-21:00"], 45, True),
            (["mon 18:00-20:00"], ["mon 19:15-21:00"], 46, False),  # rounded up to an hour
            (["mon 18:00-20:00"], ["tue 18:00-20:00"], 15, False),
            (["mon 18:00-18:30", "mon 19:00-19:30"], ["mon 18:00-20:00"], 60, False),  # an hour, in two pieces
            (["mon 18:00-18:30", "mon 18:30-19:00"], ["mon 18:00-20:00"], 60, True),
            (["mon 18:00-19:00"], ["mon 18:00-18:59"], 60, False),
            (["mon 18:01-19:14"], ["mon 18:00-20:00"], 60, False),  # rounded inward: 18:15 to 19:00
            (["mon 18:01-19:15"], ["mon 18:00-20:00"], 60, True),
            (["mon 18:01-18:14"], ["mon 18:00-20:00"], 15, False),
            (["mon 18:00-18:07", "mon 18:07-18:15"], ["mon 18:00-20:00"], 15, False),  # each slot by itself
            (["mon 23:30-00:30"], ["mon 23:00-24:00", "tue 00:00-01:00"], 60, True),
            (["mon 22:00-02:00"], ["tue 01:00-03:00"], 60, True),
            (["sun 23:30-00:30"], ["sun 23:00-24:00", "mon 00:00-01:00"], 60, True),  # the circle closes
            (["sun 22:00-02:00"], ["mon 01:00-02:00"], 60, True),
            (["sun 22:00-23:00"], ["mon 00:00-01:00"], 15, False),
            (["mon 00:00-24:00"], ["mon 00:00-24:00"], 1440, True),
            (["mon 00:00-24:00"], ["mon 00:00-23:45"], 1440, False),
            ([f"{day} 00:00-24:00" for day in DAYS], ["wed 12:00-12:15"], 15, True),
            ([f"{day} 00:00-24:00" for day in DAYS], [f"{day} 00:00-24:00" for day in DAYS], 1440, True),
            ([], ["mon 10:00-12:00"], 15, False),
            ([], [], 15, False),
        ],
    )
    def test_in_one_zone(self, a, b, minutes, expected):
        for day in (ORDINARY, SPRING, AUTUMN):
            for tz in ("UTC", "Asia/Kathmandu"):
                assert shared(week(tz, *a), week(tz, *b), minutes, day) is expected

    def test_unknown_passes_nobody(self):
        assert shared(None, week("UTC", "mon 10:00-12:00")) is False
        assert shared(None, None) is False

    @pytest.mark.parametrize(
        ("a", "b", "expected"),
        [
            (week("Europe/London", "mon 18:00-19:00"), week("Europe/Paris", "mon 19:00-20:00"), True),
            (week("Europe/London", "mon 18:00-19:00"), week("Europe/Paris", "mon 18:00-19:00"), False),
            (week("Pacific/Auckland", "mon 09:00-10:00"), week("UTC", "sun 21:00-22:00"), True),  # winter: +12
            (week("Pacific/Kiritimati", "mon 00:00-01:00"), week("UTC", "sun 10:00-11:00"), True),  # +14
            (week("Pacific/Pago_Pago", "sun 23:00-24:00"), week("UTC", "mon 10:00-11:00"), True),  # -11
            (week("Asia/Kathmandu", "tue 20:00-21:00"), week("UTC", "tue 14:15-15:15"), True),  # +5:45
        ],
    )
    def test_in_two_zones(self, a, b, expected):
        assert shared(a, b) is expected

    def test_new_york_and_london_are_an_hour_nearer_for_two_weeks(self):
        york, london = week("America/New_York", "mon 13:00-14:00"), week("Europe/London", "mon 18:00-19:00")
        nearer = week("Europe/London", "mon 17:00-18:00")
        for day, expected in ((date(2026, 3, 2), True), (date(2026, 3, 16), False), (date(2026, 3, 30), True)):
            assert shared(york, london, day=day) is expected
            assert shared(york, nearer, day=day) is not expected

    @pytest.mark.parametrize(
        ("slot", "utc", "expected"),
        [
            ("sun 00:30-02:30", "sun 00:30-01:30", True),  # an hour is left of two
            ("sun 00:30-02:30", "sun 01:30-02:30", False),
            ("sun 01:00-02:00", "sun 00:00-03:00", False),  # skipped: nothing is left
            ("sun 01:30-02:00", "sun 00:00-03:00", False),  # begins, as read, after it ends
            ("sun 01:30-02:30", "sun 00:00-24:00", False),
            ("sun 02:00-03:00", "sun 01:00-02:00", True),
        ],
    )
    def test_the_hour_that_spring_skips(self, slot, utc, expected):
        assert shared(week("Europe/London", slot), week("UTC", utc), day=SPRING) is expected

    @pytest.mark.parametrize(
        ("slot", "utc", "minutes", "expected"),
        [
            ("sun 01:00-02:00", "sun 00:00-02:00", 120, True),  # both of the hours that read 01
            ("sun 01:15-01:45", "sun 00:00-02:00", 30, True),  # the first of the two
            ("sun 01:15-01:45", "sun 01:00-02:00", 15, False),
            ("sun 00:30-01:30", "sat 23:30-00:30", 60, True),
        ],
    )
    def test_the_hour_that_autumn_repeats(self, slot, utc, minutes, expected):
        assert shared(week("Europe/London", slot), week("UTC", utc), minutes, AUTUMN) is expected

    @pytest.mark.parametrize("days", range(7))
    def test_the_week_is_that_of_the_next_monday(self, days):
        day = date(2026, 3, 17) + timedelta(days=days)  # the 23rd is the Monday of the week with the change
        assert monday_from(day) == SPRING
        assert shared(week("Europe/London", "sun 02:00-03:00"), week("UTC", "sun 01:00-02:00"), day=day)
        assert monday_from(SPRING + timedelta(days=1)) == date(2026, 3, 30)


ZONES = (
    "UTC", "Europe/London", "America/New_York", "America/St_Johns", "Asia/Kathmandu", "Asia/Tokyo",
    "Australia/Lord_Howe", "Pacific/Auckland", "Pacific/Kiritimati", "Pacific/Pago_Pago",
    "Africa/Casablanca", "America/Santiago",
)  # fmt: skip
MONDAYS = (SPRING, AUTUMN, ORDINARY, date(2026, 3, 2), date(2026, 3, 30), date(2026, 9, 21), date(2026, 10, 26))
MINUTE = timedelta(minutes=1)


@cache
def clock(tz, monday):
    """Return by wall clock the UTC minute, from Monday 00:00, at which a clock of the zone first shows it."""
    zone, start = ZoneInfo(tz), datetime(monday.year, monday.month, monday.day, tzinfo=UTC)
    first = {}
    for minute in range(-2 * 1440, 9 * 1440):
        first.setdefault((start + minute * MINUTE).astimezone(zone).replace(tzinfo=None), minute)
    return first


def instant(tz, monday, day, minutes):
    """Return the UTC minute of a wall clock; one that is skipped goes on from the minute before the gap."""
    wall = datetime(monday.year, monday.month, monday.day) + timedelta(days=day, minutes=minutes)  # noqa: DTZ001
    first, gap = clock(tz, monday), 0
    while wall - gap * MINUTE not in first:
        gap += 1
    return first[wall - gap * MINUTE] + gap


def free_quarters(raw, monday):
    """Return the quarter-hours of which one slot has every minute, on the circle."""
    found = set()
    for slot in raw["slots"]:
        begin, end = (int(text[:2]) * 60 + int(text[3:]) for text in slot[4:].split("-"))
        day = DAYS.index(slot[:3])
        start = instant(raw["tz"], monday, day, begin)
        minutes = set(range(start, instant(raw["tz"], monday, day, end if end > begin else end + 1440)))
        for quarter in range(-3 * 96, 10 * 96):
            if minutes.issuperset(range(quarter * 15, quarter * 15 + 15)):
                found.add(quarter % 672)
    return found


def expected(a, b, needed, monday):
    common = free_quarters(a, monday) & free_quarters(b, monday)
    return any(all((start + ahead) % 672 in common for ahead in range(-(-needed // 15))) for start in common)


def minutes(hour, quarter, odd):
    return f"{hour:02d}:{quarter * 15 + odd:02d}"


@st.composite
def weeks(draw):
    def slot():
        # Many at night and at the week's end, where clocks change and the circle closes.
        day = draw(st.sampled_from((*DAYS, "sun", "sun", "mon", "sat")))
        hours = st.sampled_from([*range(24), 0, 1, 1, 2, 2, 3, 23])
        times = [minutes(draw(hours), draw(st.integers(0, 3)), draw(st.sampled_from([0, 0, 0, 7]))) for _ in range(2)]
        end = "24:00" if times[0] == times[1] or draw(st.integers(0, 9)) == 0 else times[1]
        return f"{day} {times[0]}-{end}"

    return week(draw(st.sampled_from(ZONES)), *[slot() for _ in range(draw(st.integers(0, 3)))])


@pytest.mark.parametrize("monday", MONDAYS, ids=str)
def test_minute_by_minute(monday):
    passed = []

    @given(seeker=weeks(), others=st.lists(weeks(), min_size=1, max_size=9), needed=st.sampled_from([15, 30, 60, 61]))
    def check(seeker, others, needed):
        want = [expected(seeker, other, needed, monday) for other in others]
        of = facet("week", f"min_overlap_minutes = {needed}")
        column = columns([of], [*(says(of, other) for other in others), says(of)], day=monday)["f"]
        assert column.permit(says(of, seeker)).tolist() == [*want, False]
        assert shared(seeker, others[0], needed, monday) is want[0]
        passed.extend(want)

    check()
    assert 0 < sum(passed) < len(passed)


@pytest.mark.parametrize("size", [1, 7, 8, 9, 17])
def test_any_number_of_rows(size):
    raws = [[week("UTC", "mon 10:00-11:00"), week("UTC", "tue 10:00-11:00"), None][row % 3] for row in range(size)]
    column = columns([FREE], [says(FREE, raw) for raw in raws])["f"]
    mask = column.permit(says(FREE, week("UTC", "mon 09:00-12:00")))
    assert mask.dtype == np.bool_
    assert mask.tolist() == [row % 3 == 0 for row in range(size)]
    assert column.nbytes > 0
