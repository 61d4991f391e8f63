"""The ranked list that one request returns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from matcher.facets.base import Floats, Rows
from matcher.matching import gates
from matcher.matching.pool import Pool
from matcher.matching.reasons import Reason, reasons
from matcher.matching.scoring import Scored, score
from matcher.matching.seeker import Seeker
from matcher.model.affinity import PairAffinity

STRONG, GOOD = 0.50, 0.30
DIGITS = 9
"""Keys are rounded to so many decimals, so that equals are equal whatever the processor."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One candidate of a list."""

    member_id: str
    rank: int
    score: float
    """The reciprocal score r, in (0, 1)."""
    strength: str
    """``strong``, ``good`` or ``possible``."""
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class Shortlist:
    """A list, or why there is none. Iterates its entries."""

    seeker: str
    outcome: str
    """``matched`` or ``no_match``."""
    reason: str | None
    """Why not: ``held``, ``no_eligible``, ``small_pool``, ``low_information``, ``below_quality``."""
    entries: tuple[Entry, ...] = ()
    excluded: dict[str, int] = field(default_factory=dict)
    """How many members each gate removed; for coordinators only."""
    eligible: int = 0
    """How many passed every gate."""
    model_version: str = ""

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)


def strength(r: float) -> str:
    """Return the word for a reciprocal score."""
    return "strong" if r >= STRONG else "good" if r >= GOOD else "possible"


def shortlist(pool: Pool, affinity: PairAffinity, seeker: Seeker, limit: int, model_version: str) -> Shortlist:
    """Gate, score and rank the pool for one seeker."""
    own, programme = seeker.profile.member_id, pool.programme
    if own in pool.held_ids:
        return Shortlist(own, "no_match", "held", model_version=model_version)
    gated = gates.apply(pool, seeker)
    eligible = gated.eligible
    reason: str | None = "no_eligible" if not eligible else "small_pool" if eligible < programme.min_pool else None
    entries: tuple[Entry, ...] = ()
    if reason is None:
        rows = np.flatnonzero(gated.alive)
        scored = score(pool, affinity, seeker, rows)
        r = scored.reciprocal
        good = scored.informative & (r >= programme.quality_floor)
        best = top(pool, seeker, rows[good], r[good], limit)
        entries = tuple(_entry(pool, seeker, scored, rank, row, r_row) for rank, (row, r_row) in enumerate(best, 1))
        if not entries:
            reason = "below_quality" if scored.informative.any() else "low_information"
    outcome = "matched" if entries else "no_match"
    return Shortlist(own, outcome, reason, entries, gated.excluded, eligible, model_version)


def _entry(pool: Pool, seeker: Seeker, scored: Scored, rank: int, row: int, r: float) -> Entry:
    why = reasons(pool, seeker, row, scored.forward_parts(row))
    return Entry(pool.ids[row], rank, r, strength(r), why)


def top(pool: Pool, seeker: Seeker, rows: Rows, r: Floats, limit: int) -> list[tuple[int, float]]:
    """Return the `limit` best rows with their scores: by key, then keyed hash, then id (which is row order)."""
    if rows.size > limit:
        # Whatever may still tie with the last place after rounding stays in.
        last = np.partition(r, rows.size - limit)[rows.size - limit]
        near = r >= last * (1 - 10.0 ** (1 - DIGITS))
        rows, r = rows[near], r[near]
    key = np.round(np.log(r), DIGITS)
    ties = pool.ties(seeker.profile.member_id, rows)
    order = np.lexsort((rows, ties, -key))[:limit]
    return [(int(rows[i]), float(r[i])) for i in order]
