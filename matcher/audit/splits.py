"""Who is learned from and who is judged: by person, by event, and by time."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from matcher.audit.candidates import UNKNOWN, Between, Candidates
from matcher.errors import ModelError

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.intp]
Mask: TypeAlias = npt.NDArray[np.bool_]

FOLDS = 5


@dataclass(frozen=True)
class Split:
    """Answers to learn from, and pairs to judge."""

    name: str
    learn: Mask
    """Shape (n, 2): the answers that may be learned from, the asker's and the other's; each of them known."""
    judge: Mask
    """Shape (n,): the pairs to judge."""
    since: float | None = None
    """Seconds since 1970 at which learning ends and judging begins, of a split by time."""

    def new(self, pairs: Candidates) -> Mask:
        """Return which pairs have an asker of whom nothing was learned, neither as asker nor as asked; shape (n,)."""
        return ~np.isin(pairs.asker, _people(pairs, _touched(self)))


def by_person(pairs: Candidates, folds: int = FOLDS) -> tuple[Split, ...]:
    """Return splits in which nobody is both learned from and judged; pairs across are used by neither."""
    of_person = person_folds(pairs, folds)
    one, other = of_person[pairs.asker], of_person[pairs.asked]
    told = pairs.y != UNKNOWN
    splits = []
    for number in np.unique(one[one == other]):
        outside = (one != number) & (other != number)
        splits.append(Split(f"people {number + 1}", told & outside[:, None], (one == number) & (other == number)))
    return tuple(splits)


def by_group(pairs: Candidates, group: npt.ArrayLike) -> tuple[Split, ...]:
    """Return one split for each label of `group`, shape (n,): judged there, learned from all others.

    Whoever is in a judged group is not learned from elsewhere either: events may share people.
    """
    labels = np.asarray(group)
    if labels.shape != (len(pairs),):
        raise ModelError(f"group: found shape {labels.shape}; expected ({len(pairs)},), one label a pair")
    told = pairs.y != UNKNOWN
    splits = []
    for label in np.unique(labels):
        inside = labels == label
        there = _people(pairs, inside)
        apart = ~np.isin(pairs.asker, there) & ~np.isin(pairs.asked, there)
        splits.append(Split(f"group {label}", told & apart[:, None], inside))
    return tuple(splits)


def by_time(pairs: Candidates, cuts: Sequence[float]) -> tuple[Split, ...]:
    """Return one split for each of the ascending `cuts`, in seconds since 1970.

    Learned from: answers known before the cut. Judged: pairs that began at or after it and before the next cut. A pair
    that began before a cut is not judged after it, whenever it was answered: its list came from before.
    """
    if any(not one < other for one, other in pairwise(cuts)):
        raise ModelError(f"cuts: found {list(cuts)}; expected ascending times, none twice")
    told = pairs.y != UNKNOWN
    return tuple(
        Split(f"from {number + 1}", told & (pairs.known < cut), (pairs.first >= cut) & (pairs.first < stop), float(cut))
        for number, (cut, stop) in enumerate(pairwise([*cuts, np.inf]))
    )


def shared_people(pairs: Candidates, split: Split) -> int:
    """Return how many people are both learned from and judged by `split`; 0 wherever people are kept apart."""
    learned, judged = _people(pairs, _touched(split)), _people(pairs, split.judge)
    return len(np.intersect1d(learned, judged))


def looks_ahead(pairs: Candidates, split: Split) -> int:
    """Return how many answers `split` learns from that were not known yet when the first judged pair began."""
    began = pairs.first[split.judge]
    return int((pairs.known[split.learn] >= began.min()).sum()) if began.size else 0


def check(pairs: Candidates, split: Split) -> None:
    """Raise ModelError where a split learns from what it could not know.

    Of every split: an answer that nobody gave, or of a pair that it judges. Of a split by time: an answer of later. Of
    any other: a person whom it judges.
    """
    if split.learn.shape != (len(pairs), 2) or split.judge.shape != (len(pairs),):
        found = f"shapes {split.learn.shape} and {split.judge.shape}"
        raise ModelError(
            f"{split.name}: found {found}; expected ({len(pairs)}, 2) to learn and ({len(pairs)},) to judge"
        )
    faults = {
        "answers that nobody gave": int((split.learn & (pairs.y == UNKNOWN)).sum()),
        "pairs both learned from and judged": int((_touched(split) & split.judge).sum()),
    }
    if split.since is None:
        faults["people both learned from and judged"] = shared_people(pairs, split)
    else:
        faults["answers from after the first judged pair"] = looks_ahead(pairs, split)
        faults["judged pairs from before the cut"] = int((pairs.first[split.judge] < split.since).sum())
    if told := [f"{count} {what}" for what, count in faults.items() if count]:
        raise ModelError(
            f"{split.name}: found {', '.join(told)}; expected none. Its figures would be too good: make splits with "
            "by_person, by_group or by_time"
        )


def person_folds(pairs: Between, folds: int = FOLDS) -> Ints:
    """Return the fold of each of ``pairs.people``; no person is in two.

    People connected by answers stay together where their component has at most 1/`folds` of the answers. A larger one
    is split person by person, which leaves the answers across folds unused. The largest unit goes to the fold with the
    fewest answers; ties go by a hash of the member id, so that neither the order nor the alphabet of ids matters.
    """
    n = len(pairs.people)
    if not n:
        return np.zeros(0, dtype=np.intp)
    ones = np.ones(len(pairs))
    graph = coo_array((ones, (pairs.asker, pairs.asked)), shape=(n, n))
    unit = connected_components(graph, directed=False)[1].astype(np.intp)
    load = np.bincount(np.concatenate([pairs.asker, pairs.asked]), minlength=n) / 2
    too_large = np.bincount(unit, weights=load)[unit] > len(pairs) / folds
    unit = np.unique(np.where(too_large, n + np.arange(n), unit), return_inverse=True)[1]
    size = np.bincount(unit, weights=load)
    luck = np.array([_hash(member_id) for member_id in pairs.people])
    first = np.full(len(size), np.iinfo(np.uint64).max, dtype=np.uint64)
    np.minimum.at(first, unit, luck)
    filled, fold = np.zeros(folds), np.zeros(len(size), dtype=np.intp)
    for place in np.lexsort((first, -size)):
        fold[place] = filled.argmin()
        filled[fold[place]] += size[place]
    return fold[unit]


def _hash(member_id: str) -> np.uint64:
    return np.uint64(int.from_bytes(hashlib.blake2b(member_id.encode(), digest_size=8).digest(), "big"))


def _people(pairs: Between, rows: Mask) -> Ints:
    """Return the places of those who are in one of `rows`, shape (n,)."""
    return np.union1d(pairs.asker[rows], pairs.asked[rows])


def _touched(split: Split) -> Mask:
    """Return the pairs of which something is learned, shape (n,)."""
    return split.learn[:, 0] | split.learn[:, 1]
