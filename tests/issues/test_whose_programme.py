"""No tenant meant no filter (paySphere 1917): the programme comes from the key alone.

A key of one programme with ids of another gets, at every route, the same bytes as with ids that are nobody's.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.service.installation import Installation, another_programme, record
from tests.service.routes import APP, BODIES, Route, address, routes

THEIRS = {"m-000123": "theirs-1", "m-000124": "theirs-2", "m-000200": "theirs-2"}
NOBODYS = {"m-000123": "nobody-1", "m-000124": "nobody-2", "m-000200": "nobody-2"}
PUT = "PUT /v1/members/<member_id>"
KEYED = [route for route in routes(APP) if not route.open and route.name != PUT]


@pytest.fixture
def two(made: Installation) -> Installation:
    """Two programmes; the members ``theirs-1`` and ``theirs-2`` are of the second, and can be matched there."""
    key = another_programme(made, "beacon")
    for member_id in ("theirs-1", "theirs-2"):
        assert made.call("PUT", f"/v1/members/{member_id}", record(member_id, "seeker"), key=key).status_code == 201
    made.folder.joinpath("beacon-key").write_text(key)
    return made


def ask(made: Installation, route: Route, ids: dict[str, str], body: Any) -> tuple[int, bytes, list[str]]:
    """Return status, body and names of headers of a reply, with every id of `ids` written alike."""
    first, second, *_ = dict.fromkeys(ids.values())
    path = address(route.rule, {"member_id": first, "a": first, "b": second, "facet": "experiences"})
    text = json.dumps(body)
    for told, true in ids.items():
        text = text.replace(told, true)
    query = "?q=a" if "vocabularies" in path else ""
    reply = made.call(route.method, path + query, None if body is None else json.loads(text))
    data = reply.data
    for number, member_id in enumerate(dict.fromkeys(ids.values())):
        data = data.replace(member_id.encode(), b"id-%d" % number)
    return reply.status_code, data, sorted(name for name, _ in reply.headers)


@pytest.mark.parametrize("route", KEYED, ids=lambda route: route.name)
def test_ids_of_another_programme_are_nobodys(two: Installation, route: Route) -> None:
    for body in BODIES.get(route.name, [None]):
        theirs, nobodys = ask(two, route, THEIRS, body), ask(two, route, NOBODYS, body)
        if route.rule not in {"/metrics", "/v1/audit-log"}:  # which tell of the requests themselves
            assert theirs == nobodys
        named = "<" in route.rule.replace("<facet>", "") or "member_id" in (body or {})
        assert not named or theirs[0] in {404, 422}, theirs


def test_a_record_that_is_put_is_of_the_keys_programme(two: Installation) -> None:
    key = two.folder.joinpath("beacon-key").read_text()
    before = two.call("GET", "/v1/members/theirs-1", key=key)
    assert two.call("PUT", "/v1/members/theirs-1", record("theirs-1", capacity=7)).status_code == 201
    after = two.call("GET", "/v1/members/theirs-1", key=key)
    assert (after.data, after.headers["ETag"]) == (before.data, before.headers["ETag"])
    assert two.call("DELETE", "/v1/members/theirs-1").status_code == 200
    assert two.call("GET", "/v1/members/theirs-1", key=key).data == before.data


@pytest.mark.parametrize("name", ["programme", "programme_id", "tenant", "id"])
def test_nothing_in_an_address_names_another(two: Installation, name: str) -> None:
    for path in ("/v1/members/theirs-1", "/v1/programme"):
        assert two.call("GET", f"{path}?{name}=beacon").data == two.call("GET", path).data


def test_the_control_their_own_key_finds_them(two: Installation) -> None:
    key = two.folder.joinpath("beacon-key").read_text()
    assert two.call("GET", "/v1/members/theirs-1", key=key).status_code == 200
    assert two.call("POST", "/match", {"member_id": "theirs-1"}, key=key).status_code == 200
