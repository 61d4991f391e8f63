"""Labels: the table of what happened and what it teaches, and who stands how with whom."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.model.answers import Answer, answers, load, relations
from tests.matcher.model.village import AT, VILLAGE, event, programme


def yes(days, **more):
    return event("see-1", "sup-1", "accepted", days, **more)


def no(days, **more):
    return event("see-1", "sup-1", "declined", days, **more)


def shown(days, rank=1, propensity=None):
    return event("see-1", "sup-1", "shown", days, rank=rank, propensity=propensity)


def viewed(days):
    return event("see-1", "sup-1", "viewed", days)


def labels(*events, of=VILLAGE):
    """Return (role, label) of every answer of the one pair."""
    return [(answer.role, answer.label) for answer in answers(events, of, AT)]


def weights(*events):
    return [answer.weight for answer in answers(events, VILLAGE, AT)]


class TestSeekersAnswer:
    @pytest.mark.parametrize(
        ("events", "expected", "dropped"),
        [
            ([], [], {}),
            ([yes(1)], [(0, 1)], {}),
            ([no(1)], [(0, 0)], {}),
            ([shown(20), viewed(20), yes(19)], [(0, 1)], {}),
            ([shown(20), yes(19)], [(0, 1)], {}),
            ([yes(3), no(2)], [(0, 0)], {}),
            ([no(3), yes(2)], [(0, 1)], {}),
            ([yes(2), no(2)], [(0, 0)], {}),
            ([no(2), yes(2)], [(0, 0)], {}),
            ([shown(15), viewed(15)], [(0, 0)], {}),
            ([shown(14), viewed(14)], [(0, 0)], {}),
            ([shown(13.9), viewed(13.9)], [], {"too_recent": 1}),
            ([shown(30), viewed(30), shown(2, rank=5)], [], {"too_recent": 1}),
            ([shown(30)], [], {"not_viewed": 1}),
            ([viewed(30)], [], {"never_shown": 1}),
            ([event("see-1", "sup-1", "session", 30)], [], {"never_shown": 1}),
            ([event("see-1", "sup-1", "reported", 30), event("see-1", "sup-1", "rated", 30)], [], {"never_shown": 1}),
            ([shown(30), viewed(30), yes(-1)], [(0, 0)], {"in_the_future": 1}),
            ([yes(0)], [(0, 1)], {}),
            ([yes(5), event("see-1", "sup-1", "ended", 1)], [(0, 1)], {}),
        ],
    )
    def test_what_happened_and_what_it_teaches(self, events, expected, dropped):
        found = answers(events, VILLAGE, AT)
        assert [(answer.role, answer.label) for answer in found] == expected
        assert found.dropped == dropped

    def test_the_programme_says_for_how_long_one_waits(self):
        patient = programme(("[privacy]", "[model]\ncensor_days = 30\n[privacy]"))
        assert labels(shown(20), viewed(20)) == [(0, 0)]
        assert labels(shown(20), viewed(20), of=patient) == []


class TestSupportersAnswer:
    def test_comes_from_their_own_decisions_alone(self):
        assert labels(yes(5), yes(4, by="candidate")) == [(0, 1), (1, 1)]
        assert labels(yes(5), no(4, by="candidate")) == [(0, 1), (1, 0)]
        assert labels(shown(30), viewed(30), yes(20)) == [(0, 1)]

    def test_does_not_answer_for_the_seeker(self):
        found = answers([shown(30), no(4, by="candidate")], VILLAGE, AT)
        assert [(answer.role, answer.label) for answer in found] == [(1, 0)]
        assert found.dropped == {"not_viewed": 1}

    def test_the_latest_counts_and_a_no_at_the_same_instant(self):
        assert labels(yes(4, by="candidate"), no(3, by="candidate"))[-1] == (1, 0)
        assert labels(no(4, by="candidate"), yes(3, by="candidate"))[-1] == (1, 1)
        assert labels(no(3, by="candidate"), yes(3, by="candidate"))[-1] == (1, 0)

    def test_weighs_1_however_low_the_seeker_saw_them(self):
        assert weights(shown(30, rank=10), yes(20), yes(19, by="candidate")) == [pytest.approx(10.0), 1.0]


class TestWeight:
    def test_is_one_over_the_propensity(self):
        assert weights(shown(30, rank=4), yes(20)) == [pytest.approx(4.0)]
        assert weights(shown(30, rank=4, propensity=0.5), yes(20)) == [pytest.approx(2.0)]
        assert weights(shown(30, rank=4, propensity=0.5), viewed(30)) == [pytest.approx(2.0)]

    def test_is_1_where_it_was_never_shown(self):
        assert weights(yes(20)) == [1.0]

    def test_of_several_lists_is_one_over_the_chance_of_a_look_at_any(self):
        assert weights(shown(40, propensity=0.5), shown(30, propensity=0.2), yes(20)) == [pytest.approx(1 / 0.6)]

    def test_ignores_lists_after_the_answer(self):
        assert weights(shown(30, rank=4), yes(20), shown(10, rank=1)) == [pytest.approx(4.0)]
        assert weights(yes(20), shown(10, rank=9)) == [1.0]

    def test_of_a_propensity_of_0_is_large_and_finite(self):
        assert weights(shown(30, propensity=0.0), yes(20)) == [pytest.approx(1e6)]


class TestMutual:
    def test_both_ways_round_are_two_pairs(self):
        events = [event("a", "b", "accepted", 5), event("b", "a", "declined", 5)]
        assert list(answers(events, VILLAGE, AT)) == [Answer("a", "b", 0, 1, 1.0), Answer("b", "a", 0, 0, 1.0)]


happening = st.builds(
    event,
    st.sampled_from("ab"),
    st.sampled_from("cd"),
    st.sampled_from(["shown", "viewed", "accepted", "declined", "session", "ended"]),
    st.sampled_from([-1, 0, 1, 13, 14, 15, 40]),
    by=st.sampled_from(["seeker", "candidate"]),
    rank=st.integers(1, 3),
    propensity=st.none() | st.sampled_from([0.0, 0.1, 0.3, 1.0]),
)


class TestProperties:
    @given(st.lists(happening, max_size=25), st.randoms(use_true_random=False))
    def test_any_order_of_events_gives_the_same(self, events, shuffler):
        mixed = list(events)
        shuffler.shuffle(mixed)
        assert answers(mixed, VILLAGE, AT) == answers(events, VILLAGE, AT)
        assert relations(mixed, AT) == relations(events, AT)

    @given(st.lists(happening, max_size=25))
    def test_what_comes_after_changes_nothing(self, events):
        past = [each for each in events if each.at <= AT]
        assert answers(past, VILLAGE, AT).rows == answers(events, VILLAGE, AT).rows
        assert relations(past, AT) == relations(events, AT)

    @given(st.lists(happening, max_size=25))
    def test_every_pair_answers_at_most_once_a_role_and_never_unasked(self, events):
        found = answers(events, VILLAGE, AT)
        assert len({answer[:3] for answer in found}) == len(found)
        assert list(found) == sorted(found)
        for answer in found:
            own = [e for e in events if (e.seeker, e.candidate) == answer[:2] and e.at <= AT]
            assert any(e.event == "shown" or e.decision is not None for e in own)
            assert 1.0 <= answer.weight <= 1e6


class TestRelations:
    def both(self, *events):
        return relations(events, AT)

    def test_declined_by_either(self):
        pair = {("see-1", "sup-1")}
        assert self.both(no(5)) == (pair, set())
        assert self.both(yes(5), no(4, by="candidate")) == (pair, set())

    def test_a_no_taken_back_is_none(self):
        assert self.both(no(5), yes(4)) == (set(), set())

    def test_connected_when_both_accepted(self):
        assert self.both(yes(5)) == (set(), set())
        assert self.both(yes(5), yes(4, by="candidate")) == (set(), {("see-1", "sup-1")})

    def test_no_longer_once_ended_and_again_when_both_accept_anew(self):
        ended = event("see-1", "sup-1", "ended", 3)
        assert self.both(yes(5), yes(4, by="candidate"), ended) == (set(), set())
        assert self.both(yes(5), yes(4, by="candidate"), ended, yes(2), yes(1, by="candidate"))[1]
        assert self.both(yes(5), yes(4, by="candidate"), ended, yes(2)) == (set(), set()), "an old yes is none"
        assert self.both(yes(5), yes(4, by="candidate"), ended, yes(2, by="candidate")) == (set(), set())
        assert self.both(yes(5), yes(3, by="candidate"), ended) == (set(), set())

    def test_in_a_mutual_programme_either_may_have_been_the_seeker(self):
        assert self.both(event("b", "a", "accepted", 5), event("a", "b", "accepted", 4)) == (set(), {("a", "b")})
        assert self.both(event("b", "a", "declined", 5)) == ({("a", "b")}, set())

    def test_the_latest_word_of_one_about_the_other_counts_whoever_sought(self):
        events = [event("a", "b", "declined", 5), event("b", "a", "accepted", 4, by="candidate")]
        assert self.both(*events) == (set(), set())

    def test_nothing_after_the_moment_counts(self):
        assert relations([no(5)], AT - timedelta(days=6)) == (frozenset(), frozenset())


def test_indexes_like_a_sequence():
    found = answers([yes(1), yes(1, by="candidate")], VILLAGE, AT)
    assert found[0] == found[:1][0] == Answer("see-1", "sup-1", 0, 1, 1.0)
    assert random.Random(0).choice(found) in found


class TestLoad:
    """A connection takes a place of the one who was the candidate; of both, where everybody supports."""

    EVENTS = (shown(20), yes(19), yes(18, by="candidate"))

    def test_of_the_candidate_however_often_the_pair_is_named(self):
        _, connected = relations(self.EVENTS, AT)
        assert load(self.EVENTS, connected, AT, mutual=False) == {"sup-1": 1}
        assert load(self.EVENTS, connected, AT, mutual=True) == {"see-1": 1, "sup-1": 1}

    def test_of_nobody_once_it_ended(self):
        over = (*self.EVENTS, event("see-1", "sup-1", "ended", 10))
        assert load(over, relations(over, AT)[1], AT, mutual=False) == {}

    def test_not_of_whoever_was_merely_shown_to_the_other_nor_of_what_is_yet_to_come(self):
        seen = (*self.EVENTS, event("sup-1", "see-1", "shown", 3, rank=9), event("sup-1", "see-1", "shown", -3, rank=9))
        assert load(seen, relations(seen, AT)[1], AT, mutual=False) == {"sup-1": 1}
