"""One member's zone was applied to everybody, and clock changes shifted by an hour (calrs 50, cal.diy 19589)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.properties import pairs
from tests.properties.pairs import ids, person

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def meet(a: dict[str, object], b: dict[str, object], day: str, minutes: int = 60) -> bool:
    programme = pairs.programme(facets={"availability": {"kind": "week", "min_overlap_minutes": minutes}})
    records = [person("a", profile={"journey": "new", "availability": a}), person("b", profile={"availability": b})]
    matcher = pairs.fitted(programme, records, at=datetime.fromisoformat(day).replace(tzinfo=UTC))
    found = ids(matcher, "a")
    assert dict(matcher.match("a").excluded) == ({} if found else {"availability": 1})
    return found == ["b"]


def week(zone: str, span: str, *days: str) -> dict[str, object]:
    return {"tz": zone, "slots": [f"{day} {span}" for day in days]}


@pytest.mark.parametrize(
    ("day", "apart", "both"),
    [
        ("2026-03-01", 6, ["sun"]),  # the week of Monday 2 March: New York changes on Sunday 8 March
        ("2026-03-08", 5, list(DAYS)),  # 9–15 March: New York has changed, Paris has not
        ("2026-03-22", 5, list(DAYS[:6])),  # 23–29 March: Paris changes on Sunday 29 March
        ("2026-03-29", 6, []),  # 30 March–5 April: both have changed
    ],
)
def test_paris_nine_to_twelve_and_new_york_six_to_nine(day: str, apart: int, both: list[str]) -> None:
    """At five hours apart they share 11–12 in Paris, at six nothing."""
    met = [
        d for d in DAYS if meet(week("Europe/Paris", "09:00-12:00", d), week("America/New_York", "06:00-09:00", d), day)
    ]
    assert met == both
    everyday = [week(*slot, *DAYS) for slot in (("Europe/Paris", "09:00-12:00"), ("America/New_York", "06:00-09:00"))]
    assert meet(everyday[0], everyday[1], day) == meet(everyday[1], everyday[0], day) == bool(both)
    assert not meet(everyday[0], everyday[1], day, minutes=75)
    assert meet(
        week("Europe/Paris", f"{6 + apart:02}:00-{7 + apart:02}:00", "wed"),
        week("America/New_York", "06:00-07:00", "wed"),
        day,
    )


def test_auckland_monday_is_honolulu_sunday() -> None:
    """Monday 08–10 in Auckland (UTC+13 in March) is Sunday 09–11 in Honolulu: the week is a circle."""
    auckland, honolulu = week("Pacific/Auckland", "08:00-10:00", "mon"), week("Pacific/Honolulu", "09:00-11:00", "sun")
    assert meet(auckland, honolulu, "2026-03-08", minutes=120)
    assert meet(honolulu, auckland, "2026-03-08", minutes=120)
    assert not meet(auckland, week("Pacific/Honolulu", "09:00-11:00", "mon"), "2026-03-08")
    # From 5 April Auckland is at UTC+12: one hour of the two is left.
    assert meet(auckland, honolulu, "2026-04-05", minutes=60)
    assert not meet(auckland, honolulu, "2026-04-05", minutes=75)


def test_a_slot_past_midnight_and_past_the_end_of_the_week() -> None:
    night, morning = week("Europe/London", "23:00-01:00", "sun"), week("Europe/London", "00:00-02:00", "mon")
    assert meet(night, morning, "2026-02-01")
    assert not meet(night, morning, "2026-02-01", minutes=75)
    assert not meet(night, week("Europe/London", "00:00-02:00", "sun"), "2026-02-01")


def test_each_slot_is_read_in_its_own_members_zone() -> None:
    assert not meet(
        week("Asia/Kolkata", "18:00-20:00", "mon"), week("Europe/London", "18:00-20:00", "mon"), "2026-02-01"
    )
    assert meet(
        week("Asia/Kolkata", "18:00-20:00", "mon"), week("Europe/London", "12:30-14:30", "mon"), "2026-02-01", 120
    )
