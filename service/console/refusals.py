"""Refusals as pages: what any part of the application answers with a problem document, told to a person."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

import orjson
from flask import Response, g, request

from service.console.blueprint import is_here
from service.console.entry import present
from service.console.rendering import HEADERS, page
from service.problems import MEDIA_TYPE

WORDS: Final = {
    "no-such-address": ("There is no such page", "Check the address, or choose a page above."),
    "no-such-member": ("No such member", "This programme has no member of this id."),
    "method-not-allowed": ("This page cannot be asked like that", "Go back, and use its links and buttons."),
    "too-large": ("That was too much to send", "Go back, and send less. Nothing was changed."),
    "rate-limited": ("Too many requests", "Wait a minute, and try again. Nothing was changed."),
    "not-ready": ("The service cannot answer now", "Nothing is known to have been changed. Try again in a minute."),
    "internal": ("Something failed inside the service", "It is in the service’s log. Tell whoever runs it, and when."),
}
"""Heading and text by kind of problem; any other kind tells its own."""
PREFIX: Final = "urn:peermatch:problem:"


def tell(response: Response) -> Response:
    """Make a page of a refusal at an address of the console, and add the console's headers to every reply there."""
    if not is_here(request.path):
        return response
    if response.mimetype == MEDIA_TYPE:
        response = _page(response)
    for name, value in HEADERS.items():
        if name not in response.headers:
            response.headers[name] = value
    return response


def _page(refused: Response) -> Response:
    if g.get("console_token") is None:  # at an address that is none nobody has asked yet who is there
        with suppress(Exception):
            found = present()
            g.console_token = None if found is None else found[0].token
    problem = orjson.loads(refused.get_data())
    kind = problem["type"].removeprefix(PREFIX)
    heading, text = WORDS.get(kind, (problem["title"], problem["detail"]))
    reply = page("refusal.html", refused.status_code, heading=heading, text=text)
    kept = {name: value for name, value in refused.headers if name.lower() not in {"content-type", "content-length"}}
    reply.headers.extend(kept)
    # A script of ours puts a refusal where it belongs: in place of the page.
    reply.headers["HX-Retarget"] = reply.headers["HX-Reselect"] = "#main"
    reply.headers["HX-Reswap"] = "outerHTML"
    return reply
