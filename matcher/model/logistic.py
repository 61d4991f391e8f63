"""Weighted logistic regression with non-negative weights and a prior: the solver under `PairAffinity`.

Sums over answers are taken by ``np.einsum``, not by BLAS, which would split them over threads and so let the last bits
of a model depend on how many cores the machine has. It costs half as much again, of milliseconds.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from matcher.errors import ModelError

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.intp]

TARGET = 1e-14
"""Projected gradient an answer at which there is nothing left to gain."""
TOLERANCE = 1e-9
"""Largest that counts as solved, where rounding ends the search earlier; relative to the penalty's own terms."""
MAX_STEPS = 200


class Objective:
    """Value, gradient and Hessian of the penalised loss at θ = (w0, w), all divided by the number of answers.

    Parameters
    ----------
    x : ndarray, shape (n, d)
    y : ndarray of 0 and 1, shape (n,)
    weight : ndarray, shape (n,)
    centre : ndarray, shape (d + 1,)
        Where the penalty is 0.
    precision : ndarray, shape (d + 1,)
        Strength of the penalty for each entry of θ.
    """

    def __init__(self, x: Floats, y: Ints, weight: Floats, centre: Floats, precision: Floats) -> None:
        self.x, self.y, self.weight, self.centre, self.precision = x, y, weight, centre, precision
        self.sign = 1.0 - 2.0 * y
        self.scale = 1.0 / max(1, len(x))

    def __call__(self, theta: Floats) -> tuple[float, Floats]:
        """Return value and gradient."""
        logit = self._logit(theta)
        away = theta - self.centre
        value = (self.weight * np.logaddexp(0.0, self.sign * logit)).sum() + 0.5 * (self.precision * away**2).sum()
        residual = self.weight * (_expit(logit) - self.y)
        gradient = np.concatenate([[residual.sum()], self._columns(residual)]) + self.precision * away
        return float(value) * self.scale, gradient * self.scale

    def hessian(self, theta: Floats) -> Floats:
        """Return the matrix of second derivatives, shape (d + 1, d + 1)."""
        yes = _expit(self._logit(theta))
        curvature = self.weight * yes * (1.0 - yes)
        full = np.diag(self.precision)
        full[0, 0] += curvature.sum()
        full[0, 1:] = full[1:, 0] = self._columns(curvature)
        for column in range(self.x.shape[1]):
            full[1 + column, 1:] += self._columns(curvature * self.x[:, column])
        return full * self.scale

    def _logit(self, theta: Floats) -> Floats:
        return np.asarray(np.einsum("ij,j->i", self.x, theta[1:]) + theta[0], dtype=np.float64)

    def _columns(self, values: Floats) -> Floats:
        """Return Σ_i values_i · x_i, shape (d,)."""
        return np.asarray(np.einsum("ij,i->j", self.x, values), dtype=np.float64)


def _expit(logit: Floats) -> Floats:
    """Return 1 / (1 + exp(−logit)), whatever its size. SciPy's own would cost whoever serves a model 15 MB."""
    return np.asarray(np.exp(-np.logaddexp(0.0, -logit)), dtype=np.float64)


def fit_logistic(
    x: Floats, y: Ints, weight: Floats, prior: Floats, base: float, l2: float, intercept_l2: float
) -> tuple[Floats, float]:
    """Return the weights, shape (d,), and intercept that minimise the penalised loss subject to weights ≥ 0.

    Projected Newton (Bertsekas 1982): 1. Start at the prior. 2. Hold the weights that are at or near 0 and pushed
    below. 3. Take a Newton step on the others, projected to ≥ 0, halved until the objective falls enough. 4. Stop when
    the projected gradient is as good as 0. The objective is strictly convex, so there is one answer.

    Raises
    ------
    ModelError
        If that point is not reached.
    """
    if not len(y):
        return prior.copy(), base
    theta = np.concatenate([[base], prior])
    precision = np.concatenate([[intercept_l2], np.full(len(prior), l2)])
    objective = Objective(x, y, weight, theta.copy(), precision)
    lower = np.concatenate([[-np.inf], np.zeros(len(prior))])
    left = np.inf
    for _ in range(MAX_STEPS):
        value, gradient = objective(theta)
        left = _stationarity(theta, gradient, lower)
        if left <= TARGET or (there := _step(objective, theta, value, gradient, lower)) is None:
            break
        theta = there
    scale = 1.0 + float(np.abs(precision * objective.centre).max()) / len(y)
    if not left <= TOLERANCE * scale:
        raise ModelError(
            f"the fit did not settle: found a gradient of {left:.1e} an answer; expected at most {TOLERANCE:.0e}. "
            "Report this with the number of answers and features"
        )
    return theta[1:], float(theta[0])


def _stationarity(theta: Floats, gradient: Floats, lower: Floats) -> float:
    """Return how far a projected gradient step leads: 0 at the minimum, and only there."""
    return float(np.abs(theta - np.maximum(theta - gradient, lower)).max())


def _step(objective: Objective, theta: Floats, value: float, gradient: Floats, lower: Floats) -> Floats | None:
    """Return the next point, or None where no step of any length improves on `theta`."""
    size = _stationarity(theta, gradient, lower)
    hessian = objective.hessian(theta)
    held = (theta - lower <= min(size, 1e-3)) & (gradient > 0)
    direction = -gradient / np.diag(hessian)
    direction[~held] = -np.linalg.solve(hessian[np.ix_(~held, ~held)], gradient[~held])
    for halvings in range(50):
        there = np.maximum(theta + 0.5**halvings * direction, lower)
        value_there, gradient_there = objective(there)
        if value_there <= value - 1e-4 * float((gradient * (theta - there)).sum()) and value_there < value:
            return there
        # So near the minimum, values of the sum of many answers no longer tell points apart; gradients do.
        near = abs(value_there - value) <= 1e-12 * (1.0 + abs(value))
        if near and _stationarity(there, gradient_there, lower) < size:
            return there
    return None


def canonical_order(rows: Floats) -> Ints:
    """Return an order of `rows`, shape (n, m), that depends on their content only, not on how they came.

    Rows are sorted by a 64-bit hash of their bits, which takes a fraction of the time of comparing columns; only where
    two different rows collide are columns compared.
    """
    bits = np.ascontiguousarray(np.where(np.isnan(rows), np.nan, rows) + 0.0).view(np.uint64)
    hashes = row_hashes(bits)
    order = np.argsort(hashes, kind="stable").astype(np.intp)
    twins = np.flatnonzero(hashes[order[1:]] == hashes[order[:-1]])
    if (bits[order[twins]] != bits[order[twins + 1]]).any():
        return np.lexsort(bits.T).astype(np.intp)
    return order


def row_hashes(bits: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Return a hash of each row of `bits`, by the mixing step of splitmix64 (Steele, Lea & Flood 2014)."""
    mixed = np.zeros(len(bits), dtype=np.uint64)
    for column in bits.T:
        mixed ^= column
        mixed += np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed ^= mixed >> np.uint64(31)
    return mixed
