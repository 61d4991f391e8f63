"""The sides of many members in one facet, each distinct one held once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

import numpy as np
import numpy.typing as npt

from matcher.facets.sides import Side

Codes = npt.NDArray[np.int32]


class SideCodes(Sequence[Side]):
    """N sides, as a code each, and what the codes mean.

    Parameters
    ----------
    codes : ndarray of int32, shape (N,)
    distinct : sequence of C Side
    """

    def __init__(self, codes: Codes, distinct: Sequence[Side]) -> None:
        self.codes = codes
        self.distinct = distinct

    @classmethod
    def of(cls, sides: Sequence[Side]) -> SideCodes:
        """Return `sides` with each distinct one held once; themselves where they already are."""
        if isinstance(sides, cls):
            return sides
        known: dict[Side, int] = {}
        codes = np.fromiter((known.setdefault(side, len(known)) for side in sides), np.int32, len(sides))
        return cls(codes, tuple(known))

    def __len__(self) -> int:
        return len(self.codes)

    @overload
    def __getitem__(self, row: int) -> Side: ...
    @overload
    def __getitem__(self, row: slice) -> SideCodes: ...
    def __getitem__(self, row: int | slice) -> Side | SideCodes:
        if isinstance(row, slice):
            return SideCodes(self.codes[row], self.distinct)
        return self.distinct[int(self.codes[row])]
