"""The groups that a worker knows beside a pool: read again only when they have changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from weakref import WeakKeyDictionary

from matcher.errors import RecordError
from matcher.matching.groups import Topics
from matcher.model.encoder import ProfileEncoder
from matcher.programme import Programme
from matcher.support_group import Group
from service.live.held import HeldPool
from service.store import group_scene
from service.store.group_scene import GroupContent, GroupNow
from service.store.hot import Transaction


@dataclass(frozen=True, slots=True)
class Known:
    """A group, as of one `number`. A change of anything has another."""

    id: int
    revision: int
    number: int
    group: Group
    week: int
    facilitators: frozenset[str]
    members: frozenset[str]
    people: frozenset[str]
    """Both."""
    frozen: frozenset[str]

    def roster(self, week: int) -> frozenset[str]:
        """Return who was in the group when a week began, this one or a later one."""
        return self.frozen if self.week >= week else self.members

    @classmethod
    def of(cls, now: GroupNow, content: GroupContent, programme: Programme) -> Known | None:
        """Read a group; None where the programme no longer accepts its record."""
        try:
            group = Group.from_dict(content.record, programme)
        except RecordError:
            return None
        facilitators, members = content.facilitators, content.members
        return cls(*now, group, content.week, facilitators, members, facilitators | members, content.frozen)


class KnownGroups:
    """The groups of one programme, as it is configured."""

    def __init__(self, programme: Programme, encoder: ProfileEncoder) -> None:
        self._programme = programme
        self._encoder = encoder
        self._known: dict[int, tuple[int, Known | None]] = {}
        """By `GroupRow.id`: as of which number, and what."""
        self._topics: tuple[tuple[tuple[int, int], ...], Topics] | None = None

    def all(self, reader: Transaction) -> list[Known]:
        """Return every group that the programme accepts, in the order in which they came."""
        rows = group_scene.groups(reader, self._programme.id)
        known = self._read(reader, rows)
        for gone in self._known.keys() - {row.id for row in rows}:
            self._known.pop(gone, None)
        return known

    def some(self, reader: Transaction, ids: Iterable[int]) -> dict[int, Known]:
        """Return those of `ids` that are there and that the programme accepts."""
        return {
            known.id: known for known in self._read(reader, group_scene.some_groups(reader, self._programme.id, ids))
        }

    def topics(self, groups: Sequence[Known]) -> Topics:
        """Return what groups are about; kept for as long as those asked for last are the same."""
        kept, key = self._topics, tuple((known.id, known.revision) for known in groups)
        if kept is None or kept[0] != key:
            kept = self._topics = key, Topics.of(self._programme, self._encoder, [known.group for known in groups])
        return kept[1]

    def _read(self, reader: Transaction, rows: Sequence[GroupNow]) -> list[Known]:
        known = {row.id: self._known.get(row.id) for row in rows}
        new = [row for row in rows if (before := known[row.id]) is None or before[0] != row.number]
        contents = group_scene.contents(reader, self._programme.id, [row.id for row in new])
        for row in new:
            known[row.id] = self._known[row.id] = row.number, Known.of(row, contents[row.id], self._programme)
        return [found[1] for row in rows if (found := known[row.id]) is not None and found[1] is not None]


_BESIDE: Final[WeakKeyDictionary[HeldPool, KnownGroups]] = WeakKeyDictionary()


def beside(held: HeldPool) -> KnownGroups:
    """Return the groups that are known beside a pool: of its programme, encoded as it is."""
    known = _BESIDE.get(held)
    if known is None:  # two threads may both find none: what the one that is late knows is lost, and read again
        known = _BESIDE[held] = KnownGroups(held.programme, held.base.model.encoder)
    return known
