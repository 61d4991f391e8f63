"""Intervals that hold the truth as often as they say, and do not depend on who computes them."""

from __future__ import annotations

import numpy as np
import pytest

from matcher.audit.intervals import CHUNK, FEWEST_CLUSTERS, last_less_others, percentile, replicates
from matcher.audit.metrics import ratio
from matcher.errors import ModelError


class Mean:
    """The mean of values by cluster, as a function of the weights of the clusters."""

    def __init__(self, values, cluster, clusters):
        self.sums = np.bincount(cluster, weights=values, minlength=clusters)
        self.counts = np.bincount(cluster, minlength=clusters).astype(float)

    def __call__(self, weights):
        return ratio((weights * self.sums).sum(axis=1), (weights * self.counts).sum(axis=1))[:, None]


def sample(rng, people=40):
    """Return values that hang together within a person, mean 0, and whose they are."""
    who = np.repeat(np.arange(people), rng.integers(2, 8, people))
    return rng.normal(size=people)[who] + 0.5 * rng.normal(size=len(who)), who


class TestReplicates:
    def test_are_the_same_for_any_number_of_workers(self):
        values, who = sample(np.random.default_rng(0))
        statistic, count = Mean(values, who, 40), 3 * CHUNK + 7
        one, two, every = (replicates(statistic, 40, seed=5, count=count, n_jobs=jobs) for jobs in (1, 2, -1))
        assert one.shape == (count, 1)
        np.testing.assert_array_equal(one, two)
        np.testing.assert_array_equal(one, every)
        assert not np.array_equal(one, replicates(statistic, 40, seed=6, count=count, n_jobs=1))

    def test_each_draws_as_many_clusters_as_there_are_and_more_draws_change_none_before(self):
        seen = replicates(lambda weights: weights, 7, seed=1, count=60, n_jobs=1)
        assert seen.sum(axis=1).tolist() == [7.0] * 60
        assert len(np.unique(seen, axis=0)) > 50
        np.testing.assert_array_equal(seen, replicates(lambda weights: weights, 7, seed=1, count=90, n_jobs=1)[:60])

    def test_spread_as_drawing_rows_by_hand_does(self):
        values, who = sample(np.random.default_rng(2), people=25)
        drawn = replicates(Mean(values, who, 25), 25, seed=3, count=2000, n_jobs=1)
        rng = np.random.default_rng(4)
        by_hand = []
        for _ in range(2000):
            chosen = rng.integers(0, 25, 25)
            by_hand.append(np.concatenate([values[who == each] for each in chosen]).mean())
        assert drawn.std() == pytest.approx(np.std(by_hand), rel=0.06)
        assert drawn.mean() == pytest.approx(np.mean(by_hand), abs=0.02)

    @pytest.mark.parametrize("wrong", [{"clusters": 0}, {"count": 0}])
    def test_nothing_to_draw(self, wrong):
        with pytest.raises(ModelError, match=f"{next(iter(wrong))}: found 0"):
            replicates(lambda weights: weights, **{"clusters": 5, "count": 5, "seed": 0, **wrong})


class TestPercentile:
    @pytest.mark.slow
    def test_holds_the_truth_as_often_as_it_says_and_rows_as_clusters_do_not(self):
        rng, covered, naive, runs = np.random.default_rng(7), 0, 0, 300
        for seed in range(runs):
            values, who = sample(rng)
            for rows in (False, True):
                cluster = np.arange(len(who)) if rows else who
                count = int(cluster.max()) + 1
                drawn = replicates(Mean(values, cluster, count), count, seed=seed, count=200, n_jobs=1)
                low, high = percentile(drawn, count)[0]
                if rows:
                    naive += low <= 0 <= high
                else:
                    covered += low <= 0 <= high
        assert 0.90 <= covered / runs <= 0.98
        assert naive / runs < 0.75

    def test_is_that_of_the_draws(self):
        drawn = np.column_stack([np.arange(1001.0), np.full(1001, 3.0)])
        np.testing.assert_allclose(percentile(drawn, 50), [[25.0, 975.0], [3.0, 3.0]])
        np.testing.assert_allclose(percentile(drawn, 50, confidence=0.5)[0], [250.0, 750.0])

    def test_leaves_out_a_few_undefined_draws_and_gives_none_with_many(self):
        drawn = np.arange(100.0)[:, None].copy()
        drawn[:5] = np.nan
        assert percentile(drawn, 50)[0].tolist() == pytest.approx(np.quantile(np.arange(5.0, 100), [0.025, 0.975]))
        drawn[:11] = np.nan
        assert np.isnan(percentile(drawn, 50)).all()

    def test_few_clusters_have_none(self):
        drawn = np.arange(100.0)[:, None]
        assert np.isnan(percentile(drawn, FEWEST_CLUSTERS - 1)).all()
        assert np.isfinite(percentile(drawn, FEWEST_CLUSTERS)).all()


class TestPairedDifferences:
    def test_are_of_the_last_and_each_other_by_metric(self):
        figures = np.array([[1.0, 10.0, 2.0, 30.0, 4.0, 60.0], [0.0] * 6])
        assert last_less_others(figures, 2).tolist() == [[3.0, 50.0, 2.0, 30.0], [0.0] * 4]
        assert last_less_others(figures[0], 2).tolist() == [3.0, 50.0, 2.0, 30.0]
        assert last_less_others(np.ones((3, 2)), 2).shape == (3, 0)

    def test_tell_apart_what_intervals_of_each_do_not(self):
        """Two scorers that rise and fall with the same people: one is a little better for each of them."""
        values, who = sample(np.random.default_rng(8))
        rng = np.random.default_rng(9)
        one, other = Mean(values, who, 40), Mean(values + 0.1 + 0.05 * rng.normal(size=len(who)), who, 40)
        both = replicates(lambda w: np.hstack([one(w), other(w)]), 40, seed=1, count=300, n_jobs=1)
        (low, high), (other_low, _) = percentile(both, 40)
        assert other_low < high
        difference = percentile(last_less_others(both, 1), 40)[0]
        assert 0 < difference[0] < 0.1 < difference[1]
        assert difference[1] - difference[0] < (high - low) / 5
