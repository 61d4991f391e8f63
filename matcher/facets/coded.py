"""Facets whose value is one or some of a declared list: what choice, ordinal and tags have in common.

Members who say the same in such a facet share one code, so a request is worked out once a code and looked up by row.
"""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from matcher.errors import nearest, shown
from matcher.facets.base import (
    MUST,
    Column,
    Facet,
    Floats,
    Mask,
    Rows,
    Satisfied,
    Sharing,
    Side,
    Sides,
    ValueProblem,
    strings,
)

Bits = npt.NDArray[np.uint64]

WORD = 64


def bits(values: Sequence[str] | None, options: Mapping[str, int]) -> Bits:
    """Return `values` as a bit set over `options`, shape (words,)."""
    out = np.zeros(max(1, -(-len(options) // WORD)), dtype=np.uint64)
    for value in values or ():
        at = options[value]
        out[at // WORD] |= np.uint64(1 << (at % WORD))
    return out


def count(sets: Bits) -> Floats:
    """Return how many members each bit set of shape (C, words) has."""
    counts: Floats = np.bitwise_count(sets).sum(axis=1).astype(np.float64)
    return counts


def overlap(left: Bits, right: Bits) -> Mask:
    """Return by code whether two bit sets share a member; either may be one set for all codes."""
    return np.asarray(np.atleast_2d(left & right).any(axis=1))


@dataclass(frozen=True, kw_only=True)
class CodedFacet(Facet):
    """A facet with declared values."""

    values: tuple[str, ...] = ()

    def one(self, raw: object) -> str:
        """Return `raw` if it is a declared value; raise ValueProblem."""
        if not isinstance(raw, str) or raw not in self.values:
            hint = nearest(raw, self.values) if isinstance(raw, str) else ""
            raise ValueProblem(f"found {shown(raw)}; expected one of {', '.join(self.values)}{hint}")
        return raw

    def many(self, raw: object, *, allow_empty: bool) -> tuple[str, ...]:
        """Return `raw` if it is a list of declared values, sorted; raise ValueProblem naming the place."""
        parsed = strings(raw, allow_empty=allow_empty)
        for position, item in enumerate(raw if isinstance(raw, list | tuple) else ()):
            try:
                self.one(item)
            except ValueProblem as problem:
                raise ValueProblem(problem.message, f"[{position}]") from None
        return parsed

    def parse(self, raw: object) -> object:
        """Return one declared value."""
        return self.one(raw)

    def parse_asked(self, raw: object) -> tuple[str, ...]:
        """Return at least one declared value."""
        return self.many(raw, allow_empty=False)

    def held(self, side: Side) -> tuple[str, ...]:
        """Return the values that a side holds; nothing where unknown."""
        if isinstance(side.value, str):
            return (side.value,)
        return side.value if isinstance(side.value, tuple) else ()


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
        self.holders = Counter(
            value
            for code, show in zip(self.codes, self.shows, strict=True)
            if show
            for value in facet.held(self.sides[code])
        )

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
        if not self.facet.is_feature:
            return None
        side = seeker[self.facet.name]
        if side.prefer is not None:
            satisfy = self.preferred(self.seeker_bits(side.prefer), self.value)
            known, filled = self.known, self.filled
        else:
            satisfy = self.like(side, backward=False)
            known = self.known & (side.value is not None or not self.needs_own())
            filled = self.filled & (bool(self.facet.held(side)) or not self.needs_own())
        return self._satisfied(satisfy, known, filled, np.uint8(side.importance), rows)

    def backward(self, seeker: Sides, rows: Rows) -> Satisfied | None:
        """Return how well the seeker satisfies `rows`."""
        if not self.facet.backward_feature:
            return None
        side = seeker[self.facet.name]
        held = self.facet.held(side)
        mine = self.seeker_bits(held)
        preferred = self.preferred(self.prefer, mine)
        satisfy = np.where(self.prefers, preferred, self.like(side, backward=True))
        asked_known = self.prefers | self.known | (not self.needs_own())
        asked_filled = self.prefers | self.filled | (not self.needs_own())
        known = asked_known & (side.value is not None)
        return self._satisfied(satisfy, known, asked_filled & bool(held), self.asks, rows)

    def _satisfied(
        self, satisfy: Floats, known: Mask, filled: Mask, asks: npt.NDArray[np.uint8] | np.uint8, rows: Rows
    ) -> Satisfied:
        return Satisfied(np.where(known, satisfy, np.nan), known & filled, asks, self.codes[rows])

    def _by_code(self, passes: Mask) -> Mask:
        """Return `passes` of each row's code. ``clip`` spares a check of bounds: codes are ours."""
        return np.take(passes, self.codes, mode="clip")

    def permit(self, seeker: Sides) -> Mask | None:
        """Return who passes the facet's own gate; an unknown on either side fails."""
        side = seeker[self.facet.name]
        if not self.facet.gating:
            return None
        if side.value is None:
            return np.zeros(self.codes.size, dtype=np.bool_)
        passes = self.gate(side)
        return None if passes is None else self._by_code(passes & self.known)

    def musts(self, seeker: Sides) -> Mask | None:
        """Return the rows for which both sides' musts hold."""
        side = seeker[self.facet.name]
        if side.importance != MUST and not self.asks_must.any():
            return None
        passes = np.ones(len(self.sides), dtype=np.bool_)
        if side.importance == MUST:
            if side.prefer is not None:
                passes &= self.known & overlap(self.value, self.seeker_bits(side.prefer))
            else:
                passes &= self.known & (side.value is not None) & self.must_like(side, backward=False)
        mine = self.seeker_bits(self.facet.held(side))
        theirs = np.where(
            self.prefers, (self.prefer & mine).any(axis=1), self.known & self.must_like(side, backward=True)
        )
        passes &= ~self.asks_must | (theirs & (side.value is not None))
        return self._by_code(passes)

    def avoids(self, seeker: Sides) -> Mask | None:
        """Return the rows for which both sides' avoids hold."""
        side = seeker[self.facet.name]
        if side.avoid is None and not self.avoiding.any():
            return None
        passes = np.ones(len(self.sides), dtype=np.bool_)
        if side.avoid is not None:
            passes &= self.known & ~overlap(self.value, self.seeker_bits(side.avoid))
        mine = self.seeker_bits(self.facet.held(side))
        passes &= ~self.avoiding | (~overlap(self.avoid, mine) & (side.value is not None))
        return self._by_code(passes)

    def shared(self, seeker: Sides, row: int) -> Sequence[Sharing]:
        """Return the first value of the row that the seeker has too, or prefers."""
        side, other = seeker[self.facet.name], self.sides[self.codes[row]]
        asked = set(side.prefer if side.prefer is not None else self.facet.held(side))
        both = [value for value in self.facet.held(other) if value in asked][:1]
        return [Sharing(value, self.holders[value]) for value in both]

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays."""
        arrays = (self.codes, self.importance, self.shows, self.value, self.prefer, self.avoid)
        return sum(array.nbytes for array in arrays)
