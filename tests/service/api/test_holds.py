"""Holds over HTTP: a held seeker gets no list, and a held candidate is in nobody's."""

from __future__ import annotations

from typing import Any

import pytest

from tests.service.api.replies import problem, told_apart
from tests.service.installation import Installation, another_programme, record

PATH = "/v1/members/m-1/holds"


@pytest.fixture
def pair(small: Installation) -> Installation:
    """Two who may be shown to each other, in a programme in which every change counts at once."""
    small.add(*(record(name, "seeker", "supporter") for name in ("m-1", "m-2")))
    return small


def hold(made: Installation, kind: str = "pause", **more: Any) -> dict[str, Any]:
    reply = made.call("POST", PATH, {"kind": kind, **more})
    assert reply.status_code == 201, reply.get_data(as_text=True)
    found: dict[str, Any] = reply.get_json()
    return found


def lift(made: Installation, hold_id: str) -> int:
    return made.call("DELETE", f"{PATH}/{hold_id}").status_code


def seen(made: Installation, seeker: str) -> tuple[str | None, int]:
    """Return why a seeker has no list, and how many are in the list."""
    found = made.match(seeker)
    return found["reason"], len(found["matches"])


def test_a_held_seeker_gets_no_list_and_a_held_candidate_is_in_nobodys(pair: Installation) -> None:
    assert (seen(pair, "m-1"), seen(pair, "m-2")) == ((None, 1), (None, 1))
    made = hold(pair, "crisis")
    assert (made["kind"], made["until"], made["created_at"]) == ("crisis", None, "2026-03-04T12:00:00Z")
    assert seen(pair, "m-1") == ("held", 0)
    assert seen(pair, "m-2") == ("no_eligible", 0)
    assert lift(pair, made["id"]) == 204
    assert (seen(pair, "m-1"), seen(pair, "m-2")) == ((None, 1), (None, 1))


def test_a_hold_ends_by_itself_at_its_moment(pair: Installation) -> None:
    hold(pair, until="2026-03-04T13:00:10+01:00")
    pair.clock.turn(seconds=9.999999)
    assert seen(pair, "m-1")[0] == "held"
    assert seen(pair, "m-2")[1] == 0
    assert len(pair.call("GET", PATH).get_json()["holds"]) == 1
    pair.clock.turn(seconds=0.000001)
    assert seen(pair, "m-1") == (None, 1)
    assert pair.call("GET", PATH).get_json() == {"holds": []}
    pair.clock.turn(days=1)
    assert seen(pair, "m-2") == (None, 1)


def test_a_candidates_hold_ends_by_itself(pair: Installation) -> None:
    hold(pair, until="2026-03-04T12:00:10Z")
    assert seen(pair, "m-2") == ("no_eligible", 0)
    pair.clock.turn(seconds=10)
    assert seen(pair, "m-2") == (None, 1)


def test_a_member_is_held_until_the_last_hold_has_ended(pair: Installation) -> None:
    pause, crisis = hold(pair, until="2026-03-04T12:00:10Z"), hold(pair, "crisis")
    listed = pair.call("GET", PATH).get_json()["holds"]
    assert sorted(one["id"] for one in listed) == sorted((pause["id"], crisis["id"]))
    pair.clock.turn(seconds=20)
    assert seen(pair, "m-1")[0] == "held"
    assert lift(pair, pause["id"]) == 404
    assert lift(pair, crisis["id"]) == 204
    assert seen(pair, "m-1") == (None, 1)
    assert lift(pair, crisis["id"]) == 404


