"""Blocks over HTTP: honoured at once, both ways, and nowhere to be seen."""

from __future__ import annotations

from typing import Any

import pytest

from tests.service.api.replies import problem, told_apart
from tests.service.installation import Installation, another_programme, record

PAIR = {"a": "m-1", "b": "m-2"}


@pytest.fixture
def three(small: Installation) -> Installation:
    """Three who may be shown to each other, in a programme in which every change counts at once."""
    small.add(*(record(name, "seeker", "supporter") for name in ("m-1", "m-2", "m-3")))
    return small


def seen(made: Installation, seeker: str) -> set[str]:
    found = made.match(seeker, key=made.new_key("match", "match:ids"))
    return {entry["member_id"] for entry in found["matches"]}


def test_a_block_is_honoured_at_once_and_both_ways(three: Installation) -> None:
    assert seen(three, "m-1") == {"m-2", "m-3"}
    assert seen(three, "m-2") == {"m-1", "m-3"}
    reply = three.call("POST", "/v1/blocks", PAIR)
    assert (reply.status_code, reply.get_json()) == (201, PAIR)
    assert (seen(three, "m-1"), seen(three, "m-2"), seen(three, "m-3")) == ({"m-3"}, {"m-3"}, {"m-1", "m-2"})
    assert three.call("DELETE", "/v1/blocks/m-2/m-1").status_code == 204
    assert seen(three, "m-1") == {"m-2", "m-3"}


def test_either_order_is_the_same_block(three: Installation) -> None:
    assert three.call("POST", "/v1/blocks", PAIR).status_code == 201
    for body in (PAIR, {"a": "m-2", "b": "m-1"}):
        reply = three.call("POST", "/v1/blocks", body)
        assert (reply.status_code, reply.get_json()) == (200, body)
    assert three.call("DELETE", "/v1/blocks/m-1/m-2").status_code == 204
    for path in ("/v1/blocks/m-1/m-2", "/v1/blocks/m-2/m-1", "/v1/blocks/m-1/m-3", "/v1/blocks/m-1/m-1"):
        problem(three.call("DELETE", path), 404, "no-such-block")


def test_a_blocked_person_cannot_tell(three: Installation) -> None:
    asked = [("GET", "/v1/members/m-2"), ("GET", "/v1/members/m-2/consents"), ("GET", "/v1/members/m-2/holds")]
    before = [three.call(*one) for one in asked]
    three.call("POST", "/v1/blocks", PAIR)
    assert all(told_apart([one, three.call(*again)]) == 1 for one, again in zip(before, asked, strict=True))
    # And somebody of whom nothing is left but a block has the reply of somebody with nobody to be shown.
    three.call("DELETE", "/v1/members/m-3")
    found = three.match("m-2")
    assert (found["outcome"], found["reason"], found["matches"]) == ("no_match", "no_eligible", [])


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ({}, {"a", "b"}),
        ({"a": "m-1", "b": "m-1"}, {"b"}),
        ({"a": "m 1", "b": 7}, {"a", "b"}),
        ({"a": None, "b": ".."}, {"a", "b"}),
        ({**PAIR, "reason": "x"}, {"reason"}),
        ({"a": "m-1", "b": "m-2\n"}, {"b"}),
    ],
)
def test_what_is_no_block_is_refused(three: Installation, body: Any, paths: set[str]) -> None:
    assert set(problem(three.call("POST", "/v1/blocks", body), 422, "invalid")["errors"]) == paths
    assert seen(three, "m-1") == {"m-2", "m-3"}


def test_unknown_foreign_and_erased_are_told_in_the_same_bytes(three: Installation) -> None:
    foreign = another_programme(three, "beacon")
    assert three.call("PUT", "/v1/members/m-1", record("m-1"), key=foreign).status_code == 201
    three.add(record("erased"))
    assert three.call("DELETE", "/v1/members/erased").status_code == 200
    replies = [three.call("GET", "/v1/members/never")]
    for name, key in (("never", None), ("erased", None), ("m-2", foreign)):
        for one, other in (("m-1", name), (name, "m-1")):
            replies.append(three.call("POST", "/v1/blocks", {"a": one, "b": other}, key=key))
            replies.append(three.call("DELETE", f"/v1/blocks/{one}/{other}", key=key))
    replies += [three.call("DELETE", path) for path in ("/v1/blocks/a%00/m-1", "/v1/blocks/m-1/m%20x")]
    problem(replies[0], 404, "no-such-member")
    assert told_apart(replies) == 1


def test_a_block_does_not_outlast_the_member(three: Installation) -> None:
    three.call("POST", "/v1/blocks", PAIR)
    three.call("DELETE", "/v1/members/m-2")
    three.add(record("m-2", "seeker", "supporter"))
    assert seen(three, "m-1") == {"m-2", "m-3"}
    problem(three.call("DELETE", "/v1/blocks/m-1/m-2"), 404, "no-such-block")


def test_the_scope_is_members_and_no_other(three: Installation) -> None:
    other = three.new_key("consents", "match", "match:ids", "feedback", "groups", "coordinator", "admin", "audit")
    problem(three.call("POST", "/v1/blocks", PAIR, key=other), 403, "scope-missing")
    problem(three.call("DELETE", "/v1/blocks/m-1/m-2", key=other), 403, "scope-missing")
    assert three.call("POST", "/v1/blocks", PAIR, key=three.new_key("members")).status_code == 201


def test_blocks_cannot_be_listed(three: Installation) -> None:
    for path in ("/v1/blocks", "/v1/blocks/m-1/m-2"):
        problem(three.call("GET", path), 405, "method-not-allowed")
