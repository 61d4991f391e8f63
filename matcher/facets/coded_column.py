"""What choice, ordinal and tags columns have in common.

Members who say the same in such a facet share one code, so a request is worked out once a code and looked up by row;
and once for all seekers who say the same.
"""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import wraps
from typing import TypeVar

import numpy as np

from matcher.facets.base import MUST, Column, Floats, Mask, Rows, Satisfied, Sharing, Side, Sides
from matcher.facets.coded import Bits, CodedFacet, bits, overlap

T = TypeVar("T")
MISSING = object()
MOST_KEPT = 4096
"""Results that a column keeps: far more than seekers differ in a facet, and little memory."""


def once_a_side(method: Callable[[CodedColumn, Side], T]) -> Callable[[CodedColumn, Side], T]:
    """Keep what `method` returns by side. Results are shared, never to be changed."""

    @wraps(method)
    def kept(column: CodedColumn, side: Side) -> T:
        key = (method.__name__, side)
        found = column.kept.get(key, MISSING)
        if found is MISSING:
            found = method(column, side)
            if len(column.kept) >= MOST_KEPT:  # another thread may clear it too: nothing is read back
                column.kept.clear()
            column.kept[key] = found
        return found  # type: ignore[return-value]

    return kept


class CodedColumn(Column):
    """What N members say in one coded facet: a code a row, and a table of what each code means.

    A kind says how values compare (`like`, `must_like`, `gate`); everything about ``prefer``, ``avoid`` and unknown
    values is the same for all.
    """

    def __init__(self, facet: CodedFacet, sides: Sequence[Side], shows: Sequence[bool]) -> None:
        self.facet = facet
        codes: dict[Side, int] = {}
        rows = np.fromiter((codes.setdefault(side, len(codes)) for side in sides), np.int32, len(sides))
        self.codes = rows.astype(np.min_scalar_type(len(codes)))
        self.sides = tuple(codes)
        self._options = {value: at for at, value in enumerate(facet.values)}
        self.known = np.array([side.value is not None for side in self.sides], dtype=np.bool_)
        self.value = self._table([facet.held(side) for side in self.sides])
        self.prefer = self._table([side.prefer or () for side in self.sides])
        self.avoid = self._table([side.avoid or () for side in self.sides])
        self.filled = np.asarray(self.value.any(axis=1))
        self.prefers = np.asarray(self.prefer.any(axis=1))
        self.avoiding = np.asarray(self.avoid.any(axis=1))
        self.asks_must = np.array([side.importance == MUST for side in self.sides], dtype=np.bool_)
        self.asks = np.array([side.importance for side in self.sides], dtype=np.uint8)
        self.importance = self.asks[self.codes]
        self.shows = np.fromiter(shows, np.bool_, len(sides))
        self.holders = Counter[str]()
        for code, members in enumerate(np.bincount(self.codes[self.shows], minlength=len(self.sides)).tolist()):
            self.holders.update(dict.fromkeys(facet.held(self.sides[code]), members))
        self.kept: dict[tuple[str, Side], object] = {}

    def _table(self, sets: Sequence[Sequence[str]]) -> Bits:
        width = bits((), self._options).size
        return np.array([bits(values, self._options) for values in sets], dtype=np.uint64).reshape(-1, width)

    def seeker_bits(self, values: Sequence[str] | None) -> Bits:
        """Return the seeker's values as a bit set, shape (words,)."""
        return bits(values, self._options)

    @abstractmethod
    def like(self, side: Side, backward: bool) -> Floats:
        """Return satisfy without ``prefer`` by code, shape (C,); rows with unknown values are overwritten later."""

    @abstractmethod
    def must_like(self, side: Side, backward: bool) -> Mask:
        """Return by code whether a must without ``prefer`` holds; unknown values are dealt with by the caller."""

    def gate(self, side: Side) -> Mask | None:
        """Return by code who passes the facet's own gate, or None where it has none."""
        return None

    def preferred(self, prefer: Bits, value: Bits) -> Floats:
        """Return satisfy with ``prefer`` by code: 1 where a value is in it. Either set may be one for all."""
        return overlap(prefer, value).astype(np.float64)

    def needs_own(self) -> bool:
        """Whether satisfy without ``prefer`` looks at the asker's own value."""
        return True

    def forward(self, seeker: Sides, rows: Rows) -> Satisfied | None:
        """Return how well `rows` satisfy the seeker."""
        return self._of_rows(self.satisfied(seeker[self.facet.name]), rows) if self.facet.is_feature else None

    def backward(self, seeker: Sides, rows: Rows) -> Satisfied | None:
        """Return how well the seeker satisfies `rows`."""
        return self._of_rows(self.satisfying(seeker[self.facet.name]), rows) if self.facet.backward_feature else None

    def _of_rows(self, by_code: Satisfied, rows: Rows) -> Satisfied:
        return replace(by_code, codes=np.take(self.codes, rows, mode="clip"))

    @once_a_side
    def satisfied(self, side: Side) -> Satisfied:
        """Return by code how well the seeker is satisfied."""
        if side.prefer is not None:
            satisfy = self.preferred(self.seeker_bits(side.prefer), self.value)
            known, filled = self.known, self.filled
        else:
            satisfy = self.like(side, backward=False)
            known = self.known & (side.value is not None or not self.needs_own())
            filled = self.filled & (bool(self.facet.held(side)) or not self.needs_own())
        return Satisfied(np.where(known, satisfy, np.nan), known & filled, np.uint8(side.importance))

    @once_a_side
    def satisfying(self, side: Side) -> Satisfied:
        """Return by code how well the seeker satisfies."""
        held = self.facet.held(side)
        preferred = self.preferred(self.prefer, self.seeker_bits(held))
        satisfy = np.where(self.prefers, preferred, self.like(side, backward=True))
        known = (self.prefers | self.known | (not self.needs_own())) & (side.value is not None)
        filled = (self.prefers | self.filled | (not self.needs_own())) & bool(held)
        return Satisfied(np.where(known, satisfy, np.nan), known & filled, self.asks)

    def _by_row(self, passes: Mask | None) -> Mask | None:
        """Return `passes` of each row's code. ``clip`` spares a check of bounds: codes are ours."""
        return None if passes is None else np.take(passes, self.codes, mode="clip")

    def permit(self, seeker: Sides) -> Mask | None:
        """Return who passes the facet's own gate; an unknown on either side fails."""
        return self._by_row(self.permitted(seeker[self.facet.name]))

    def musts(self, seeker: Sides) -> Mask | None:
        """Return the rows for which both sides' musts hold."""
        return self._by_row(self.met(seeker[self.facet.name]))

    def avoids(self, seeker: Sides) -> Mask | None:
        """Return the rows for which both sides' avoids hold."""
        return self._by_row(self.spared(seeker[self.facet.name]))

    @once_a_side
    def permitted(self, side: Side) -> Mask | None:
        """Return by code who passes the facet's own gate, or None where it has none."""
        if not self.facet.gating:
            return None
        if side.value is None:
            return np.zeros(len(self.sides), dtype=np.bool_)
        passes = self.gate(side)
        return None if passes is None else passes & self.known

    @once_a_side
    def met(self, side: Side) -> Mask | None:
        """Return by code whether both sides' musts hold, or None where nobody has one."""
        if side.importance != MUST and not self.asks_must.any():
            return None
        passes = np.ones(len(self.sides), dtype=np.bool_)
        if side.importance == MUST:
            if side.prefer is not None:
                passes &= self.known & overlap(self.value, self.seeker_bits(side.prefer))
            else:
                passes &= self.known & (side.value is not None) & self.must_like(side, backward=False)
        mine = self.seeker_bits(self.facet.held(side))
        alike = self.known & self.must_like(side, backward=True)
        theirs = np.where(self.prefers, overlap(self.prefer, mine), alike)
        return passes & (~self.asks_must | (theirs & (side.value is not None)))

    @once_a_side
    def spared(self, side: Side) -> Mask | None:
        """Return by code whether both sides' avoids hold, or None where nobody has one."""
        if side.avoid is None and not self.avoiding.any():
            return None
        passes = np.ones(len(self.sides), dtype=np.bool_)
        if side.avoid is not None:
            passes &= self.known & ~overlap(self.value, self.seeker_bits(side.avoid))
        mine = self.seeker_bits(self.facet.held(side))
        return passes & (~self.avoiding | (~overlap(self.avoid, mine) & (side.value is not None)))

    def shared(self, seeker: Sides, row: int) -> Sequence[Sharing]:
        """Return the values of the row that the seeker has too, or prefers, in alphabetical order."""
        side, other = seeker[self.facet.name], self.sides[self.codes[row]]
        asked = set(side.prefer if side.prefer is not None else self.facet.held(side))
        both = [value for value in self.facet.held(other) if value in asked]
        return [Sharing(value, self.holders[value]) for value in both]

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays."""
        arrays = (self.codes, self.importance, self.shows, self.value, self.prefer, self.avoid)
        return sum(array.nbytes for array in arrays)
