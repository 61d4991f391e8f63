"""Nobody is both learned from and judged, nothing is known before its time; and what breaks that is found."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.audit.candidates import UNKNOWN
from matcher.audit.splits import (
    FOLDS,
    Split,
    by_group,
    by_person,
    by_time,
    check,
    looks_ahead,
    person_folds,
    shared_people,
)
from matcher.errors import ModelError
from tests.matcher.audit.town import DAY, by_row, pairs_between, town


@st.composite
def graphs(draw):
    n = draw(st.integers(1, 40))
    people = st.integers(0, draw(st.integers(2, 60)))
    return [draw(people) for _ in range(n)], [draw(people) for _ in range(n)]


def learned_and_judged(pairs, split):
    """Return who is learned from, and who is judged."""
    learn = split.learn.any(axis=1)
    return tuple(set(pairs.asker[rows].tolist()) | set(pairs.asked[rows].tolist()) for rows in (learn, split.judge))


class TestByPerson:
    @given(graphs())
    def test_never_shares_a_person(self, graph):
        pairs = pairs_between(*graph)
        judged = np.zeros(len(pairs), dtype=int)
        for split in by_person(pairs):
            learned, tested = learned_and_judged(pairs, split)
            assert not learned & tested
            assert shared_people(pairs, split) == 0
            assert split.judge.any()
            check(pairs, split)
            judged += split.judge
        assert judged.max(initial=0) <= 1

    def test_everybody_judged_is_new(self):
        pairs = town(500)
        splits = by_person(pairs)
        assert len(splits) == FOLDS
        for split in splits:
            assert split.new(pairs)[split.judge].all()
            assert split.learn.any()

    def test_learns_from_no_answer_that_nobody_gave(self):
        pairs = town(500)
        y = pairs.y.copy()
        y[::2, 1] = UNKNOWN
        pairs = replace(pairs, y=y)
        for split in by_person(pairs):
            assert not split.learn[::2, 1].any()
            assert split.learn[1::2, 1].any()

    def test_no_pairs(self):
        assert by_person(pairs_between([], [])) == ()


class TestByGroup:
    @given(graphs(), st.integers(1, 5))
    def test_never_shares_a_person_though_events_may(self, graph, events):
        pairs = pairs_between(*graph)
        event = np.arange(len(pairs)) % events
        splits = by_group(pairs, event)
        assert sum(split.judge.sum() for split in splits) == len(pairs)
        for split in splits:
            learned, tested = learned_and_judged(pairs, split)
            assert not learned & tested
            check(pairs, split)

    def test_learns_from_all_others_where_events_share_nobody(self):
        pairs = pairs_between([0, 1, 2], [3, 4, 5])
        first, second = by_group(pairs, np.array(["a", "b", "b"]))
        assert (first.name, first.judge.tolist()) == ("group a", [True, False, False])
        assert first.learn.tolist() == [[False] * 2, [True] * 2, [True] * 2]
        assert second.learn.tolist() == [[True] * 2, [False] * 2, [False] * 2]

    def test_labels_that_do_not_fit(self):
        with pytest.raises(ModelError, match=r"group: found shape \(2,\); expected \(3,\)"):
            by_group(pairs_between([0, 1, 2], [3, 4, 5]), [1, 2])


class TestByTime:
    @given(graphs(), st.lists(st.integers(0, 40), min_size=1, max_size=3, unique=True), st.integers(0, 30))
    def test_never_looks_ahead(self, graph, cuts, slow):
        pairs = pairs_between(*graph)
        known = pairs.known + slow * DAY * np.array([0, 1])
        pairs = replace(pairs, known=known)
        for split in by_time(pairs, [cut * DAY for cut in sorted(cuts)]):
            assert (pairs.known[split.learn] < split.since).all()
            assert (pairs.first[split.judge] >= split.since).all()
            assert looks_ahead(pairs, split) == 0
            check(pairs, split)

    def test_an_answer_given_after_the_cut_is_not_learned_though_the_pair_is_older(self):
        pairs = pairs_between([0, 1, 2], [3, 4, 5])
        known = pairs.known.copy()
        known[0, 1] = 2.5 * DAY
        (split,) = by_time(replace(pairs, known=known), [2 * DAY])
        assert split.learn.tolist() == [[True, False], [True, True], [False, False]]
        assert split.judge.tolist() == [False, False, True]

    def test_each_pair_is_judged_after_one_cut(self):
        pairs = pairs_between(range(10), range(10, 20))
        splits = by_time(pairs, [2 * DAY, 5 * DAY])
        assert [split.judge.nonzero()[0].tolist() for split in splits] == [[2, 3, 4], [5, 6, 7, 8, 9]]

    def test_new_are_those_of_whom_nothing_was_known(self):
        pairs = pairs_between([0, 0, 0, 3, 1], [1, 2, 4, 4, 4])  # 1 was asked, and never asked anybody
        (split,) = by_time(pairs, [2 * DAY])
        assert (split.new(pairs) & split.judge).tolist() == [False, False, False, True, False]

    @pytest.mark.parametrize("cuts", [[2.0, 1.0], [1.0, 1.0]])
    def test_cuts_that_do_not_ascend(self, cuts):
        with pytest.raises(ModelError, match="ascending"):
            by_time(town(10), cuts)


class TestCheck:
    def test_a_split_of_rows_shares_people_and_is_found(self):
        pairs = town(500)
        split = by_row(pairs)[0]
        learned, judged = learned_and_judged(pairs, split)
        assert shared_people(pairs, split) == len(learned & judged) > 50
        with pytest.raises(ModelError, match=rf"rows 0: found {len(learned & judged)} people both learned from"):
            check(pairs, split)

    def test_a_split_that_looks_ahead_is_found(self):
        pairs, rows = town(100), np.arange(100)
        (sound,) = by_time(pairs, [50 * DAY])
        learn = sound.learn.copy()
        learn[55, 0] = True
        after, between = (replace(sound, learn=learn, judge=np.isin(rows, judged)) for judged in ([60, 61], [52, 60]))
        assert looks_ahead(pairs, after) == 0
        check(pairs, after)
        assert looks_ahead(pairs, between) == 1
        with pytest.raises(ModelError, match="found 1 answers from after the first judged pair;"):
            check(pairs, between)

    def test_a_judged_pair_from_before_the_cut_is_found(self):
        pairs = town(100)
        (sound,) = by_time(pairs, [50 * DAY])
        early = replace(sound, learn=sound.learn & (np.arange(100) < 40)[:, None], judge=np.arange(100) >= 45)
        with pytest.raises(ModelError, match="5 judged pairs from before the cut"):
            check(pairs, early)

    def test_learning_what_is_judged_or_what_nobody_said_is_found(self):
        pairs = pairs_between([0, 1], [2, 3], y=np.array([[1, UNKNOWN], [0, 1]]))
        everything = Split("all", np.ones((2, 2), dtype=bool), np.array([False, True]))
        with pytest.raises(ModelError, match="1 answers that nobody gave, 1 pairs both"):
            check(pairs, everything)

    def test_shapes_that_do_not_fit(self):
        with pytest.raises(ModelError, match="found shapes"):
            check(town(10), Split("odd", np.ones((3, 2), dtype=bool), np.ones(10, dtype=bool)))


class TestPersonFolds:
    @given(graphs())
    def test_everybody_is_in_one_fold(self, graph):
        fold = person_folds(pairs_between(*graph))
        assert fold.shape == (max(*graph[0], *graph[1]) + 1,)
        assert set(fold.tolist()) <= set(range(FOLDS))

    def test_small_components_stay_whole_and_folds_are_even(self):
        asker = np.repeat(np.arange(50), 4)
        asked = 50 + asker
        pairs = pairs_between(asker, asked)
        fold = person_folds(pairs)
        assert (fold[asker] == fold[asked]).all()
        assert np.bincount(fold[asker]).tolist() == [40] * FOLDS

    def test_a_component_that_is_nearly_everybody_is_split(self):
        rng = np.random.default_rng(2)
        pairs = pairs_between(rng.integers(0, 100, 2000), rng.integers(100, 200, 2000))
        fold = person_folds(pairs)
        inside = (fold[pairs.asker] == fold[pairs.asked]).mean()
        assert inside == pytest.approx(1 / FOLDS, abs=0.05)
        assert np.bincount(fold).min() > 25

    def test_the_order_of_answers_does_not_matter(self):
        rng = np.random.default_rng(3)
        asker, asked = rng.integers(0, 30, 200), rng.integers(30, 60, 200)
        order = rng.permutation(200)
        one, other = person_folds(pairs_between(asker, asked)), person_folds(pairs_between(asker[order], asked[order]))
        assert one.tolist() == other.tolist()