def test_a_hold_of_another_or_of_nobody_is_not_there(pair: Installation) -> None:
    made = hold(pair)
    problem(pair.call("DELETE", f"/v1/members/m-2/holds/{made['id']}"), 404, "no-such-hold")
    problem(pair.call("DELETE", f"{PATH}/never"), 404, "no-such-hold")
    problem(pair.call("DELETE", f"{PATH}/a%00b"), 404, "no-such-hold")
    assert len(pair.call("GET", PATH).get_json()["holds"]) == 1


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ({}, {"kind"}),
        ({"kind": "holiday", "until": 7}, {"kind", "until"}),
        ({"kind": None, "reason": "x"}, {"kind", "reason"}),
        ({"kind": "pause", "until": "tomorrow"}, {"until"}),
        ({"kind": "pause", "until": None}, {"until"}),
        ({"kind": "pause", "until": "2026-03-05T12:00:00"}, {"until"}),
        ({"kind": "pause", "until": "2026-03-04T12:00:00Z"}, {"until"}),
        ({"kind": "pause", "until": "0001-01-01T00:00:00+14:00"}, {"until"}),
    ],
)
def test_what_is_no_hold_is_refused_and_holds_nobody(pair: Installation, body: Any, paths: set[str]) -> None:
    assert set(problem(pair.call("POST", PATH, body), 422, "invalid")["errors"]) == paths
    assert pair.call("GET", PATH).get_json() == {"holds": []}


def test_the_end_of_time_is_a_moment_too(pair: Installation) -> None:
    assert hold(pair, until="9999-12-31T23:59:59.999999Z")["until"] == "9999-12-31T23:59:59.999999Z"


@pytest.mark.parametrize("scope", ["members", "coordinator"])
def test_either_scope_is_enough(pair: Installation, scope: str) -> None:
    key = pair.new_key(scope)
    made = pair.call("POST", PATH, {"kind": "safeguarding"}, key=key)
    assert made.status_code == 201
    assert pair.call("GET", PATH, key=key).status_code == 200
    assert pair.call("DELETE", f"{PATH}/{made.get_json()['id']}", key=key).status_code == 204


def test_no_other_scope_is(pair: Installation) -> None:
    other = pair.new_key("consents", "match", "match:ids", "feedback", "groups", "admin", "audit")
    for method, path in (("GET", PATH), ("POST", PATH), ("DELETE", f"{PATH}/x")):
        body = {"kind": "pause"} if method == "POST" else None
        told = problem(pair.call(method, path, body, key=other), 403, "scope-missing")
        assert "`members` or `coordinator`" in told["detail"]


def test_unknown_foreign_and_erased_are_told_in_the_same_bytes(pair: Installation) -> None:
    foreign = another_programme(pair, "beacon")
    hold_id = hold(pair)["id"]
    pair.add(record("erased"))
    assert pair.call("DELETE", "/v1/members/erased").status_code == 200
    replies = [pair.call("GET", "/v1/members/never")]
    for name, key in (("never", None), ("erased", None), ("m-1", foreign), ("m%00", None)):
        path = f"/v1/members/{name}/holds"
        replies += [pair.call("GET", path, key=key), pair.call("POST", path, {"kind": "pause"}, key=key)]
        replies.append(pair.call("DELETE", f"{path}/{hold_id}", key=key))
    problem(replies[0], 404, "no-such-member")
    assert told_apart(replies) == 1


def test_a_hold_does_not_outlast_the_member(pair: Installation) -> None:
    hold(pair)
    pair.call("DELETE", "/v1/members/m-1")
    pair.add(record("m-1", "seeker", "supporter"))
    assert pair.call("GET", PATH).get_json() == {"holds": []}
    assert seen(pair, "m-1") == (None, 1)


def test_a_record_that_is_put_lifts_nothing_and_shows_nothing_of_it(pair: Installation) -> None:
    before = pair.call("GET", "/v1/members/m-1")
    hold(pair)
    after = pair.call("GET", "/v1/members/m-1")
    assert (after.data, after.headers["ETag"]) == (before.data, before.headers["ETag"])
    assert pair.call("PUT", "/v1/members/m-1", record("m-1", "seeker", "supporter", capacity=2)).status_code == 200
    assert seen(pair, "m-1")[0] == "held"
    assert seen(pair, "m-2")[1] == 0
