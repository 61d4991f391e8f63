"""Which bodies are read, and how much of them.

No WSGI server that Peermatch runs on has a deadline for a body: one that comes slowly, or never, holds the thread that
reads it (granian's maintainer declined one: emmett-framework/granian#728). So bodies are read before anything else is
done, by threads that do nothing else, and only for holders of a key.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any, Final, NamedTuple

from service import metrics
from service.headers import HEADERS
from service.logs import BEGAN, log_request, new_request_id
from service.problems import TIMEOUT, Problem, answer, not_ready
from service.security import split_token

MAX_BODY: Final = 64 * 1024
MOST_FORM: Final = 8 * 1024
"""Bytes of a form of the console: the one who signs in has nothing yet that opens anything."""
VISITORS: Final = b"visitors of the console"
"""The sender of every form that came without a session."""
SESSION: Final = "Session "
"""Begins what `may_send` is asked where a session of the console came with a request, not a key."""
_TRUSTED_SECONDS: Final = 60.0
_MOST_TRUSTED: Final = 1024


class Reply(NamedTuple):
    """A whole reply."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class Gate:
    """Decides whose bodies are read.

    Parameters
    ----------
    may_send : callable
        Returns whether an ``Authorization`` header opens anything. Asked again after a minute; the application asks
        at every request anyway, so that a revoked key opens nothing: its holder may only keep a thread waiting.
    session_of : callable, optional
        Returns the token that a form of the console came with, nothing where it came with none, and None for what is no
        form of the console.
    """

    def __init__(
        self, may_send: Callable[[str], bool], session_of: Callable[[Mapping[str, Any]], str | None] | None = None
    ) -> None:
        self._may_send = may_send
        self._session_of = session_of or (lambda _: None)
        self._trusted: dict[bytes, float] = {}

    def sender(self, environ: Mapping[str, Any]) -> bytes | None:
        """Return what tells one sender from another, or None if the body is not to be read.

        It is not where there is none, where it is longer than any may be, and where no valid key came with it: the
        application refuses those without looking at the body. Forms of the console are short, and are read also where
        nobody has signed in yet.
        """
        length = environ.get("CONTENT_LENGTH") or ""
        if not length and "HTTP_TRANSFER_ENCODING" not in environ:
            return None
        declared = declared_length(environ)
        if declared == 0 or (declared is not None and declared > MAX_BODY):
            return None
        session = self._session_of(environ)
        if session is not None:
            return self._sender_of_form(declared, session)
        header = environ.get("HTTP_AUTHORIZATION", "")
        key = sha256(header.encode("utf-8", "replace")).digest()
        return key if self._trusts(header, key) else None

    def _sender_of_form(self, declared: int | None, token: str) -> bytes | None:
        if declared is None or declared > MOST_FORM:
            return None
        asked = f"{SESSION}{token}"
        key = sha256(asked.encode("utf-8", "replace")).digest()
        return key if token and self._trusts(asked, key, form=True) else VISITORS

    def _trusts(self, header: str, key: bytes, *, form: bool = False) -> bool:
        now = time.monotonic()
        if self._trusted.get(key, 0.0) > now:
            return True
        scheme, _, token = header.partition(" ")
        is_key = scheme.lower() == "bearer" and split_token(token.strip()) is not None
        if not (form or is_key) or not self._may_send(header):
            return False
        if len(self._trusted) >= _MOST_TRUSTED:
            self._trusted.clear()
        self._trusted[key] = now + _TRUSTED_SECONDS
        return True


def declared_length(environ: Mapping[str, Any]) -> int | None:
    """Return the Content-Length of a request, or None if it has none (or no number: the application refuses it)."""
    length = environ.get("CONTENT_LENGTH") or ""
    return int(length) if length.isascii() and length.isdigit() else None


def read(environ: Mapping[str, Any]) -> bytes:
    """Return the body of a request: all that is declared, or at most one byte more than `MAX_BODY`.

    Raises
    ------
    Problem
        408 if it ends before it has the declared length: what came is part of something, and no request.
    """
    declared = declared_length(environ)
    wanted = MAX_BODY + 1 if declared is None else declared
    parts: list[bytes] = []
    while wanted > 0 and (part := environ["wsgi.input"].read(wanted)):
        parts.append(part)
        wanted -= len(part)
    if declared is not None and wanted > 0:
        raise _incomplete("The body ended before its Content-Length; nothing was changed.")
    return b"".join(parts)


def late(*, reading: bool) -> Problem:
    """Return what is answered when the time of a request is up before the work on it began."""
    if reading:
        return _incomplete("The body did not come in time; nothing was changed.")
    return not_ready("Too many requests were before this one; nothing was changed. Try again.")


def _incomplete(detail: str) -> Problem:
    return Problem(TIMEOUT, detail, headers={"Connection": "close"})


def refuse(problem: Problem, environ: Mapping[str, Any]) -> Reply:
    """Return the reply for a request that does not reach the application, and log it as any other."""
    reply = answer(problem)
    method = environ.get("REQUEST_METHOD", "")
    request_id = new_request_id(environ.get("HTTP_X_REQUEST_ID", ""))
    headers = {**HEADERS, **dict(reply.headers), "X-Request-Id": request_id}
    began = environ.get(BEGAN) or time.perf_counter()
    log_request(method, None, reply.status_code, began, programme=None, request_id=request_id)
    metrics.answered(method, None, reply.status_code)
    return Reply(reply.status_code, list(headers.items()), reply.get_data())
