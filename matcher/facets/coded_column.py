"""What choice, ordinal and tags columns have in common: the values of each code as bit sets."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from matcher.facets.base import MUST, EncodeContext, Floats, Mask, Rows, Satisfied, Side, Sides
from matcher.facets.bitmaps import Bitmap, pack
from matcher.facets.coded import WORD, Bits, CodedFacet, bits, members, overlap
from matcher.facets.kept import MOST_KEPT, once_a_side
from matcher.facets.side_codes import SideCodes
from matcher.facets.side_column import SideColumn

FEW = 64
"""A gate with no more codes than this has a bitmap of the rows of each."""


class CodedColumn(SideColumn):
    """What N members say in one coded facet.

    A kind says how values compare (`like`, `must_like`, `gate`); everything about ``prefer``, ``avoid`` and unknown
    values is the same for all.

    Attributes
    ----------
    value, prefer, avoid : ndarray of uint64, shape (C, words)
        Bit sets over the facet's values.
    known : Mask, shape (C,)
    rows_of : ndarray of uint8, shape (C or 0, ceil(N/8))
        The rows of each code as a bitmap, where the facet gates and has few codes.
    holding : ndarray of int64, shape (values,)
        How many hold each value and let it be a reason.
    """

    ARRAYS: ClassVar[tuple[str, ...]] = (*SideColumn.ARRAYS, "value", "prefer", "avoid", "known", "rows_of", "holding")
    facet: CodedFacet

    def __init__(self, facet: CodedFacet, sides: Sequence[Side], shows: npt.ArrayLike, context: EncodeContext) -> None:
        coded = SideCodes.of(sides)
        super().__init__(facet, coded, shows)
        options = {value: at for at, value in enumerate(facet.values)}
        self.known = np.array([side.value is not None for side in coded.distinct], dtype=np.bool_)
        self.value = _table([facet.held(side) for side in coded.distinct], options)
        self.prefer = _table([side.prefer or () for side in coded.distinct], options)
        self.avoid = _table([side.avoid or () for side in coded.distinct], options)
        few = len(coded.distinct) if facet.gating and len(coded.distinct) <= FEW else 0
        packed = [pack(self.codes == code) for code in range(few)]
        self.rows_of = np.array(packed, dtype=np.uint8).reshape(few, -(-self.codes.size // 8))
        self.holding = np.zeros(len(options), dtype=np.int64)
        for code, count in enumerate(np.bincount(self.codes[self.shows], minlength=len(coded.distinct)).tolist()):
            for value in facet.held(coded.distinct[code]):
                self.holding[options[value]] += count
        self.ready(context)

    def ready(self, context: EncodeContext) -> None:
        """Make what is neither saved nor encoded."""
        super().ready(context)
        self._options = {value: at for at, value in enumerate(self.facet.values)}
        self.filled = np.asarray(self.value.any(axis=1))
        self.prefers = np.asarray(self.prefer.any(axis=1))
        self.any_prefers = bool(self.prefers.any())
        self.avoiding = np.asarray(self.avoid.any(axis=1))
        self.asks_must = np.asarray(self.asks == MUST)
        self.kept: dict[tuple[str, Side], object] = {}
        self.most_kept = MOST_KEPT // (16 * self.asks.size + self.codes.size // 8 + 500)
        self._weighed: dict[tuple[int, float, float], tuple[Floats, Floats]] = {}

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
        if not self.facet.is_feature:
            return None
        found = self.satisfied(seeker[self.facet.name])
        return Satisfied(found.satisfy, found.tells, found.importance, self.code_of(rows))

    def backward(self, seeker: Sides, rows: Rows) -> Satisfied | None:
        """Return how well the seeker satisfies `rows`."""
        if not self.facet.backward_feature:
            return None
        found = self.satisfying(seeker[self.facet.name])
        return Satisfied(found.satisfy, found.tells, found.importance, self.code_of(rows))

    def weigh(self, satisfied: Satisfied, weight: float, neutral: float) -> Floats:
        """Return weight · importance/2 · satisfy by code; kept for as long as what it is made of."""
        satisfy = satisfied.satisfy
        key = (id(satisfy), weight, neutral)
        found = self._weighed.get(key)
        if found is None or found[0] is not satisfy:
            found = satisfy, super().weigh(satisfied, weight, neutral)
            if len(self._weighed) >= self.most_kept:
                self._weighed.clear()
            self._weighed[key] = found
        return found[1]

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
        return Satisfied(np.where(known, satisfy, np.nan), (known & filled).__getitem__, np.uint8(side.importance))

    @once_a_side
    def satisfying(self, side: Side) -> Satisfied:
        """Return by code how well the seeker satisfies."""
        held, satisfy = self.facet.held(side), self.like(side, backward=True)
        known, filled = (mask if self.needs_own() else np.ones_like(mask) for mask in (self.known, self.filled))
        if self.any_prefers:
            satisfy = np.where(self.prefers, self.preferred(self.prefer, self.seeker_bits(held)), satisfy)
            known, filled = known | self.prefers, filled | self.prefers
        known, filled = known & (side.value is not None), filled & bool(held)
        return Satisfied(np.where(known, satisfy, np.nan), (known & filled).__getitem__, self.asks)

    def permit_bits(self, seeker: Sides) -> Bitmap | None:
        """Return who passes the facet's own gate; an unknown on either side fails."""
        return self.permitted_rows(seeker[self.facet.name])

    @once_a_side
    def permitted_rows(self, side: Side) -> Bitmap | None:
        """Return who passes the facet's own gate, or None where it has none."""
        passes = self.permitted(side)
        if passes is None or not len(self.rows_of):
            return None if passes is None else self.bitmap(passes)
        found: Bitmap = np.bitwise_or.reduce(self.rows_of[passes], axis=0)
        return found

    def must_bits(self, seeker: Sides) -> Bitmap | None:
        """Return the rows for which both sides' musts hold."""
        side = seeker[self.facet.name]
        return self.met_rows(side) if side.importance == MUST or self.must_rows.size else None

    @once_a_side
    def met_rows(self, side: Side) -> Bitmap:
        """Return the rows for which both sides' musts hold."""
        return self.bitmap(self.met(side), None if side.importance == MUST else self.must_rows)

    def avoid_bits(self, seeker: Sides) -> Bitmap | None:
        """Return the rows for which both sides' avoids hold."""
        side = seeker[self.facet.name]
        return self.spared_rows(side) if side.avoid is not None or self.avoid_rows.size else None

    @once_a_side
    def spared_rows(self, side: Side) -> Bitmap:
        """Return the rows for which both sides' avoids hold."""
        return self.bitmap(self.spared(side), None if side.avoid is not None else self.avoid_rows)

    def permitted(self, side: Side) -> Mask | None:
        """Return by code who passes the facet's own gate, or None where it has none."""
        if not self.facet.gating:
            return None
        if side.value is None:
            return np.zeros(self.known.size, dtype=np.bool_)
        passes = self.gate(side)
        return None if passes is None else passes & self.known

    def met(self, side: Side) -> Mask:
        """Return by code whether both sides' musts hold."""
        passes = np.ones(self.known.size, dtype=np.bool_)
        if side.importance == MUST:
            if side.prefer is not None:
                passes &= self.known & overlap(self.value, self.seeker_bits(side.prefer))
            else:
                passes &= self.known & (side.value is not None) & self.must_like(side, backward=False)
        theirs = self.known & self.must_like(side, backward=True)
        if self.any_prefers:
            theirs = np.where(self.prefers, overlap(self.prefer, self.seeker_bits(self.facet.held(side))), theirs)
        return passes & (~self.asks_must | (theirs & (side.value is not None)))

    def spared(self, side: Side) -> Mask:
        """Return by code whether both sides' avoids hold."""
        passes = np.ones(self.known.size, dtype=np.bool_)
        if side.avoid is not None:
            passes &= self.known & ~overlap(self.value, self.seeker_bits(side.avoid))
        mine = self.seeker_bits(self.facet.held(side))
        return passes & (~self.avoiding | (~overlap(self.avoid, mine) & (side.value is not None)))

    def shared(self, seeker: Sides, row: int) -> Sequence[str]:
        """Return the values of the row that the seeker has too, or prefers, in alphabetical order."""
        has = set(members(self.value[self.codes[row]]))
        return [value for value, at in self._asked(seeker) if at in has]

    def telling(self, seeker: Sides, rows: Rows, enough: Callable[[str], bool]) -> Sequence[str | None]:
        """Return for each of `rows` the first that it shares with the seeker and that `enough` members hold."""
        asked = [(value, at // WORD, 1 << at % WORD) for value, at in self._asked(seeker) if enough(value)]
        held = self.value[self.code_of(rows)].tolist()
        return [next((value for value, word, bit in asked if words[word] & bit), None) for words in held]

    def _asked(self, seeker: Sides) -> list[tuple[str, int]]:
        """Return what the seeker has, or prefers, in alphabetical order, and where it is among the values."""
        side = seeker[self.facet.name]
        asked = side.prefer if side.prefer is not None else self.facet.held(side)
        return [(value, self._options[value]) for value in sorted(asked) if value in self._options]

    def holders(self, value: str) -> int:
        """Return how many hold `value` and let it be a reason."""
        return int(self.holding[self._options[value]]) if value in self._options else 0

    def retire(self, row: int) -> None:
        """Count the member of `row` among no holders any longer."""
        if self.shows[row]:
            for at in members(self.value[self.codes[row]]):
                self.holding[at] -= 1
        super().retire(row)


def _table(sets: Sequence[Sequence[str]], options: dict[str, int]) -> Bits:
    width = bits((), options).size
    return np.array([bits(values, options) for values in sets], dtype=np.uint64).reshape(-1, width)
