"""The solver's parts that `PairAffinity`'s own tests do not reach."""

from __future__ import annotations

import numpy as np
import pytest

from matcher.errors import ModelError
from matcher.model import logistic
from matcher.model.logistic import Objective, canonical_order, fit_logistic


def objective(n=40, d=3, seed=0):
    rng = np.random.default_rng(seed)
    return Objective(rng.random((n, d)), rng.integers(0, 2, n), rng.random(n), rng.random(d + 1), rng.random(d + 1))


class TestObjective:
    def test_gradient_is_the_slope_and_hessian_the_slope_of_the_gradient(self):
        measured = objective()
        theta, step = np.array([-1.0, 0.5, 2.0, 0.1]), 1e-6
        for place, away in enumerate(step * np.eye(4)):
            above, below = measured(theta + away), measured(theta - away)
            assert measured(theta)[1][place] == pytest.approx((above[0] - below[0]) / (2 * step), abs=1e-8)
            slope = (above[1] - below[1]) / (2 * step)
            assert measured.hessian(theta)[place] == pytest.approx(slope, abs=1e-8)

    def test_far_away_it_is_finite(self):
        value, gradient = objective()(np.array([1e4, 1e4, 1e4, 1e4]))
        assert np.isfinite(value)
        assert np.isfinite(gradient).all()


class TestSettling:
    def test_a_search_cut_short_is_refused_not_returned(self, monkeypatch):
        monkeypatch.setattr(logistic, "MAX_STEPS", 1)
        rng = np.random.default_rng(1)
        with pytest.raises(ModelError, match="did not settle"):
            fit_logistic(rng.random((50, 2)), rng.integers(0, 2, 50), np.ones(50), np.ones(2), -3.0, 1.0, 0.25)

    def test_without_answers_the_prior_comes_back_as_a_copy(self):
        prior = np.array([1.0, 2.0])
        weights, base = fit_logistic(np.empty((0, 2)), np.empty(0, dtype=int), np.empty(0), prior, -3.0, 1.0, 0.25)
        assert (weights.tolist(), base) == ([1.0, 2.0], -3.0)
        assert weights is not prior


class TestCanonicalOrder:
    def test_any_order_of_rows_comes_out_the_same(self):
        rows = np.random.default_rng(2).integers(0, 3, (500, 4)).astype(float)
        rows[rows == 2] = np.nan
        shuffled = rows[np.random.default_rng(3).permutation(500)]
        assert np.array_equal(rows[canonical_order(rows)], shuffled[canonical_order(shuffled)], equal_nan=True)

    def test_nothing_to_order(self):
        assert canonical_order(np.empty((0, 3))).tolist() == []

    def test_rows_whose_hashes_collide_are_ordered_by_their_columns(self, monkeypatch):
        monkeypatch.setattr(logistic, "row_hashes", lambda bits: np.zeros(len(bits), dtype=np.uint64))
        rows = np.random.default_rng(4).random((100, 2))
        shuffled = rows[::-1].copy()
        assert np.array_equal(rows[canonical_order(rows)], shuffled[canonical_order(shuffled)])
