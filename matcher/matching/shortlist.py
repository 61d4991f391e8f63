"""The ranked list that one request returns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from matcher.consent import ConsentedProfile
from matcher.facets.base import Floats, Rows
from matcher.matching import gates
from matcher.matching.circumstances import Standing
from matcher.matching.pool import Hashes, Pool
from matcher.matching.ranking import Ranking
from matcher.matching.reasons import Reasons, reasons
from matcher.matching.scoring import Scored, score
from matcher.matching.seeker import Seeker
from matcher.model.affinity import PairAffinity

STRONG, GOOD = 0.50, 0.30
DEEPEST = 64
"""No list is longer; the service keeps more than it returns."""
SAMPLE = 2048
DIGITS = 9
"""Keys are rounded to so many decimals, so that equals are equal whatever the processor."""


class Entry(NamedTuple):
    """One candidate of a list."""

    member_id: str
    rank: int
    score: float
    """The reciprocal score r, in (0, 1), whatever exposure and looks take from the place in the list."""
    strength: str
    """``strong``, ``good`` or ``possible``."""
    reasons: Reasons


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


def shortlist(
    pools: Sequence[Pool],
    affinity: PairAffinity,
    profile: ConsentedProfile,
    standing: Standing,
    limit: int,
    model_version: str,
) -> Shortlist:
    """Gate, score and rank one or more pools for one seeker.

    Parameters
    ----------
    pools : sequence of Pool, at least one
        Of one programme and one key; no member in two of them. Their lists are one list, their counts one count.
    affinity : PairAffinity
    profile : ConsentedProfile
        The seeker's.
    standing : Standing
    limit : int
        1 to `DEEPEST`.
    model_version : str

    Raises
    ------
    ConsentMissingError, SeekerError
        If the seeker cannot have a list.
    """
    if not 1 <= limit <= DEEPEST:
        raise ValueError(f"limit: found {limit}; expected 1 to {DEEPEST}")
    seeker, programme = Seeker.of(profile, pools[0], standing), pools[0].programme
    if standing.held:
        return Shortlist(profile.member_id, "no_match", "held", model_version=model_version)
    seekers = [seeker, *(seeker.within(pool) for pool in pools[1:])]
    parts = [_part(pool, affinity, whom) for pool, whom in zip(pools, seekers, strict=True)]
    excluded: Counter[str] = Counter()
    for part in parts:
        excluded.update(part.gated.excluded)
    eligible = sum(part.scored.rows.size for part in parts)
    reason: str | None = "no_eligible" if not eligible else "small_pool" if eligible < programme.min_pool else None
    entries: tuple[Entry, ...] = ()
    if reason is None:
        entries = _entries(pools, parts, limit)
        if not entries:
            informative = any(part.scored.informative.any() for part in parts)
            reason = "below_quality" if informative else "low_information"
    outcome = "matched" if entries else "no_match"
    ordered = {name: excluded[name] for name in gates.order(programme) if excluded[name]}
    return Shortlist(profile.member_id, outcome, reason, entries, ordered, eligible, model_version)


@dataclass(frozen=True)
class _Part:
    """One pool, as one seeker sees it."""

    pool: Pool
    seeker: Seeker
    gated: gates.Gated
    scored: Scored

    def best(self, limit: int) -> _Best:
        """Return who may be among the `limit` best; ties with the last of them stay in."""
        scored, ranking = self.scored, Ranking(self.pool, self.seeker, self.scored)
        near = _near(ranking.odds, limit)
        if not scored.informative_at(near).all():
            near = _near(np.where(scored.informative, ranking.odds, np.inf), limit)
            near = near[scored.informative[near]]
        log_r = scored.log_reciprocal(near)
        good = np.exp(log_r) >= self.pool.programme.quality_floor
        near, log_r = near[good], log_r[good]
        rows = scored.rows[near]
        ties = self.pool.ties(self.seeker.tie, rows)
        return _Best(near, log_r, ranking.keys(near, log_r), ties, self.pool.ids.table[rows])


@dataclass(frozen=True)
class _Best:
    """The m best of one pool, in any order."""

    places: Rows
    """Among the rows that were scored."""
    log_r: Floats
    keys: Floats
    ties: Hashes
    ids: npt.NDArray[np.bytes_]


def _part(pool: Pool, affinity: PairAffinity, seeker: Seeker) -> _Part:
    gated = gates.apply(pool, seeker)
    return _Part(pool, seeker, gated, score(pool, affinity, seeker, np.flatnonzero(gated.alive)))


def _near(odds: Floats, limit: int) -> Rows:
    """Return the places of the `limit` least `odds`, and of whatever may tie with the last of them after rounding."""
    if odds.size <= limit:
        return np.arange(odds.size)
    # No more than the last of the best of some, which is sooner found, can be the last of the best of all.
    some = np.flatnonzero(odds <= _last(odds[:SAMPLE], limit)) if odds.size > 2 * SAMPLE else np.arange(odds.size)
    return some[odds[some] <= _last(odds[some], limit)]


def _last(odds: Floats, limit: int) -> float:
    """Return the most that any of the `limit` least may be, or what ties with them after rounding."""
    return float(np.partition(odds, limit - 1)[limit - 1]) * (1 + 10.0 ** (2 - DIGITS))


def _entries(pools: Sequence[Pool], parts: Sequence[_Part], limit: int) -> tuple[Entry, ...]:
    """Return the `limit` best of all parts: by key, then keyed hash, then id."""
    found = [part.best(limit) for part in parts]
    log_r, keys, ties, ids = (
        np.concatenate([getattr(best, name) for best in found]) for name in ("log_r", "keys", "ties", "ids")
    )
    order = np.lexsort((ids, ties, -np.round(keys, DIGITS)))[:limit]
    first = 0
    why: dict[int, Reasons] = {}
    for part, best in zip(parts, found, strict=True):
        mine = order[(order >= first) & (order < first + best.places.size)]
        if mine.size:
            places = best.places[mine - first]
            told = reasons(pools, part.pool, part.seeker, part.scored.rows[places], part.scored.forward_at(places))
            why |= zip(mine.tolist(), told, strict=True)
        first += best.places.size
    return tuple(
        Entry(name.decode(), rank, r, strength(r), why[at])
        for rank, (at, name, r) in enumerate(
            zip(order.tolist(), ids[order].tolist(), np.exp(log_r[order]).tolist(), strict=True), 1
        )
    )
