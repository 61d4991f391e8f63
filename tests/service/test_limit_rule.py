"""The rule, against the limit as one would tell it."""

from __future__ import annotations

import random
from collections.abc import Callable
from fractions import Fraction
from math import ceil, floor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.limits import MINUTE, Decision, judged
from service.settings import MOST_PER_MINUTE
from tests.conftest import examples

SECOND = 1_000_000_000
DAY = 86_400 * SECOND
Judge = Callable[[int, int, int, int], tuple[int, Decision]]


class Bucket:
    """The limit as one would tell it: a bucket of tokens that is filled evenly. Fractions, so that nothing is lost."""

    def __init__(self, per_minute: int) -> None:
        self.per_minute = per_minute
        self.each = Fraction(ceil(Fraction(MINUTE, per_minute)))
        self.tokens = Fraction(per_minute)
        self.now = 0

    def take(self, now: int, cost: int) -> Decision:
        self.tokens = min(Fraction(self.per_minute), self.tokens + (now - self.now) / self.each)
        self.now = now
        if self.tokens < cost:
            wait = ceil((cost - self.tokens) * self.each / SECOND)
            return Decision(False, floor(self.tokens), wait, wait, self.per_minute)
        self.tokens -= cost
        left = floor(self.tokens)
        return Decision(True, left, ceil((left + 1 - self.tokens) * self.each / SECOND), 0, self.per_minute)


Steps = list[tuple[int, int]]
"""Nanoseconds since the step before, and cost."""


@st.composite
def cases(draw: st.DrawFn) -> tuple[int, Steps]:
    per_minute = draw(st.one_of(st.integers(1, 12), st.sampled_from([59, 60, 61, 600, 7_777, MOST_PER_MINUTE])))
    each = -(-MINUTE // per_minute)
    waits = st.one_of(
        st.just(0),
        st.integers(1, 3).flatmap(lambda many: st.integers(many * each - 1, many * each + 1)),
        st.integers(0, 3 * SECOND),
        st.integers(0, 3 * MINUTE),
    )
    costs = st.one_of(st.just(1), st.integers(1, per_minute), st.just(per_minute))
    return per_minute, draw(st.lists(st.tuples(waits, costs), max_size=40))


def differs(judge: Judge, per_minute: int, steps: Steps) -> bool:
    bucket, before, now = Bucket(per_minute), 0, 7 * DAY
    for wait, cost in steps:
        now += wait
        before, decision = judge(before, now, per_minute, cost)
        if decision != bucket.take(now, cost):
            return True
    return False


@settings(max_examples=examples(300, 5000))
@given(cases())
def test_it_is_a_bucket_filled_evenly(case: tuple[int, Steps]) -> None:
    assert not differs(judged, *case)


def one_more(before: int, now: int, per_minute: int, cost: int) -> tuple[int, Decision]:
    after, decision = judged(before, now, per_minute, cost)
    if decision.allowed or decision.retry_after > 1:
        return after, decision
    return after, decision._replace(allowed=True)


def refused_are_counted(before: int, now: int, per_minute: int, cost: int) -> tuple[int, Decision]:
    after, decision = judged(before, now, per_minute, cost)
    return (after if decision.allowed else after + 1), decision


def idle_is_saved_up(before: int, now: int, per_minute: int, cost: int) -> tuple[int, Decision]:
    after, decision = judged(before, now, per_minute, cost)
    return (after - 1 if before < now else after), decision


def rounded_down(before: int, now: int, per_minute: int, cost: int) -> tuple[int, Decision]:
    after, decision = judged(before, now, per_minute, cost)
    return after, decision._replace(retry_after=max(0, decision.retry_after - 1))


@pytest.mark.parametrize("fault", [one_more, refused_are_counted, idle_is_saved_up, rounded_down])
def test_the_bucket_tells_a_faulty_rule(fault: Judge) -> None:
    draw = random.Random(4)

    def planted(judge: Judge) -> bool:
        each = MINUTE // 6
        return any(
            differs(judge, 6, [(draw.choice([0, 1, each - 1, each, 7 * SECOND]), 1) for _ in range(30)])
            for _ in range(50)
        )

    assert planted(fault)
    assert not planted(judged)


@settings(max_examples=examples(100, 2000))
@given(cases())
def test_no_stretch_of_time_has_more_than_a_minutes_worth_and_what_came_back(case: tuple[int, Steps]) -> None:
    """What a partner is told, without the rule: no stretch of any length lets more through."""
    per_minute, steps = case
    before, now, let_through = 0, 7 * DAY, []
    for wait, cost in steps:
        now += wait
        before, decision = judged(before, now, per_minute, cost)
        if decision.allowed:
            let_through.append((now, cost))
    for first, (begin, _) in enumerate(let_through):
        total = 0
        for end, cost in let_through[first:]:
            total += cost
            assert total <= per_minute + Fraction((end - begin) * per_minute, MINUTE)


@given(st.integers(1, MOST_PER_MINUTE))
def test_who_keeps_the_pace_is_never_refused_and_who_is_a_nanosecond_early_is(per_minute: int) -> None:
    each = -(-MINUTE // per_minute)
    before, now = 0, DAY
    before, decision = judged(before, now, per_minute, per_minute)
    assert decision.allowed
    for _ in range(20):
        now += each
        assert not judged(before, now - 1, per_minute, 1)[1].allowed
        before, decision = judged(before, now, per_minute, 1)
        assert decision.allowed
