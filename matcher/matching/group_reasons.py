"""Why a group is in a list: what it is about that the seeker shares. docs/reference/groups.md §6."""

from __future__ import annotations

from collections.abc import Mapping

from matcher.facets.base import Facet
from matcher.facets.concepts import Concepts
from matcher.matching.group_state import Question
from matcher.matching.reasons import DIGITS, Reason


def reasons(question: Question, at: int, added: Mapping[str, float]) -> tuple[Reason, ...]:
    """Return the topics of a group that the seeker shares and enough members hold, the weightiest first."""
    programme, state = question.programme, question.seeker.profile.state
    found: list[Reason] = []
    for name in sorted((name for name in added if added[name] > 0), key=lambda name: -round(added[name], DIGITS)):
        facet = programme.facets[name]
        if len(found) == programme.reasons_a_card or not facet.show or not state.covers("show_reasons", name):
            continue
        for topic in question.topics.columns[name].shared(question.seeker.sides, at):
            if sum(pool.columns[name].holders(topic) for pool in question.pools) >= programme.reason_k:
                found.append(Reason(name, phrase(facet, topic)))
                break
    return tuple(found)


def phrase(facet: Facet, topic: str) -> str:
    """Return the plain sentence that gives a topic as a reason: of the group alone, never of who is in it."""
    label = facet.value_label(topic)
    if isinstance(facet, Concepts) and facet.against is not None:
        return f"The group is about what you asked for: {label}"
    return f"The group is about {label}"
