"""What is asked of replies in the tests of several resources."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from werkzeug.test import TestResponse


def problem(reply: TestResponse, status: int, name: str) -> dict[str, Any]:
    """Return the problem document of a reply, which must be this one."""
    assert reply.status_code == status, reply.get_data(as_text=True)
    assert reply.mimetype == "application/problem+json"
    body: dict[str, Any] = reply.get_json()
    assert (body["type"], body["status"]) == (f"urn:peermatch:problem:{name}", status)
    return body


VARYING = {"X-Request-Id", "RateLimit", "Date"}
"""Headers that differ from one reply to the next, whatever it is about."""


def told_apart(replies: Iterable[TestResponse]) -> int:
    """Return in how many ways `replies` differ: in status, body or any header but those of `VARYING`."""
    kinds = set()
    for reply in replies:
        headers = tuple(sorted((name, value) for name, value in reply.headers if name not in VARYING))
        kinds.add((reply.status_code, reply.data, headers))
    return len(kinds)
