"""The application behind its gate, for servers that answer in the thread that asked: gunicorn above all."""

from __future__ import annotations

import io
import os
import socket
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from http import HTTPStatus
from threading import Lock
from typing import Any, Final

from flask import Flask

from matcher.errors import PeermatchError
from service.access import find_access
from service.console.bodies import session_of
from service.console.entry import goes_on
from service.deadlines import Deadlines
from service.gate import SESSION, Gate, late, read, refuse
from service.logs import BEGAN, log_failure
from service.problems import Problem, not_ready
from service.settings import SettingsError
from service.state import state

TIMEOUT: Final = "PEERMATCH_TIMEOUT"
"""Seconds that a body may take; `peermatch serve` has an option for it."""
DEFAULT_TIMEOUT: Final = 30.0


def may_send(made: Flask) -> Callable[[str], bool]:
    """Return what tells whether an ``Authorization`` header, or a session of the console, opens anything."""
    here = state(made)

    def ask(header: str) -> bool:
        try:
            if header.startswith(SESSION):
                return goes_on(made, header.removeprefix(SESSION))
            find_access(here.store, header, here.clock())
        except Problem:
            return False
        except PeermatchError as problem:  # the database is away: that is no reason to say that the key is wrong
            log_failure(problem)
            raise not_ready("The database is busy or away; nothing was changed. Try again.") from None
        return True

    return ask


class Gated:
    """A WSGI application: the body first, then one request at a time.

    The body has a deadline where the server gives its socket away, as gunicorn does. Then one request is worked on in
    a process, however many threads it has: the work is CPU-bound.
    """

    def __init__(self, made: Flask, seconds: float | None = None) -> None:
        self._app = made.wsgi_app
        self._gate = Gate(may_send(made), session_of(made))
        self._deadlines = Deadlines(_timeout(os.environ) if seconds is None else seconds)
        self._deadlines.start()
        self._work = Lock()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request."""
        environ[BEGAN] = time.perf_counter()
        try:
            environ["wsgi.input"] = io.BytesIO(self._body(environ))
        except Problem as problem:
            reply = refuse(problem, environ)
            start_response(f"{reply.status} {HTTPStatus(reply.status).phrase}", reply.headers)
            return [reply.body]
        if environ.get("PATH_INFO", "").startswith("/__"):
            return self._app(environ, start_response)
        with self._work:
            return self._app(environ, start_response)

    def _body(self, environ: dict[str, Any]) -> bytes:
        pending = self._deadlines.begin(lambda _: _stop_reading(environ))
        try:
            body = b"" if self._gate.sender(environ) is None else read(environ)
        except Problem:
            if not self._deadlines.claim(pending):
                raise late(reading=True) from None
            raise
        # A deadline that passed after the last byte changes nothing: it is here.
        self._deadlines.claim(pending)
        return body


def _timeout(environment: Mapping[str, str]) -> float:
    text = environment.get(TIMEOUT, "").strip()
    try:
        seconds = float(text or DEFAULT_TIMEOUT)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 3600:
        raise SettingsError(f"{TIMEOUT}: found {text!r}; expected a number of seconds, at most 3600")
    return seconds


def _stop_reading(environ: dict[str, Any]) -> None:
    connection = environ.get("gunicorn.socket")
    if isinstance(connection, socket.socket):
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RD)
