"""Bodies nobody thought of, for every route: whatever is sent, the reply is a problem and never a fault of ours."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.api.example_data import SEEKER, SUPPORTER
from service.problems import MEDIA_TYPE
from tests.conftest import examples
from tests.service.databases import sampled
from tests.service.installation import Installation, record
from tests.service.routes import APP, BODIES, Route, places, planted, with_body

NO_DATABASE = sampled("What is refused before it is read never comes to a database.")
TEXT = st.text(st.characters(codec="utf-8"), max_size=8)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3))
PATHS = [
    ("member_id",), ("roles",), ("roles", 0), ("age_band",), ("capacity",), ("vetted",), ("agreements",), ("strata",),
    ("profile",), ("profile", "experiences"), ("profile", "experiences", 0), ("profile", "channel"),
    ("profile", "journey"), ("profile", "statement"), ("wants",), ("wants", "journey"), ("consents",), ("consents", 0),
    ("consents", 0, "purpose"), ("consents", 0, "at"), ("consents", 0, "valid_until"), ("consents", 0, "categories"),
]  # fmt: skip
OF_INTRODUCTIONS = [
    route for route in with_body(APP) if "introduction_id" in route.rule or route.rule == "/v1/feedback"
]
REUSED = settings(
    max_examples=examples(50, 1000), suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def check(reply: Any) -> None:
    assert reply.status_code < 500, reply.get_data(as_text=True)
    if reply.status_code >= 400:
        assert reply.mimetype == MEDIA_TYPE
        assert reply.get_json()["status"] == reply.status_code


@st.composite
def spoilt(draw: st.DrawFn, name: str) -> Any:
    """Draw the body of an example with something else at one or two places, or a body of anything."""
    body = draw(st.sampled_from(BODIES[name]))
    names = sorted({str(path[-1]) for path in places(body)})
    for _ in range(draw(st.integers(1, 2))):
        path = draw(st.sampled_from([*places(body), ("x",)]) | st.tuples(TEXT))
        body = planted(body, path, draw(VALUES))
        if not places(body):
            break
    some = st.dictionaries(st.sampled_from([*names, "x"]) | TEXT, VALUES, max_size=4)
    return draw(st.just(body) | some | VALUES)


@pytest.mark.parametrize("route", with_body(APP), ids=lambda route: route.name)
@REUSED
@given(data=st.data())
def test_a_body_of_anything(made: Installation, route: Route, data: st.DataObject) -> None:
    made.add(record("m-1", "seeker", "supporter"), record("m-2"))
    check(made.call(route.method, route.path, data.draw(spoilt(route.name))))


@sampled("What acts ask of the database is asked of both in test_introductions.py.")
@pytest.mark.parametrize("route", OF_INTRODUCTIONS, ids=lambda route: route.name)
@REUSED
@given(data=st.data())
def test_a_body_of_anything_about_an_introduction_there_is(
    made: Installation, route: Route, data: st.DataObject
) -> None:
    made.add(record(SEEKER, "seeker"), record(SUPPORTER, capacity=100))
    body = {"seeker": SEEKER, "candidate": SUPPORTER, "override": True}
    made.call("POST", "/v1/review", body)
    (one,) = made.call("GET", f"/v1/members/{SEEKER}/introductions").get_json()["introductions"][:1]
    spoiled = data.draw(spoilt(route.name))
    if isinstance(spoiled, dict) and "introduction_id" in spoiled:
        spoiled["introduction_id"] = one["introduction_id"]
    check(made.call(route.method, route.path.replace("x-1", one["introduction_id"]), spoiled))
    check(made.call("GET", f"/v1/review/{one['introduction_id']}"))


@REUSED
@given(path=st.sampled_from(PATHS), value=VALUES)
def test_a_record_with_anything_anywhere(made: Installation, path: tuple[str | int, ...], value: Any) -> None:
    check(made.call("PUT", "/v1/members/m-1", planted(record("m-1", wants={}), path, value)))
    check(made.call("GET", "/v1/members/m-1"))


@NO_DATABASE
@pytest.mark.parametrize("route", with_body(APP), ids=lambda route: route.name)
@REUSED
@given(body=st.binary(max_size=60))
def test_a_body_of_any_bytes(made: Installation, route: Route, body: bytes) -> None:
    headers = {"Authorization": f"Bearer {made.key}"}
    check(
        made.client.open(route.path, method=route.method, data=body, content_type="application/json", headers=headers)
    )


@NO_DATABASE
@pytest.mark.parametrize(
    "address", ["programme/vocabularies/experiences", "review", "events", "waiting-list", "audit-log"]
)
@REUSED
@given(
    query=st.dictionaries(st.sampled_from(["q", "limit", "after"]) | TEXT, TEXT | st.integers().map(str), max_size=3)
)
def test_a_query_of_anything(made: Installation, address: str, query: dict[str, str]) -> None:
    check(made.call("GET", f"/v1/{address}?{urlencode(query)}"))


@REUSED
@given(member_id=st.text(st.characters(codec="utf-8"), min_size=1, max_size=70))
def test_a_path_of_any_text(made: Installation, member_id: str) -> None:
    for method in ("GET", "DELETE", "PUT"):
        check(made.call(method, f"/v1/members/{quote(member_id, safe='')}", {} if method == "PUT" else None))


@REUSED
@given(name=st.text(st.characters(codec="utf-8"), min_size=1, max_size=70))
def test_an_introduction_of_any_name(made: Installation, name: str) -> None:
    path = quote(name, safe="")
    check(made.call("GET", f"/v1/review/{path}"))
    check(made.call("POST", f"/v1/review/{path}/approve", {}))
    check(made.call("POST", f"/v1/introductions/{path}/accept", {"member_id": "m-1"}))
    check(made.call("GET", f"/v1/members/{path}/introductions"))
    check(made.call("GET", f"/v1/review?after={path}"))


@NO_DATABASE
@pytest.mark.parametrize(
    "header", ["If-Match", "If-None-Match", "X-Request-Id", "Authorization", "Accept", "Content-Length"]
)
@pytest.mark.parametrize("value", ["", "\t", '"', "W/", "*, *", "é", "x" * 5000, "-1", "99999999999999999999"])
def test_headers_of_anything(made: Installation, header: str, value: str) -> None:
    check(made.call("GET", "/v1/members/m-1", headers={header: value}))
