from __future__ import annotations

import io
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from service.gated import TIMEOUT, Gated
from service.problems import TIMEOUT as LATE
from service.settings import SettingsError
from tests.service.installation import Installation, record


@pytest.fixture
def gated(made: Installation) -> Iterator[Installation]:
    inner = made.app.wsgi_app
    made.app.wsgi_app = Gated(made.app, 30)  # type: ignore[method-assign]
    yield made
    made.app.wsgi_app = inner  # type: ignore[method-assign]


def test_requests_pass_as_they_are(gated: Installation) -> None:
    assert gated.call("PUT", "/v1/members/s-1", record("s-1", "seeker")).status_code == 201
    assert gated.call("GET", "/v1/members/s-1").get_json()["member_id"] == "s-1"
    assert gated.match("s-1")["outcome"] == "no_match"
    assert gated.client.get("/__lbheartbeat__").status_code == 200
    assert gated.client.post("/v1/match", json={"member_id": "s-1"}).status_code == 401
    too_long = gated.client.post(
        "/v1/match",
        data=b" " * 70_000,
        headers={"Authorization": f"Bearer {gated.key}", "Content-Type": "application/json"},
    )
    assert too_long.status_code == 413


def test_a_body_is_not_read_without_a_key(made: Installation) -> None:
    class Never(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            raise AssertionError

    status: list[str] = []
    environ = {"REQUEST_METHOD": "POST", "PATH_INFO": "/v1/match", "CONTENT_LENGTH": "9", "wsgi.input": Never()}
    environ |= {"SERVER_NAME": "x", "SERVER_PORT": "80", "wsgi.url_scheme": "http", "wsgi.errors": io.StringIO()}
    b"".join(Gated(made.app, 30)(environ, lambda line, headers: status.append(line)))
    assert status == ["401 UNAUTHORIZED"]


def test_a_body_that_never_ends_is_cut_off(made: Installation) -> None:
    """As under gunicorn: the body comes from a socket, which the environment holds."""
    ours, theirs = socket.socketpair()
    with ours, theirs, ours.makefile("rb") as stream:
        theirs.sendall(b'{"member_id":')
        status: list[str] = []
        environ: dict[str, Any] = {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": "/v1/match",
            "CONTENT_LENGTH": "100",
            "HTTP_AUTHORIZATION": f"Bearer {made.key}",
            "wsgi.input": stream,
            "gunicorn.socket": ours,
        }
        reply = b"".join(Gated(made.app, 0.2)(environ, lambda line, headers: status.append(line)))
    assert status == ["408 Request Timeout"]
    assert LATE.type.encode() in reply


def test_one_request_at_a_time_is_worked_on(made: Installation) -> None:
    inside, most = [0], [0]
    lock = threading.Lock()

    def count(environ: Any, start: Any) -> Any:
        with lock:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
        threading.Event().wait(0.01)
        with lock:
            inside[0] -= 1
        start("200 OK", [])
        return [b""]

    gated = Gated(made.app, 30)
    gated._app = count  # type: ignore[assignment]

    def ask(path: str) -> None:
        gated({"REQUEST_METHOD": "GET", "PATH_INFO": path}, lambda *_: None)

    threads = [threading.Thread(target=ask, args=("/v1/members/m",)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1]


@pytest.mark.parametrize("text", ["0", "-1", "nan", "soon", "3601"])
def test_a_timeout_that_is_none_is_refused(made: Installation, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv(TIMEOUT, text)
    with pytest.raises(SettingsError, match=TIMEOUT):
        Gated(made.app)
