from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from service import create_app
from service.access import find_access
from service.problems import Problem
from service.security import new_token, split_token
from service.store import keys
from tests.service.installation import NOON, Installation, record
from tests.service.routes import console_routes, routes

OPEN = {"/__lbheartbeat__", "/__heartbeat__", "/__version__", "/openapi.json", "/docs"}
"""Every address that answers without a key. Adding one is a decision, not an accident."""

ANY_KEY = {"/v1/programme", "/v1/programme/vocabularies/<facet>"}
"""Every address that needs a key and no scope."""

SCOPED = {
    "members": {
        "/v1/members/<member_id>",
        "/v1/members/<member_id>/export",
        "/v1/members/<member_id>/models",
        "/v1/members/<member_id>/holds",
        "/v1/members/<member_id>/holds/<hold_id>",
        "/v1/blocks",
        "/v1/blocks/<a>/<b>",
    },
    "consents": {"/v1/members/<member_id>/consents", "/v1/members/<member_id>/consents/<consent_id>/receipt"},
    "match": {
        "/match",
        "/v1/match",
        "/v1/introductions",
        "/v1/members/<member_id>/introductions",
        "/v1/introductions/<introduction_id>/accept",
        "/v1/introductions/<introduction_id>/decline",
        "/v1/introductions/<introduction_id>/withdraw",
        "/v1/introductions/<introduction_id>/end",
        "/v1/introductions/<introduction_id>/rematch",
    },
    "match:ids": {"/v1/events"},
    "coordinator": {
        "/v1/reports/<name>",
        "/v1/review",
        "/v1/review/<introduction_id>",
        "/v1/review/<introduction_id>/approve",
        "/v1/review/<introduction_id>/reject",
        "/v1/review/<introduction_id>/suspend",
        "/v1/review/<introduction_id>/resume",
        "/v1/review/<introduction_id>/end",
        "/v1/waiting-list",
    },
    "feedback": {"/v1/feedback"},
    "groups": {"/v1/groups/<group_id>"},
    "admin": {"/metrics"},
    "audit": {"/v1/audit-log"},
}
"""Every other address, by the first of its scopes."""


CONSOLE = {
    "/console",
    "/console/sign-in",
    "/console/sign-out",
    "/console/static/<name>",
    "/console/review",
    "/console/review/decide",
    "/console/review/by-hand",
    "/console/introduction",
    "/console/waiting",
    "/console/members",
    "/console/members/hold",
    "/console/members/lift",
    "/console/loads",
    "/console/models",
}
"""Every address of the console: what opens them is in `tests/service/console/test_entry.py`."""


def test_every_address_is_of_the_api_or_of_the_console(made: Installation) -> None:
    assert {route.rule for route in console_routes(made.app)} == CONSOLE
    apart = {route.rule for route in routes(made.app)}
    assert apart | CONSOLE == {rule.rule for rule in made.app.url_map.iter_rules()}
    assert not apart & CONSOLE


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
    audit, others = made.new_key("audit"), made.new_key("match:ids")
    for route in routes(made.app):
        if route.rule in OPEN | ANY_KEY:
            assert route.scopes == ()
            continue
        assert route.rule in SCOPED[route.scopes[0]]
        nothing = others if "audit" in route.scopes else audit
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


@pytest.mark.parametrize(
    ("own", "settings", "bound"),
    [
        (None, None, None),
        (None, 6000, 6000),
        (5, 6000, 5),
        (5, None, 5),
        (9000, 6000, 9000),
        (keys.NO_BOUND, 6000, None),
    ],
)
def test_a_key_has_its_own_bound_or_that_of_the_settings(
    made: Installation, own: int | None, settings: int | None, bound: int | None
) -> None:
    key = made.new_key("members", per_minute=own)
    assert find_access(made.store, f"Bearer {key}", NOON, settings).per_minute == bound


def test_the_bound_of_the_settings_holds_for_every_request(made: Installation) -> None:
    app = create_app(replace(made.settings, per_minute=6000), clock=made.clock)
    reply = app.test_client().get("/v1/programme", headers={"Authorization": f"Bearer {made.key}"})
    app.extensions["peermatch"].store.close()
    assert reply.headers["RateLimit-Policy"] == '"key";q=6000;w=60'
    two = made.new_key("members", per_minute=2)
    found = [made.call("GET", "/v1/programme", key=two).status_code for _ in range(3)]
    assert found == [200, 200, 429]
    free = made.call("GET", "/v1/programme", key=made.new_key("members", per_minute=keys.NO_BOUND))
    assert "RateLimit" not in free.headers


def test_a_moment_of_expiry_is_the_same_on_every_database(made: Installation) -> None:
    """Two keys of which one is open a second longer, to the microsecond."""
    for end in (NOON + timedelta(seconds=1), NOON + timedelta(days=365, microseconds=1)):
        header = f"Bearer {made.new_key('members', expires_at=end)}"
        assert find_access(made.store, header, end - timedelta(microseconds=1)).scopes == {"members"}
        with pytest.raises(Problem):
            find_access(made.store, header, end)
