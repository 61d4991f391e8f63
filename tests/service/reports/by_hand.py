"""Every figure of every report, counted by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from service.reports.asking import Period
from service.store.moments import micros, moment
from tests.service.installation import NOON
from tests.service.reports.worlds import Person, World

K = 2


def quantile(some: Sequence[float], q: float) -> float:
    ordered = sorted(some)
    place = q * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def lengths(some: Sequence[int], *, gone: bool) -> dict[str, Any]:
    in_days = [one / 86_400_000_000 for one in some]
    return {
        "suppressed": gone,
        "count": None if gone else len(some),
        "median_days": None if gone or not some else pytest.approx(quantile(in_days, 0.5), abs=0.006),
        "p90_days": None if gone or not some else pytest.approx(quantile(in_days, 0.9), abs=0.006),
    }


def within(at: int, period: Period) -> bool:
    day = moment(at).date()
    return (period.first is None or day >= period.first) and (period.last is None or day <= period.last)


def last_end(world: World, name: str, by: int) -> int:
    return max((one.ended_at for one in world.pairs if one.seeker == name and one.ended_at is not None
                and one.ended_at <= by), default=0)  # fmt: skip


def time_to_match(world: World, period: Period) -> Any:
    some = [one for one in world.pairs if within(one.connected_at, period)]
    waits = []
    for one in some:
        # A mentor who is nobody's seeker now may have been: their consent tells all the same.
        since = world.people[one.seeker].since
        if since is not None and since <= one.connected_at:
            earlier = [
                other.ended_at
                for other in world.pairs
                if other.seeker == one.seeker and other.ended_at is not None and other.ended_at <= one.connected_at
                and other is not one
            ]  # fmt: skip
            waits.append(one.connected_at - max([since, *earlier]))
    unknown = len(some) - len(waits)
    return {
        "from_proposal": {"all": lengths([one.connected_at - one.made_at for one in some], gone=len(some) < K)},
        "from_waiting": {"all": lengths(waits, gone=len(waits) < K or unknown == 1)},
    }


def retained(world: World, period: Period) -> Any:
    follow = {name for name, one in world.people.items() if one.followed}
    cells: dict[str, Any] = {}
    for name, days in (("1_month", 30), ("3_months", 91), ("6_months", 182)):
        some = [
            one
            for one in world.pairs
            if within(one.connected_at, period)
            and moment(one.connected_at) >= NOON - timedelta(days=730)  # what ended before may be deleted
            and {one.seeker, one.candidate} <= follow
            and moment(one.connected_at) + timedelta(days=days) <= NOON
        ]
        going = sum(
            one.ended_at is None or moment(one.ended_at) >= moment(one.connected_at) + timedelta(days=days)
            for one in some
        )
        cell = part(going, len(some), "going_on")
        for measure in ("count", "going_on"):
            before = [one[measure] for one in cells.values() if one[measure] is not None]
            if cell[measure] is not None and before and 0 < before[-1] - cell[measure] < K:
                cell = {"suppressed": True, "count": None, "going_on": None, "share": None}
        cells[name] = cell
    return {"after": cells}


def part(count: int, whole_: int, measure: str) -> dict[str, Any]:
    gone = count < K or whole_ - count < K
    return {
        "suppressed": gone,
        "count": None if whole_ < K else whole_,
        measure: None if gone else count,
        "share": None if gone else pytest.approx(count / whole_, abs=1e-4),
    }


def rematched(world: World, period: Period) -> Any:
    some = [one for one in world.pairs if one.ended_at is not None and within(one.ended_at, period)]
    return {"ended": {"all": part(sum(one.act == "rematch" for one in some), len(some), "rematched")}}


def load_of(world: World, _: Period) -> Any:
    def gives(one: Person) -> bool:
        return "supporter" in one.roles and one.shown and one.vetted

    some = [one for one in world.people.values() if gives(one) or one.taken]
    taken = [one.taken for one in some]
    apart = sum(abs(one - other) for one in taken for other in taken)
    return {
        "supporters": {
            "all": {
                "suppressed": False,
                "supporters": len(some),
                "places": sum(one.capacity for one in some),
                "taken": sum(taken),
                "free": sum(max(one.capacity - one.taken, 0) for one in some if gives(one) and not one.rests),
                "resting": sum(one.rests for one in some),
                "held": 0,
                "full": sum(one.capacity == one.taken for one in some),
                "over_capacity": sum(one.capacity < one.taken for one in some),
                "most_taken": max(taken, default=0),
                "p90_taken": pytest.approx(quantile(taken, 0.9), abs=0.006) if taken else None,
                "gini": pytest.approx(apart / (2 * len(taken) * sum(taken)), abs=1e-4) if sum(taken) else None,
            }
        }
    }


def waits(world: World, period: Period) -> Any:
    connected = {one.seeker for one in world.pairs if one.ended_at is None}
    some = {}
    for name, one in world.people.items():
        if "seeker" in one.roles and one.since is not None and name not in connected:
            since = max(one.since, last_end(world, name, micros(NOON)))
            if within(since, period):
                some[name] = micros(NOON) - since
    reasons = ("never_asked", "no_eligible", "small_pool", "below_quality", "low_information", "over_budget",
               "declined_all", "lapsed")  # fmt: skip
    found = {"all": {"all": lengths(list(some.values()), gone=len(some) < K)}}
    found["by_reason"] = cells({key: list(some.values()) if key == "never_asked" else [] for key in reasons})
    whole = period.first is None and period.last is None
    for stratum, values in (("ethnicity", "abc"), ("faith", "xy")) if whole else ():
        by_value: dict[str, list[int]] = {value: [] for value in (*values, "not_told")}
        for name, length in some.items():
            one = world.people[name]
            by_value[one.strata.get(stratum, "not_told") if one.fairness else "not_told"].append(length)
        found[f"by_{stratum}"] = cells(by_value)
    return found


def cells(groups: dict[str, list[int]]) -> dict[str, Any]:
    """Leave out more and more of the smallest until nothing small is told or can be computed."""
    small = {key for key, some in groups.items() if len(some) < K}
    while small and len(small) < len(groups):
        sizes = [len(groups[key]) for key in small]
        if sum(sizes) >= K and min(sizes) < max(sizes):
            break
        least = min(len(some) for key, some in groups.items() if key not in small)
        small |= {key for key, some in groups.items() if len(some) == least}
    return {key: lengths(some, gone=key in small) for key, some in groups.items()}


RIGHT = {
    "time_to_match": time_to_match,
    "waiting": waits,
    "retention": retained,
    "rematch_rate": rematched,
    "load": load_of,
}
