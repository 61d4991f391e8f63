"""Bodies: one JSON object, read strictly."""

from __future__ import annotations

from typing import Any

from flask import Request
from werkzeug.exceptions import RequestEntityTooLarge

from matcher.errors import PeermatchError
from matcher.json_reading import parse_json
from service.problems import MALFORMED, MEDIA, Problem


def json_object(request: Request) -> dict[str, Any]:
    """Return the body of a request as an object.

    Raises
    ------
    RequestEntityTooLarge
        If it is longer than the application allows.
    Problem
        415 if it does not say that it is JSON in UTF-8; 400 if it is not JSON, has a key twice, a number that is
        none, half a surrogate pair or a NUL, or is not an object.
    """
    if request.mimetype != "application/json":
        raise Problem(MEDIA, "Send `Content-Type: application/json`.")
    if request.mimetype_params.get("charset", "utf-8").lower() not in {"utf-8", "utf8"}:
        raise Problem(MEDIA, "Send JSON in UTF-8.")
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Problem(MEDIA, "Send the body without Content-Encoding.")
    data = read(request)
    if not data:
        raise Problem(MALFORMED, "The body is empty; expected a JSON object.")
    try:
        value = parse_json(data)
    except PeermatchError as problem:
        raise Problem(MALFORMED, "The body is not valid JSON.", problem.errors or {"(body)": problem.message}) from None
    if not isinstance(value, dict):
        raise Problem(MALFORMED, "The body is JSON, but not an object.")
    return value


def read(request: Request) -> bytes:
    """Return the body; raise RequestEntityTooLarge if it is longer than the application allows, chunked or not."""
    data = request.get_data()
    limit = request.max_content_length
    # Of a chunked body the framework returns the first `limit` bytes as if they were all.
    cut = limit is not None and len(data) >= limit and request.content_length is None
    if cut and request.environ["wsgi.input"].read(1):
        raise RequestEntityTooLarge
    return data
