"""Every seeker stands in exactly one place, and who waits does so in an order that rests on nothing hidden."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matcher.errors import PeermatchError
from matcher.programme_introductions import Waiting
from matcher.waiting import EMPTY, NAMES, REASONS, Facts, State, Waiter, ordered, state_of
from tests.conftest import examples

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)
LONGEST = Waiting(order="longest_wait", facet=None, values=())
HOME = Waiting(order="support_at_home", facet="home", values=("alone", "carer"))
BOTH = (False, True)
OUTCOMES = (None, "matched", *EMPTY)


def every() -> list[Facts]:
    """All that may be true of a seeker, numbers as none, one, several."""
    numbers = (0, 1, 3)
    ways = product(BOTH, BOTH, BOTH, numbers, numbers, numbers, OUTCOMES, BOTH, BOTH)
    names = [field.name for field in fields(Facts)]
    return [Facts(**dict(zip(names, way, strict=True))) for way in ways]


def holds(facts: Facts) -> dict[str, bool]:
    """For each name, whether it and none before it is true: written out one by one."""
    there = facts.consented
    fits = there and not facts.outdated
    free = fits and not facts.held
    alone = free and facts.connections == 0
    unasked = alone and facts.introductions == 0
    return {
        "no_consent": not there,
        "outdated": there and facts.outdated,
        "held": fits and facts.held,
        "connected": free and facts.connections > 0,
        "introduced": alone and facts.introductions > 0,
        "listed": unasked and facts.choices > 0,
        "waiting": unasked and facts.choices == 0,
    }


class TestPartition:
    def test_everybody_is_in_exactly_one(self):
        for facts in every():
            (name,) = [name for name, true in holds(facts).items() if true]
            assert state_of(facts).name == name

    def test_a_reason_exactly_where_somebody_waits(self):
        for facts in every():
            state = state_of(facts)
            assert (state.reason in REASONS) == (state.name == "waiting")
            assert (state.reason is None) == (state.name != "waiting")

    def test_every_name_and_every_reason_occurs(self):
        states = {state_of(facts) for facts in every()}
        assert {state.name for state in states} == set(NAMES)
        assert {state.reason for state in states} - {None} == set(REASONS)


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({}, "never_asked"),
        ({"over_budget": True}, "never_asked"),
        *[({"outcome": word, "valid": True, "over_budget": True}, word) for word in EMPTY],
        ({"outcome": "matched", "valid": True}, "declined_all"),
        ({"outcome": "matched"}, "lapsed"),
        ({"outcome": "matched", "valid": True, "over_budget": True}, "over_budget"),
        ({"outcome": "matched", "over_budget": True}, "over_budget"),
    ],
)
def test_why_somebody_waits(facts: dict[str, Any], reason: str) -> None:
    assert state_of(Facts(consented=True, **facts)) == State("waiting", reason)


@pytest.mark.parametrize("outcome", ["held", "no_eligable", "", "declined_all"])
def test_an_outcome_that_no_list_has(outcome: str) -> None:
    with pytest.raises(PeermatchError, match=r"^outcome: found '.*'; expected one of matched, no_eligible"):
        state_of(Facts(consented=True, outcome=outcome))


def names(waiting: list[Waiter], policy: Waiting = LONGEST) -> list[str]:
    return [waiter.member_id for waiter in ordered(waiting, policy)]


class TestOrder:
    def test_longest_wait(self):
        waiting = [Waiter("a", NOW), Waiter("b", NOW - 2 * DAY), Waiter("c", NOW - DAY)]
        assert names(waiting) == ["b", "c", "a"]

    def test_without_support_at_home_first(self):
        waiting = [
            Waiter("a", NOW - 9 * DAY, "family"),
            Waiter("b", NOW - 8 * DAY),
            Waiter("c", NOW - DAY, "carer"),
            Waiter("d", NOW - 2 * DAY, "alone"),
        ]
        assert names(waiting, HOME) == ["d", "c", "a", "b"]
        assert names(waiting) == ["a", "b", "d", "c"]

    def test_values_mean_nothing_without_the_policy(self):
        waiting = [Waiter("a", NOW - DAY, "family"), Waiter("b", NOW, "alone")]
        assert names(waiting, replace(LONGEST, values=("alone",))) == ["a", "b"]

    def test_at_the_same_instant_by_id(self):
        plus_two = datetime(2026, 3, 2, 14, tzinfo=UTC)
        waiting = [Waiter("m-2", plus_two), Waiter("m-10", plus_two), Waiter("m-1", plus_two)]
        assert names(waiting) == ["m-1", "m-10", "m-2"]

    @given(
        waiting=st.lists(
            st.builds(
                Waiter,
                st.from_regex(r"[a-c]{1,3}", fullmatch=True),
                st.integers(0, 3).map(lambda days: NOW + days * DAY),
                st.sampled_from([None, "alone", "carer", "family"]),
            ),
            max_size=12,
            unique_by=lambda waiter: waiter.member_id,
        ),
        data=st.data(),
    )
    @settings(max_examples=examples(200, 2000))
    def test_nobody_is_lost_and_nobody_overtakes(self, waiting, data):
        policy = data.draw(st.sampled_from([LONGEST, HOME]))
        queue = ordered(data.draw(st.permutations(waiting)), policy)
        assert queue == ordered(waiting, policy)
        assert sorted(map(repr, queue)) == sorted(map(repr, waiting))
        for place, waiter in enumerate(queue):
            for behind in queue[place + 1 :]:
                first = policy is HOME and waiter.value in HOME.values
                later_first = policy is HOME and behind.value in HOME.values
                assert first or not later_first
                if first == later_first:
                    assert (waiter.since, waiter.member_id) < (behind.since, behind.member_id)

    def test_how_much_time_somebody_has_is_no_part_of_it(self):
        """Little availability never gains priority: the order is told nothing of it."""
        assert [field.name for field in fields(Waiter)] == ["member_id", "since", "value"]
