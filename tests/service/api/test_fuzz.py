"""Bodies nobody thought of: whatever is sent, the reply is a problem document and never a fault of ours."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.problems import MEDIA_TYPE
from tests.conftest import examples
from tests.service.installation import Installation, record

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


def planted(path: tuple[str | int, ...], value: Any) -> Any:
    """Return a valid record but for `value` at `path`."""
    whole: Any = json.loads(json.dumps(record("m-1", wants={})))
    inner = whole
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return whole


@REUSED
@given(path=st.sampled_from(PATHS), value=VALUES)
def test_a_record_with_anything_anywhere(made: Installation, path: tuple[str | int, ...], value: Any) -> None:
    check(made.call("PUT", "/v1/members/m-1", planted(path, value)))
    check(made.call("GET", "/v1/members/m-1"))


@REUSED
@given(body=st.dictionaries(st.sampled_from(["member_id", "kind", "limit"]) | TEXT, VALUES, max_size=4) | VALUES)
def test_a_match_request_of_anything(made: Installation, body: Any) -> None:
    check(made.call("POST", "/v1/match", body))


@REUSED
@given(body=st.binary(max_size=60), route=st.sampled_from([("POST", "/match"), ("PUT", "/v1/members/m-1")]))
def test_a_body_of_any_bytes(made: Installation, body: bytes, route: tuple[str, str]) -> None:
    headers = {"Authorization": f"Bearer {made.key}"}
    check(made.client.open(route[1], method=route[0], data=body, content_type="application/json", headers=headers))


@REUSED
@given(member_id=st.text(st.characters(codec="utf-8"), min_size=1, max_size=70))
def test_a_path_of_any_text(made: Installation, member_id: str) -> None:
    from urllib.parse import quote

    for method in ("GET", "DELETE", "PUT"):
        check(made.call(method, f"/v1/members/{quote(member_id, safe='')}", {} if method == "PUT" else None))


@pytest.mark.parametrize(
    "header", ["If-Match", "If-None-Match", "X-Request-Id", "Authorization", "Accept", "Content-Length"]
)
@pytest.mark.parametrize("value", ["", "\t", '"', "W/", "*, *", "é", "x" * 5000, "-1", "99999999999999999999"])
def test_headers_of_anything(made: Installation, header: str, value: str) -> None:
    check(made.call("GET", "/v1/members/m-1", headers={header: value}))
