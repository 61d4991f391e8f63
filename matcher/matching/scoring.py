"""How much a seeker and candidates would accept each other: logits both ways, and what each facet adds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from matcher.facets.base import Floats, Mask, Rows, Satisfied
from matcher.facets.column import HALVES
from matcher.matching.exposure import log_reciprocal
from matcher.matching.pool import Pool
from matcher.matching.seeker import Seeker
from matcher.model.affinity import PairAffinity

FORWARD, BACKWARD = 0, 1
"""The seeker looks at the candidate, and the other way round: also the role whose weights count."""

__all__ = ["BACKWARD", "FORWARD", "HALVES", "Part", "Scored", "score"]


class Part(NamedTuple):
    """What one facet adds in one direction."""

    direction: int
    facet: str
    satisfied: Satisfied
    weights: Floats
    """Weight times x, by code where `satisfied` has codes, else by row."""
    counts: bool
    """Whether it can tell something of the pair: an age band is always known, so knowing it of both does not."""

    @property
    def weighted(self) -> Floats:
        """Weight times x, shape (n,)."""
        codes = self.satisfied.codes
        return self.weights if codes is None else self.weights.take(codes, mode="clip")

    def at(self, places: Rows) -> Floats:
        """Return weight times x of some of the n rows."""
        codes = self.satisfied.codes
        return self.weights[places] if codes is None else self.weights[codes[places]]

    def informative(self, places: Rows) -> Mask:
        """Return of which of some rows it rests on something known of both that is asked for."""
        codes = self.satisfied.codes
        at = places if codes is None else codes[places].astype(np.intp)
        asked: Mask = np.asarray(self.satisfied.importance > 0)
        return self.satisfied.tells(at) & (asked if asked.ndim == 0 else asked[at])


@dataclass(frozen=True)
class Scored:
    """Logits of n rows, and what they are made of."""

    rows: Rows
    """Shape (n,), ascending."""
    forward: Floats
    backward: Floats
    parts: tuple[Part, ...]

    @cached_property
    def odds(self) -> Floats:
        """1/r², shape (n,): ascending where r descends, without a logarithm or a root."""
        return odds_of(self.forward, self.backward)

    def log_reciprocal(self, places: Rows) -> Floats:
        """Return ln r of some of the n rows: r is the geometric mean of both affinities."""
        return log_reciprocal(self.forward[places], self.backward[places])

    @property
    def reciprocal(self) -> Floats:
        """Geometric mean of both affinities, shape (n,)."""
        return np.exp(self.log_reciprocal(np.arange(self.rows.size)))

    @cached_property
    def informative(self) -> Mask:
        """Where something that is asked for is known of both, shape (n,)."""
        return self.informative_at(np.arange(self.rows.size))

    def informative_at(self, places: Rows) -> Mask:
        """Return of which of some of the n rows something that is asked for is known of both."""
        found = np.zeros(places.size, dtype=np.bool_)
        for part in self.parts:
            if part.counts and not found.all():
                found |= part.informative(places)
        return found

    def forward_at(self, places: Rows) -> dict[str, Floats]:
        """Return what each facet adds to the seeker's logit for m of the n rows, in the programme's order."""
        return {part.facet: part.at(places) for part in self.parts if part.direction == FORWARD}


def odds_of(forward: Floats, backward: Floats) -> Floats:
    """Return 1/r² of both logits, shape (n,)."""
    with np.errstate(over="ignore"):
        odds, back = (np.exp(np.negative(logits)) for logits in (forward, backward))
        odds += 1.0
        back += 1.0
        odds *= back
    return odds


def score(pool: Pool, affinity: PairAffinity, seeker: Seeker, rows: Rows) -> Scored:
    """Score `rows` of the pool for the seeker, exactly and all of them."""
    logits = [np.full(rows.size, affinity.intercept_[direction]) for direction in (FORWARD, BACKWARD)]
    every = tuple(parts(pool, affinity, seeker, rows)) if rows.size else ()
    for part in every:
        logits[part.direction] += part.weighted
    return Scored(rows, logits[FORWARD], logits[BACKWARD], every)


def parts(pool: Pool, affinity: PairAffinity, seeker: Seeker, rows: Rows) -> Iterator[Part]:
    """Yield what each feature adds to the logits of `rows`, in the programme's order, forward and backward."""
    for at, name in enumerate(pool.programme.features):
        column, counts = pool.columns[name], pool.programme.facets[name].source is None
        for direction, look in ((FORWARD, column.forward), (BACKWARD, column.backward)):
            # Where the seeker asks for nothing, the facet adds nothing, whatever is known.
            if (satisfied := look(seeker.sides, rows)) is not None and (
                satisfied.importance.ndim or satisfied.importance
            ):
                weight, neutral = affinity.coef_[direction, at], affinity.neutral_[direction, at]
                yield Part(direction, name, satisfied, column.weigh(satisfied, weight, neutral), counts)
