"""One JSON line a request, and one for what failed: routes and kinds, never a member's data."""

from __future__ import annotations

import json
import logging
import re
import secrets
import sys
import time
import traceback
from datetime import UTC, datetime

from flask import Flask, Response, g, has_request_context, request

LOGGER = logging.getLogger("peermatch")
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


def register(app: Flask) -> None:
    """Give every request an id, and a line in the log."""
    app.before_request(_begin)
    app.after_request(_end)


def configure(level: int = logging.INFO) -> None:
    """Send the log to standard error, one JSON document a line; for servers, not for tests."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    LOGGER.handlers = [handler]
    LOGGER.propagate = False
    LOGGER.setLevel(level)


def log_event(event: str, level: int = logging.INFO, **fields: object) -> None:
    """Write one line. `fields` are names and numbers of ours, never what a caller sent."""
    moment = datetime.now(UTC).isoformat(timespec="milliseconds")
    LOGGER.log(level, "%s", json.dumps({"at": moment, "event": event, **fields}, separators=(",", ":")))


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


def request_id() -> str | None:
    """Return the id of the request being answered, or None outside one."""
    return g.get("request_id") if has_request_context() else None


def _begin() -> None:
    given = request.headers.get("X-Request-Id", "")
    g.request_id = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
    g.began = time.perf_counter()


def _end(response: Response) -> Response:
    response.headers["X-Request-Id"] = g.get("request_id", "")
    access = g.get("access")
    log_event(
        "request",
        method=request.method if request.method in METHODS else "OTHER",
        # The rule, not the path: the path names a member.
        route=request.url_rule.rule if request.url_rule else None,
        status=response.status_code,
        ms=round((time.perf_counter() - g.get("began", time.perf_counter())) * 1000, 2),
        programme=access.programme_id if access else None,
        request_id=g.get("request_id"),
    )
    return response
