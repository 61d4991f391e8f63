"""Sides held once each."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from matcher.facets.side_codes import SideCodes
from matcher.facets.sides import Side

sides = st.builds(Side, st.sampled_from([None, (), ("a",), ("a", "b"), "a"]), st.integers(0, 3))


@given(st.lists(sides))
def test_they_are_the_same_sequence(some):
    coded = SideCodes.of(some)
    assert list(coded) == some
    assert len(coded) == len(some)
    assert list(coded[1:]) == some[1:]
    assert len(set(coded.distinct)) == len(coded.distinct) == len(set(some))
    assert SideCodes.of(coded) is coded
