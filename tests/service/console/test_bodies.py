"""Which forms are read before anything else is done: short ones, with a session or for signing in."""

from __future__ import annotations

import io
from typing import Any

import pytest

from service.console import cookies
from service.console.bodies import session_of
from service.console.sessions import new_token
from service.gate import MOST_FORM, VISITORS, Gate
from service.gated import Gated, may_send
from tests.service.console.visiting import Visitor, signed_in
from tests.service.installation import Installation


def form(path: str = "/console/sign-in", cookie: str = "", **more: Any) -> dict[str, Any]:
    return {"REQUEST_METHOD": "POST", "PATH_INFO": path, "CONTENT_LENGTH": "100", "HTTP_COOKIE": cookie, **more}


@pytest.fixture
def gate(made: Installation) -> Gate:
    return Gate(may_send(made.app), session_of(made.app))


def test_a_session_is_a_sender_of_its_own(made: Installation, gate: Gate) -> None:
    one, other = signed_in(made), signed_in(made)
    senders = {gate.sender(form("/console/members/hold", f"{cookies.PLAIN}={who.token}")) for who in (one, other)}
    assert len(senders - {VISITORS, None}) == 2
    assert gate.sender(form(cookie=f"x=y; {cookies.SECURE}={one.token}")) in senders


@pytest.mark.parametrize("cookie", ["", "x", "peermatch_console=x", f"peermatch_console={'A' * 43}", 'a="', "=;,"])
def test_all_others_are_one_sender(gate: Gate, cookie: str) -> None:
    assert gate.sender(form(cookie=cookie)) == VISITORS


@pytest.mark.parametrize(
    "environ",
    [
        form(CONTENT_LENGTH=str(MOST_FORM + 1)),
        form(CONTENT_LENGTH="0"),
        form(CONTENT_LENGTH="", HTTP_TRANSFER_ENCODING="chunked"),
        form(REQUEST_METHOD="PUT"),
        form("/v1/match"),
        form("/consoles"),
    ],
    ids=["long", "empty", "chunked", "another method", "the api", "beside it"],
)
def test_nothing_else_is_read_for_nobody(gate: Gate, environ: dict[str, Any]) -> None:
    assert gate.sender(environ) is None


def test_a_session_is_no_key(made: Installation, gate: Gate) -> None:
    token = signed_in(made).token
    for header in (f"Session {token}", f"Bearer {token}"):
        environ = form("/v1/match", f"{cookies.PLAIN}={token}", HTTP_AUTHORIZATION=header)
        assert gate.sender(environ) is None
    assert gate.sender(form(HTTP_AUTHORIZATION=f"Session {token}")) == VISITORS


def test_without_a_console_no_form_is_read(made: Installation) -> None:
    made.app.extensions.pop("peermatch-console")
    assert session_of(made.app) is None
    assert Gate(may_send(made.app), session_of(made.app)).sender(form()) is None


def test_signing_in_works_behind_the_gate(made: Installation) -> None:
    gated = Gated(made.app, 5.0)
    plain = made.app.wsgi_app
    made.app.wsgi_app = lambda environ, start: (  # type: ignore[method-assign]
        plain(environ, start) if environ.get("peermatch.passed") else gated({**environ, "peermatch.passed": 1}, start)
    )
    visitor = Visitor(made)
    assert visitor.sign_in(made.new_key("coordinator")).status_code == 303
    visitor.get("/members")
    assert visitor.post("/members/hold", {"member_id": "nobody", "kind": "pause"}).status_code == 404
    too_long = {"member_id": "m" * MOST_FORM}
    assert visitor.post("/members/hold", too_long).status_code == 400, "nothing of it was read"


def test_a_form_that_ends_early_is_refused(made: Installation) -> None:
    gated = Gated(made.app, 5.0)
    said: list[str] = []
    environ = form(CONTENT_LENGTH="50", **{"wsgi.input": io.BytesIO(b"key=x")})
    gated(environ, lambda status, headers: said.append(status))
    assert said == ["408 Request Timeout"]


def test_a_token_is_none_of_many_things() -> None:
    token = new_token()
    assert cookies.token_in({"HTTP_COOKIE": f"{cookies.PLAIN}={token}"}) == token
    assert cookies.token_in({}) is None
