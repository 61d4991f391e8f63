"""Lists shown, looked at and answered in a synthetic programme: what was logged, and the truth of pairs never shown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, TypeAlias

import numpy as np

from matcher.synthetic import eligible, tastes
from matcher.synthetic.consents import stamp
from matcher.synthetic.likeness import likeness
from matcher.synthetic.population import Floats, Ints
from matcher.synthetic.views import People, Side

Logging: TypeAlias = Literal["rank", "uniform"]
Record: TypeAlias = dict[str, Any]

LIST = 10
MAX_LISTS = 5_200
"""Lists of a whole cohort: some 80,000 events, enough to learn from and small enough to read."""
LISTS = 2.6
"""Mean number of lists a seeker had beyond the first."""
BLOCK, CANDIDATES = 200, 1_500
"""Seekers at a time, and candidates each of them is compared with: bounds the work for large cohorts."""
TRUTH_SEEKERS, TRUTH_CANDIDATES = 250, 48
"""Seekers and candidates of each that the truth is told of."""
TRUTH_ENOUGH, TRUTH_LEAST = 40, 10
"""Seekers with so many candidates left come first; those with fewer than the second are left out."""
SILENT, OFFER_UNANSWERED = 0.5, 0.1
"""Share of seekers' noes that they never say, and of offers without an answer."""
STILL_CONNECTED = 0.4
"""Share of a supporter's places that are taken at the end, as far as they met anybody."""
SMALLEST_POOL = 2 * LIST
"""Nobody is shown more than half of those they could be shown, so that pairs never shown are left to judge by."""


@dataclass
class History:
    """What was logged, and what was true."""

    feedback: list[Record]
    truth: list[Record]


@dataclass(frozen=True)
class Streams:
    """Independent sources of chance, so that how lists are looked at changes neither lists nor tastes."""

    tastes: np.random.Generator
    lists: np.random.Generator
    looks: np.random.Generator
    answers: np.random.Generator
    truth: np.random.Generator
    ends: np.random.Generator


def member_id(row: int) -> str:
    """Return the pseudonym of row `row`."""
    return f"m-{row + 1:06d}"


