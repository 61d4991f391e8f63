"""The hard rules. They exclude; none is ever a weight. This file only composes: a facet's own rule is in its kind.

Order and meaning: docs/reference/matching.md §4.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from matcher.facets.base import Mask
from matcher.facets.concepts import Concepts
from matcher.matching.pool import Pool
from matcher.matching.seeker import Seeker

GATES = {
    "programme": "belongs to another programme",
    "consent": "has not consented to be shown as a peer",
    "role": "is no supporter",
    "age": "age unknown, or a minor",
    "vetted": "has not been vetted",
    "agreement": "has not accepted the confidentiality agreement",
    "held": "is paused, or held for safety",
    "blocked": "one of them blocked the other",
    "declined": "one of them declined the other before",
    "connected": "they are connected already",
    "capacity": "has no free place",
    "must": "a must of one of them is not met",
    "avoid": "one of them avoids what the other is",
}
"""Every programme-wide gate in plain words. A gating facet bears its own name."""

Gate = Callable[[Pool, Seeker], Mask | None]


@dataclass(frozen=True)
class Gated:
    """Who is left, and how many each gate removed first."""

    alive: Mask
    """Shape (N,); never the seeker."""
    excluded: dict[str, int]

    @property
    def eligible(self) -> int:
        """How many are left."""
        return int(np.count_nonzero(self.alive))


def apply(pool: Pool, seeker: Seeker) -> Gated:
    """Return who of the pool passes every gate for this seeker."""
    own = seeker.profile.member_id
    alive = np.ones(len(pool), dtype=np.bool_)
    if seeker.row is not None:
        alive[seeker.row] = False
    counts = {
        "programme": len(pool.foreign) - (own in pool.foreign),
        "consent": len(pool.hidden) - (own in pool.hidden),
    }
    left = int(np.count_nonzero(alive))
    for name, passes in masks(pool, seeker):
        if passes is None:
            continue
        alive &= passes
        before, left = left, int(np.count_nonzero(alive))
        counts[name] = counts.get(name, 0) + before - left
    return Gated(alive, {name: count for name, count in counts.items() if count})


def first_gate(pool: Pool, seeker: Seeker, candidate: str) -> str | None:
    """Return the first gate that keeps `candidate` from the seeker, or None."""
    if candidate in pool.foreign:
        return "programme"
    if candidate in pool.hidden:
        return "consent"
    row = pool.row[candidate]
    return next((name for name, passes in masks(pool, seeker) if passes is not None and not passes[row]), None)


def masks(pool: Pool, seeker: Seeker) -> Iterator[tuple[str, Mask | None]]:
    """Yield every gate's name and who passes it, shape (N,), or None where everybody does."""
    for name, gate in PROGRAMME_GATES.items():
        yield name, gate(pool, seeker)
    facets, columns, sides = pool.programme.facets, pool.columns, seeker.sides
    boundaries = [name for name, facet in facets.items() if isinstance(facet, Concepts) and facet.excludes]
    for name, facet in facets.items():
        if facet.gating and name not in boundaries:
            yield name, columns[name].permit(sides)
    for name in facets:
        yield "must", columns[name].musts(sides)
    for name in facets:
        yield "avoid", columns[name].avoids(sides)
    for name in boundaries:
        yield name, columns[name].permit(sides)


def _role(pool: Pool, _: Seeker) -> Mask | None:
    return None if pool.programme.mutual else pool.supporter


def _age(pool: Pool, seeker: Seeker) -> Mask | None:
    if seeker.adult:
        return pool.adult
    if seeker.adult is False and pool.programme.minors_policy == "separate":
        return pool.minor
    return np.zeros(len(pool), dtype=np.bool_)


def _vetted(pool: Pool, seeker: Seeker) -> Mask | None:
    if pool.programme.mutual and not seeker.profile.vetted:
        return np.zeros(len(pool), dtype=np.bool_)
    return pool.vetted


def _agreement(pool: Pool, seeker: Seeker) -> Mask | None:
    return pool.agreed if seeker.agreed else np.zeros(len(pool), dtype=np.bool_)


def _held(pool: Pool, seeker: Seeker) -> Mask | None:
    return np.zeros(len(pool), dtype=np.bool_) if seeker.profile.member_id in pool.held_ids else ~pool.held


def _capacity(pool: Pool, _: Seeker) -> Mask | None:
    return np.asarray(pool.free > 0)


def _apart(kind: str) -> Gate:
    def gate(pool: Pool, seeker: Seeker) -> Mask | None:
        rows = pool.pairs[kind].get(seeker.profile.member_id)
        if rows is None:
            return None
        passes = np.ones(len(pool), dtype=np.bool_)
        passes[rows] = False
        return passes

    return gate


PROGRAMME_GATES: dict[str, Gate] = {
    "role": _role,
    "age": _age,
    "vetted": _vetted,
    "agreement": _agreement,
    "held": _held,
    "blocked": _apart("blocked"),
    "declined": _apart("declined"),
    "connected": _apart("connected"),
    "capacity": _capacity,
}
