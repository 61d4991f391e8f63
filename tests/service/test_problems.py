from __future__ import annotations

import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest
from werkzeug.exceptions import HTTPException, Locked

from matcher.errors import ModelError, ProgrammeError, SeekerError
from service import problems
from service.store import StoreError
from tests.service.api.test_members import problem
from tests.service.databases import Database, sampled
from tests.service.installation import Installation, close, install, record

ROUTES = [("POST", "/v1/match"), ("POST", "/match"), ("PUT", "/v1/members/m-1")]
JSON = "application/json"
NO_DATABASE = sampled("What is refused before it is read never comes to a database.")


def send(
    made: Installation, route: tuple[str, str], data: bytes, content_type: str | None = JSON, **headers: str
) -> Any:
    method, path = route
    sent = {"Authorization": f"Bearer {made.key}", **headers}
    return made.client.open(path, method=method, data=data, content_type=content_type, headers=sent)


@NO_DATABASE
@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b"[]",
        b'"x"',
        b"7",
        b"null",
        b"NaN",
        b"[" * 50_000,
        b'{"a":' * 9_000 + b"1" + b"}" * 9_000,
        b'{"member_id": "m-1", "member_id": "m-1"}',
        b'{"member_id": "m-1", "limit": NaN}',
        b'{"member_id": "m-1", "capacity": Infinity}',
        b'{"member_id": "m-1", "capacity": 1e999}',
        b'{"member_id": "m-1", "capacity": ' + b"9" * 5000 + b"}",
        b'{"member_id": "\\ud800"}',
        b'{"\\ud800": 1}',
        b'{"member_id": "\\u0000"}',
        b'{"member_id": "\xff"}',
        b'\xef\xbb\xbf{"member_id": "m-1"}',
        '{"member_id": "m-1"}'.encode("utf-16"),
        b'{"member_id": "m-1"} {}',
        b"{'member_id': 'm-1'}",
        b'{"member_id": "m-1",}',
    ],
)
def test_a_malformed_body_is_400(made: Installation, route: tuple[str, str], body: bytes) -> None:
    told = problem(send(made, route, body), 400, "malformed-json")
    assert "Traceback" not in json.dumps(told)


@NO_DATABASE
@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize(
    "content_type",
    [None, "", "text/plain", "text/json", "application/x-www-form-urlencoded", "application/problem+json",
     "multipart/form-data; boundary=x", "application/json; charset=utf-16", "nonsense"],
)  # fmt: skip
def test_a_body_that_is_not_json_is_415(made: Installation, route: tuple[str, str], content_type: str | None) -> None:
    problem(send(made, route, b'{"member_id": "m-1"}', content_type), 415, "unsupported-media-type")


def test_the_charset_may_be_told(made: Installation) -> None:
    body = json.dumps(record("m-1")).encode()
    assert send(made, ROUTES[2], body, "application/json; charset=UTF-8").status_code == 201


def test_a_compressed_body_is_415(made: Installation) -> None:
    body = gzip.compress(b'{"member_id": "m-1"}')
    reply = send(made, ROUTES[0], body, **{"Content-Encoding": "gzip"})
    problem(reply, 415, "unsupported-media-type")


@NO_DATABASE
@pytest.mark.parametrize("route", ROUTES)
def test_a_body_beyond_64_kib_is_413(made: Installation, route: tuple[str, str]) -> None:
    fits = b'{"x": "' + b"a" * (64 * 1024 - 9) + b'"}'
    assert len(fits) == 64 * 1024
    assert send(made, route, fits).status_code == 422
    problem(send(made, route, fits + b" "), 413, "too-large")


@NO_DATABASE
@pytest.mark.parametrize("route", ROUTES)
def test_a_chunked_body_is_measured_too(made: Installation, route: tuple[str, str]) -> None:
    def chunked(body: bytes) -> Any:
        return made.client.open(
            route[1],
            method=route[0],
            input_stream=io.BytesIO(body),
            content_type=JSON,
            headers={"Authorization": f"Bearer {made.key}", "Transfer-Encoding": "chunked"},
            environ_overrides={"wsgi.input_terminated": True},
        )

    body = b'{"member_id": "m-1", "x": 1}'
    assert chunked(body).status_code == 422
    assert chunked(body.ljust(64 * 1024)).status_code == 422
    problem(chunked(body.ljust(64 * 1024) + b" "), 413, "too-large")
    problem(chunked(body.ljust(64 * 1024) + b"what follows is not JSON"), 413, "too-large")


