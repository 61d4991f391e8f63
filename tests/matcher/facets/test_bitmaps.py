"""Sets of rows as bits."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from matcher.facets.bitmaps import pack, unpack


@given(st.lists(st.booleans(), max_size=40))
def test_there_and_back(rows):
    packed = pack(np.array(rows, dtype=np.bool_))
    assert packed.size == -(-len(rows) // 8)
    assert unpack(packed, len(rows)).tolist() == rows
    for row, has in enumerate(rows):
        assert bool(packed[row >> 3] & 0x80 >> (row & 7)) is has
