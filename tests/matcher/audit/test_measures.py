"""Weights of clusters against clusters copied by hand, and every figure against the metric it is named for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from matcher.audit.candidates import UNKNOWN
from matcher.audit.measures import DIRECTIONS, Measures, Scored
from matcher.audit.metrics import Lists, Reliability, expected_matches, ndcg_at, precision_at
from matcher.errors import ModelError
from tests.matcher.audit.town import pairs_between

K = (2, 3)
METRICS = (
    "precision@2",
    "ndcg@2",
    "matches@2",
    "precision@3",
    "ndcg@3",
    "matches@3",
    "mutual_auc",
    "calibration_forward",
    "calibration_backward",
    "calibration_mutual",
)


def scored(n=400, people=25, seed=0, clip_weights=False):
    """Return judged pairs of two splits, some without an answer, and two rungs: one with probabilities, one without."""
    rng = np.random.default_rng(seed)
    asker, asked = rng.integers(0, people, n), rng.integers(people, 2 * people, n)
    y = rng.choice([UNKNOWN, 0, 1, 1], (n, 2))
    weight = np.column_stack([rng.choice([1.0, 2.0, 50.0] if clip_weights else [1.0, 2.0], n), np.ones(n)])
    p = rng.random((n, 2))
    return Scored(
        pairs_between(asker, asked, 2 * people, y=y, weight=weight),
        split=(asker % 2).astype(int),
        cluster=np.unique(asker, return_inverse=True)[1],
        new=asker < 5,
        scores={"coarse": rng.integers(0, 4, n).astype(float), "fine": np.sqrt(p.prod(axis=1))},
        probabilities={"fine": p},
    )


def figures(measures, values):
    return values.reshape(len(measures.rungs), len(measures.metrics))


class TestEstimate:
    def test_is_each_metric_by_its_name(self):
        some = scored(clip_weights=True)
        measures = Measures(some, K, clip=10.0, judge="fine")
        assert measures.metrics == METRICS
        found = dict(zip(METRICS, figures(measures, measures.estimate())[1], strict=True))
        told = some.pairs.mutual != UNKNOWN
        list_, mutual, score = some.pairs.asker, some.pairs.mutual, some.scores["fine"]
        lists, every = Lists.of(score[told], list_[told]), Lists.of(score, list_)
        both = some.probabilities["fine"].prod(axis=1)
        for k in K:
            assert found[f"precision@{k}"] == pytest.approx(precision_at(lists, mutual[told], k).mean())
            assert found[f"ndcg@{k}"] == pytest.approx(np.nanmean(ndcg_at(lists, mutual[told], k)))
            assert found[f"matches@{k}"] == pytest.approx(expected_matches(every, both, k).mean())
        weight = np.minimum(some.pairs.weight[:, 0], 10.0)
        sides = np.column_stack([some.probabilities["fine"], both])
        labels = np.column_stack([some.pairs.y, mutual])
        for place, direction in enumerate(DIRECTIONS):
            rows = labels[:, place] != UNKNOWN
            w = np.ones(len(rows)) if direction == "backward" else weight
            expected = Reliability.of(labels[rows, place], sides[rows, place], w[rows]).error
            assert found[f"calibration_{direction}"] == pytest.approx(expected)

    def test_the_auc_compares_within_splits_and_weighs_by_propensity(self):
        some = scored()
        measures = Measures(some, K, clip=10.0, judge="fine")
        told = some.pairs.mutual != UNKNOWN
        above, compared = 0.0, 0.0
        for number in (0, 1):
            rows = told & (some.split == number)
            y, w = some.pairs.mutual[rows], some.pairs.weight[rows, 0]
            share = w[y == 1].sum() * w[y == 0].sum()
            above += share * roc_auc_score(y, some.scores["coarse"][rows], sample_weight=w)
            compared += share
        assert figures(measures, measures.estimate())[0, METRICS.index("mutual_auc")] == pytest.approx(above / compared)

    def test_a_rung_without_probabilities_is_calibrated_to_nothing(self):
        measures = Measures(scored(), K, clip=10.0, judge="fine")
        calibrations = figures(measures, measures.estimate())[:, -3:]
        assert np.isnan(calibrations[0]).all()
        assert np.isfinite(calibrations[1]).all()

    def test_expected_matches_are_judged_by_one_rung_for_all(self):
        some = scored()
        one = Measures(some, K, 10.0, "fine")
        same = replace(some, scores={"coarse": some.scores["fine"], "fine": some.scores["fine"]})
        both = Measures(same, K, 10.0, "fine")
        place = METRICS.index("matches@3")
        assert figures(one, one.estimate())[0, place] < figures(one, one.estimate())[1, place]
        assert len(set(figures(both, both.estimate())[:, place].tolist())) == 1


class TestWeights:
    def test_a_weight_of_clusters_is_that_many_copies_of_them(self):
        some = scored(n=300, people=12)
        times = np.random.default_rng(3).integers(0, 4, some.clusters)
        measures = Measures(some, K, clip=10.0, judge="fine")
        weighted = figures(measures, measures(times[None].astype(float))[0])
        rows, asker, fresh = [], [], 0
        for cluster, count in enumerate(times):
            for _ in range(count):
                there = np.flatnonzero(some.cluster == cluster)
                rows.append(there)
                asker.append(np.full(len(there), fresh))
                fresh += 1
        rows, asker = np.concatenate(rows), np.concatenate(asker)
        pairs = replace(
            some.pairs.take(rows), asker=asker, asked=np.arange(len(rows)), people=tuple(map(str, range(len(rows))))
        )
        copied = Scored(
            pairs,
            some.split[rows],
            asker,
            some.new[rows],
            {name: score[rows] for name, score in some.scores.items()},
            {name: p[rows] for name, p in some.probabilities.items()},
        )
        by_hand = Measures(copied, K, clip=10.0, judge="fine")
        expected = figures(by_hand, by_hand.estimate())
        np.testing.assert_allclose(weighted[:, :-3], expected[:, :-3])
        for place in range(len(DIRECTIONS)):  # bins are those of what there is, not of each draw
            labelled, y, p, weight = some.labelled(place, "fine", 10.0)
            w = weight * times[some.cluster[labelled]]
            bin_ = Reliability.of(y, p, weight).bin_
            gap = sum(abs((w * (p - y))[bin_ == each].sum()) for each in np.unique(bin_))
            assert weighted[1, place - 3] == pytest.approx(gap / w.sum())

    def test_rows_of_weights_do_not_touch_each_other(self):
        some = scored()
        measures = Measures(some, K, clip=10.0, judge="fine")
        weights = np.random.default_rng(4).integers(0, 3, (5, some.clusters)).astype(float)
        together = measures(weights)
        np.testing.assert_array_equal(together, np.concatenate([measures(row[None]) for row in weights]))


class TestScored:
    def test_lists_are_of_one_asker_and_one_split(self):
        pairs = pairs_between([0, 0, 0, 1, 0], [5, 6, 7, 8, 9])
        some = Scored(pairs, np.array([0, 0, 1, 1, 0]), np.array([0, 0, 2, 1, 0]), np.zeros(5, bool), {}, {})
        assert some.lists().tolist() == [0, 0, 1, 2, 0]

    def test_a_list_in_two_clusters_is_refused(self):
        pairs = pairs_between([0, 0, 1], [5, 6, 7])
        with pytest.raises(ModelError, match="cluster: found 1 askers whose list is in several"):
            Scored(pairs, np.zeros(3, int), pairs.asked - 5, np.zeros(3, bool), {}, {})

    def test_takes_rows_with_clusters_afresh(self):
        some = scored()
        taken = some.take(some.pairs.asker >= 20)
        assert taken.clusters == len(set(taken.pairs.asker.tolist())) == 5
        assert taken.cluster.min() == 0
        assert taken.scores["fine"].tolist() == some.scores["fine"][some.pairs.asker >= 20].tolist()
