"""The parts of which the OpenAPI description is put together: headers, parameters, problems, examples."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from matcher.people import MEMBER_ID_PATTERN, MEMBER_ID_RULE
from service.api.examples import Example
from service.problems import MEDIA_TYPE, METHOD, NOT_READY, RATE_LIMITED, UNAUTHORISED, Kind

CONVERTED = re.compile(r"<(?:[^:<>]+:)?([^<>]+)>")
TEXT = {"type": "string"}
SCHEMAS = "#/components/schemas/"
KEY = {"type": "string", "pattern": "^[A-Za-z0-9._~-]{1,64}$"}
SECURITY = {
    "key": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "pm_<id>_<secret>",
        "description": "An API key, as `peermatch keys create` makes it. It belongs to one programme; its scopes say "
        "what it may do, and the roles beside `key` in an operation are the scopes that it needs.",
    }
}
HEADERS = {
    "ETag": {"description": "Names this state; for `If-Match` and `If-None-Match`.", "schema": TEXT},
    "X-Request-Id": {
        "description": "Yours, or one made here; the log has it.",
        "required": True,
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$"},
    },
    "Retry-After": {
        "description": "Seconds after which to ask again.",
        "required": True,
        "schema": {"type": "integer", "minimum": 0},
    },
    "RateLimit": {
        "description": "Only where the key has a limit: `r`, the requests that may come at once, and `t`, the seconds "
        "until it is more.",
        "schema": {"type": "string", "pattern": '^"key";r=[0-9]+;t=[0-9]+$'},
    },
    "RateLimit-Policy": {
        "description": "Only where the key has a limit: `q` requests in `w` seconds, over all addresses. All may come "
        "at once, and they come back evenly.",
        "schema": {"type": "string", "pattern": '^"key";q=[0-9]+;w=60$'},
    },
    "Idempotency-Replayed": {
        "description": "The reply of the same request when it was sent before; nothing was done now.",
        "schema": {"const": "true"},
    },
    "Allow": {"description": "The methods of this address.", "required": True, "schema": TEXT},
    "WWW-Authenticate": {"description": "How to authenticate.", "required": True, "schema": TEXT},
}
PARAMETERS = {
    "X-Request-Id": {
        "name": "X-Request-Id",
        "in": "header",
        "description": "Comes back in the reply and stands in the log, if it is 1 to 64 of A-Z a-z 0-9 . _ -",
        "schema": TEXT,
    },
    "Idempotency-Key.once": {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "Sent again with the same key within 24 hours, a request is not done again: its reply comes "
        "back, with `Idempotency-Replayed: true`.",
        "schema": KEY,
    },
    "Idempotency-Key.again": {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "Taken and not needed: the request may be sent any number of times, and is answered anew.",
        "schema": KEY,
    },
    "If-Match": {
        "name": "If-Match",
        "in": "header",
        "description": "An ETag: 412 if that is not the present state.",
        "schema": TEXT,
    },
    "If-None-Match": {
        "name": "If-None-Match",
        "in": "header",
        "description": "An ETag, or `*` for any state: GET answers 304, and PUT 412, if that is the present state.",
        "schema": TEXT,
    },
}
PATH_PARAMETERS: dict[str, dict[str, Any]] = {
    "member_id": {
        "description": f"The partner's pseudonym: {MEMBER_ID_RULE}.",
        # Not that `.` and `..` are none: generators of requests cannot read a look-ahead.
        "schema": {"type": "string", "pattern": MEMBER_ID_PATTERN},
    },
    "group_id": {
        "description": f"The partner's name for the group: {MEMBER_ID_RULE}.",
        "schema": {"type": "string", "pattern": MEMBER_ID_PATTERN},
    },
    "consent_id": {
        "description": "The `id` of an event, as the list of them tells it.",
        "schema": {"type": "string", "minLength": 1},
    },
    "hold_id": {"description": "As the hold was given when it was made.", "schema": {"type": "string", "minLength": 1}},
    "a": {"description": "The one member.", "schema": {"type": "string", "pattern": MEMBER_ID_PATTERN}},
    "b": {"description": "The other member.", "schema": {"type": "string", "pattern": MEMBER_ID_PATTERN}},
}
STATUS_HEADERS = {
    UNAUTHORISED.status: "WWW-Authenticate",
    METHOD.status: "Allow",
    RATE_LIMITED.status: "Retry-After",
    NOT_READY.status: "Retry-After",
}


def ref(kind: str, name: str) -> dict[str, str]:
    """Return a reference to a component."""
    return {"$ref": f"#/components/{kind}/{name}"}


def problem_responses(kinds: Collection[Kind]) -> dict[str, tuple[str, dict[str, Any]]]:
    """Return for each status of `kinds` the description of such a reply, and its name as a component."""
    by_status: dict[int, list[Kind]] = {}
    for kind in sorted(kinds, key=lambda kind: kind.name):
        by_status.setdefault(kind.status, []).append(kind)
    return {
        str(status): (".".join(kind.name for kind in some), _problem_response(status, some))
        for status, some in by_status.items()
    }


def _problem_response(status: int, kinds: Sequence[Kind]) -> dict[str, Any]:
    schema = {
        "allOf": [
            ref("schemas", "Problem"),
            {"properties": {"type": {"enum": [kind.type for kind in kinds]}, "status": {"const": status}}},
        ]
    }
    return {
        "description": "; ".join(f"{kind.title} (`{kind.name}`)" for kind in kinds),
        "headers": headers_of(status),
        "content": {MEDIA_TYPE: {"schema": schema}},
    }


def headers_of(status: int, *, keyed: bool = False) -> dict[str, Any]:
    """Return the headers that every reply of a status has, and those that limited keys are told."""
    names = ["X-Request-Id", *([STATUS_HEADERS[status]] if status in STATUS_HEADERS else ())]
    if keyed or status == RATE_LIMITED.status:
        names += ["RateLimit", "RateLimit-Policy"]
    return {name: ref("headers", name) for name in names}


class Request(NamedTuple):
    """What an operation is asked by."""

    method: str
    template: str
    """Its address, as OpenAPI writes it."""


def add_examples(operation: dict[str, Any], request: Request, examples: Sequence[Example]) -> None:
    """Add the examples of an operation: bodies as OpenAPI has them, and whole ones, request beside reply.

    Replies that are problem documents stand in the whole ones only, for their descriptions are shared.
    """
    whole = operation["x-examples"] = {}
    for example in examples:
        if example.name in whole:
            raise ValueError(f"{request.method} {request.template}: two examples are called {example.name}")
        whole[example.name] = _whole(example, request)
        if example.status >= 400:
            continue
        try:
            if example.body is not None:
                _add(operation["requestBody"], example, example.body)
            if example.answer is not None:
                _add(operation["responses"][str(example.status)], example, example.answer)
        except KeyError as missing:
            place = f"{request.method} {request.template}, example {example.name}"
            raise ValueError(f"{place}: the view describes no {missing} for it") from missing


def _add(place: dict[str, Any], example: Example, value: Any) -> None:
    contents = place["content"]
    content = next(iter(contents.values())) if len(contents) == 1 else contents["application/json"]
    content.setdefault("examples", {})[example.name] = {"summary": example.title, "value": value}


def _whole(example: Example, request: Request) -> dict[str, Any]:
    asked: dict[str, Any] = {"method": request.method.upper(), "address": example.address(request.template)}
    reply: dict[str, Any] = {"status": example.status}
    if example.headers:
        asked["headers"] = dict(example.headers)
    if example.scopes is not None:
        asked["scopes"] = list(example.scopes)
    if example.body is not None:
        asked["body"] = example.body
    if example.answer is not None:
        reply["body"] = example.answer
    return {"summary": example.title, "request": asked, "reply": reply}
