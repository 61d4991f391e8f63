"""The ladder: ways to order the same candidates, from a coin to the learned reciprocal score.

Each rung learns only from the answers it is given, and knows nothing of the labels of the pairs that it scores.
"""

from __future__ import annotations

import hashlib
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt
from sklearn.base import clone

from matcher.audit.candidates import UNKNOWN, Candidates
from matcher.matching.exposure import log_reciprocal
from matcher.model.affinity import NEUTRAL, PairAffinity

Floats: TypeAlias = npt.NDArray[np.float64]
Mask: TypeAlias = npt.NDArray[np.bool_]


class Rung(Protocol):
    """One way to score pairs."""

    @property
    def name(self) -> str:
        """What a table calls it."""

    def fit(self, pairs: Candidates, learn: Mask) -> Rung:
        """Learn from the answers of `pairs` where `learn`, shape (n, 2), is true, and from no other; return self."""

    def score(self, pairs: Candidates) -> Floats:
        """Return a score of each pair, shape (n,): higher is better."""

    def probabilities(self, pairs: Candidates) -> Floats | None:
        """Return the chances of a yes of the asker and of the one asked, shape (n, 2); None of a rung without."""


class Random:
    """A coin: whatever beats it knows something. It goes by the ids, so that no order of rows changes it."""

    name = "random"

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def fit(self, pairs: Candidates, learn: Mask) -> Random:
        """Learn nothing; return self."""
        return self

    def score(self, pairs: Candidates) -> Floats:
        """Return numbers in [0, 1)."""
        ids = (
            f"{self.seed}\n{pairs.people[one]}\n{pairs.people[other]}"
            for one, other in zip(pairs.asker, pairs.asked, strict=True)
        )
        digests = (hashlib.blake2b(text.encode(), digest_size=8).digest() for text in ids)
        whole = np.fromiter((int.from_bytes(digest, "big") >> 11 for digest in digests), np.float64, len(pairs))
        return whole / 2.0**53

    def probabilities(self, pairs: Candidates) -> None:
        """Return None."""


class Popularity:
    """The share of yes that the one asked has received, whoever looks; with one answer's worth of everybody's share.

    Who was never answered gets everybody's share, which among people kept apart is everybody.
    """

    name = "popularity"

    def fit(self, pairs: Candidates, learn: Mask) -> Popularity:
        """Count what each received; return self."""
        learn = learn & (pairs.y != UNKNOWN)
        about = np.column_stack([pairs.asked, pairs.asker])[learn]
        yes = pairs.y[learn].astype(np.float64)
        everybody = yes.mean() if yes.size else 0.0
        got = np.bincount(about, weights=yes, minlength=len(pairs.people))
        self.share_: Floats = (got + everybody) / (np.bincount(about, minlength=len(pairs.people)) + 1.0)
        return self

    def score(self, pairs: Candidates) -> Floats:
        """Return shares, in [0, 1]; `pairs` must have the people of the fit."""
        return self.share_[pairs.asked]

    def probabilities(self, pairs: Candidates) -> None:
        """Return None."""


class Cosine:
    """Likeness alone: the mean of what is known of both to be satisfied, every facet and both ways counting the same.

    Where nothing is known, the neutral value. Nothing is learned.
    """

    name = "cosine"

    def fit(self, pairs: Candidates, learn: Mask) -> Cosine:
        """Learn nothing; return self."""
        return self

    def score(self, pairs: Candidates) -> Floats:
        """Return means, in [0, 1]."""
        satisfy = pairs.X[:, :, : pairs.X.shape[2] // 2]
        known = ~np.isnan(satisfy)
        count = known.sum(axis=(1, 2))
        total = np.where(known, satisfy, 0.0).sum(axis=(1, 2))
        return np.where(count > 0, total / np.maximum(count, 1), NEUTRAL)

    def probabilities(self, pairs: Candidates) -> None:
        """Return None."""


class Affinity:
    """What a `PairAffinity` makes of a pair: the asker's p_f alone, or √(p_f·p_b)."""

    def __init__(self, affinity: PairAffinity, *, learned: bool, reciprocal: bool) -> None:
        self.affinity, self.learned, self.reciprocal = affinity, learned, reciprocal

    @property
    def name(self) -> str:
        """``prior`` or ``learned``, and ``one-sided`` or ``reciprocal``."""
        return f"{'learned' if self.learned else 'prior'} {'reciprocal' if self.reciprocal else 'one-sided'}"

    def fit(self, pairs: Candidates, learn: Mask) -> Affinity:
        """Fit a clone of the affinity, or set its prior; return self."""
        fitted = clone(self.affinity)
        if self.learned:
            learn = learn & (pairs.y != UNKNOWN)
            role = np.nonzero(learn)[1]
            fitted.fit(pairs.X[learn], pairs.y[learn], sample_weight=pairs.weight[learn], role=role)
        else:
            fitted.prior()
        self.fitted_: PairAffinity = fitted
        return self

    def score(self, pairs: Candidates) -> Floats:
        """Return probabilities, or their geometric means."""
        forward, backward = self._logits(pairs)
        return np.exp(log_reciprocal(forward, backward if self.reciprocal else forward))

    def probabilities(self, pairs: Candidates) -> Floats | None:
        """Return p_f and p_b; None of a one-sided rung, which knows no p_b."""
        if not self.reciprocal:
            return None
        return np.column_stack([np.exp(log_reciprocal(logit, logit)) for logit in self._logits(pairs)])

    def _logits(self, pairs: Candidates) -> tuple[Floats, Floats]:
        forward, backward = (
            self.fitted_.decision_function(pairs.X[:, role], np.full(len(pairs), role)) for role in (0, 1)
        )
        return forward, backward


def ladder(affinity: PairAffinity, seed: int = 0) -> tuple[Rung, ...]:
    """Return the rungs from the bottom up, with `affinity`'s parameters for those that learn."""
    return (
        Random(seed),
        Popularity(),
        Cosine(),
        Affinity(affinity, learned=False, reciprocal=False),
        Affinity(affinity, learned=False, reciprocal=True),
        Affinity(affinity, learned=True, reciprocal=False),
        Affinity(affinity, learned=True, reciprocal=True),
    )
