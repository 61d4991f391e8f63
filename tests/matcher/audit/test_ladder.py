"""Each rung of the ladder against what it says of itself; none looks at an answer it was not given."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit

from matcher.audit.candidates import UNKNOWN
from matcher.audit.ladder import Affinity, Cosine, Popularity, Random, ladder
from matcher.audit.metrics import auc
from matcher.model.affinity import BASE_LOGIT, NEUTRAL, PairAffinity
from tests.matcher.audit.town import PRIOR, pairs_between, town

NAMES = [
    "random",
    "popularity",
    "cosine",
    "prior one-sided",
    "prior reciprocal",
    "learned one-sided",
    "learned reciprocal",
]


@pytest.fixture(scope="module")
def pairs():
    return town(2000)


@pytest.fixture(scope="module")
def learn(pairs):
    return np.repeat(np.arange(len(pairs)) < 1000, 2).reshape(-1, 2)


class TestLadder:
    def test_goes_from_a_coin_to_the_learned_reciprocal(self):
        assert [rung.name for rung in ladder(PairAffinity(PRIOR))] == NAMES

    @pytest.mark.parametrize("place", range(len(NAMES)))
    def test_no_rung_looks_at_an_answer_that_it_may_not(self, pairs, learn, place):
        turned = replace(pairs, y=np.where(learn, pairs.y, 1 - pairs.y), weight=np.where(learn, 1.0, 9.0))
        one, other = (ladder(PairAffinity(PRIOR))[place].fit(given, learn) for given in (pairs, turned))
        np.testing.assert_array_equal(one.score(pairs), other.score(turned))

    @pytest.mark.parametrize("place", [1, 5, 6])
    def test_those_that_learn_do_learn_from_what_they_may(self, pairs, learn, place):
        turned = replace(pairs, y=np.where(learn, 1 - pairs.y, pairs.y))
        one, other = (ladder(PairAffinity(PRIOR))[place].fit(given, learn) for given in (pairs, turned))
        assert not np.array_equal(one.score(pairs), other.score(pairs))

    @pytest.mark.parametrize("place", range(len(NAMES)))
    def test_answers_that_nobody_gave_teach_nothing(self, pairs, learn, place):
        silent = replace(pairs, y=np.where(learn, pairs.y, UNKNOWN))
        one = ladder(PairAffinity(PRIOR))[place].fit(silent, np.ones_like(learn))
        other = ladder(PairAffinity(PRIOR))[place].fit(pairs, learn)
        np.testing.assert_array_equal(one.score(pairs), other.score(pairs))

    @pytest.mark.parametrize("place", range(len(NAMES)))
    def test_any_order_of_rows_gives_the_same_scores(self, pairs, learn, place):
        order = np.random.default_rng(0).permutation(len(pairs))
        one = ladder(PairAffinity(PRIOR))[place].fit(pairs, learn).score(pairs)
        other = ladder(PairAffinity(PRIOR))[place].fit(pairs.take(order), learn[order]).score(pairs.take(order))
        np.testing.assert_array_equal(one[order], other)

    def test_both_ways_learned_order_best_where_both_ways_count(self, pairs, learn):
        tested = pairs.take(~learn[:, 0])
        found = {}
        for rung in ladder(PairAffinity(PRIOR)):
            score = rung.fit(pairs, learn).score(tested)
            found[rung.name] = auc(tested.mutual, score, np.ones(len(tested)))
        assert found["learned reciprocal"] > max(found[name] for name in NAMES[:-1]) + 0.05
        assert found["random"] == pytest.approx(0.5, abs=0.05)


class TestRandom:
    def test_is_even_and_goes_by_the_seed(self, pairs, learn):
        score = Random(3).fit(pairs, learn).score(pairs)
        assert score.min() >= 0
        assert score.max() < 1
        assert np.quantile(score, [0.25, 0.5, 0.75]).tolist() == pytest.approx([0.25, 0.5, 0.75], abs=0.04)
        assert not np.array_equal(score, Random(4).score(pairs))


class TestPopularity:
    def test_is_the_share_of_yes_received_with_one_answer_of_everybody(self):
        y = np.array([[1, 1], [1, UNKNOWN], [0, 0], [1, 1]])
        pairs = pairs_between([0, 1, 0, 3], [2, 2, 4, 5], y=y)
        learn = np.array([[True, True], [True, True], [True, True], [False, False]])
        share = Popularity().fit(pairs, learn).score(pairs)
        everybody = 3 / 5  # 2 got yes, yes; 0 got yes, no; 4 got no
        assert share.tolist() == pytest.approx([(2 + everybody) / 3, (2 + everybody) / 3, everybody / 2, everybody])

    def test_counts_what_the_asker_received_in_a_mutual_programme(self):
        pairs = pairs_between([0, 2], [1, 0], y=np.array([[0, 1], [UNKNOWN, UNKNOWN]]))
        share = Popularity().fit(pairs, np.ones((2, 2), dtype=bool)).score(pairs)
        assert share.tolist() == pytest.approx([0.5 / 2, 1.5 / 2])

    def test_without_answers_tells_nobody_apart(self, pairs):
        share = Popularity().fit(pairs, np.zeros((len(pairs), 2), dtype=bool)).score(pairs)
        assert np.unique(share).tolist() == [0.0]


class TestCosine:
    def test_is_the_mean_of_what_is_known_both_ways(self):
        X = np.array(
            [
                [[0.5, np.nan, 1.0, 1.0], [1.0, np.nan, 0.0, 0.5]],
                [[np.nan, np.nan, 1.0, 1.0], [np.nan, np.nan, 1.0, 1.0]],
            ]
        )
        assert Cosine().score(pairs_between([0, 1], [2, 3], X=X)).tolist() == [0.75, NEUTRAL]


class TestAffinity:
    def test_the_prior_is_the_programmes_own_weights(self, pairs, learn):
        one_sided, reciprocal = (
            Affinity(PairAffinity(PRIOR), learned=False, reciprocal=each).fit(pairs, learn) for each in (False, True)
        )
        p = expit(BASE_LOGIT + pairs.X[:, :, :2] @ np.array(PRIOR))
        np.testing.assert_allclose(one_sided.score(pairs), p[:, 0])
        np.testing.assert_allclose(reciprocal.score(pairs), np.sqrt(p.prod(axis=1)))
        np.testing.assert_allclose(reciprocal.probabilities(pairs), p)
        assert one_sided.probabilities(pairs) is None

    def test_the_learned_one_is_the_models_own_fit(self, pairs, learn):
        model = PairAffinity(PRIOR, min_answers=10)
        rung = Affinity(model, learned=True, reciprocal=True).fit(pairs, learn)
        role = np.nonzero(learn)[1]
        fitted = PairAffinity(PRIOR, min_answers=10).fit(pairs.X[learn], pairs.y[learn], role=role)
        p = [fitted.predict_proba(pairs.X[:, each], np.full(len(pairs), each))[:, 1] for each in (0, 1)]
        np.testing.assert_allclose(rung.probabilities(pairs), np.column_stack(p))
        np.testing.assert_allclose(rung.score(pairs), np.sqrt(p[0] * p[1]))
        assert not hasattr(model, "coef_")
