"""Pairs to be judged: one row for a seeker and whom they were shown, seen from both sides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from matcher.consent import ConsentedProfile
from matcher.errors import ModelError
from matcher.model.answers import SEEKER, SUPPORTER, Answer, answers, later
from matcher.model.encoder import ProfileEncoder
from matcher.model.features import pair_features
from matcher.model.feedback import Feedback
from matcher.programme import Programme

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.intp]
Mask: TypeAlias = npt.NDArray[np.bool_]

UNKNOWN = -1
"""The label of an answer that nobody gave, or not yet."""


class Between(Protocol):
    """Rows that each join two people: `Candidates`, or the answers of `matcher.model.features.Pairs`."""

    @property
    def asker(self) -> Ints:
        """Shape (n,): place in `people`."""

    @property
    def asked(self) -> Ints:
        """Shape (n,): place in `people`."""

    @property
    def people(self) -> tuple[str, ...]:
        """Ids, each once."""

    def __len__(self) -> int: ...


@dataclass(frozen=True)
class Candidates:
    """n pairs of an asker and the one asked. Second axes of length 2: the asker's view and answer, then the other's."""

    X: Floats
    """Shape (n, 2, 2d): as `PairAffinity` takes them, role 0 then role 1."""
    y: Ints
    """Shape (n, 2): 1 yes, 0 no, `UNKNOWN`."""
    weight: Floats
    """Shape (n, 2): 1 / the chance that the answer could be given at all."""
    known: Floats
    """Shape (n, 2): when each answer was known, in seconds since 1970; infinite where it never was."""
    first: Floats
    """Shape (n,): when the pair first met in an event, in seconds since 1970."""
    asker: Ints
    """Shape (n,): place in `people`."""
    asked: Ints
    people: tuple[str, ...]
    """Ids, each once."""
    dropped: Mapping[str, int]
    """Answers left out, by reason."""

    def __post_init__(self) -> None:
        n = len(self.asker)
        shapes = {"y": (n, 2), "weight": (n, 2), "known": (n, 2), "first": (n,), "asked": (n,)}
        for name, shape in shapes.items():
            if (found := getattr(self, name).shape) != shape:
                raise ModelError(f"{name}: found shape {found}; expected {shape}, as asker has {n} rows")
        if self.X.ndim != 3 or self.X.shape[:2] != (n, 2) or self.X.shape[2] % 2:
            raise ModelError(
                f"X: found shape {self.X.shape}; expected ({n}, 2, 2d): satisfy and importance/2, each way"
            )
        if not np.isin(self.y, (UNKNOWN, 0, 1)).all():
            raise ModelError(f"y: found labels {np.unique(self.y).tolist()}; expected 1 yes, 0 no, {UNKNOWN} not known")

    def __len__(self) -> int:
        return len(self.asker)

    @cached_property
    def mutual(self) -> Ints:
        """Shape (n,): 1 where both said yes, 0 where one said no, `UNKNOWN` where that is not told yet."""
        both = np.where((self.y == 1).all(axis=1), 1, UNKNOWN)
        return np.where((self.y == 0).any(axis=1), 0, both).astype(np.intp)

    def take(self, rows: npt.NDArray[Any]) -> Candidates:
        """Return the pairs of `rows`, a mask or places."""
        names = ("X", "y", "weight", "known", "first", "asker", "asked")
        return replace(self, **{name: getattr(self, name)[rows] for name in names})


def candidates(
    programme: Programme,
    encoder: ProfileEncoder,
    profiles: Iterable[ConsentedProfile],
    feedback: Iterable[Feedback],
    at: datetime,
) -> Candidates:
    """Return every pair of which an answer is known at the moment `at`, as both sides saw it.

    Labels and weights are those of training (`matcher.model.answers.answers`). An answer counts as known from its last
    decision; a look that came to nothing, from ``censor_days`` after it was last shown.

    Parameters
    ----------
    programme : Programme
    encoder : ProfileEncoder
        Fitted.
    profiles : iterable of ConsentedProfile
        Pairs of people who do not both have ``train_model`` on are left out and counted.
    feedback : iterable of Feedback
        In any order; events after `at` are ignored.
    at : datetime
        Aware.
    """
    events = [event for event in feedback if event.at <= at]
    rows: dict[tuple[str, str], list[Answer]] = {}
    for answer in answers(events, programme, at):
        pair = answer.asker, answer.asked
        nobody = [Answer(*pair, role, UNKNOWN, 1.0) for role in (SEEKER, SUPPORTER)]
        rows.setdefault(pair, nobody)[answer.role] = answer
    both = pair_features(programme, encoder, profiles, [answer for two in rows.values() for answer in two], at)
    n = len(both) // 2  # sorted by asker, asked and role: the two views of a pair follow each other
    asker, asked = both.asker[::2], both.asked[::2]
    times = _times(events, timedelta(days=programme.censor_days))
    of_row = [times[both.people[one], both.people[other]] for one, other in zip(asker, asked, strict=True)]
    first, seeker, supporter = np.array(of_row, dtype=np.float64).reshape(n, 3).T
    y = both.y.reshape(n, 2)
    known = np.where(y == UNKNOWN, np.inf, np.column_stack([seeker, supporter]))
    X, weight = both.X.reshape(n, 2, both.X.shape[1]), both.weight.reshape(n, 2)
    return Candidates(X, y, weight, known, first, asker, asked, both.people, dict(both.dropped))


def _times(events: Iterable[Feedback], patience: timedelta) -> dict[tuple[str, str], tuple[float, float, float]]:
    """Return of each pair when it began, and when the seeker's and the supporter's answer was known."""
    first: dict[tuple[str, str], datetime] = {}
    shown: dict[tuple[str, str], datetime] = {}
    decided: dict[tuple[str, str, str], tuple[datetime, bool]] = {}
    for event in events:
        pair = event.seeker, event.candidate
        first[pair] = min(first.get(pair, event.at), event.at)
        if event.event == "shown":
            shown[pair] = max(shown.get(pair, event.at), event.at)
        if event.decision is not None:
            decided[*pair, event.by] = later(decided.get((*pair, event.by)), (event.at, event.decision))
    found = {}
    for pair, start in first.items():
        ends = [decision[0] if (decision := decided.get((*pair, by))) else None for by in ("seeker", "candidate")]
        if ends[0] is None and pair in shown:
            ends[0] = shown[pair] + patience
        seeker, supporter = (end.timestamp() if end else float("inf") for end in ends)
        found[pair] = (start.timestamp(), seeker, supporter)
    return found
