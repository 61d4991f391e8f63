"""`PairAffinity`: the probability that one person, shown another and looking, would accept them.

The model and its prior are stated in ``docs/reference/model.md`` and ``docs/reference/matching.md`` §6.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from matcher.errors import ModelError
from matcher.model.checks import checked_codes, checked_pairs, checked_weights
from matcher.model.estimator import Classifier
from matcher.model.logistic import canonical_order, fit_logistic
from matcher.programme import Programme

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.intp]

BASE_LOGIT = float(np.log(0.05 / 0.95))
"""w0 of the prior: nothing satisfied gives .05."""
TOP_LOGIT = float(np.log(0.9 / 0.1))
"""Everything satisfied at default importance gives .90."""
NEUTRAL = 0.25
"""What an unknown satisfy counts as before any is known."""
ROLES = 2
"""0 the seeker (asker), 1 the supporter (asked)."""


def prior_weights(programme: Programme) -> tuple[float, ...]:
    """Return the prior weight of each feature of `programme`, in the order of ``programme.features``.

    Weights are the programme's own, rescaled so that everything satisfied at default importance gives .90 over a base
    of .05. Where every default importance is 0, importance 2 takes its place.
    """
    facets = [programme.facets[name] for name in programme.features]
    full = sum(facet.weight * min(facet.importance, 2) / 2 for facet in facets)
    scale = (TOP_LOGIT - BASE_LOGIT) / (full or sum(facet.weight for facet in facets) or 1.0)
    return tuple(scale * facet.weight for facet in facets)


class PairAffinity(Classifier):
    """Non-negative logistic regression, centred on a prior, with one weight vector per role.

    Minimises, over the answers i of a role (or of both, where they share a vector)::

        Σ s_i · log(1 + exp(−z_i · (w0 + Σ_f w_f x_if)))  +  l2/2 · ‖w − prior‖²  +  intercept_l2/2 · (w0 − logit .05)²

    subject to w_f ≥ 0, where z = ±1 is the answer, x = importance/2 · satisfy, and s are the inverse-propensity
    weights (Horvitz & Thompson 1952), clipped and scaled to a mean of 1 within each role. Solved by projected
    Newton steps (Bertsekas 1982).

    Parameters
    ----------
    prior_weights : tuple of float, shape (d,)
        Finite and ≥ 0; see `prior_weights`.
    l2 : float, > 0
        Pull of each weight towards its prior, as the precision (1/variance) of a normal prior.
    intercept_l2 : float, > 0
        The same for the intercept.
    min_answers : int
        Answers that each role needs for a weight vector of its own; below, both share one fitted on all.
    clip : float, ≥ 1
        Largest inverse-propensity weight.

    Attributes
    ----------
    coef_ : ndarray, shape (2, d)
        Weights by role, ≥ 0.
    intercept_ : ndarray, shape (2,)
    neutral_ : ndarray, shape (2, d)
        What an unknown satisfy counts as: the mean of those known in training, .25 where none was.
    n_answers_ : ndarray of int, shape (2,)
    shared_ : bool
        Whether both roles share one vector.
    classes_ : ndarray, shape (2,)
    n_features_in_ : int
        2d.

    Examples
    --------
    >>> import numpy as np
    >>> affinity = PairAffinity((2.0, 1.0)).fit(np.array([[1.0, np.nan, 0.5, 0.5]]), np.array([1]))
    >>> affinity.coef_.shape, affinity.shared_
    ((2, 2), True)
    """

    def __init__(
        self,
        prior_weights: tuple[float, ...],
        *,
        l2: float = 1.0,
        intercept_l2: float = 0.25,
        min_answers: int = 500,
        clip: float = 10.0,
    ) -> None:
        self.prior_weights = prior_weights
        self.l2 = l2
        self.intercept_l2 = intercept_l2
        self.min_answers = min_answers
        self.clip = clip

    def prior(self) -> PairAffinity:
        """Set the prior, without any data; return self."""
        prior = self._checked_prior()
        self.coef_: Floats = np.tile(prior, (ROLES, 1))
        self.intercept_: Floats = np.full(ROLES, BASE_LOGIT)
        self.neutral_: Floats = np.full((ROLES, len(prior)), NEUTRAL)
        self.n_answers_: Ints = np.zeros(ROLES, dtype=np.intp)
        self.shared_ = True
        self.classes_ = np.array([0, 1])
        self.n_features_in_ = 2 * len(prior)
        return self

    def fit(
        self,
        X: npt.ArrayLike,
        y: npt.ArrayLike,
        *,
        sample_weight: npt.ArrayLike | None = None,
        role: npt.ArrayLike | None = None,
    ) -> PairAffinity:
        """Learn from answers.

        Parameters
        ----------
        X : array-like, shape (n, 2d)
            First d columns: satisfy, in [0, 1], NaN where unknown. Last d: importance/2, one of 0, .5, 1.
        y : array-like, shape (n,)
            1 yes, 0 no.
        sample_weight : array-like, shape (n,), optional
            1/propensity, ≥ 0; infinite where the propensity was 0. Clipped at `clip`.
        role : array-like, shape (n,), optional
            Who answered: 0 the seeker, 1 the supporter. All seekers if left out.

        Returns
        -------
        PairAffinity
            self. With no answers, the prior exactly.

        Raises
        ------
        ModelError
            If a shape, a label, a role or a number is not as above.
        """
        satisfy, importance = checked_pairs(X, len(self.prior_weights))
        n = len(satisfy)
        labels = checked_codes("y", y, n)
        roles = checked_codes("role", np.zeros(n, dtype=np.intp) if role is None else role, n)
        weights = checked_weights(np.ones(n) if sample_weight is None else sample_weight, n)
        self.prior()
        weights = answer_weights(weights, roles, self.clip)
        self.n_answers_ = np.bincount(roles, minlength=ROLES).astype(np.intp)
        # One order for the same rows, however they came: sums of floats depend on it, and results must not.
        order = canonical_order(np.column_stack([satisfy, importance, labels, roles, weights]))
        satisfy, importance = satisfy[order], importance[order]
        labels, roles, weights = labels[order], roles[order], weights[order]
        self.shared_ = bool(self.n_answers_.min() < self.min_answers)
        for code in range(1 if self.shared_ else ROLES):
            rows = slice(None) if self.shared_ else roles == code
            self._fit_vector(code, satisfy[rows], importance[rows], labels[rows], weights[rows])
        if self.shared_:
            for learned in (self.neutral_, self.coef_, self.intercept_):
                learned[1] = learned[0]
        return self

    def _fit_vector(self, code: int, satisfy: Floats, importance: Floats, labels: Ints, weights: Floats) -> None:
        """Set the weights, intercept and neutral values of one role."""
        known = ~np.isnan(satisfy)
        counts = known.sum(axis=0)
        sums = np.where(known, satisfy, 0.0).sum(axis=0)
        self.neutral_[code] = np.where(counts > 0, sums / np.maximum(counts, 1), NEUTRAL)
        x = importance * np.where(known, satisfy, self.neutral_[code])
        prior = self.coef_[code]
        # A facet that never moved any answer stays at its prior exactly, not within the solver's tolerance.
        active = np.flatnonzero(x.any(axis=0))
        self.coef_[code, active], self.intercept_[code] = fit_logistic(
            x[:, active], labels, weights, prior[active], BASE_LOGIT, self.l2, self.intercept_l2
        )

    def decision_function(self, X: npt.ArrayLike, role: npt.ArrayLike | None = None) -> Floats:
        """Return the logit of acceptance, shape (n,); `X` and `role` as in `fit`."""
        self.check_fitted()
        satisfy, importance = checked_pairs(X, len(self.prior_weights))
        n = len(satisfy)
        roles = checked_codes("role", np.zeros(n, dtype=np.intp) if role is None else role, n)
        x = importance * np.where(np.isnan(satisfy), self.neutral_[roles], satisfy)
        return np.asarray(self.intercept_[roles] + (x * self.coef_[roles]).sum(axis=1), dtype=np.float64)

    def predict_proba(self, X: npt.ArrayLike, role: npt.ArrayLike | None = None) -> Floats:
        """Return the probabilities of no and yes, shape (n, 2); `X` and `role` as in `fit`."""
        logit = self.decision_function(X, role)
        yes = np.exp(-np.logaddexp(0.0, -logit))
        return np.column_stack([1.0 - yes, yes])

    def predict(self, X: npt.ArrayLike, role: npt.ArrayLike | None = None) -> Ints:
        """Return 1 where yes is at least as likely as no, shape (n,); `X` and `role` as in `fit`."""
        return (self.decision_function(X, role) >= 0).astype(np.intp)

    def _checked_prior(self) -> Floats:
        prior = np.asarray(self.prior_weights, dtype=np.float64)
        if prior.ndim != 1 or not np.isfinite(prior).all() or (prior < 0).any():
            raise ModelError(f"prior_weights: found {self.prior_weights!r}; expected finite numbers ≥ 0, one a feature")
        for name, least in (("l2", 0.0), ("intercept_l2", 0.0), ("clip", 1.0)):
            value: Any = getattr(self, name)
            if not np.isfinite(value) or value < least or value == 0:
                raise ModelError(f"{name}: found {value!r}; expected a finite number {'≥ 1' if least else '> 0'}")
        return prior


def answer_weights(inverse_propensity: Floats, role: Ints, clip: float) -> Floats:
    """Return what each answer counts: 1/propensity, clipped, scaled to a mean of 1 within each role.

    Within each role, because only seekers' answers are sampled by rank: a supporter's answer must not count for less.
    """
    weights = np.minimum(inverse_propensity, clip)
    for code in range(ROLES):
        of_role = role == code
        total = np.sort(weights[of_role]).sum()  # sorted: the same bits in any order of the answers
        if total > 0:
            weights[of_role] *= np.count_nonzero(of_role) / total
    return weights
