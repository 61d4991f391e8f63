"""Metrics against scikit-learn's, and where orders tie, against every order there is."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.calibration import calibration_curve
from sklearn.metrics import log_loss as sklearn_log_loss
from sklearn.metrics import ndcg_score, precision_score, roc_auc_score

from matcher.audit.metrics import (
    Comparisons,
    Lists,
    Reliability,
    auc,
    expected_matches,
    log_loss,
    ndcg_at,
    plain,
    precision_at,
    ratio,
)

levels = st.sampled_from([-2.0, -0.5, 0.0, 0.5, 3.0])
scored = st.lists(st.tuples(st.integers(0, 1), levels, st.sampled_from([0.5, 1.0, 2.0])), min_size=2, max_size=30)
grouped = st.lists(st.tuples(st.integers(0, 1), levels, st.integers(0, 3)), min_size=1, max_size=30)
ONE_LIST = np.zeros(6, dtype=np.intp)


def columns(rows):
    return (np.array(column) for column in zip(*rows, strict=True))


class TestAnswers:
    @given(scored)
    def test_equal_scikit_learns(self, rows):
        y, logit, weight = columns(rows)
        expected = sklearn_log_loss(y, expit(logit), sample_weight=weight, labels=[0, 1])
        assert log_loss(y, logit, weight) == pytest.approx(expected, abs=1e-12)
        if len(set(y.tolist())) == 2:
            assert auc(y, logit, weight) == pytest.approx(roc_auc_score(y, logit, sample_weight=weight), abs=1e-12)

    def test_are_undefined_without_what_they_compare(self):
        nothing = np.empty(0)
        assert np.isnan(auc(np.array([1, 1]), np.array([0.0, 1.0]), np.ones(2)))
        assert np.isnan(auc(nothing.astype(int), nothing, nothing))
        assert np.isnan(log_loss(nothing.astype(int), nothing, nothing))

    def test_the_auc_within_groups_compares_nobody_across(self):
        y, score = np.array([1, 0, 1, 0]), np.array([2.0, 1.0, -1.0, -2.0])
        group = np.array([0, 0, 1, 1])
        assert auc(y, score, np.ones(4), group) == 1.0
        assert auc(y, score, np.ones(4)) == 0.75

    @given(grouped)
    def test_the_auc_within_groups_weighs_them_by_their_comparisons(self, rows):
        y, score, group = columns(rows)
        above, compared = 0.0, 0
        for number in set(group.tolist()):
            there = y[group == number]
            pairs = int(there.sum() * (1 - there).sum())
            if pairs:
                above += pairs * roc_auc_score(there, score[group == number])
                compared += pairs
        expected = above / compared if compared else np.nan
        assert auc(y, score, np.ones(len(y)), group) == pytest.approx(expected, abs=1e-12, nan_ok=True)

    @given(grouped, st.integers(0, 10))
    def test_many_weightings_at_once_are_as_one_by_one(self, rows, seed):
        y, score, group = columns(rows)
        weights = np.random.default_rng(seed).integers(0, 3, (4, len(y))).astype(float)
        compared = Comparisons.of(y, score, group)
        together = compared.auc(weights[:, compared.yes], weights[:, compared.no])
        assert together.tolist() == pytest.approx([auc(y, score, each, group) for each in weights], nan_ok=True)

    def test_extreme_logits_stay_finite(self):
        assert log_loss(np.array([1, 0]), np.array([-1e4, 1e4]), np.ones(2)) == pytest.approx(1e4)


def by_every_order(score, metric):
    """Return the mean of `metric(rows best first)` over every order in which no row precedes one of a higher score."""
    rows = range(len(score))
    orders = [order for order in permutations(rows) if (np.diff(score[list(order)]) <= 0).all()]
    return float(np.mean([metric(list(order)) for order in orders]))


class TestLists:
    @given(grouped, st.integers(1, 6))
    def test_without_ties_equal_scikit_learns(self, rows, k):
        mutual, _, list_ = columns(rows)
        score = np.random.default_rng(len(rows)).permutation(len(rows)).astype(float)
        lists = Lists.of(score, list_)
        precision, ndcg = precision_at(lists, mutual, k), ndcg_at(lists, mutual, k)
        for place, number in enumerate(np.unique(list_)):
            y, s = mutual[list_ == number], score[list_ == number]
            top = s >= np.sort(s)[::-1][:k].min()
            assert precision[place] == pytest.approx(precision_score(y, top, zero_division=0.0))
            if not y.any():
                assert np.isnan(ndcg[place])
            elif len(y) > 1:  # scikit-learn refuses a list of one
                assert ndcg[place] == pytest.approx(ndcg_score([y], [s], k=k))

    @given(st.lists(st.tuples(st.integers(0, 1), levels), min_size=6, max_size=6), st.integers(1, 6))
    def test_ties_count_as_the_mean_of_every_order(self, rows, k):
        mutual, score = columns(rows)
        lists, p = Lists.of(score, ONE_LIST), np.linspace(0.1, 0.9, 6)
        found = precision_at(lists, mutual, k)[0]
        assert found == pytest.approx(by_every_order(score, lambda order: mutual[order[:k]].mean()))
        matches = expected_matches(lists, p, k)[0]
        assert matches == pytest.approx(by_every_order(score, lambda order: p[order[:k]].sum()))
        if mutual.any():
            assert ndcg_at(lists, mutual, k)[0] == pytest.approx(ndcg_score([mutual], [score], k=k))

    def test_expect_the_sum_of_the_best(self):
        score, both = np.array([3.0, 1.0, 2.0, 9.0]), np.array([0.5, 0.4, 0.2, 0.1])
        lists = Lists.of(score, np.array([0, 0, 0, 7]))
        assert expected_matches(lists, both, 2).tolist() == pytest.approx([0.7, 0.1])

    def test_a_list_shorter_than_k_is_judged_by_what_it_has(self):
        lists = Lists.of(np.array([2.0, 1.0]), np.array([0, 0]))
        assert precision_at(lists, np.array([1, 0]), 5).tolist() == [0.5]

    def test_no_lists(self):
        nothing = np.zeros(0, dtype=np.intp)
        lists = Lists.of(np.zeros(0), nothing)
        assert precision_at(lists, nothing, 5).size == ndcg_at(lists, nothing, 5).size == 0


class TestReliability:
    @pytest.mark.parametrize("steps", [10**9, 12])
    def test_equals_scikit_learns(self, steps):
        rng = np.random.default_rng(0)
        p = rng.integers(0, steps, 500) / steps
        y = (rng.random(500) < p**2).astype(int)
        found = Reliability.of(y, p, np.ones(500), bins=7)
        observed, predicted = calibration_curve(y, p, n_bins=7, strategy="quantile")
        np.testing.assert_allclose(found.observed, observed)
        np.testing.assert_allclose(found.predicted, predicted)
        assert found.error == pytest.approx(np.abs(observed - predicted) @ np.bincount(found.bin_) / 500)

    def test_a_weight_of_three_is_three_rows(self):
        rng = np.random.default_rng(1)
        p, y = rng.random(40), rng.integers(0, 2, 40)
        weight = rng.integers(1, 4, 40).astype(float)
        found = Reliability.of(y, p, weight, bins=4)
        for each in range(4):
            rows = np.repeat(np.flatnonzero(found.bin_ == each), weight[found.bin_ == each].astype(int))
            assert found.predicted[each] == pytest.approx(p[rows].mean())
            assert found.observed[each] == pytest.approx(y[rows].mean())
            assert found.weight[each] == len(rows)

    def test_what_is_true_is_near_nought_and_overconfidence_is_not(self):
        rng = np.random.default_rng(2)
        p = rng.uniform(0.2, 0.5, 20_000)
        y = (rng.random(20_000) < p).astype(int)
        assert Reliability.of(y, p, np.ones(20_000)).error < 0.02
        assert Reliability.of(y, p + 0.3, np.ones(20_000)).error == pytest.approx(0.3, abs=0.02)

    def test_one_probability_for_all_fills_one_bin(self):
        found = Reliability.of(np.array([1, 0, 0, 0]), np.full(4, 0.5), np.ones(4))
        assert np.nansum(found.weight) == 4
        assert found.error == 0.25

    def test_nothing(self):
        nothing = np.zeros(0)
        assert np.isnan(Reliability.of(nothing.astype(int), nothing, nothing).error)


def test_a_ratio_of_nothing_is_undefined():
    assert ratio(np.array([1.0, 2.0]), np.array([2.0, 0.0])).tolist() == pytest.approx([0.5, np.nan], nan_ok=True)


def test_what_json_may_hold():
    assert (plain(1 / 3), plain(float("nan")), plain(float("inf"))) == (0.333333, None, None)
