"""From answers to numbers: what each answered pair looked like to the one who answered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from matcher.consent import ConsentedProfile
from matcher.facets.base import Column
from matcher.model.answers import SEEKER, SUPPORTER, Answer
from matcher.model.encoder import ProfileEncoder
from matcher.programme import Programme

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.intp]

BATCH = 100_000
"""Answers encoded at a time: bounds the memory, and the rows that a facet compares with each asker."""
HALVES = np.array([0.0, 0.5, 1.0, 1.0])
"""importance/2; a must scores as important."""


@dataclass(frozen=True)
class Pairs:
    """n answers as `PairAffinity.fit` takes them, in the order of asker, asked and role."""

    X: Floats
    """Shape (n, 2d): satisfy, NaN where unknown, then importance/2."""
    y: Ints
    weight: Floats
    role: Ints
    asker: Ints
    """Shape (n,): place of the asker in `people`."""
    asked: Ints
    people: tuple[str, ...]
    """Member ids in ascending order; only those with an answer here."""
    dropped: Mapping[str, int]
    """Answers left out: ``unknown_member``, ``no_train_consent``."""

    def __len__(self) -> int:
        return len(self.y)

    def take(self, rows: npt.NDArray[np.bool_]) -> Pairs:
        """Return the pairs of `rows`, shape (n,)."""
        return replace(
            self,
            X=self.X[rows],
            y=self.y[rows],
            weight=self.weight[rows],
            role=self.role[rows],
            asker=self.asker[rows],
            asked=self.asked[rows],
        )


def pair_features(
    programme: Programme,
    encoder: ProfileEncoder,
    profiles: Iterable[ConsentedProfile],
    answers: Iterable[Answer],
    at: datetime,
) -> Pairs:
    """Return the features of answers, through what both people let a model learn from.

    An answer is left out, and counted, unless ``train_model`` is on for both the asker and the asked, with a seeking
    view of the one and a shown view of the other.

    Parameters
    ----------
    programme : Programme
    encoder : ProfileEncoder
        Fitted.
    profiles : iterable of ConsentedProfile
    answers : iterable of Answer
        In any order.
    at : datetime
        Aware; weeks are those of its UTC day, though no week is a feature.
    """
    by_id = {profile.member_id: profile for profile in profiles}
    kept, dropped = _kept(answers, by_id)
    people = tuple(sorted({id_ for answer in kept for id_ in (answer.asker, answer.asked)}))
    code = {id_: place for place, id_ in enumerate(people)}
    asker = np.fromiter((code[answer.asker] for answer in kept), np.intp, len(kept))
    asked = np.fromiter((code[answer.asked] for answer in kept), np.intp, len(kept))
    role = np.fromiter((answer.role for answer in kept), np.intp, len(kept))
    y = np.fromiter((answer.label for answer in kept), np.intp, len(kept))
    weight = np.fromiter((answer.weight for answer in kept), np.float64, len(kept))
    order = np.lexsort((weight, y, role, asked, asker))
    asker, asked, role, y, weight = asker[order], asked[order], role[order], y[order], weight[order]
    d = len(programme.features)
    X = np.hstack([np.full((len(kept), d), np.nan), np.zeros((len(kept), d))])
    members = [by_id[id_] for id_ in people]
    for start, stop in _batches(asker):
        rows, place = np.unique(asked[start:stop], return_inverse=True)
        shown = [members[row] for row in rows]
        views = [view for member in shown if (view := member.training[1]) is not None]
        columns = encoder.encode(shown, views, at.astimezone(UTC).date())
        _fill(X[start:stop], programme, columns, members, asker[start:stop], place, role[start:stop])
    return Pairs(X, y, weight, role, asker, asked, people, dropped)


def _kept(answers: Iterable[Answer], by_id: Mapping[str, ConsentedProfile]) -> tuple[list[Answer], dict[str, int]]:
    """Return the answers that may be learned from, and how many may not, by reason."""
    kept, dropped = [], Counter[str]()
    for answer in answers:
        asker, asked = by_id.get(answer.asker), by_id.get(answer.asked)
        if asker is None or asked is None:
            dropped["unknown_member"] += 1
        elif asker.training[0] is None or asked.training[1] is None:
            dropped["no_train_consent"] += 1
        else:
            kept.append(answer)
    return kept, dict(sorted(dropped.items()))


def _batches(asker: Ints) -> Iterator[tuple[int, int]]:
    """Yield ranges of rows of about `BATCH`, never parting the answers of one asker."""
    start, n = 0, len(asker)
    while start < n:
        stop = min(start + BATCH, n)
        stop = int(np.searchsorted(asker, asker[stop - 1], side="right"))
        yield start, stop
        start = stop


def _fill(
    X: Floats,
    programme: Programme,
    columns: Mapping[str, Column],
    members: Sequence[ConsentedProfile],
    asker: Ints,
    place: Ints,
    role: Ints,
) -> None:
    """Write the features of one batch into `X`: one call for each facet and direction of every asker."""
    d = len(programme.features)
    starts = np.flatnonzero(np.diff(asker, prepend=-1))
    for start, stop in zip(starts, [*starts[1:], len(asker)], strict=True):
        member = members[asker[start]]
        view = member.training[0]
        assert view is not None
        sides = view.sides(programme, member.age_band)
        block, rows = X[start:stop], place[start:stop]
        forward, backward = (np.flatnonzero(role[start:stop] == code) for code in (SEEKER, SUPPORTER))
        for at, name in enumerate(programme.features):
            column = columns[name]
            if forward.size and (found := column.forward(sides, rows[forward])) is not None:
                block[forward, at] = found.by_row()
                block[forward, d + at] = HALVES[sides[name].importance]
            if backward.size and (found := column.backward(sides, rows[backward])) is not None:
                block[backward, at] = found.by_row()
                block[backward, d + at] = HALVES[column.importance[rows[backward]]]
