"""What happened after a list was shown, and the yes and no that it teaches.

Rules: DESIGN §4 "Feedback", stated exactly in ``docs/reference/model.md``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from matcher.model.feedback import Feedback
from matcher.programme import Programme

SEEKER, SUPPORTER = 0, 1
MIN_PROPENSITY = 1e-6
"""Keeps the weight of what was logged with propensity 0 finite; the fit clips it anyway."""


class Answer(NamedTuple):
    """One labelled answer."""

    asker: str
    """The seeker of the pair, whoever answered."""
    asked: str
    """The one who was shown."""
    role: int
    """Who answered: 0 the seeker, 1 the supporter (the one asked)."""
    label: int
    """1 yes, 0 no."""
    weight: float
    """1 / the chance that the answer could be given at all."""


@dataclass(frozen=True)
class Answers(Sequence[Answer]):
    """Answers sorted by asker, asked and role, and why other pairs gave none."""

    rows: tuple[Answer, ...]
    dropped: Mapping[str, int] = field(default_factory=dict)
    """Pairs by reason: ``not_viewed``, ``too_recent``, ``never_shown``; events: ``in_the_future``."""

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Answer]:
        return iter(self.rows)

    def __getitem__(self, index):  # type: ignore[no-untyped-def]
        return self.rows[index]


@dataclass(slots=True)
class _Pair:
    """What is known of one seeker and one candidate."""

    shown: list[tuple[datetime, float]] = field(default_factory=list)
    """When, and the propensity of being looked at."""
    viewed: bool = False
    decisions: dict[str, tuple[datetime, bool]] = field(default_factory=dict)
    """The latest of each side, by `by`."""

    def take(self, event: Feedback) -> None:
        if event.event == "shown":
            self.shown.append((event.at, event.chance))
        elif event.event == "viewed":
            self.viewed = True
        elif event.decision is not None:
            self.decisions[event.by] = later(self.decisions.get(event.by), (event.at, event.decision))

    def weight(self, by: datetime) -> float:
        """Return 1 / the chance of having been looked at in at least one list up to `by`; 1 where there was none."""
        missed, seen = 1.0, False
        for at, chance in self.shown:
            if at <= by:
                missed, seen = missed * (1.0 - chance), True
        return 1.0 / max(1.0 - missed, MIN_PROPENSITY) if seen else 1.0


def later(one: tuple[datetime, bool] | None, other: tuple[datetime, bool]) -> tuple[datetime, bool]:
    """Return the later of two decisions; at the same instant a no counts as later than a yes."""
    if one is None or other[0] > one[0] or (other[0] == one[0] and not other[1]):
        return other
    return one


def answers(feedback: Iterable[Feedback], programme: Programme, at: datetime) -> Answers:
    """Return the labelled answers that events up to `at` give, in an order that does not depend on theirs.

    Parameters
    ----------
    feedback : iterable of Feedback
    programme : Programme
        Gives ``censor_days``.
    at : datetime
        Aware. Later events are ignored.
    """
    pairs: dict[tuple[str, str], _Pair] = {}
    dropped: Counter[str] = Counter()
    for event in feedback:
        if event.at > at:
            dropped["in_the_future"] += 1
            continue
        key = (event.seeker, event.candidate)
        if key not in pairs:
            pairs[key] = _Pair()
        pairs[key].take(event)
    censored = at - timedelta(days=programme.censor_days)
    rows: list[Answer] = []
    for (asker, asked), pair in sorted(pairs.items()):
        pair.shown.sort()  # a product of floats must not depend on the order of the file
        label = _seekers_answer(pair, at, censored)
        if isinstance(label, str):
            dropped[label] += 1
        else:
            rows.append(Answer(asker, asked, SEEKER, *label))
        if (decision := pair.decisions.get("candidate")) is not None:
            rows.append(Answer(asker, asked, SUPPORTER, int(decision[1]), 1.0))
    return Answers(tuple(rows), dict(sorted(dropped.items())))


def _seekers_answer(pair: _Pair, at: datetime, censored: datetime) -> tuple[int, float] | str:
    """Return the seeker's label and weight, or why there is none."""
    if (decision := pair.decisions.get("seeker")) is not None:
        return int(decision[1]), pair.weight(decision[0])
    if not pair.shown:
        return "never_shown"
    if not pair.viewed:
        return "not_viewed"
    if pair.shown[-1][0] > censored:
        return "too_recent"
    return 0, pair.weight(at)


def relations(
    feedback: Iterable[Feedback], at: datetime
) -> tuple[frozenset[tuple[str, str]], frozenset[tuple[str, str]]]:
    """Return who stands how with whom after the events up to `at`.

    Returns
    -------
    declined : frozenset of (str, str)
        Pairs of which one's latest answer about the other is no; each pair once, in ascending order.
    connected : frozenset of (str, str)
        Pairs of which both's latest answers are yes, both since it last ended, if it did; likewise. A yes of before
        an end counts for nothing after it: two who meet again must both say it again.
    """
    decisions: dict[tuple[str, str], tuple[datetime, bool]] = {}
    ended: dict[tuple[str, str], datetime] = {}
    for event in feedback:
        if event.at > at:
            continue
        if event.decision is not None:
            pair = (event.seeker, event.candidate)
            who = pair if event.by == "seeker" else pair[::-1]
            decisions[who] = later(decisions.get(who), (event.at, event.decision))
        elif event.event == "ended":
            pair = (min(event.seeker, event.candidate), max(event.seeker, event.candidate))
            ended[pair] = max(ended.get(pair, event.at), event.at)
    declined, connected = set(), set()
    for (one, other), (when, yes) in decisions.items():
        pair = (min(one, other), max(one, other))
        back = decisions.get((other, one))
        if not yes:
            declined.add(pair)
        elif back is not None and back[1] and (pair not in ended or ended[pair] < min(when, back[0])):
            connected.add(pair)
    return frozenset(declined), frozenset(connected)


def load(
    feedback: Iterable[Feedback], connected: frozenset[tuple[str, str]], at: datetime, *, mutual: bool
) -> dict[str, int]:
    """Return how many of their places the `connected` take at the moment `at`, by member.

    A connection takes a place of the one who accepted as the candidate: in a mutual programme, where both support, of
    both.
    """
    supporters: dict[tuple[str, str], set[str]] = {pair: set(pair) if mutual else set() for pair in connected}
    for event in feedback:
        pair = (min(event.seeker, event.candidate), max(event.seeker, event.candidate))
        if pair in supporters and event.event == "accepted" and event.by == "candidate" and event.at <= at:
            supporters[pair].add(event.candidate)
    return dict(Counter(member for members in supporters.values() for member in sorted(members)))
