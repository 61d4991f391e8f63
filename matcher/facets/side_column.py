"""What all columns of scorable kinds have in common: a code a row, and what each code says and asks.

Members who say the same in a facet share one code, so a request is worked out once a code and looked up by row.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from matcher.facets.base import MUST, Column, EncodeContext, Facet, Mask, Rows
from matcher.facets.bitmaps import Bitmap, pack
from matcher.facets.side_codes import SideCodes


class SideColumn(Column):
    """What N members say in one facet, by C codes.

    Attributes
    ----------
    codes : ndarray of unsigned int, shape (N,)
    asks : ndarray of uint8, shape (C,)
        Importance.
    must_rows, avoid_rows : ndarray of int32
        The rows whose members have a must, or avoid something: for most seekers the only ones that can fail by it.
    """

    ARRAYS: ClassVar[tuple[str, ...]] = (*Column.ARRAYS, "codes", "asks", "must_rows", "avoid_rows")
    codes: npt.NDArray[np.unsignedinteger[Any]]
    asks: npt.NDArray[np.uint8]
    must_rows: npt.NDArray[np.int32]
    avoid_rows: npt.NDArray[np.int32]

    def __init__(self, facet: Facet, sides: SideCodes, shows: npt.ArrayLike) -> None:
        self.facet = facet
        distinct = sides.distinct
        self.codes = sides.codes.astype(np.min_scalar_type(max(len(distinct) - 1, 0)))
        self.asks = np.array([side.importance for side in distinct], dtype=np.uint8)
        avoiding = np.array([side.avoid is not None for side in distinct], dtype=np.bool_)
        self.importance = self.asks[self.codes]
        self.shows = np.array(shows, dtype=np.bool_)
        self.must_rows = np.flatnonzero(self.importance == MUST).astype(np.int32)
        self.avoid_rows = np.flatnonzero(avoiding[self.codes]).astype(np.int32)

    def ready(self, context: EncodeContext) -> None:
        """Make what is neither saved nor encoded."""
        self._last: tuple[Rows, npt.NDArray[np.unsignedinteger[Any]]] | None = None

    def code_of(self, rows: Rows) -> npt.NDArray[np.unsignedinteger[Any]]:
        """Return the codes of n `rows`; kept, for both directions ask. ``clip`` spares a check of bounds."""
        kept = self._last
        if kept is None or kept[0] is not rows:
            self._last = kept = rows, self.codes.take(rows, mode="clip")
        return kept[1]

    def bitmap(self, passes: Mask, among: npt.NDArray[np.int32] | None = None) -> Bitmap:
        """Return the rows whose code `passes`, shape (C,); where `among` is given, no other row can fail."""
        if among is None:
            return pack(passes.take(self.codes, mode="clip"))
        return self.but(among[~passes.take(self.codes.take(among, mode="clip"), mode="clip")])

    def but(self, rows: npt.NDArray[np.int32]) -> Bitmap:
        """Return all rows but these."""
        mask = np.ones(self.codes.size, dtype=np.bool_)
        mask[rows] = False
        return pack(mask)
