"""A block was checked in one direction only (travellers 337): B blocks A, and A never sees B nor can tell."""

from __future__ import annotations

import pytest

from tests.properties import pairs
from tests.properties.pairs import ids, person


@pytest.mark.parametrize("block", [("a", "b"), ("b", "a")])
def test_neither_sees_the_other(block: tuple[str, str]) -> None:
    records = [
        person("a", profile={"journey": "after"}),
        person("b", profile={"journey": "after"}),
        person("c", profile={"journey": "after"}),
    ]
    free, blocked = (pairs.fitted(pairs.programme(), records, blocks=frozenset(pairs_)) for pairs_ in ((), (block,)))
    assert sorted(ids(free, "a")) == ["b", "c"]
    assert (ids(blocked, "a"), ids(blocked, "b")) == (["c"], ["c"])
    assert (blocked.score("a", "b").gate, blocked.score("b", "a").gate) == ("blocked", "blocked")
    assert sorted(ids(blocked, "c")) == ["a", "b"]
