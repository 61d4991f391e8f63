"""What attention members had in the lists of others, kept true as lists are made.

Of the lists that a transaction sees it is a pure function, so that two workers rank alike:
``docs/reference/matching.md`` §7 states it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import lru_cache
from typing import Final

import numpy as np

from matcher.matching.exposure import weight
from service.live.base import Base
from service.live.showing import Ints, People, Shown
from service.store import valid_lists
from service.store.hot import Transaction

UNIT: Final = 2.0**-36
"""Weights are whole multiples of it. So their sums are exact, in whatever order lists come and go."""


@lru_cache(maxsize=64)
def weights(count: int) -> tuple[float, ...]:
    """Return the exposure that the first `count` places of a list give."""
    return tuple((np.round(weight(np.arange(1, count + 1)) / UNIT) * UNIT).tolist())


class Attention:
    """Exposure of everybody, by number: that of the base's rows is in its pool, that of others is here.

    It counts whoever was taken out of the base too, who may be in a pool beside it. One thread at a time may change it.

    Parameters
    ----------
    base : Base
    """

    def __init__(self, base: Base) -> None:
        self._base = base
        self._shown = Shown(base.shown)
        self._of_others: dict[int, float] = {}
        if base.shown.people.any():
            self._begin(base.shown.people)

    def of(self, number: int) -> float:
        """Return the exposure of the member with a number."""
        (row,) = self._base.look_up((number,))
        return self._of_others.get(number, 0.0) if row < 0 else float(self._base.pool.exposure[row])

    def given_by(self, seeker: int) -> Iterator[tuple[int, float]]:
        """Yield to whom a seeker's newest list gave exposure, and how much."""
        people = self._shown.of_seeker(seeker)
        return ((number, gives) for number, gives in zip(people, weights(len(people)), strict=True) if number)

    def follow(self, reader: Transaction, programme_id: str, today: int) -> Collection[int]:
        """Take in every list that `reader` sees and that counts on a UTC day; return whose exposure is another."""
        more: dict[int, float] = {}
        after, count = self._shown.last, valid_lists.CHUNK
        while count == valid_lists.CHUNK:
            found = valid_lists.newer(reader, programme_id, today, after)
            for one in found:
                before, now = self._shown.add(one)
                if before != now:
                    _count(more, before, -1)
                    _count(more, now, +1)
                after = one.id
            count = len(found)
        return self._take(more)

    def forget(self, seekers: Collection[int]) -> Collection[int]:
        """Take back what seekers gave who were erased; return whose exposure is another."""
        more: dict[int, float] = {}
        for people in self._shown.forget(seekers):
            _count(more, people, -1)
        return self._take(more)

    def _take(self, more: dict[int, float]) -> Collection[int]:
        changed = {number: change for number, change in more.items() if number and change}
        rows, changes = [], []
        for row, (number, change) in zip(self._base.look_up(changed), changed.items(), strict=True):
            if row < 0:
                self._of_others[number] = self._of_others.get(number, 0.0) + change
            else:
                rows.append(row)
                changes.append(change)
        if rows:
            at = np.array(rows)
            self._base.pool.set_exposure(at, self._base.pool.exposure[at] + changes)
        return changed.keys()

    def _begin(self, people: Ints) -> None:
        """Count everything that was there when the base was built, all at once."""
        base, order = self._base, self._base.order
        numbers = base.numbers[order]
        total = np.zeros(len(numbers))
        for rank, gives in enumerate(weights(people.shape[1])):
            named = np.sort(people[:, rank])  # what is looked up in its order is found sooner
            at = np.minimum(numbers.searchsorted(named), max(len(numbers) - 1, 0))
            here = numbers[at] == named if len(numbers) else np.zeros(len(named), dtype=np.bool_)
            total += gives * np.bincount(order[at[here]], minlength=len(numbers))
            for number in named[~here & (named != 0)].tolist():
                self._of_others[number] = self._of_others.get(number, 0.0) + gives
        base.pool.set_exposure(np.arange(len(numbers)), total)


def _count(more: dict[int, float], people: People, sign: int) -> None:
    for number, gives in zip(people, weights(len(people)), strict=True):
        more[number] = more.get(number, 0.0) + sign * gives
