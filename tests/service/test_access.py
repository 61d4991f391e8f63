from __future__ import annotations

from datetime import timedelta

import pytest

from service.security import new_token, split_token
from service.store import keys
from tests.service.installation import NOON, Installation, record
from tests.service.routes import routes

OPEN = {"/__lbheartbeat__", "/__heartbeat__", "/__version__", "/openapi.json", "/docs"}
"""Every address that answers without a key. Adding one is a decision, not an accident."""

ANY_KEY = {"/v1/programme", "/v1/programme/vocabularies/<facet>"}
"""Every address that needs a key and no scope."""

SCOPED = {
    "members": {
        "/v1/members/<member_id>",
        "/v1/members/<member_id>/holds",
        "/v1/members/<member_id>/holds/<hold_id>",
        "/v1/blocks",
        "/v1/blocks/<a>/<b>",
    },
    "consents": {"/v1/members/<member_id>/consents"},
    "match": {"/match", "/v1/match"},
    "feedback": {"/v1/feedback"},
    "groups": {"/v1/groups/<group_id>"},
    "admin": {"/metrics"},
}
"""Every other address, by the first of its scopes."""


def test_every_route_needs_a_key_but_for_those_listed(made: Installation) -> None:
    known = {*OPEN, *ANY_KEY, *(rule for rules in SCOPED.values() for rule in rules)}
    assert {route.rule for route in routes(made.app)} == known
    for route in routes(made.app):
        reply = made.client.open(route.path, method=route.method, json={})
        if route.rule in OPEN:
            assert reply.status_code == 200, route.name
            continue
        assert reply.status_code == 401, route.name
        assert reply.headers["WWW-Authenticate"] == 'Bearer realm="peermatch"'


def test_every_route_that_needs_a_key_needs_a_scope(made: Installation) -> None:
    nothing = made.new_key("audit")
    for route in routes(made.app):
        if route.rule in OPEN | ANY_KEY:
            assert route.scopes == ()
            continue
        assert route.rule in SCOPED[route.scopes[0]]
        reply = made.call(route.method, route.path, {}, key=nothing)
        assert reply.status_code == 403, route.name
        assert reply.get_json()["type"] == "urn:peermatch:problem:scope-missing"


def test_each_scope_opens_its_own_routes_only(made: Installation) -> None:
    only_members, only_match = made.new_key("members"), made.new_key("match")
    assert made.call("PUT", "/v1/members/s-1", record("s-1", "seeker"), key=only_members).status_code == 201
    assert made.call("POST", "/match", {"member_id": "s-1"}, key=only_members).status_code == 403
    assert made.call("POST", "/match", {"member_id": "s-1"}, key=only_match).status_code == 200
    assert made.call("GET", "/v1/members/s-1", key=only_match).status_code == 403
    assert made.call("POST", "/match", {"member_id": "s-1"}, key=made.new_key("match:ids")).status_code == 403


def test_every_way_of_having_no_valid_key_reads_the_same(made: Installation) -> None:
    key_id, secret = split_token(made.key) or ("", "")
    wrong = new_token().text
    headers = [
        None,
        "",
        "Bearer",
        "Bearer ",
        made.key,
        f"Basic {made.key}",
        f"Bearer {wrong}",
        f"Bearer pm_{key_id}_{wrong.rsplit('_', 1)[1][:43].ljust(43, 'x')}",
        f"Bearer pm_{(split_token(wrong) or ('',))[0]}_{secret}",
        f"Bearer {made.key}x",
        f"Bearer {made.key[:-1]}",
        "Bearer pm_é_é",
    ]
    replies = [made.client.get("/v1/members/m-1", headers={} if h is None else {"Authorization": h}) for h in headers]
    assert {reply.status_code for reply in replies} == {401}
    assert len({reply.data for reply in replies}) == 1
    assert made.client.get("/v1/members/m-1", headers={"Authorization": f"bearer {made.key}"}).status_code == 404


def test_a_key_expires_at_its_second(made: Installation) -> None:
    key = made.new_key("members", expires_at=NOON + timedelta(minutes=1))
    assert made.call("GET", "/v1/members/m-1", key=key).status_code == 404
    made.clock.turn(seconds=59)
    assert made.call("GET", "/v1/members/m-1", key=key).status_code == 404
    made.clock.turn(seconds=1)
    assert made.call("GET", "/v1/members/m-1", key=key).status_code == 401


def test_a_revoked_key_opens_nothing_from_the_next_request_on(made: Installation) -> None:
    key = made.new_key("members")
    assert made.call("GET", "/v1/members/m-1", key=key).status_code == 404
    with made.store.transaction() as session:
        keys.revoke(session, "lantern", (split_token(key) or ("",))[0])
    assert made.call("GET", "/v1/members/m-1", key=key).status_code == 401


@pytest.mark.parametrize("place", ["query", "body"])
def test_the_programme_comes_from_the_key_alone(made: Installation, place: str) -> None:
    made.add(record("m-1"))
    if place == "query":
        assert made.call("GET", "/v1/members/m-1?programme=beacon").status_code == 200
    else:
        reply = made.call("PUT", "/v1/members/m-1", record("m-1", programme_id="beacon"))
        assert list(reply.get_json()["errors"]) == ["programme_id"]
