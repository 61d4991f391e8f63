"""Idempotency-Key (draft-ietf-httpapi-idempotency-key-header): a POST that is sent twice is done once.

The row of a key is written before the work begins, so that of any number of requests at once, on whatever worker, one
is done. Requests without the header pay nothing.
"""

from __future__ import annotations

import hashlib
import re

import orjson
from flask import Flask, Response, current_app, g, request

from matcher.errors import PeermatchError, shown
from matcher.people import MEMBER_ID
from service.access import OPEN_ENDPOINTS, access, has_own_entry
from service.api.body import read
from service.api.description import view_of
from service.logs import log_failure
from service.problems import IDEMPOTENCY_REUSED, IDEMPOTENCY_RUNNING, INVALID, Problem
from service.state import state
from service.store import idempotency
from service.store.idempotency import Before, Request

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
KEY = re.compile(r'"[A-Za-z0-9._~-]{1,64}"|[A-Za-z0-9._~-]{1,64}', re.ASCII)
"""With or without the quotation marks of the draft: they are the same key."""
RULE = "1 to 64 of A-Z a-z 0-9 . _ ~ -"
TOLD = ("Content-Type", "ETag", "Location")
"""Headers that are kept with a reply; the others are made anew for each."""
NOT_KEPT = 429


def register(app: Flask) -> None:
    """Heed Idempotency-Key on every POST of `app`; registered after what authenticates."""
    app.before_request(_begin)
    app.after_request(_end)


def _begin() -> Response | None:
    """Reply at once where the same request was there before; else put it down as under way."""
    if request.method != "POST" or HEADER not in request.headers:
        return None
    if request.endpoint is None or request.endpoint in OPEN_ENDPOINTS or has_own_entry():
        return None
    asked = _asked(request.headers[HEADER])
    if getattr(view_of(current_app, request.endpoint, "post"), "runs_again", False):
        return None
    here = state(current_app)
    with here.store.transaction() as session:
        before = idempotency.claim(session, asked, now=here.clock())
    if before is None:
        g.idempotency = asked
        return None
    return _again(before, asked)


def _asked(header: str) -> Request:
    if not KEY.fullmatch(header):
        wrong = {HEADER: f"found {shown(header)}; expected {RULE}"}
        raise Problem(INVALID, "The header Idempotency-Key is not valid.", wrong)
    said = hashlib.sha256()
    for part in (request.method.encode(), request.full_path.encode(), read(request)):
        said.update(len(part).to_bytes(8, "big") + part)
    mine = access()
    return Request(mine.programme_id, mine.key_id, header.strip('"'), said.hexdigest(), _named(read(request)))


def _named(body: bytes) -> tuple[str, ...]:
    """Return the members whom a request names, in its address and by the names that bodies have for them."""
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError:
        told = {}  # refused by whoever reads it for good
    found = {**(request.view_args or {}), **(told if isinstance(told, dict) else {})}
    named = [found.get(name) for name in ("member_id", "a", "b", "seeker", "candidate")]
    return tuple(sorted({name for name in named if isinstance(name, str) and MEMBER_ID.fullmatch(name)}))


def _again(before: Before, asked: Request) -> Response:
    if before.fingerprint != asked.fingerprint:
        raise Problem(
            IDEMPOTENCY_REUSED,
            "Another request was sent with this Idempotency-Key within 24 hours. Nothing was done; send a new key.",
        )
    if before.status is None:
        raise Problem(
            IDEMPOTENCY_RUNNING,
            "The same request is under way. Send it again to get its reply.",
            headers={"Retry-After": "1"},
        )
    reply = Response(before.reply, before.status, before.headers)
    reply.headers[REPLAYED] = "true"
    return reply


def _end(response: Response) -> Response:
    """Keep the reply of a request that was put down; not a fault of ours, which may be gone the next time."""
    asked: Request | None = g.pop("idempotency", None)
    if asked is None:
        return response
    try:
        with state(current_app).store.transaction() as session:
            if response.status_code >= 500 or response.status_code == NOT_KEPT:
                idempotency.release(session, asked)
            else:
                headers = {name: response.headers[name] for name in TOLD if name in response.headers}
                idempotency.keep(session, asked, response.status_code, headers, response.get_data(as_text=True))
    except PeermatchError as problem:
        # What was asked is done: its reply goes out, and the same key is refused as under way for a while.
        log_failure(problem)
    return response
