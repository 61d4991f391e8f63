"""A differentially private fit of the affinity: what it learns tells little of any one member's answers.

**What is protected.** All answers that one member gave, whatever they were and however many. Two data sets are
neighbours if one member's answers are there in the one and not in the other ("zero-out" adjacency: how many members
let the model learn is public, the manifest tells it). What *others* answered about somebody is theirs.

**How.** User-level noisy gradient descent (Abadi et al. 2016; McMahan et al. 2018), on all members at every step:

1. Of each member at most `CAP` answers, drawn by lot from their own.
2. Once, with noise: how many answered in each role, how large their features are, and the mean of the known satisfies,
   for the neutral values.
3. `STEPS` times: the mean gradient of each member's answers, both roles in one vector, is cut to the length `CLIP`; the
   sum gets noise; the weights go a step against it, and back to 0 where they would be below. The pull towards the prior
   needs no noise. The last half of the points is averaged.

One member changes each sum by at most what it is cut to. So each release is a Gaussian mechanism, and
`matcher.model.accounting` tells what all of them cost.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
from sklearn.base import clone

from matcher.errors import ModelError
from matcher.model.accounting import Noise, multiplier
from matcher.model.affinity import BASE_LOGIT, NEUTRAL, ROLES, PairAffinity
from matcher.model.features import Pairs

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.intp]

CAP: Final = 100
"""Answers of one member that are looked at."""
STEPS: Final = 200
STEP: Final = 1.6
"""Length of a step over the largest curvature that the mean loss can have: a quarter of the mean of ‖x‖². From 2 on
steps would overshoot."""
CLIP: Final = 0.3
"""Length to which the mean gradient of one member is cut. Of answers that a model tells well it is shorter."""
SHARE: Final = 0.1
"""Of the precision of all noise, what the counts and means get."""
PULL: Final = 1.0
"""Strength of the prior, in members: as `PairAffinity.l2`, whose unit is an answer."""
SURE: Final = 200.0
"""Members whom the neutral value of no data is worth."""
FEWEST: Final = 500.0
"""Members who must have answered in each role, by the noisy count, for a vector of its own."""


@dataclass(frozen=True)
class PrivateFit:
    """What was learned, and what it cost."""

    affinity: PairAffinity
    """Its `n_answers_` are members who answered, by the noisy count."""
    noise: Noise
    """As if it had been added once."""


def system_generator() -> np.random.Generator:
    """Return a generator seeded by the operating system with 256 bits, which are kept nowhere."""
    return np.random.Generator(np.random.Philox(int.from_bytes(os.urandom(32), "big")))


def fit_private(
    pairs: Pairs, affinity: PairAffinity, users: int, epsilon: float, generator: np.random.Generator | None = None
) -> PrivateFit:
    """Fit an affinity with user-level differential privacy.

    Parameters
    ----------
    pairs : Pairs
        n answers.
    affinity : PairAffinity
        Its prior and `clip` are used; it is not changed.
    users : int
        Members who let the model learn, whether or not they answered: public.
    epsilon : float
        What the fit may cost, at `accounting.DELTA`.
    generator : Generator, optional
        Of the noise: `system_generator` unless a test gives its own.

    Raises
    ------
    ModelError
        If there are more who answered than `users`.
    PeermatchError
        If `epsilon` is not above 0.
    """
    members = Members.of(pairs, affinity.clip)
    if members.count > users:
        raise ModelError(f"users: found {users}, fewer than the {members.count} who answered; expected all who consent")
    random = system_generator() if generator is None else generator
    members = members.capped(random)
    once = multiplier(epsilon)
    fitted = clone(affinity).prior()
    seen = _look(members, once / SHARE**0.5, random)
    fitted.neutral_ = seen.neutral
    fitted.shared_ = seen.shared
    fitted.n_answers_ = np.maximum(seen.answered.round(-1), 0).astype(np.intp)
    theta = _descend(members, fitted, seen.curvature, max(1, users), once * (STEPS / (1 - SHARE)) ** 0.5, random)
    fitted.intercept_, fitted.coef_ = theta[:, 0].copy(), theta[:, 1:].copy()
    return PrivateFit(fitted, Noise(once))


@dataclass(frozen=True)
class Members:
    """n answers of m members."""

    satisfy: Floats
    """Shape (n, d), NaN where unknown."""
    importance: Floats
    y: Ints
    weight: Floats
    role: Ints
    member: Ints
    """Shape (n,), from 0 to m − 1."""
    count: int
    """m."""

    @classmethod
    def of(cls, pairs: Pairs, clip: float) -> Members:
        """Return answers by who gave them. Each counts 1/propensity, clipped; nobody else's answers change that."""
        who = np.where(pairs.role == 0, pairs.asker, pairs.asked)
        names, member = np.unique(who, return_inverse=True)
        d = pairs.X.shape[1] // 2
        weight = np.minimum(pairs.weight, clip)
        return cls(pairs.X[:, :d], pairs.X[:, d:], pairs.y, weight, pairs.role, member.astype(np.intp), len(names))

    def capped(self, random: np.random.Generator) -> Members:
        """Return at most `CAP` answers of each, drawn by lot."""
        order = np.lexsort((random.random(len(self.member)), self.member))
        starts = np.searchsorted(self.member[order], np.arange(self.count))
        place = np.arange(len(order)) - starts[self.member[order]]
        rows = np.sort(order[place < CAP])
        return Members(
            self.satisfy[rows],
            self.importance[rows],
            self.y[rows],
            self.weight[rows],
            self.role[rows],
            self.member[rows],
            self.count,
        )

    def means(self, values: Floats) -> Floats:
        """Return each member's mean of `values`, shape (n, k), in each role, weighted by the share of their weight.

        Shape (m, 2, k). A member who answered in both roles has one mean, parted between them.
        """
        share = self.weight / np.bincount(self.member, self.weight, self.count)[self.member]
        cell = self.member * ROLES + self.role
        summed = [np.bincount(cell, share * column, self.count * ROLES) for column in values.T]
        return np.asarray(np.stack(summed, axis=-1).reshape(self.count, ROLES, values.shape[1]), dtype=np.float64)


