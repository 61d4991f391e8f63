"""Whether learning helped: verdicts against planted truths, and intervals that hold."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from matcher.audit.utility import FAIL, INCONCLUSIVE, PASS, assess, clustered_mean
from matcher.model.affinity import BASE_LOGIT, PairAffinity
from matcher.model.features import Pairs

PRIOR = (2.0, 2.0)


def pairs_between(asker, asked, people=None, **more):
    """Return pairs with random features and answers, of people named by number."""
    n = len(asker)
    rng = np.random.default_rng(0)
    count = (max([*asker, *asked]) + 1 if n else 0) if people is None else people
    given = {
        "X": np.hstack([rng.random((n, 2)), np.ones((n, 2))]),
        "y": rng.integers(0, 2, n),
        "weight": np.ones(n),
        "role": np.zeros(n, dtype=int),
        **more,
    }
    names = tuple(f"m-{number:05}" for number in range(count))
    return Pairs(**given, asker=np.array(asker, dtype=int), asked=np.array(asked, dtype=int), people=names, dropped={})


def world(truth, base, n=4000, seed=0, people=80):
    """Return pairs of seekers 0… and supporters `people`… whose answers follow the weights `truth`."""
    rng = np.random.default_rng(seed)
    satisfy = rng.random((n, 2))
    y = (rng.random(n) < expit(base + satisfy @ np.array(truth))).astype(int)
    X = np.hstack([satisfy, np.ones((n, 2))])
    asker, asked = rng.integers(0, people, n), rng.integers(people, 2 * people, n)
    weight = rng.uniform(1, 5, n)
    return pairs_between(asker, asked, 2 * people, X=X, y=y, weight=weight, role=rng.integers(0, 2, n))


class Contrarian(PairAffinity):
    """Learns the opposite of what was answered: a control that must be caught."""

    def fit(self, X, y, *, sample_weight=None, role=None):
        return super().fit(X, 1 - np.asarray(y), sample_weight=sample_weight, role=role)


class TestVerdict:
    def test_learning_what_is_there_passes(self):
        found = assess(world((6.0, 0.0), -3.0), PairAffinity(PRIOR))
        difference = found.metrics["log_loss_difference"]
        assert found.verdict == PASS
        assert difference["interval"][0] < difference["estimate"] < difference["interval"][1] < 0
        for role in ("seeker", "supporter"):
            held_out = found.metrics["held_out"][role]
            assert held_out["log_loss"]["learned"] < held_out["log_loss"]["prior"]
            assert held_out["auc"]["learned"] > held_out["auc"]["prior"] > 0.5

    def test_learning_the_opposite_fails(self):
        found = assess(world(PRIOR, BASE_LOGIT), Contrarian(PRIOR))
        assert found.verdict == FAIL
        assert found.metrics["log_loss_difference"]["interval"][0] > 0

    def test_where_the_prior_is_the_truth_it_does_not_fail(self):
        verdicts = [
            assess(world(PRIOR, BASE_LOGIT, n=2000, seed=seed), PairAffinity(PRIOR)).verdict for seed in range(20)
        ]
        assert verdicts.count(FAIL) == 0
        assert verdicts.count(PASS) <= 1

    def test_one_user_is_too_little_to_tell(self):
        pairs = pairs_between([0] * 50, list(range(1, 51)), y=np.ones(50, dtype=int))
        assert assess(pairs, PairAffinity(PRIOR)).verdict == INCONCLUSIVE

    def test_no_answers(self):
        found = assess(pairs_between([], []), PairAffinity(PRIOR))
        assert (found.verdict, found.metrics) == (INCONCLUSIVE, {"held_out": {}, "log_loss_difference": None})

    @pytest.mark.parametrize("label", [0, 1])
    def test_all_alike_answers_have_no_order_to_judge(self, label):
        pairs = pairs_between(list(range(100)), list(range(100, 200)), y=np.full(100, label))
        held_out = assess(pairs, PairAffinity(PRIOR)).metrics["held_out"]
        assert held_out["seeker"]["auc"] == {"learned": None, "prior": None}
        assert held_out["seeker"]["log_loss"]["learned"] > 0
        assert "supporter" not in held_out

    def test_judges_nobody_by_a_model_that_knows_them(self):
        """Answers that depend on the person alone teach nothing about another."""
        rng = np.random.default_rng(1)
        taste = rng.integers(0, 2, 300)
        asker = np.repeat(np.arange(300), 10)
        asked = 300 + rng.integers(0, 60, 3000)
        X = np.hstack([rng.random((3000, 2)), np.ones((3000, 2))])
        found = assess(pairs_between(asker, asked, 360, X=X, y=taste[asker]), PairAffinity((0.0, 0.0)))
        assert found.metrics["held_out"]["seeker"]["auc"]["learned"] == pytest.approx(0.5, abs=0.06)

    def test_is_the_same_again(self):
        pairs = world((3.0, 0.0), -2.0, n=500)
        assert assess(pairs, PairAffinity(PRIOR)) == assess(pairs, PairAffinity(PRIOR))


class TestClusteredMean:
    def test_of_clusters_of_one_is_students_interval(self):
        values = np.random.default_rng(4).normal(size=50)
        mean, low, high = clustered_mean(values, np.ones(50), np.arange(50))
        reach = 2.009575 * values.std(ddof=1) / np.sqrt(50)
        assert (mean, low, high) == pytest.approx((values.mean(), values.mean() - reach, values.mean() + reach))

    def test_answers_said_five_times_by_the_same_people_are_no_more_evidence(self):
        values = np.random.default_rng(5).normal(size=50)
        once = clustered_mean(values, np.ones(50), np.arange(50))
        again = clustered_mean(np.repeat(values, 5), np.ones(250), np.repeat(np.arange(50), 5))
        assert again == pytest.approx(once)
        naive = clustered_mean(np.repeat(values, 5), np.ones(250), np.arange(250))
        assert naive[2] - naive[1] < 0.5 * (once[2] - once[1])

    def test_covers_the_truth_as_often_as_it_says(self):
        rng = np.random.default_rng(6)
        covered = 0
        for _ in range(400):
            people = rng.normal(size=30)
            who = np.repeat(np.arange(30), rng.integers(1, 6, 30))
            values = people[who] + rng.normal(size=len(who))
            _, low, high = clustered_mean(values, np.ones(len(who)), who)
            covered += low <= 0 <= high
        assert 0.91 <= covered / 400 <= 0.98

    def test_of_one_cluster_has_no_interval_and_of_none_no_mean(self):
        mean, low, high = clustered_mean(np.array([1.0, 3.0]), np.ones(2), np.zeros(2))
        assert mean == 2.0
        assert np.isnan([low, high]).all()
        assert np.isnan(clustered_mean(np.array([1.0]), np.zeros(1), np.zeros(1))).all()
