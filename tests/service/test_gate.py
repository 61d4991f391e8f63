from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pytest

from service import gate, headers
from service.gate import MAX_BODY, Gate, late, read, refuse
from service.problems import Problem
from service.security import new_token

KEY = new_token().text


class Drip(io.RawIOBase):
    """A body that comes in small pieces."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.asked = 0

    def read(self, size: int = -1) -> bytes:
        self.asked += 1
        part, self.data = self.data[: min(size, 7)], self.data[min(size, 7) :]
        return part


def asked(body: bytes = b"{}", *, key: str | None = KEY, **more: Any) -> dict[str, Any]:
    environ = {"REQUEST_METHOD": "POST", "CONTENT_LENGTH": str(len(body)), "wsgi.input": Drip(body), **more}
    return environ if key is None else {"HTTP_AUTHORIZATION": f"Bearer {key}", **environ}


@pytest.fixture
def seen() -> list[str]:
    return []


@pytest.fixture
def made(seen: list[str]) -> Gate:
    def may_send(header: str) -> bool:
        seen.append(header)
        return header.endswith(KEY)

    return Gate(may_send)


@pytest.mark.parametrize(
    "environ",
    [
        asked(key=None),
        asked(key="nonsense"),
        asked(key=new_token().text),
        asked(HTTP_AUTHORIZATION=f"Basic {KEY}"),
        asked(CONTENT_LENGTH="0"),
        asked(CONTENT_LENGTH=str(MAX_BODY + 1)),
        asked(CONTENT_LENGTH=""),
    ],
    ids=["no key", "no form", "unknown", "not a bearer", "empty", "too long", "none"],
)
def test_what_the_application_refuses_anyway_is_not_read(made: Gate, environ: dict[str, Any]) -> None:
    assert made.sender(environ) is None


def test_a_header_without_the_form_of_a_key_is_not_looked_up(made: Gate, seen: list[str]) -> None:
    made.sender(asked(key="pm_x_y"))
    assert seen == []


def test_a_key_is_looked_up_once_a_minute(made: Gate, seen: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(gate.time, "monotonic", lambda: now[0])
    senders = {made.sender(asked()) for _ in range(3)}
    assert len(senders) == len(seen) == 1
    now[0] = 59.9
    assert made.sender(asked(HTTP_TRANSFER_ENCODING="chunked", CONTENT_LENGTH="")) in senders
    now[0] = 60.1
    assert made.sender(asked()) in senders
    assert len(seen) == 2


def test_unknown_keys_are_not_remembered(made: Gate, seen: list[str]) -> None:
    for _ in range(2):
        assert made.sender(asked(key=new_token().text)) is None
    assert len(seen) == 2


@pytest.mark.parametrize("size", [1, 6, 7, 8, MAX_BODY])
def test_a_body_is_read_whole(size: int) -> None:
    assert read(asked(b"x" * size)) == b"x" * size


def test_a_body_of_unknown_length_is_read_up_to_one_byte_more_than_may_be() -> None:
    assert read(asked(b"x" * 100, CONTENT_LENGTH="", HTTP_TRANSFER_ENCODING="chunked")) == b"x" * 100
    environ = asked(b"x" * (MAX_BODY + 500), CONTENT_LENGTH="", HTTP_TRANSFER_ENCODING="chunked")
    assert len(read(environ)) == MAX_BODY + 1


def test_no_more_is_asked_for_than_was_declared() -> None:
    environ = asked(b"x" * 7, CONTENT_LENGTH="7")
    read(environ)
    assert environ["wsgi.input"].asked == 1


def test_half_a_body_is_no_request() -> None:
    with pytest.raises(Problem) as refused:
        read(asked(b'{"a": 1}', CONTENT_LENGTH="100"))
    assert refused.value.kind.status == 408


@pytest.mark.parametrize(
    ("problem", "status", "kind"),
    [(lambda: late(reading=True), 408, "request-timeout"), (lambda: late(reading=False), 503, "not-ready")],
)
def test_a_refusal_is_a_problem_with_every_header(
    problem: Callable[[], Problem], status: int, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="peermatch")
    reply = refuse(problem(), asked(HTTP_X_REQUEST_ID="from-the-proxy"))
    assert reply.status == status
    assert json.loads(reply.body)["type"] == f"urn:peermatch:problem:{kind}"
    sent = dict(reply.headers)
    assert headers.HEADERS.items() <= sent.items()
    assert sent["X-Request-Id"] == "from-the-proxy"
    assert sent["Content-Type"] == "application/problem+json"
    assert len(sent) == len(reply.headers)
    assert ("Retry-After" in sent) == (status == 503)
    line = json.loads(caplog.messages[0])
    assert (line["status"], line["route"], line["request_id"]) == (status, None, "from-the-proxy")
