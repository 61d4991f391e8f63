"""Whatever goes wrong at an address of the console is a page in plain words, with the console's headers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from flask import Response

from service.console import members
from service.problems import KINDS, Problem
from service.store import StoreError
from tests.service.console.visiting import Visitor, signed_in, words
from tests.service.databases import sampled
from tests.service.installation import Installation
from tests.service.routes import console_routes

POLICY = {
    "default-src 'none'",
    "style-src 'self'",
    "script-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
}


def is_page(reply: Any, status: int) -> None:
    assert reply.status_code == status
    assert reply.mimetype == "text/html"
    told = reply.get_data(as_text=True)
    assert told.startswith("<!doctype html>")
    for bad in ("Traceback", "urn:peermatch", "/v1/", "openapi", "Authorization"):
        assert bad not in told


def headers_are_right(reply: Response, cache: str = "no-store") -> None:
    assert {part.strip() for part in reply.headers["Content-Security-Policy"].split(";")} == POLICY
    assert reply.headers.getlist("Cache-Control") == [cache]
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert reply.headers["X-Frame-Options"] == "DENY"
    assert reply.headers["Referrer-Policy"] == "same-origin"
    assert reply.headers["Strict-Transport-Security"]
    assert reply.headers["X-Request-Id"]


def test_every_reply_has_the_headers(made: Installation) -> None:
    visitor = signed_in(made)
    for client in (visitor.client, made.app.test_client()):
        for route in console_routes(made.app):
            reply = client.open(route.path, method=route.method)
            headers_are_right(reply)
        headers_are_right(client.get("/console/nonsense"))
    headers_are_right(visitor.client.get("/console/static/console.css"), "private, no-cache")


def test_pages_have_no_script_or_style_in_them(made: Installation) -> None:
    visitor = signed_in(made)
    for route in console_routes(made.app):
        told = visitor.client.open(route.path, method=route.method).get_data(as_text=True)
        assert "<style" not in told
        assert " style=" not in told
        assert "<script>" not in told
        assert " onclick" not in told
        assert "http" not in told.replace("htmx", ""), "nothing from elsewhere"


@pytest.mark.parametrize("path", ["/nonsense", "/", "/members/", "/members/m-1", "/static/x", "/static/../secret.key"])
def test_an_address_that_is_not_there(made: Installation, path: str) -> None:
    is_page(Visitor(made).get(path), 404)
    visitor = signed_in(made)
    reply = visitor.get(path)
    is_page(reply, 404)
    assert "There is no such page" in words(reply)


def test_a_method_that_is_not_there(made: Installation) -> None:
    for path in ("/console/members", "/console/loads"):
        reply = signed_in(made).client.delete(path)
        is_page(reply, 405)
        assert reply.headers["Allow"]


def test_addresses_of_the_api_stay_as_they_are(made: Installation) -> None:
    for path in ("/consoles", "/v1/nonsense", "/"):
        assert made.client.get(path).mimetype == "application/problem+json"


def test_too_much(made: Installation) -> None:
    visitor = signed_in(made)
    visitor.get("/members")
    is_page(visitor.post("/members/hold", {"member_id": "m" * 70_000}), 413)


@pytest.mark.parametrize(
    ("error", "status"), [(StoreError("the database at /secret/place is away"), 503), (ValueError("m-1"), 500)]
)
def test_a_failure_inside_says_nothing_of_what_failed(
    made: Installation, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int
) -> None:
    visitor = signed_in(made)

    def fails(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(members, "one", fails)
    reply = visitor.get("/members?member_id=m-1")
    is_page(reply, status)
    assert "secret" not in words(reply)
    assert "m-1" not in words(reply)


@sampled("What becomes of a refusal never comes to a database.")
def test_every_kind_of_problem_is_a_page(made: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    visitor = signed_in(made)
    for kind in KINDS:

        def refuses(*_: object, **__: object) -> None:
            raise Problem(kind, "<b>words</b>", headers={"Retry-After": "7"})  # noqa: B023 - called in this turn

        monkeypatch.setattr(members, "one", refuses)
        reply = visitor.get("/members?member_id=m-1")
        assert reply.status_code == kind.status
        assert reply.mimetype == "text/html"
        assert reply.headers["Retry-After"] == "7"
        assert "<b>" not in reply.get_data(as_text=True)


def test_a_refusal_takes_the_place_of_the_page_where_a_script_asked(made: Installation) -> None:
    reply = signed_in(made).get("/nonsense", **{"HX-Request": "true"})
    assert (reply.headers["HX-Retarget"], reply.headers["HX-Reswap"]) == ("#main", "outerHTML")


def test_files_are_asked_for_again_and_not_sent_again(made: Installation) -> None:
    for name, mimetype in (("console.css", "text/css"), ("htmx.min.js", "text/javascript")):
        reply = Visitor(made).get(f"/static/{name}")
        assert (reply.status_code, reply.mimetype) == (200, mimetype)
        again = Visitor(made).get(f"/static/{name}", **{"If-None-Match": reply.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")


def test_the_script_is_the_one_that_was_published_with_its_licence(root: Path) -> None:
    folder = root / "service" / "console" / "static"
    assert b'version:"2.0.11"' in (folder / "htmx.min.js").read_bytes()
    assert "Zero-Clause BSD" in (folder / "htmx.LICENSE.txt").read_text("utf-8")


def test_the_script_keeps_no_page_and_evaluates_nothing() -> None:
    from service.console.rendering import HTMX

    set_up = json.loads(HTMX)
    assert set_up["historyCacheSize"] == 0
    assert set_up["allowEval"] is set_up["allowScriptTags"] is set_up["includeIndicatorStyles"] is False
    assert set_up["selfRequestsOnly"] is True
