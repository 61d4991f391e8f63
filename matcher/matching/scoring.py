"""How much a seeker and candidates would accept each other: logits both ways, and what each facet adds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from matcher.facets.base import Floats, Mask, Rows, Satisfied
from matcher.matching.pool import Pool
from matcher.matching.seeker import Seeker
from matcher.model.affinity import PairAffinity

FORWARD, BACKWARD = 0, 1
"""The seeker looks at the candidate, and the other way round: also the role whose weights count."""

HALVES = np.array([0.0, 0.5, 1.0, 1.0])
"""What an importance multiplies satisfy by: a must scores as important."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one facet adds in one direction."""

    direction: int
    facet: str
    satisfied: Satisfied
    weighted: Floats
    """w · x, shape (n,)."""

    def informative(self) -> Mask:
        """Return where it rests on something known of both that is asked for, shape (n,)."""
        mask = self.satisfied.informative & (self.satisfied.importance > 0)
        return mask if self.satisfied.codes is None else np.take(mask, self.satisfied.codes, mode="clip")


@dataclass(frozen=True)
class Scored:
    """Logits of n rows, and what they are made of."""

    rows: Rows
    """Shape (n,), ascending."""
    forward: Floats
    backward: Floats
    informative: Mask
    parts: tuple[Part, ...]

    @property
    def reciprocal(self) -> Floats:
        """Geometric mean of both affinities, shape (n,)."""
        return np.asarray(((1.0 + np.exp(-self.forward)) * (1.0 + np.exp(-self.backward))) ** -0.5)

    def forward_parts(self, row: int) -> dict[str, float]:
        """Return what each facet adds to the seeker's logit for `row`, in the programme's order."""
        at = int(np.searchsorted(self.rows, row))
        return {part.facet: float(part.weighted[at]) for part in self.parts if part.direction == FORWARD}


def score(pool: Pool, affinity: PairAffinity, seeker: Seeker, rows: Rows) -> Scored:
    """Score `rows` of the pool for the seeker, exactly and all of them."""
    logits = [np.full(rows.size, affinity.intercept_[direction]) for direction in (FORWARD, BACKWARD)]
    informative = np.zeros(rows.size, dtype=np.bool_)
    every = tuple(parts(pool, affinity, seeker, rows))
    for part in every:
        logits[part.direction] += part.weighted
        # An age band is always known, so knowing it of both tells nothing of either.
        if pool.programme.facets[part.facet].source is None and not informative.all():
            informative |= part.informative()
    return Scored(rows, logits[FORWARD], logits[BACKWARD], informative, every)


def parts(pool: Pool, affinity: PairAffinity, seeker: Seeker, rows: Rows) -> Iterator[Part]:
    """Yield what each feature adds to the logits of `rows`, in the programme's order, forward and backward."""
    for at, name in enumerate(pool.programme.features):
        column = pool.columns[name]
        for direction, look in ((FORWARD, column.forward), (BACKWARD, column.backward)):
            # Where nobody asks, the facet adds nothing, whatever is known.
            if (satisfied := look(seeker.sides, rows)) is not None and satisfied.importance.any():
                weight, neutral = affinity.coef_[direction, at], affinity.neutral_[direction, at]
                known = np.where(np.isnan(satisfied.satisfy), neutral, satisfied.satisfy)
                weighted = known * (weight * HALVES[satisfied.importance])
                if satisfied.codes is not None:
                    weighted = np.take(weighted, satisfied.codes, mode="clip")
                yield Part(direction, name, satisfied, weighted)
