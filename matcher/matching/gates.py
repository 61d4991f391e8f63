"""The hard rules. They exclude; none is ever a weight. This file only composes: a facet's own rule is in its kind.

Order and meaning: docs/reference/matching.md §4.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from matcher.errors import UnknownMemberError
from matcher.facets.base import Mask
from matcher.facets.bitmaps import Bitmap, pack, unpack
from matcher.facets.concepts import Concepts
from matcher.matching.pool import Pool
from matcher.matching.seeker import Seeker
from matcher.programme import Programme

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

Gate = Callable[[Pool, Seeker], Bitmap | bool]
"""Who passes: some rows, or everybody or nobody."""


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
    counts = {"programme": pool.foreign.count(own), "consent": pool.hidden.count(own)}
    found = list(masks(pool, seeker)) if len(pool) else []
    left = np.zeros((len(found) + 1, -(-len(pool) // 64)), dtype=np.uint64)
    rows = left.view(np.uint8)[:, : -(-len(pool) // 8)]
    rows[0] = pool.packed("present")
    if seeker.row is not None:
        rows[0, seeker.row >> 3] &= ~(0x80 >> (seeker.row & 7)) & 0xFF
    for at, (_, passes) in enumerate(found):
        np.bitwise_and(rows[at], passes, out=rows[at + 1])
    sizes = np.bitwise_count(left).sum(axis=1, dtype=np.int64).tolist()  # all at once, eight bytes at a time
    for (name, _), before, after in zip(found, sizes, sizes[1:], strict=False):
        counts[name] = counts.get(name, 0) + before - after
    return Gated(unpack(rows[-1], len(pool)), {name: count for name, count in counts.items() if count})


def first_gate(pool: Pool, seeker: Seeker, candidate: str) -> str | None:
    """Return the first gate that keeps `candidate` from the seeker, or None.

    Raises
    ------
    UnknownMemberError
        If the pool neither has nor counts the candidate.
    """
    return next(_failing(pool, seeker, candidate), None)


def failing(pool: Pool, seeker: Seeker, candidate: str) -> tuple[str, ...]:
    """Return every gate that keeps `candidate` from the seeker, each once, in the order in which they are asked.

    Raises
    ------
    UnknownMemberError
        As `first_gate`.
    """
    return tuple(dict.fromkeys(_failing(pool, seeker, candidate)))


def _failing(pool: Pool, seeker: Seeker, candidate: str) -> Iterator[str]:
    if candidate in pool.foreign:
        yield "programme"
    elif candidate in pool.hidden:
        yield "consent"
    elif (row := pool.find(candidate)) is None:
        raise UnknownMemberError("candidate: no such member in this pool")
    else:
        yield from (name for name, passes in masks(pool, seeker) if not passes[row >> 3] & 0x80 >> (row & 7))


@lru_cache(maxsize=64)
def order(programme: Programme) -> tuple[str, ...]:
    """Return the names of all gates of `programme`, in the order in which they are asked."""
    gating = [name for name, facet in programme.facets.items() if facet.gating]
    boundaries = [name for name in gating if isinstance(programme.facets[name], Concepts)]
    declared = [name for name in gating if name not in boundaries]
    return ("programme", "consent", *PROGRAMME_GATES, *declared, "must", "avoid", *boundaries)


def masks(pool: Pool, seeker: Seeker) -> Iterator[tuple[str, Bitmap]]:
    """Yield who passes each gate that anybody could fail, with its name, in order."""
    for name, gate in PROGRAMME_GATES.items():
        passes = gate(pool, seeker)
        if passes is not True:
            yield name, np.zeros(-(-len(pool) // 8), dtype=np.uint8) if passes is False else passes
    facets, columns, sides = pool.programme.facets, pool.columns, seeker.sides
    boundaries = [name for name, facet in facets.items() if isinstance(facet, Concepts) and facet.excludes]
    found: list[tuple[str, Bitmap | None]] = [
        *((name, columns[name].permit_bits(sides)) for name in facets if name not in boundaries),
        *(("must", columns[name].must_bits(sides)) for name in facets),
        *(("avoid", columns[name].avoid_bits(sides)) for name in facets),
        *((name, columns[name].permit_bits(sides)) for name in boundaries),
    ]
    yield from ((name, bitmap) for name, bitmap in found if bitmap is not None)


def _role(pool: Pool, _: Seeker) -> Bitmap | bool:
    return pool.programme.mutual or pool.packed("supporter")


def _age(pool: Pool, seeker: Seeker) -> Bitmap | bool:
    if seeker.adult:
        return pool.packed("adult")
    return seeker.adult is False and pool.programme.minors_policy == "separate" and pool.packed("minor")


def _vetted(pool: Pool, seeker: Seeker) -> Bitmap | bool:
    return (seeker.profile.vetted or not pool.programme.mutual) and pool.packed("vetted")


def _agreement(pool: Pool, seeker: Seeker) -> Bitmap | bool:
    return seeker.agreed and pool.packed("agreed")


def _held(pool: Pool, seeker: Seeker) -> Bitmap | bool:
    return not seeker.standing.held and ~pool.packed("held")


def _capacity(pool: Pool, _: Seeker) -> Bitmap | bool:
    return pool.packed("free")


def _apart(kind: str) -> Gate:
    def gate(pool: Pool, seeker: Seeker) -> Bitmap | bool:
        rows = pool.ids.rows(getattr(seeker.standing, kind))
        if not rows:
            return True
        passes = np.ones(len(pool), dtype=np.bool_)
        passes[rows] = False
        return pack(passes)

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
