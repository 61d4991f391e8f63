"""A block was checked in one direction only (travellers 337): B blocks A, and A never shares a group with B, nor can
tell.

To A the group is as absent as one that is full; nothing else of A's list changes, and nobody else's list does.
"""

from __future__ import annotations

import pytest

from matcher.support_group import Group
from tests.properties import pairs
from tests.properties.pairs import person

PROGRAMME = pairs.programme(shortlist={"quality_floor": 0.0})


def group(group_id, **changes):
    record = {
        "group_id": group_id,
        "name": "After surgery",
        "facilitators": ["f"],
        "topics": {"experiences": ["lumpectomy"]},
        "slot": "mon 18:00-19:30",
        "tz": "Europe/London",
        "channel": "phone",
        "capacity": 8,
        "open": True,
        **changes,
    }
    return Group.from_dict(record, PROGRAMME)


def lists(groups, **facts):
    records = [person(name) for name in ("a", "b", "c", "d", "e", "f", "g", "h")]
    matcher = pairs.fitted(PROGRAMME, records, **facts)
    return {seeker: matcher.rank_groups(seeker, groups) for seeker in ("a", "c")}


def names(found):
    return [entry.group_id for entry in found]


@pytest.mark.parametrize("block", [("a", "b"), ("b", "a")])
@pytest.mark.parametrize("place", ["member", "facilitator"])
def test_they_share_no_group_whoever_blocked(block, place):
    where = {"members": ["b", "d"]} if place == "member" else {"facilitators": ["b", "f"], "members": ["d"]}
    groups = [group("with-b", **where), group("without-b", members=["d", "e", "g", "h"])]
    free, blocked = lists(groups), lists(groups, blocks=frozenset({block}))
    assert sorted(names(free["a"])) == ["with-b", "without-b"]
    assert names(blocked["a"]) == ["without-b"]
    assert blocked["a"].excluded == {"blocked": 1}
    assert blocked["c"] == free["c"]


def test_neither_can_tell_a_block_from_a_group_that_is_full():
    others = [group("without-b", members=["d", "e", "g", "h"])]
    blocked = lists([group("with-b", members=["b", "d"]), *others], blocks=frozenset({("b", "a")}))["a"]
    full = lists([group("with-b", members=["b", "d"], capacity=2, min_size=2), *others])["a"]
    assert (blocked.outcome, blocked.reason, blocked.entries) == (full.outcome, full.reason, full.entries)


def test_somebody_in_no_pool_blocks_too():
    """Their consent to be shown may be off: they are in the group all the same."""
    groups = [group("with-b", members=["b"])]
    hidden = person("b", consents=pairs.consents("match_serve"))
    records = [person("a"), hidden, person("f")]
    blocked = pairs.fitted(PROGRAMME, records, blocks=frozenset({("b", "a")})).rank_groups("a", groups)
    assert (blocked.reason, blocked.excluded) == ("no_eligible", {"blocked": 1})
    assert names(pairs.fitted(PROGRAMME, records).rank_groups("a", groups)) == ["with-b"]


def test_the_next_request_already_honours_it():
    groups = [group("with-b", members=["b", "d"])]
    assert names(lists(groups)["a"]) == ["with-b"]
    assert lists(groups, blocks=frozenset({("a", "b")}))["a"].reason == "no_eligible"
