"""A block was checked in one direction only (travellers 337): B blocks A, and A never sees B nor can tell."""

from __future__ import annotations

import pytest

from tests.properties import pairs
from tests.properties.pairs import ids, person
from tests.service.installation import Installation, record


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


@pytest.mark.parametrize("block", [("a", "b"), ("b", "a")])
def test_over_http_neither_sees_the_other_nor_can_tell(made: Installation, block: tuple[str, str]) -> None:
    made.add(*(record(name, "seeker", "supporter") for name in ("a", "b", "c")))
    key = made.new_key("match", "match:ids")

    def seen(seeker: str) -> set[str]:
        return {match["member_id"] for match in made.match(seeker, key=key)["matches"]}

    assert (seen("a"), seen("b")) == ({"b", "c"}, {"a", "c"})
    assert made.call("POST", "/v1/blocks", {"a": block[0], "b": block[1]}).status_code == 201
    assert (seen("a"), seen("b"), seen("c")) == ({"c"}, {"c"}, {"a", "b"})
    blocked = made.match("a")
    made.call("DELETE", "/v1/blocks/a/b")
    made.call("POST", "/v1/members/b/holds", {"kind": "pause"})
    assert made.match("a") == blocked, "a block reads as anything else that keeps somebody away"
