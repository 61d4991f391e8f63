"""The files of every page: one style sheet, one script, and nothing from elsewhere."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import resources
from typing import Final

from flask import Response, abort, request

from service.console.blueprint import blueprint

TYPES: Final = {"console.css": "text/css", "htmx.min.js": "text/javascript"}
"""What may be had, and of which type it is."""


@blueprint.get("/static/<name>", endpoint="static")
def static(name: str) -> Response:
    """Return a file; no session is needed, for it says nothing of any programme."""
    if name not in TYPES:
        abort(404)
    content, digest = file(name)
    reply = Response(content, mimetype=TYPES[name])
    # Kept by the browser, and asked for each time whether it is still the same.
    reply.headers["Cache-Control"] = "private, no-cache"
    reply.set_etag(digest)
    reply.make_conditional(request)
    return reply


@cache
def file(name: str) -> tuple[bytes, str]:
    """Return a file and its digest."""
    content = resources.files("service.console").joinpath("static", name).read_bytes()
    return content, hashlib.sha256(content).hexdigest()[:32]