def cut(vectors: Floats, length: float) -> Floats:
    """Return vectors, shape (m, …), each cut to `length` where it is longer."""
    long = np.sqrt((vectors**2).sum(axis=tuple(range(1, vectors.ndim))))
    factor = np.minimum(1.0, length / np.maximum(long, 1e-300))
    return np.asarray(vectors * factor.reshape(-1, *[1] * (vectors.ndim - 1)))


def _noisy_sum(vectors: Floats, length: float, noise: float, random: np.random.Generator) -> Floats:
    """Return the sum over members, none of whom changes it by more than `length`, with noise."""
    total = cut(vectors, length).sum(axis=0)
    return np.asarray(total + random.normal(0.0, noise * length, total.shape))


class Seen(NamedTuple):
    """What is known of the answers as a whole, noisy."""

    answered: Floats
    """Shape (2,): members who answered in each role."""
    neutral: Floats
    """Shape (2, d): the mean of the known satisfies, of members, not answers; near `NEUTRAL` where few are known."""
    curvature: float
    """The largest that the mean loss can have."""

    @property
    def shared(self) -> bool:
        """Whether too few answered in one role for a vector of its own."""
        return bool(self.answered.min() < FEWEST)


def _look(members: Members, noise: float, random: np.random.Generator) -> Seen:
    known = ~np.isnan(members.satisfy)
    d = known.shape[1]
    value = np.where(known, members.satisfy, NEUTRAL)
    size = (1.0 + ((members.importance * value) ** 2).sum(axis=1, keepdims=True)) / (1.0 + d)
    told = members.means(np.hstack([np.ones_like(size), size, known, np.where(known, value, 0.0)]))
    # Each of the 2 + 2d means is in [0, 1], and parted between the roles.
    total = _noisy_sum(told, (2.0 + 2 * d) ** 0.5, noise, random)
    answered = total[:, 0]
    mean_size = total[:, 1].sum() / max(answered.sum(), 1.0)
    known_by, satisfied = total[:, 2 : 2 + d], total[:, 2 + d :]
    if answered.min() < FEWEST:
        known_by, satisfied = (np.tile(column.sum(axis=0), (ROLES, 1)) for column in (known_by, satisfied))
    neutral = (satisfied + SURE * NEUTRAL) / (np.maximum(known_by, 0.0) + SURE)
    curvature = 0.25 * float(np.clip(mean_size * (1.0 + d), 1.0, 1.0 + d))
    return Seen(answered, np.clip(neutral, 0.0, 1.0), curvature)


def _descend(
    members: Members, prior: PairAffinity, curvature: float, users: int, noise: float, random: np.random.Generator
) -> Floats:
    """Return intercepts and weights, shape (2, d + 1)."""
    d = prior.coef_.shape[1]
    filled = np.where(np.isnan(members.satisfy), prior.neutral_[members.role], members.satisfy)
    x = np.hstack([np.ones((len(filled), 1)), members.importance * filled])
    centre = np.hstack([np.full((ROLES, 1), BASE_LOGIT), prior.coef_])
    lower = np.hstack([np.full((ROLES, 1), -np.inf), np.zeros((ROLES, d))])
    theta, kept = centre.copy(), []
    for step in range(STEPS):
        logit = (x * theta[members.role]).sum(axis=1)
        residual = 0.5 * (1.0 + np.tanh(0.5 * logit)) - members.y
        gradient = members.means(x * residual[:, None])
        if prior.shared_:
            gradient = gradient.sum(axis=1, keepdims=True)
        total = _noisy_sum(gradient, CLIP, noise, random)
        slope = (total + PULL * (theta - centre)) / users
        theta = np.maximum(theta - STEP / curvature * slope, lower)
        if step >= STEPS // 2:
            kept.append(theta)
    return np.asarray(np.mean(kept, axis=0))
