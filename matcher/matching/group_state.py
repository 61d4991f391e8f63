"""A group as it stands now, and one seeker's question: which groups are for me."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from matcher.matching.group_topics import Topics
from matcher.matching.pool import Pool
from matcher.matching.seeker import Seeker
from matcher.programme import Programme
from matcher.support_group import Group


@dataclass(frozen=True, slots=True)
class GroupState:
    """One group and its people now: what a record alone does not tell."""

    group: Group
    members: frozenset[str]
    """Who is in it now, whatever they consented to: they take places, and their blocks count."""
    facilitators: frozenset[str]
    """Who runs it now."""
    roster: frozenset[str]
    """Who was in it when the week's aggregates were frozen: the fit is of them alone."""
    away: frozenset[str] = frozenset()
    """Who must not count, whatever the pools say: those whose consent was withdrawn or who were erased since, and
    facilitators who are held since."""

    @classmethod
    def of(cls, group: Group) -> Self:
        """Return the state that the record tells: nobody came or went since."""
        members = frozenset(group.members)
        return cls(group, members, frozenset(group.facilitators), members)

    @property
    def people(self) -> frozenset[str]:
        """Members and facilitators."""
        return self.members | self.facilitators


Place = tuple[int, int]
"""Number of a pool, and a row in it."""


class Places:
    """Where people stand in the pools of one programme; each is looked up once.

    Parameters
    ----------
    pools : sequence of Pool
        Rows disjoint.
    """

    def __init__(self, pools: Sequence[Pool]) -> None:
        self.pools = pools
        self._known: dict[str, Place] = {}

    def of(self, people: Iterable[str], away: frozenset[str]) -> Mapping[str, Place]:
        """Return where those of `people` stand who are in a pool and not `away`, by id."""
        known = self._known
        return {who: place for who in people if who not in away and (place := known.get(who) or self._find(who))}

    def _find(self, member_id: str) -> Place | None:
        for number, pool in enumerate(self.pools):
            if (row := pool.find(member_id)) is not None:
                self._known[member_id] = (number, row)
                return number, row
        return None


@dataclass(frozen=True)
class Question:
    """One seeker before G groups: what the gates and the scores look at."""

    pools: Sequence[Pool]
    seeker: Seeker
    """As the first of the pools has them."""
    states: Sequence[GroupState]
    topics: Topics
    places: Places

    @property
    def programme(self) -> Programme:
        """The programme of them all."""
        return self.topics.programme
