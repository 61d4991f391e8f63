"""The hard rules for groups, in their order: docs/reference/groups.md §2. This file only composes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from matcher.facets.base import Facet, Mask
from matcher.facets.choice import Choice
from matcher.facets.concepts import Concepts
from matcher.facets.languages import Languages
from matcher.facets.tags import Tags
from matcher.facets.week import WeekFacet
from matcher.group_reading import CHANNEL, channel_facet
from matcher.matching import group_meeting
from matcher.matching.gates import Gated
from matcher.matching.group_meeting import Rule
from matcher.matching.group_state import Question
from matcher.matching.pool import Pool

GROUP_GATES = {
    "programme": "belongs to another programme",
    "open": "takes nobody in now",
    "full": "has no place left",
    "member": "the seeker is in it",
    "age": "age unknown, or minors and adults would be together",
    "agreement": "the seeker has not accepted the confidentiality agreement",
    "blocked": "the seeker and somebody in it stand apart by a block",
    "facilitator": "has no facilitator, or one who is not ready to run it",
    "must": "a must of the seeker is not met by what it is about",
    "avoid": "it is about what the seeker avoids",
}
"""Every programme-wide gate in plain words. A gate of a facet bears the facet's name."""


def apply(question: Question) -> Gated:
    """Return which groups pass every gate, shape (G,), and how many each gate removed first."""
    alive = list(range(len(question.states)))
    counts: dict[str, int] = {}
    for name, rule in rules(question):
        passing = [at for at in alive if rule(at)]
        if len(passing) < len(alive):
            counts[name] = counts.get(name, 0) + len(alive) - len(passing)
        alive = passing
    mask = np.zeros(len(question.states), dtype=np.bool_)
    mask[alive] = True
    return Gated(mask, counts)


def rules(question: Question) -> Iterator[tuple[str, Rule]]:
    """Yield every gate's name and rule, in order."""
    facets, topics, sides = question.programme.facets, question.topics, question.seeker.sides
    for name, gate in PROGRAMME_GATES.items():
        yield name, partial(gate, question)
    if channel_facet(question.programme) is not None:
        yield CHANNEL, group_meeting.channel(question)
    for kind, rule in FACET_GATES:
        yield from ((name, rule(question, facet)) for name, facet in facets.items() if isinstance(facet, kind))
    for name, column in topics.columns.items():
        yield "must", _spoken_of(column.musts(sides), topics.spoken[name])
    for name, column in topics.columns.items():
        yield "avoid", _spoken_of(column.avoids(sides), topics.spoken[name])
    for name, facet in facets.items():
        if isinstance(facet, Concepts) and facet.excludes:
            yield name, _untouched(question, facet)


def _spoken_of(passes: Mask | None, spoken: Mask) -> Rule:
    """Return the rule of one facet: what a group does not speak of fails nothing."""
    return lambda at: passes is None or bool(passes[at]) or not spoken[at]


def _home(question: Question, at: int) -> bool:
    return question.states[at].group.programme_id == question.programme.id


def _open(question: Question, at: int) -> bool:
    return question.states[at].group.open


def _full(question: Question, at: int) -> bool:
    return len(question.states[at].members) < question.states[at].group.capacity


def _member(question: Question, at: int) -> bool:
    return question.seeker.profile.member_id not in question.states[at].people


def _age(question: Question, at: int) -> bool:
    state, adult = question.states[at], question.seeker.adult
    young = state.group.minors
    if adult is None or adult is young or (young and question.programme.minors_policy != "separate"):
        return False
    places = question.places.of(state.members, state.away).values()
    return all((question.pools[part].minor if young else question.pools[part].adult)[row] for part, row in places)


def _agreement(question: Question, _: int) -> bool:
    return question.seeker.agreed


def _blocked(question: Question, at: int) -> bool:
    return question.seeker.standing.blocked.isdisjoint(question.states[at].people)


def _facilitator(question: Question, at: int) -> bool:
    state = question.states[at]
    places = question.places.of(state.facilitators, state.away)
    everybody = 0 < len(places) == len(state.facilitators)
    return everybody and all(_ready(question.pools[part], row) for part, row in places.values())


def _ready(pool: Pool, row: int) -> bool:
    """Whether somebody may run a group. That they are shown as a peer, being in the pool tells."""
    return bool(pool.adult[row] and pool.vetted[row] and pool.agreed[row] and not pool.held[row])


PROGRAMME_GATES: dict[str, Callable[[Question, int], bool]] = {
    "programme": _home,
    "open": _open,
    "full": _full,
    "member": _member,
    "age": _age,
    "agreement": _agreement,
    "blocked": _blocked,
    "facilitator": _facilitator,
}


def _chosen(question: Question, facet: Facet) -> Rule:
    """Return the rule that a group for those of one choice is shown to them alone."""
    mine = question.seeker.sides[facet.name].value

    def passes(at: int) -> bool:
        topics = question.states[at].group.topics
        return facet.name not in topics or mine == topics[facet.name]

    return passes


def _shared(question: Question, facet: Facet) -> Rule:
    """Return the rule of a facet of tags that asks for some in common: as many as the group has, at most."""
    assert isinstance(facet, Tags)
    side = question.seeker.sides[facet.name].value
    mine = set(side) if isinstance(side, tuple) else None

    def passes(at: int) -> bool:
        topic = question.states[at].group.topics.get(facet.name)
        if not facet.gating or not isinstance(topic, tuple):
            return True
        return mine is not None and len(mine.intersection(topic)) >= min(facet.min_shared, len(topic))

    return passes


FACET_GATES: tuple[tuple[type[Facet], Callable[[Question, Facet], Rule]], ...] = (
    (Languages, group_meeting.language),
    (WeekFacet, group_meeting.time),
    (Choice, _chosen),
    (Tags, _shared),
)


def _untouched(question: Question, facet: Concepts) -> Rule:
    """Return the rule that no topic touches what the seeker will not talk about; unknown excludes nothing."""
    side = question.seeker.sides[facet.name].value
    refused = set(side) if isinstance(side, tuple) else set()
    same = facet.preferring(question.programme.facets)

    def passes(at: int) -> bool:
        topics = question.states[at].group.topics
        subjects = [topic for name in same for topic in topics.get(name, ())]  # type: ignore[attr-defined]
        return refused.isdisjoint(facet.vocabulary.up(subjects))

    return passes
