"""One JSON line a request, and one for what failed: routes and kinds, never a member's data."""

from __future__ import annotations

import logging
import re
import secrets
import sys
import time
import traceback
from contextlib import suppress
from typing import Any, Final

import orjson
from flask import Flask, Response, g, has_request_context, request

LOGGER = logging.getLogger("peermatch")
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
BEGAN: Final = "peermatch.began"
"""Where a server that took the request before the application did says when, as `time.perf_counter()`."""
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_SERVER_WORDS: Final = 300


def register(app: Flask) -> None:
    """Give every request an id, and a line in the log."""
    app.before_request(_begin)
    app.after_request(_end)


class _Lines:
    """Where lines go: the logging package, until a server has them written straight to a stream."""

    def __init__(self) -> None:
        self._second = 0
        self._moment = ""
        self.stream: Any = None

    def write(self, level: int, document: dict[str, Any]) -> None:
        line = orjson.dumps({"at": self._now(), **document})
        if self.stream is None:
            LOGGER.log(level, "%s", line.decode())
            return
        # A log that cannot be written, its disk full or its reader gone, is no reason to refuse anybody.
        with suppress(OSError, ValueError):
            self.stream.write(line + b"\n")
            self.stream.flush()

    def _now(self) -> str:
        now = time.time()
        second = int(now)
        if second != self._second:
            # The text first: another thread that sees the new second finds its text, or at worst writes it again.
            self._moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
            self._second = second
        return f"{self._moment}.{int((now - second) * 1000):03d}+00:00"


_LINES: Final = _Lines()


def configure() -> None:
    """Send the log straight to standard error, one JSON document a line; for servers, not for tests."""
    _LINES.stream = sys.stderr.buffer


def log_event(event: str, level: int = logging.INFO, **fields: object) -> None:
    """Write one line. `fields` are names and numbers of ours, never what a caller sent."""
    _LINES.write(level, {"event": event, **fields})


def log_failure(error: BaseException) -> None:
    """Say what failed and where. An error's own words may quote a record, so only its kind is written."""
    chain: list[str] = []
    cause: BaseException | None = error
    while cause is not None and len(chain) < 5:
        chain.append(type(cause).__qualname__)
        cause = cause.__cause__ or cause.__context__
    frames = traceback.extract_tb(error.__traceback__)[-12:]
    where = [f"{frame.filename.rpartition('site-packages/')[2]}:{frame.lineno}:{frame.name}" for frame in frames]
    log_event("failure", logging.ERROR, error=chain, where=where, request_id=request_id())


def log_request(
    method: str, route: str | None, status: int, began: float, *, request_id: str | None, **more: object
) -> None:
    """Write the line of a request: its route, not its address, which names a member."""
    _LINES.write(
        logging.INFO,
        {
            "event": "request",
            "method": method if method in METHODS else "OTHER",
            "route": route,
            "status": status,
            "ms": round((time.perf_counter() - began) * 1000, 2),
            **more,
            "request_id": request_id,
        },
    )


def tell_outcome(outcome: str) -> None:
    """Have the line of the present request say what came of it, in a word of ours such as ``matched``."""
    g.outcome = outcome


def request_id() -> str | None:
    """Return the id of the request being answered, or None outside one."""
    return g.get("request_id") if has_request_context() else None


def new_request_id(given: str) -> str:
    """Return the id that a caller gave, if it is one, or a new one."""
    return given if given and _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)


class ServerLines(logging.Formatter):
    """Writes the lines of the server underneath as JSON: the first of their words, and no traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line."""
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        words = record.getMessage().partition("\n")[0][:_SERVER_WORDS]
        document = {
            "at": f"{moment}.{int(record.msecs):03d}+00:00",
            "event": "server",
            "level": record.levelname.lower(),
            "message": words,
        }
        return orjson.dumps(document).decode()


def _begin() -> None:
    # Each use of `g` and `request` looks for the context again; both of these run at every request.
    environ = request.environ
    known = g._get_current_object().__dict__  # noqa: SLF001 - documented by werkzeug
    known["request_id"] = new_request_id(environ.get("HTTP_X_REQUEST_ID", ""))
    known["began"] = environ.get(BEGAN) or time.perf_counter()


def _end(response: Response) -> Response:
    known = g._get_current_object().__dict__  # noqa: SLF001
    asked: Any = request._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001
    identifier = known.get("request_id", "")
    response.headers.add("X-Request-Id", identifier)
    access = known.get("access")
    rule = asked.url_rule
    more: dict[str, object] = {"programme": access.programme_id or None if access else None}
    if "outcome" in known:
        more["outcome"] = known["outcome"]
    log_request(
        asked.method,
        rule.rule if rule else None,
        response.status_code,
        known.get("began") or time.perf_counter(),
        request_id=identifier,
        **more,
    )
    return response
