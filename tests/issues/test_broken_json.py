"""Broken JSON was read as ``{}`` (flask-smorest 30): every route says 400 or 415, and does nothing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.service.api.test_members import problem
from tests.service.installation import Installation, record
from tests.service.routes import APP, Route, with_body

ROUTES = pytest.mark.parametrize("route", with_body(APP), ids=lambda route: route.name)
ENOUGH = {f"/v1/review/<introduction_id>/{act}" for act in ("approve", "reject", "suspend", "resume", "end")}
"""Routes to which nothing need be said; the introduction that is named here is none."""
BROKEN = [
    b"{",
    b"[]",
    b'"x"',
    b"",
    b" ",
    b"null",
    b"7",
    b"true",
    b"{}}",
    b"{'a': 1}",
    b'{"a": 1,}',
    b"\xff",
    b"\xef\xbb\xbf{}",
]


def send(made: Installation, route: Route, body: bytes, content_type: str | None = "application/json") -> Any:
    made.add(record("m-1", "seeker", "supporter"), record("m-2"))
    headers = {"Authorization": f"Bearer {made.key}"}
    return made.client.open(route.path, method=route.method, data=body, content_type=content_type, headers=headers)


@ROUTES
@pytest.mark.parametrize("body", BROKEN)
def test_broken(made: Installation, route: Route, body: bytes) -> None:
    problem(send(made, route, body), 400, "malformed-json")


@ROUTES
@pytest.mark.parametrize(
    "content_type", [None, "", "text/plain", "application/x-www-form-urlencoded", "application/jsonx"]
)
@pytest.mark.parametrize("body", [b"{}", b"{", b""])
def test_not_said_to_be_json(made: Installation, route: Route, body: bytes, content_type: str | None) -> None:
    problem(send(made, route, body, content_type), 415, "unsupported-media-type")


@ROUTES
def test_an_empty_object_is_one_and_is_told_what_it_lacks(made: Installation, route: Route) -> None:
    if route.rule in ENOUGH:
        problem(send(made, route, b"{}"), 404, "no-such-introduction")
        return
    told = problem(send(made, route, b"{}"), 422, "invalid")
    assert told["errors"]
