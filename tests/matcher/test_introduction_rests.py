"""When supporters rest, when two may be introduced again, and what comes next by itself."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matcher.introductions import (
    END_REASONS,
    Introduction,
    Past,
    advance,
    again_from,
    due,
    let_time_pass,
    past_of,
    propose,
    rests_until,
)
from tests.conftest import examples
from tests.matcher.introduction_model import DAY, NOW, RULES, TICK

HOUR = timedelta(hours=1)


def made(*acts: str, by: str = "seeker", reviewed: bool = False, at: datetime = NOW) -> Introduction:
    introduction = propose("a", "b", RULES, by=by, at=NOW, reviewed=reviewed)
    for act in acts:
        what, _, reason = act.partition(": ")
        name, _, who = what.partition(" by ")
        introduction = advance(introduction, name, by=who, at=at, rules=RULES, reason=reason or None)
    return introduction


class TestPast:
    def test_of_what_was_never_offered(self):
        assert past_of(made(reviewed=True)) == Past(None)
        assert past_of(made("approve by coordinator", reviewed=True, at=NOW + DAY)) == Past(NOW + DAY)

    def test_of_a_connection(self):
        assert past_of(made("accept by candidate")) == Past(NOW)
        ended = advance(
            made("accept by candidate"), "end", by="candidate", at=NOW + 9 * DAY, rules=RULES, reason="moved"
        )
        assert past_of(ended) == Past(NOW, NOW + 9 * DAY, "moved")

    def test_an_end_without_a_connection_is_no_loss(self):
        assert past_of(made("end by coordinator: bereavement")) == Past(NOW)


class TestRests:
    def test_nobody_rests_without_a_past(self):
        assert rests_until([], RULES, NOW) is None
        assert rests_until([Past(None)] * 9, RULES, NOW) is None

    @pytest.mark.parametrize("reason", [None, *END_REASONS])
    def test_after_a_connection_ended(self, reason):
        days = 90 if reason == "bereavement" else 7
        past = [Past(NOW - 300 * DAY, NOW, reason)]
        assert rests_until(past, RULES, NOW) == NOW + days * DAY
        assert rests_until(past, RULES, NOW + days * DAY - TICK) == NOW + days * DAY
        assert rests_until(past, RULES, NOW + days * DAY) is None

    def test_a_loss_is_no_shorter_than_any_other_end(self):
        rules = replace(RULES, cool_down_days=100)
        assert rests_until([Past(None, NOW, "bereavement")], rules, NOW) == NOW + 100 * DAY

    def test_without_a_cool_down(self):
        rules = replace(RULES, cool_down_days=0, after_loss_days=0)
        assert rests_until([Past(None, NOW, "bereavement"), Past(None, NOW)], rules, NOW) is None

    def test_two_offers_a_week(self):
        first, second = NOW, NOW + 3 * DAY
        assert rests_until([Past(first)], RULES, first) is None
        assert rests_until([Past(second), Past(first)], RULES, second) == first + 7 * DAY
        assert rests_until([Past(second), Past(first)], RULES, first + 7 * DAY) is None
        third = first + 7 * DAY
        assert rests_until([Past(first), Past(third), Past(second)], RULES, third) == second + 7 * DAY

    def test_unlimited(self):
        assert rests_until([Past(NOW)] * 50, replace(RULES, per_week=None), NOW) is None

    @given(
        hours=st.lists(st.integers(0, 500), max_size=12),
        per_week=st.integers(1, 5),
        hour=st.integers(0, 700),
        ends=st.lists(st.tuples(st.integers(0, 500), st.sampled_from([None, "moved", "bereavement"])), max_size=3),
    )
    @settings(max_examples=examples(200, 2000))
    def test_hour_by_hour(self, hours, per_week, hour, ends):
        """Whoever rests is found by looking at every hour: is it too early for one of the rules?"""
        rules = replace(RULES, per_week=per_week, after_loss_days=10, cool_down_days=2)

        def rests(at: int) -> bool:
            recent = sum(offer + 168 > at for offer in hours)
            return recent >= per_week or any(at < end + (240 if why == "bereavement" else 48) for end, why in ends)

        past = [Past(NOW + offer * HOUR) for offer in hours]
        past += [Past(None, NOW + end * HOUR, why) for end, why in ends]
        free = next(at for at in itertools.count(hour) if not rests(at))
        expected = NOW + free * HOUR if free > hour else None
        assert rests_until(past, rules, NOW + hour * HOUR) == expected
        assert rests_until(reversed(past), rules, NOW + hour * HOUR) == expected


class TestAgain:
    @pytest.mark.parametrize(
        "introduction",
        [
            made(),
            made("accept by candidate"),
            made("decline by candidate"),
            made("reject by coordinator", reviewed=True),
            made("accept by candidate", "rematch by seeker"),
            made("accept by candidate", "rematch by coordinator: finished"),
            made("accept by candidate", "end by seeker: not_a_fit"),
            made("accept by candidate", "end by service: safety"),
            made("accept by candidate", "suspend by service", "end by seeker"),
            made("accept by candidate", "suspend by service", "end by coordinator: finished"),
            made("accept by candidate", "end by seeker", "suspend by service"),
            made("accept by candidate", "end by seeker", "suspend by service", "end by coordinator"),
            made("withdraw by seeker", "suspend by service"),
            made("suspend by service", "withdraw by service"),
        ],
    )
    def test_never(self, introduction):
        assert again_from(introduction, RULES) is None

    @pytest.mark.parametrize(
        ("introduction", "expected"),
        [
            (let_time_pass(made(), NOW + 8 * DAY), NOW + 37 * DAY),
            (let_time_pass(made(reviewed=True), NOW + 15 * DAY), NOW + 44 * DAY),
            (made("withdraw by seeker"), NOW + 30 * DAY),
            (made("withdraw by seeker", reviewed=True), NOW),
            (made("withdraw by service"), NOW),
            (made("accept by candidate", "end by seeker"), NOW),
            (made("accept by candidate", "end by seeker: finished"), NOW),
            (made("accept by candidate", "end by seeker", "suspend by service", "resume by coordinator"), NOW),
            (made("suspend by service", "withdraw by seeker", "resume by coordinator"), NOW + 30 * DAY),
        ],
    )
    def test_from_then_on(self, introduction, expected):
        assert again_from(introduction, RULES) == expected


class TestDue:
    def test_a_review_lapses(self):
        assert due(made(reviewed=True), RULES, NOW) == NOW + 14 * DAY

    def test_a_lapse_is_told_until_it_is_noted(self):
        late = NOW + 50 * DAY
        rules = replace(RULES, per_week=None)
        assert due(made(), rules, late) == NOW + 7 * DAY
        assert due(let_time_pass(made(), late), rules, late) is None

    def test_the_offer_is_a_week_old(self):
        rules = replace(RULES, offer_days=20)
        introduction = propose("a", "b", rules, by="seeker", at=NOW, reviewed=False)
        assert due(introduction, rules, NOW) == NOW + 7 * DAY
        assert due(introduction, rules, NOW + 7 * DAY) == NOW + 20 * DAY

    def test_nothing_of_a_connection_or_a_suspension_but_the_week(self):
        for introduction in (made("accept by candidate"), made("suspend by service")):
            assert due(introduction, RULES, NOW) == NOW + 7 * DAY
            assert due(introduction, RULES, NOW + 7 * DAY) is None

    def test_the_rest_after_the_end(self):
        ended = made("accept by candidate", "end by service: bereavement")
        assert due(ended, RULES, NOW) == NOW + 7 * DAY
        assert due(ended, RULES, NOW + 7 * DAY) == NOW + 90 * DAY
        assert due(ended, RULES, NOW + 90 * DAY) is None

    @given(per_week=st.one_of(st.none(), st.integers(1, 3)), hours=st.integers(0, 3000))
    @settings(max_examples=examples(200, 2000))
    def test_a_rest_never_ends_unannounced(self, per_week, hours):
        rules = replace(RULES, per_week=per_week)
        at = NOW + hours * HOUR
        for introduction in (made(), made("accept by candidate", "end by seeker: bereavement")):
            end = rests_until([past_of(introduction)], rules, at)
            coming = due(introduction, rules, at)
            assert end is None or (coming is not None and coming <= end)