def test_an_address_that_is_not_there_is_404_with_or_without_a_key(made: Installation) -> None:
    for path in ("/", "/v1", "/v1/members", "/v1/members/", "/v1/members/m-1/", "/V1/match", "/v1//match", "/static/x"):
        assert made.client.get(path).data == made.call("GET", path).data
        problem(made.call("GET", path), 404, "no-such-address")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/match", {"POST"}),
        ("OPTIONS", "/match", {"POST"}),
        ("TRACE", "/match", {"POST"}),
        ("NONSENSE", "/v1/members/m-1", {"GET", "HEAD", "PUT", "DELETE"}),
        ("PATCH", "/v1/members/m-1", {"GET", "HEAD", "PUT", "DELETE"}),
        ("POST", "/__heartbeat__", {"GET", "HEAD"}),
        ("DELETE", "/openapi.json", {"GET", "HEAD"}),
    ],
)
def test_405_names_what_is_allowed(made: Installation, method: str, path: str, allowed: set[str]) -> None:
    reply = made.call(method, path)
    problem(reply, 405, "method-not-allowed")
    assert {one.strip() for one in reply.headers["Allow"].split(",")} == allowed


def test_a_fault_of_ours_tells_nothing(made: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ValueError("canary-word of a member")

    monkeypatch.setattr("service.live.shortlists.Shortlists.of", broken)
    reply = made.call("POST", "/v1/match", {"member_id": "m-1"})
    body = problem(reply, 500, "internal")
    assert set(body) == {"type", "title", "status", "detail"}
    assert "canary" not in reply.get_data(as_text=True)
    assert reply.headers["X-Request-Id"]
    assert reply.headers["X-Content-Type-Options"] == "nosniff"


def test_a_database_that_others_write_is_503_and_reading_goes_on(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.store.engine.BUSY_MS", 20)
    made = install(tmp_path, database=database)
    made.add(record("m-1"))
    with made.store.transaction():
        for method, body in (("PUT", record("m-1")), ("DELETE", None)):
            reply = made.call(method, "/v1/members/m-1", body)
            assert "nothing was changed" in problem(reply, 503, "not-ready")["detail"]
            assert reply.headers["Retry-After"] == "5"
        assert made.call("GET", "/v1/members/m-1").status_code == 200
    assert made.call("DELETE", "/v1/members/m-1").status_code == 200
    close(made)


@pytest.mark.parametrize(
    ("error", "status", "name"),
    [
        (SeekerError("secret-path"), 409, "not-a-seeker"),
        (StoreError("secret-path"), 503, "not-ready"),
        (ModelError("secret-path"), 503, "not-ready"),
        (ProgrammeError("secret-path"), 503, "not-ready"),
        (Locked("secret-path"), 423, "refused"),
    ],
)
def test_errors_below_are_told_in_fixed_words(
    made: Installation, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int, name: str
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("service.live.shortlists.Shortlists.of", broken)
    reply = made.call("POST", "/v1/match", {"member_id": "m-1"})
    assert "secret-path" not in json.dumps(problem(reply, status, name))
    assert ("Retry-After" in reply.headers) == (status == 503)


def test_kinds_are_distinct_and_all_documented(root: Any) -> None:
    names = [kind.name for kind in problems.KINDS]
    assert len(names) == len(set(names))
    page = (root / "docs" / "reference" / "http.md").read_text()
    for kind in problems.KINDS:
        assert f"`{kind.name}` | {kind.status}" in page


def test_a_redirect_of_the_framework_is_passed_on() -> None:
    error = HTTPException()
    error.code = 308
    assert problems.from_http(error).status_code == 308
