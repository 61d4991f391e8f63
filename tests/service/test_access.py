from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask

from service.security import new_token, split_token
from service.store import keys
from tests.service.installation import NOON, Installation, record

OPEN = {"/__lbheartbeat__", "/__heartbeat__", "/__version__", "/openapi.json"}
"""Every address that answers without a key. Adding one is a decision, not an accident."""


def routes(app: Flask) -> list[tuple[str, str]]:
    found = []
    for rule in app.url_map.iter_rules():
        found += [(method, rule.rule.replace("<member_id>", "m-1")) for method in sorted(rule.methods or ())]
    return sorted(found)


def test_every_route_needs_a_key_but_for_those_listed(made: Installation) -> None:
    asked = [(method, path) for method, path in routes(made.app) if path not in OPEN]
    assert {path for _, path in asked} == {"/match", "/v1/match", "/v1/members/m-1"}
    for method, path in asked:
        reply = made.client.open(path, method=method, json={})
        assert reply.status_code == 401, (method, path)
        assert reply.headers["WWW-Authenticate"] == 'Bearer realm="peermatch"'
    for path in OPEN:
        assert made.client.get(path).status_code == 200


def test_every_route_that_needs_a_key_needs_a_scope(made: Installation) -> None:
    nothing = made.new_key("audit")
    for method, path in routes(made.app):
        if path not in OPEN:
            reply = made.call(method, path, {}, key=nothing)
            assert reply.status_code == 403, (method, path)
            assert method == "HEAD" or reply.get_json()["type"] == "urn:peermatch:problem:scope-missing"


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
