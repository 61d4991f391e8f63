"""The runner with a server underneath that the tests play; `tests/service/cli/test_serve_slow.py` has the real one."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import granian.server.mp as granian_workers
import pytest

from service import granian_runner, places
from service.granian_runner import Runner, install
from service.security import new_token

KEY = new_token().text
PATIENCE = 30


class Reception:
    """Takes one answer; later ones are ignored, as granian does."""

    def __init__(self) -> None:
        self._answer: tuple[int, dict[str, str], bytes] | None = None
        self._here = threading.Event()

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        if self._answer is None:
            self._answer = status, dict(headers), body
            self._here.set()

    @property
    def status(self) -> int:
        assert self._here.wait(PATIENCE)
        assert self._answer is not None
        return self._answer[0]

    @property
    def body(self) -> bytes:
        assert self.status
        assert self._answer is not None
        return self._answer[2]


class Slow:
    """A body of which the rest never comes, until the server lets go."""

    def __init__(self) -> None:
        self.reading = threading.Event()
        self.gone = threading.Event()

    def read(self, size: int) -> bytes:
        self.reading.set()
        assert self.gone.wait(PATIENCE)
        return b""


class Quick:
    def __init__(self, data: bytes) -> None:
        self.data = data

    def read(self, size: int) -> bytes:
        part, self.data = self.data[:size], self.data[size:]
        return part


class Application:
    """Answers what was sent, and who worked on it."""

    def __init__(self) -> None:
        self.threads: set[str] = set()
        self.may_go = threading.Event()
        self.may_go.set()
        self.closed = 0

    def __call__(self, environ: dict[str, Any], start: Any) -> Any:
        self.threads.add(threading.current_thread().name)
        if environ["PATH_INFO"] == "/fault":
            raise ValueError("the words of a member")
        if environ["PATH_INFO"] == "/wait":
            assert self.may_go.wait(PATIENCE)
        start("200 OK", [("X-Length", "1")])
        return Parts(self, [environ["REQUEST_METHOD"].encode(), environ["wsgi.input"].read()])


class Parts:
    def __init__(self, app: Application, parts: list[bytes]) -> None:
        self._app = app
        self._parts = parts

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._parts)

    def close(self) -> None:
        self._app.closed += 1


@pytest.fixture
def app() -> Application:
    return Application()


@pytest.fixture
def ask() -> Iterator[Callable[..., Reception]]:
    with ThreadPoolExecutor(80) as threads:

        def send(runner: Runner, path: str = "/v1/match", body: Any = b"{}", *, key: str = KEY) -> Reception:
            reception = Reception()
            scope = {
                "REQUEST_METHOD": "POST" if body is not None else "GET",
                "PATH_INFO": path,
                "HTTP_AUTHORIZATION": f"Bearer {key}",
                "wsgi.input": body if not isinstance(body, bytes) else Quick(body),
            }
            if body is not None:
                scope["CONTENT_LENGTH"] = str(len(body)) if isinstance(body, bytes) else "100"
            threads.submit(runner, reception, scope)
            return reception

        yield send


def started(app: Any, seconds: float = PATIENCE, **more: Any) -> Runner:
    runner = Runner(app, lambda header: header.endswith(KEY), seconds, **more)
    runner.start()
    return runner


def test_one_thread_works_and_another_answers_probes(app: Application, ask: Callable[..., Reception]) -> None:
    runner = started(app)
    replies = [ask(runner, body=b"x" * count) for count in range(1, 20)]
    assert [reply.body for reply in replies] == [b"POST" + b"x" * count for count in range(1, 20)]
    assert app.threads == {"peermatch-work"}
    assert app.closed == 19
    app.threads.clear()
    assert ask(runner, "/__heartbeat__", None).body == b"GET"
    assert app.threads == {"peermatch-aside_0"}


def test_probes_do_not_wait_for_the_work(app: Application, ask: Callable[..., Reception]) -> None:
    runner = started(app)
    app.may_go.clear()
    waiting = ask(runner, "/wait")
    for path in ("/__lbheartbeat__", "/__version__", "/__heartbeat__"):
        assert ask(runner, path, None).status == 200
    app.may_go.set()
    assert waiting.status == 200


def test_bodies_that_never_end_hold_up_nobody_and_end_with_408(app: Application, ask: Callable[..., Reception]) -> None:
    runner = started(app, 0.5)
    slow = [Slow() for _ in range(8)]
    late = [ask(runner, body=one) for one in slow]
    assert all(one.reading.wait(PATIENCE) for one in slow)
    assert ask(runner).status == 200
    assert ask(runner, "/__lbheartbeat__", None).status == 200
    for reply in late:
        assert reply.status == 408
        assert json.loads(reply.body)["type"] == "urn:peermatch:problem:request-timeout"
    for one in slow:
        one.gone.set()


def test_without_a_key_no_body_is_read(app: Application, ask: Callable[..., Reception]) -> None:
    slow = Slow()
    assert ask(started(app), body=slow, key=new_token().text).body == b"POST"
    assert not slow.reading.is_set()


def test_one_key_cannot_take_all_threads(
    app: Application, ask: Callable[..., Reception], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(granian_runner, "MOST_SLOW_OF_ONE", 2)
    monkeypatch.setattr(places, "SLOW_SECONDS", 0.0)
    runner = Runner(app, lambda _: True, PATIENCE)
    runner.start()
    slow = [Slow() for _ in range(2)]
    held = [ask(runner, body=one) for one in slow]
    assert all(one.reading.wait(PATIENCE) for one in slow)
    assert ask(runner).status == 503
    assert ask(runner, key=new_token().text).status == 200
    slow[0].gone.set()
    assert held[0].status == 408
    assert ask(runner).status in {200, 503}
    slow[1].gone.set()
    assert held[1].status == 408


def test_what_waited_too_long_for_its_turn_is_not_carried_out(app: Application, ask: Callable[..., Reception]) -> None:
    runner = started(app, 0.3)
    app.may_go.clear()
    working, waiting = ask(runner, "/wait"), ask(runner)
    while not app.threads:
        threading.Event().wait(0.01)
    refused = [reply for reply in (ask(runner), waiting) if reply.status == 503]
    assert len(refused) == 2
    assert json.loads(refused[0].body)["type"] == "urn:peermatch:problem:not-ready"
    app.may_go.set()
    assert working.status == 200, "what has begun is never given up"
    assert app.closed == 1


def test_a_fault_below_the_application_is_a_problem_without_its_words(
    app: Application, ask: Callable[..., Reception], caplog: pytest.LogCaptureFixture
) -> None:
    runner = started(app)
    reply = ask(runner, "/fault")
    assert reply.status == 500
    assert b"words" not in reply.body
    assert "words" not in caplog.text
    assert ask(runner).status == 200


def test_a_body_that_cannot_be_read_is_a_fault_told_once(
    app: Application, ask: Callable[..., Reception], caplog: pytest.LogCaptureFixture
) -> None:
    class Broken:
        def read(self, size: int) -> bytes:
            raise RuntimeError("the words of a member")

    caplog.set_level("INFO", logger="peermatch")
    runner = started(app)
    assert ask(runner, body=Broken()).status == 500
    assert ask(runner).status == 200
    assert "words" not in caplog.text
    assert not runner._deadlines._open


def test_too_many_bodies_that_never_end_have_the_worker_replaced_once(
    app: Application, ask: Callable[..., Reception], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(granian_runner, "MOST_STUCK", 2)
    renewed = threading.Event()
    runner = started(app, 0.2, renew=renewed.set)
    slow = [Slow() for _ in range(3)]
    assert {ask(runner, body=one).status for one in slow} == {408}
    assert renewed.wait(PATIENCE)
    renewed.clear()
    assert ask(runner, body=Quick(b"")).status == 408
    assert not renewed.is_set()
    for one in slow:
        one.gone.set()


def test_a_granian_without_its_wrapper_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(granian_workers, "_wsgi_call_wrap", granian_workers._wsgi_call_wrap)
    runner = Runner(Application(), lambda _: True, 1.0)
    install(runner)
    assert granian_workers._wsgi_call_wrap(None, {}, None) is runner
    monkeypatch.delattr(granian_workers, "_wsgi_call_wrap")
    with pytest.raises(AttributeError, match=r"constraints\.txt"):
        install(runner)
