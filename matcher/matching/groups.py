"""The support groups that a seeker is shown, ranked: docs/reference/groups.md."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from matcher.consent import ConsentedProfile
from matcher.matching import group_gates
from matcher.matching.circumstances import Standing
from matcher.matching.group_reasons import reasons
from matcher.matching.group_state import GroupState, Places, Question
from matcher.matching.group_topics import Likeness, Topics, likeness
from matcher.matching.pool import Pool, keyed_hash
from matcher.matching.reasons import Reason
from matcher.matching.scoring import score
from matcher.matching.seeker import Seeker
from matcher.matching.shortlist import DEEPEST, DIGITS, strength
from matcher.model.affinity import PairAffinity

__all__ = ["GroupEntry", "GroupShortlist", "GroupState", "Topics", "rank_groups"]

TOPICS, FIT = 0.7, 0.3
"""What topic likeness and fit count in the score."""
ABSENT = 20
"""People who are not there, by whom a mean fit is drawn towards nothing."""
FEWEST = 4
"""Consenting members below whom there is no fit: of fewer it would tell who they are."""
MASK = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class GroupEntry:
    """One group of a list."""

    group_id: str
    rank: int
    score: float
    """In [0, 1], rounded so that equals are equal; for coordinators."""
    strength: str
    """``strong``, ``good`` or ``possible``."""
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class GroupShortlist:
    """A list of groups, or why there is none. Iterates its entries."""

    seeker: str
    outcome: str
    """``matched`` or ``no_match``."""
    reason: str | None
    """Why not: ``held``, ``no_eligible``, ``low_information``, ``below_quality``."""
    entries: tuple[GroupEntry, ...] = ()
    excluded: dict[str, int] = field(default_factory=dict)
    """How many groups each gate removed; for coordinators only."""
    eligible: int = 0
    """How many passed every gate."""
    model_version: str = ""

    def __iter__(self) -> Iterator[GroupEntry]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)


def rank_groups(
    pools: Sequence[Pool],
    topics: Topics,
    affinity: PairAffinity,
    profile: ConsentedProfile,
    standing: Standing,
    groups: Sequence[GroupState],
    limit: int,
    model_version: str,
) -> GroupShortlist:
    """Gate, score and rank groups for one seeker.

    Parameters
    ----------
    pools : sequence of Pool, at least one
        Of one programme and one key; no member in two of them. Members and facilitators are read from them alone.
    topics : Topics
        Of the same groups in the same order, encoded as the pools were.
    affinity : PairAffinity
    profile : ConsentedProfile
        The seeker's.
    standing : Standing
        Of it holds and blocks count.
    groups : sequence of GroupState
        In the order of `topics`, whichever that is.
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
    if topics.groups != tuple(state.group.group_id for state in groups):
        raise ValueError("topics: expected those of the same groups, in the same order")
    seeker, own = Seeker.of(profile, pools[0], standing), profile.member_id
    if standing.held:
        return GroupShortlist(own, "no_match", "held", model_version=model_version)
    question = Question(pools, seeker, groups, topics, Places(pools))
    gated = group_gates.apply(question)
    scored = _Scored.of(question, affinity, [int(at) for at in np.flatnonzero(gated.alive)])
    entries = tuple(scored.entry(rank, place) for rank, place in enumerate(scored.best(limit), 1))
    reason = None if entries else scored.why_none()
    outcome = "matched" if entries else "no_match"
    return GroupShortlist(own, outcome, reason, entries, gated.excluded, gated.eligible, model_version)


@dataclass(frozen=True)
class _Scored:
    """The n groups that passed, scored."""

    question: Question
    groups: list[int]
    """Their numbers."""
    topics: Likeness
    scores: list[float]
    informative: list[bool]

    @classmethod
    def of(cls, question: Question, affinity: PairAffinity, groups: list[int]) -> _Scored:
        alike = likeness(question.topics, affinity, question.seeker.sides, np.array(groups, dtype=np.intp))
        fits = fit(question, affinity, groups)
        scores = [round(TOPICS * t + FIT * f, DIGITS) for t, (f, _) in zip(alike.likeness.tolist(), fits, strict=True)]
        informative = [told or tells for told, (_, tells) in zip(alike.informative.tolist(), fits, strict=True)]
        return cls(question, groups, alike, scores, informative)

    def best(self, limit: int) -> list[int]:
        """Return the places of the best: by score, then keyed hash, then id."""
        floor = self.question.programme.quality_floor
        good = [i for i, score in enumerate(self.scores) if self.informative[i] and score >= floor]
        return sorted(good, key=self._order)[:limit]

    def _order(self, place: int) -> tuple[float, int, str]:
        group_id, key = self.question.states[self.groups[place]].group.group_id, self.question.pools[0].key
        tie = splitmix64(keyed_hash(key, self.question.seeker.profile.member_id) ^ keyed_hash(key, group_id))
        return -self.scores[place], tie, group_id

    def why_none(self) -> str:
        """Return why there is no list."""
        if not self.groups:
            return "no_eligible"
        return "below_quality" if any(self.informative) else "low_information"

    def entry(self, rank: int, place: int) -> GroupEntry:
        """Return one group as the list has it."""
        at, value = self.groups[place], self.scores[place]
        added = {name: float(part[place]) for name, part in self.topics.added.items()}
        why = reasons(self.question, at, added)
        return GroupEntry(self.question.states[at].group.group_id, rank, value, strength(value), why)


def fit(question: Question, affinity: PairAffinity, groups: list[int]) -> list[tuple[float, bool]]:
    """Return for each of `groups` the shrunk mean of r over its roster, and whether it tells anything."""
    own = question.seeker.profile.member_id
    counted = (question.places.of(question.states[at].roster - {own}, question.states[at].away) for at in groups)
    rosters = [list(places.values()) if len(places) >= FEWEST else [] for places in counted]
    known: dict[tuple[int, int], tuple[float, bool]] = {}
    for part, pool in enumerate(question.pools):
        rows = np.array(sorted({row for places in rosters for number, row in places if number == part}), dtype=np.intp)
        if rows.size:
            scored = score(pool, affinity, question.seeker.within(pool), rows)
            pairs = zip(scored.reciprocal.tolist(), scored.informative.tolist(), strict=True)
            known.update(zip(((part, row) for row in rows.tolist()), pairs, strict=True))
    return [_mean([known[place] for place in places]) for places in rosters]


def _mean(pairs: list[tuple[float, bool]]) -> tuple[float, bool]:
    # Exact, so that the order of people changes no bit.
    return math.fsum(r for r, _ in pairs) / (len(pairs) + ABSENT), sum(tells for _, tells in pairs) >= FEWEST


def splitmix64(state: int) -> int:
    """Return the first output of SplitMix64 (Steele et al. 2014) from `state`."""
    z = (state + 0x9E3779B97F4A7C15) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)
