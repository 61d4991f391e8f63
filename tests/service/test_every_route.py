"""What must hold at every address there is: 405 with Allow, 413 also without a length, 415."""

from __future__ import annotations

import io
from typing import Any

import pytest

from tests.service.api.test_members import problem
from tests.service.databases import sampled
from tests.service.installation import Installation, record
from tests.service.routes import APP, Route, routes, with_body

pytestmark = sampled("What is refused before it is read never comes to a database.")
METHODS = ("GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "TRACE", "NONSENSE")
RULES = sorted({route.rule for route in routes(APP)})
BODIES = pytest.mark.parametrize("route", with_body(APP), ids=lambda route: route.name)
MOST = 64 * 1024
JSON = "application/json"


@pytest.mark.parametrize("rule", RULES)
def test_405_names_what_is_allowed(made: Installation, rule: str) -> None:
    here = [route for route in routes(APP) if route.rule == rule]
    allowed = {route.method for route in here} | ({"HEAD"} if "GET" in {route.method for route in here} else set())
    for method in METHODS:
        if method in allowed:
            continue
        for reply in (made.call(method, here[0].path), made.client.open(here[0].path, method=method)):
            problem(reply, 405, "method-not-allowed")
            assert {one.strip() for one in reply.headers["Allow"].split(",")} == allowed, method


@pytest.mark.parametrize("rule", RULES)
def test_an_address_is_there_or_it_is_not(made: Installation, rule: str) -> None:
    path = next(route.path for route in routes(APP) if route.rule == rule)
    for beside in (f"{path}/", f"{path}//x", path.replace("/v1/", "/v1//"), path.upper().replace("M-1", "m-1")):
        if beside not in {route.path for route in routes(APP)}:
            problem(made.call("GET", beside), 404, "no-such-address")


def send(made: Installation, route: Route, body: bytes, *, chunked: bool = False, **sent: Any) -> Any:
    headers = {"Authorization": f"Bearer {made.key}", **sent.pop("headers", {})}
    options: dict[str, Any] = {"data": body}
    if chunked:
        options = {"input_stream": io.BytesIO(body), "environ_overrides": {"wsgi.input_terminated": True}}
        headers["Transfer-Encoding"] = "chunked"
    return made.client.open(
        route.path, method=route.method, content_type=sent.get("content_type", JSON), headers=headers, **options
    )


@BODIES
@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("key", [None, "k-1"])
def test_413_beyond_64_kib_with_and_without_a_length(
    made: Installation, route: Route, chunked: bool, key: str | None
) -> None:
    headers = {"Idempotency-Key": key} if key else {}
    made.add(record("m-1", "seeker", "supporter"), record("m-2"))
    most = b'{"x": 1}'.ljust(MOST)
    assert send(made, route, most, chunked=chunked, headers=headers).status_code == 422
    for much in (most + b" ", most + b"and what is no JSON", b" " * 10 * MOST):
        headers = {"Idempotency-Key": f"k-{len(much)}"} if key else {}
        problem(send(made, route, much, chunked=chunked, headers=headers), 413, "too-large")


@BODIES
@pytest.mark.parametrize(
    "content_type", [None, "text/plain", "multipart/form-data; boundary=x", "application/json; charset=latin1"]
)
def test_415_unless_json_in_utf8(made: Installation, route: Route, content_type: str | None) -> None:
    problem(send(made, route, b"{}", content_type=content_type), 415, "unsupported-media-type")


@BODIES
def test_415_if_compressed(made: Installation, route: Route) -> None:
    problem(send(made, route, b"{}", headers={"Content-Encoding": "gzip"}), 415, "unsupported-media-type")


def test_every_reply_has_an_id_and_is_not_stored(made: Installation) -> None:
    for route in routes(APP):
        reply = made.call(route.method, route.path, {})
        assert reply.headers["X-Request-Id"], route.name
        assert reply.headers["Cache-Control"] == "no-store", route.name
