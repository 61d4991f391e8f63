"""Bodies nobody thought of, for every route: whatever is sent, the reply is a problem and never a fault of ours."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

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
        path = draw(st.sampled_from(places(body)) | st.tuples(TEXT))
        body = planted(body, path, draw(VALUES))
        if not places(body):
            break
    return draw(st.just(body) | st.dictionaries(st.sampled_from(names) | TEXT, VALUES, max_size=4) | VALUES)


@pytest.mark.parametrize("route", with_body(APP), ids=lambda route: route.name)
@REUSED
@given(data=st.data())
def test_a_body_of_anything(made: Installation, route: Route, data: st.DataObject) -> None:
    made.add(record("m-1", "seeker", "supporter"), record("m-2"))
    check(made.call(route.method, route.path, data.draw(spoilt(route.name))))


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
@REUSED
@given(query=st.dictionaries(st.sampled_from(["q", "limit"]) | TEXT, TEXT | st.integers().map(str), max_size=3))
def test_a_query_of_anything(made: Installation, query: dict[str, str]) -> None:
    check(made.call("GET", f"/v1/programme/vocabularies/experiences?{urlencode(query)}"))


@REUSED
@given(member_id=st.text(st.characters(codec="utf-8"), min_size=1, max_size=70))
def test_a_path_of_any_text(made: Installation, member_id: str) -> None:
    for method in ("GET", "DELETE", "PUT"):
        check(made.call(method, f"/v1/members/{quote(member_id, safe='')}", {} if method == "PUT" else None))


@NO_DATABASE
@pytest.mark.parametrize(
    "header", ["If-Match", "If-None-Match", "X-Request-Id", "Authorization", "Accept", "Content-Length"]
)
@pytest.mark.parametrize("value", ["", "\t", '"', "W/", "*, *", "é", "x" * 5000, "-1", "99999999999999999999"])
def test_headers_of_anything(made: Installation, header: str, value: str) -> None:
    check(made.call("GET", "/v1/members/m-1", headers={header: value}))
