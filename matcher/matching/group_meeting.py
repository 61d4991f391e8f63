"""Whether a seeker could take part in a group's meetings: channel, language, time. docs/reference/groups.md §2."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC
from functools import cache

import numpy as np

from matcher.facets.base import Facet, Mask, Side
from matcher.facets.languages import primary
from matcher.facets.week import QUARTERS, Week, WeekFacet, monday_from, quarters
from matcher.group_reading import CHANNEL
from matcher.matching.group_state import Question

Rule = Callable[[int], bool]
"""Whether the group of that number passes."""


def channel(question: Question) -> Rule:
    """Return the rule that a group meets in a way that the seeker uses."""
    mine = question.seeker.sides[CHANNEL].value
    return lambda at: isinstance(mine, tuple) and question.states[at].group.channel in mine


def language(question: Question, facet: Facet) -> Rule:
    """Return the rule that one language is shared: with the group, or with all who run it where it names none."""
    tags = question.seeker.sides[facet.name].value
    mine = {primary(tag) for tag in tags} if isinstance(tags, tuple) else set()

    @cache
    def speakers(spoken: str) -> list[Mask | None]:
        return [pool.columns[facet.name].permit({facet.name: Side((spoken,))}) for pool in question.pools]

    def passes(at: int) -> bool:
        state = question.states[at]
        if state.group.languages is not None:
            return not mine.isdisjoint(map(primary, state.group.languages))
        places = question.places.of(state.facilitators, state.away).values()
        return any(all(_speaks(speakers(spoken)[part], row) for part, row in places) for spoken in mine)

    return passes


def _speaks(mask: Mask | None, row: int) -> bool:
    return mask is not None and bool(mask[row])


def time(question: Question, facet: Facet) -> Rule:
    """Return the rule that the seeker is free for enough of the slot in one piece."""
    assert isinstance(facet, WeekFacet)
    monday = monday_from(question.pools[0].at.astimezone(UTC).date())
    free = np.zeros(QUARTERS, dtype=np.bool_)
    week = question.seeker.sides[facet.name].value
    if isinstance(week, Week):
        for slot in week.slots:
            first, length = quarters(week.tz, slot, monday)
            free[np.arange(first, first + length) % QUARTERS] = True
    needed = -(-facet.min_overlap_minutes // 15)

    def passes(at: int) -> bool:
        meets = question.states[at].group.week
        if meets is None:
            return False
        first, length = quarters(meets.tz, meets.slots[0], monday)
        return length > 0 and longest_run(free[np.arange(first, first + length) % QUARTERS]) >= min(needed, length)

    return passes


def longest_run(free: Mask) -> int:
    """Return the length of the longest run of True."""
    best = run = 0
    for quarter in free.tolist():
        run = run + 1 if quarter else 0
        best = max(best, run)
    return best
