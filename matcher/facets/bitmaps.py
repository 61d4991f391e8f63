"""Sets of rows as packed bits: an eighth of the bytes of a mask, and as much less time to combine."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Mask: TypeAlias = npt.NDArray[np.bool_]
Rows: TypeAlias = npt.NDArray[np.intp]
Bitmap: TypeAlias = npt.NDArray[np.uint8]
"""Shape (ceil(N/8),): row i is bit ``0x80 >> i % 8`` of byte ``i // 8``. Bits past the last row say nothing."""


def pack(mask: Mask) -> Bitmap:
    """Return a mask of shape (N,) as a bitmap."""
    return np.packbits(mask)


def unpack(bitmap: Bitmap, size: int) -> Mask:
    """Return a bitmap as a mask of shape (size,)."""
    mask: Mask = np.unpackbits(bitmap, count=size).view(np.bool_)
    return mask