def play(people: People, at: datetime, streams: Streams, logging: Logging) -> History:
    """Return the history of a programme up to `at`.

    Every seeker had a few lists of `LIST`, drawn by a plain rule with much chance (Plackett–Luce over likeness), each
    pair at most once. A place is looked at with probability 1/rank (``rank``), or with the mean of those (``uniform``).
    """
    history = History([], [])
    seekers, candidates = eligible.seekers(people), eligible.candidates(people)
    if not len(seekers) or not len(candidates):
        return history
    asked = streams.lists.permutation(seekers)
    budget = MAX_LISTS
    true_tastes = None
    truth: dict[bool, list[list[Record]]] = {True: [], False: []}
    for start in range(0, len(asked), BLOCK):
        rows = asked[start : start + BLOCK]
        shown = candidates
        if len(candidates) > CANDIDATES:
            shown = np.sort(streams.lists.choice(candidates, CANDIDATES, replace=False))
        sides = (Side(people, rows, "match_serve"), Side(people, shown, "be_shown_as_peer"))
        allowed = eligible.eligible(*sides, at)
        if not allowed.any():
            continue
        if true_tastes is None:
            true_tastes = tastes.draw(*sides, allowed.astype(np.float64), streams.tastes)
        accepts = tastes.acceptance(true_tastes, *sides, streams.tastes)
        policy = _policy(*sides)
        for i, seeker in enumerate(rows):
            pool = np.flatnonzero(allowed[i])
            ordered = pool[np.argsort(-(policy[i, pool] + streams.lists.gumbel(size=len(pool))), kind="stable")]
            lists = min(1 + int(streams.lists.poisson(LISTS)), len(pool) // SMALLEST_POOL, budget)
            budget -= lists
            pair = _Pairs(int(seeker), shown, accepts[0][i], accepts[1][i])
            history.feedback.extend(_log(pair, ordered[: lists * LIST], at, streams, logging))
            sampled = _sample(pair, ordered[lists * LIST :], streams.truth)
            truth[len(sampled) >= TRUTH_ENOUGH].append(sampled)
        if budget <= 0:
            break
    history.truth.extend(row for rows in (truth[True] + truth[False])[:TRUTH_SEEKERS] for row in rows)
    history.feedback.extend(_ended(history.feedback, people, at, streams.ends))
    history.feedback.sort(key=lambda record: (record["at"], record["seeker"], record["candidate"], record["event"]))
    return history


@dataclass(frozen=True)
class _Pairs:
    """One seeker's true acceptance of each candidate and theirs of them."""

    seeker: int
    candidates: Ints
    forward: Floats
    backward: Floats


def _policy(seeking: Side, shown: Side) -> Floats:
    """Return by what lists were ordered before there was a model: likeness of conditions and of experiences."""
    likes = likeness(seeking, shown)
    return np.asarray(2.0 * np.nan_to_num(likes["conditions"]) + 1.0 * np.nan_to_num(likes["experiences"]))


def _log(pairs: _Pairs, places: Ints, at: datetime, streams: Streams, logging: Logging) -> Iterator[Record]:
    """Yield the events of the lists that hold `places`, ten after ten."""
    lists = len(places) // LIST
    days = np.sort(streams.lists.uniform(1, 54, lists))[::-1]
    for number in range(lists):
        moment = at - timedelta(minutes=int(days[number] * 24 * 60))
        looked, luck = streams.looks.random(LIST), streams.answers.random((LIST, 6))
        for rank, place in enumerate(places[number * LIST : (number + 1) * LIST], 1):
            propensity = round(1 / rank, 6) if logging == "rank" else MEAN_PROPENSITY
            record = {"seeker": member_id(pairs.seeker), "candidate": member_id(int(pairs.candidates[place]))}
            logged = {"rank": rank, "propensity": propensity}
            yield record | {"event": "shown"} | logged | {"at": stamp(moment)}
            if looked[rank - 1] < propensity:
                events = _answers(pairs.forward[place], pairs.backward[place], luck[rank - 1], moment)
                yield from (record | event | logged | {"at": stamp(when)} for event, when in events if when < at)


def _ended(feedback: list[Record], people: People, at: datetime, rng: np.random.Generator) -> Iterator[Record]:
    """Yield the ends of connections: all but the latest of each supporter, within what their capacity holds.

    The cohort's supporters met far more people than they would at once, so most of those connections are over.
    """
    connected: dict[str, list[tuple[datetime, str]]] = {}
    for record in feedback:
        if record["event"] == "accepted" and record["by"] == "candidate":
            when = datetime.fromisoformat(record["at"])
            connected.setdefault(record["candidate"], []).append((when, record["seeker"]))
    for candidate, meetings in sorted(connected.items()):
        capacity = int(people.population.capacity[int(candidate.removeprefix("m-")) - 1])
        still = int(rng.binomial(capacity, STILL_CONNECTED))
        for when, seeker in sorted(meetings)[: max(0, len(meetings) - still)]:
            end = when + (at - when) * float(rng.uniform(0.1, 0.95))
            yield {"seeker": seeker, "candidate": candidate, "event": "ended", "at": stamp(end)}


MEAN_PROPENSITY = round(sum(1 / rank for rank in range(1, LIST + 1)) / LIST, 6)


def _answers(forward: float, backward: float, luck: Floats, shown: datetime) -> Iterator[tuple[Record, datetime]]:
    """Yield what happens once a place is looked at: the seeker's answer, and the candidate's to an offer."""
    looked = shown + timedelta(minutes=1 + int(20 * luck[0]))
    yield {"event": "viewed"}, looked
    answered = looked + timedelta(minutes=2 + int(48 * 60 * luck[1]))
    if luck[2] >= forward:
        if luck[3] >= SILENT:
            yield {"event": "declined", "by": "seeker"}, answered
        return
    yield {"event": "accepted", "by": "seeker"}, answered
    if luck[3] >= OFFER_UNANSWERED:
        decided = answered + timedelta(minutes=30 + int(5 * 24 * 60 * luck[4]))
        yield {"event": "accepted" if luck[5] < backward else "declined", "by": "candidate"}, decided


def _sample(pairs: _Pairs, unseen: Ints, rng: np.random.Generator) -> list[Record]:
    """Return the truth about some candidates whom no rule excludes and who were never shown; nothing of too few."""
    if len(unseen) < TRUTH_LEAST:
        return []
    sampled = np.sort(rng.choice(unseen, min(TRUTH_CANDIDATES, len(unseen)), replace=False))
    return [_true(pairs, place) for place in sampled.tolist()]


def _true(pairs: _Pairs, place: int) -> Record:
    forward, backward = float(pairs.forward[place]), float(pairs.backward[place])
    return {
        "seeker": member_id(pairs.seeker),
        "candidate": member_id(int(pairs.candidates[place])),
        "forward": round(forward, 6),
        "backward": round(backward, 6),
        "mutual": round(forward * backward, 6),
    }
