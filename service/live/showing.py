"""Whom the newest list of each seeker that still counts showed, as compactly as 100,000 seekers want it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from service.store.valid_lists import Showing

Ints = npt.NDArray[np.int32]
People = tuple[int, ...]
"""`LiveRow.id` by rank, from 1; 0 is nobody."""
MOST_BESIDE: Final = 1024
"""Lists kept one by one beside the table: some 200 bytes each, where the table takes 28."""


class Table(NamedTuple):
    """What is in the file of a base."""

    seekers: Ints
    """`LiveRow.id`, shape (S,), ascending."""
    lists: Ints
    """`ListRow.id`, shape (S,)."""
    people: Ints
    """Shape (S, K): `People`, filled up with 0."""


EMPTY: Final = Table(np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros((0, 0), np.int32))


class Shown:
    """The newest list of each seeker: a table, and beside it what has come since.

    Parameters
    ----------
    table : Table
        Is never written to.
    """

    def __init__(self, table: Table = EMPTY) -> None:
        self.table = table
        self._beside: dict[int, tuple[int, People]] = {}
        self._gone: set[int] = set()
        self.last = int(table.lists.max(initial=0))
        """Number of the newest list that is known."""

    @classmethod
    def of(cls, showings: Iterable[Showing]) -> Shown:
        """Return what lists, in any order, come to."""
        newest: dict[int, Showing] = {}
        for one in showings:
            if one.seeker_id not in newest or one.id > newest[one.seeker_id].id:
                newest[one.seeker_id] = one
        found = cls()
        found._beside = {seeker: (one.id, one.people) for seeker, one in newest.items()}
        found._tidy()
        return found

    def of_seeker(self, seeker: int) -> People:
        """Return whom the newest list of a seeker showed; nobody where there is none."""
        return self._newest(seeker)[1]

    def add(self, showing: Showing) -> tuple[People, People]:
        """Take in a list; return whom the seeker's newest one showed before, and whom it shows now."""
        list_id, before = self._newest(showing.seeker_id)
        # Another thread may see the database as it was before somebody was erased.
        if showing.id <= list_id or showing.seeker_id in self._gone:
            return before, before
        self._beside[showing.seeker_id] = showing.id, showing.people
        self.last = max(self.last, showing.id)
        if len(self._beside) > MOST_BESIDE:
            self._tidy()
        return before, showing.people

    def forget(self, seekers: Collection[int]) -> list[People]:
        """Drop the lists of seekers who were erased; return whom they showed.

        Where SQLite gives the number of such a list to the next one, that is above `last` all the same.
        """
        found = [people for seeker in seekers if (people := self.of_seeker(seeker))]
        self._gone.update(seekers)
        if found:
            self._tidy()
        return found

    def _newest(self, seeker: int) -> tuple[int, People]:
        if seeker in self._gone:
            return 0, ()
        if (found := self._beside.get(seeker)) is not None:
            return found
        row = int(self.table.seekers.searchsorted(np.int32(seeker)))
        if row == self.table.seekers.size or self.table.seekers[row] != seeker:
            return 0, ()
        people = self.table.people[row]
        count = int(np.flatnonzero(people).max(initial=-1)) + 1
        return int(self.table.lists[row]), tuple(people[:count].tolist())

    def _tidy(self) -> None:
        """Put all that is left into one table."""
        beside = {seeker: told for seeker, told in self._beside.items() if seeker not in self._gone}
        kept = ~np.isin(self.table.seekers, [*self._beside, *self._gone])
        before = self.table.people[kept]
        width = max([before.shape[1], *(len(people) for _, people in beside.values())])
        people = np.zeros((len(before) + len(beside), width), dtype=np.int32)
        people[: len(before), : before.shape[1]] = before
        for row, (_, some) in enumerate(beside.values(), len(before)):
            people[row, : len(some)] = some
        numbers = np.fromiter((list_id for list_id, _ in beside.values()), np.int32, len(beside))
        seekers = np.concatenate([self.table.seekers[kept], np.fromiter(beside, np.int32, len(beside))])
        order = np.argsort(seekers)
        self.table = Table(seekers[order], np.concatenate([self.table.lists[kept], numbers])[order], people[order])
        self._beside = {}
        self.last = int(self.table.lists.max(initial=0))
