"""How a page is made: the templates, the navigation, and what each page says beside its own."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final, NamedTuple

from flask import Response, current_app, g, request, url_for
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from service.console import cookies
from service.console.entry import going_to, sessions

HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    # Not `no-referrer`: browsers would then not say whether a form was sent from here.
    "Referrer-Policy": "same-origin",
}
"""What replies of the console say otherwise than those of the API. Scripts ask this server only."""
PLACES: Final = (
    ("console.review", "Review"),
    ("console.waiting", "Waiting"),
    ("console.members", "Members"),
    ("console.loads", "Loads"),
    ("console.models", "Models"),
)
"""The pages of the navigation, in its order, as far as they are there."""
NOTICES: Final = {
    "signed-out": "You are signed out.",
    "held": "The member is held: from now on they get no list, and are in nobody’s.",
    "lifted": "The hold is lifted.",
    "approved": "Approved: the supporter is asked now.",
    "rejected": "Rejected: the two are kept apart. The seeker reads only that it is closed.",
    "suspended": "Suspended: nothing goes on until it is resumed or ended.",
    "resumed": "It goes on, with the time to answer that was left.",
    "ended": "It is ended.",
    "nothing-against": "The report is closed: nothing is against the two.",
    "kept-apart": "The report is closed: the two are kept apart.",
    "introduced": "Both are asked now.",
    "not-held": "That hold had ended already. Nothing was changed.",
}
"""What the next page says of what was done, by the word that a cookie keeps."""


HTMX: Final = (
    '{"includeIndicatorStyles":false,"allowEval":false,"allowScriptTags":false,"selfRequestsOnly":true,'
    '"historyCacheSize":0,"refreshOnHistoryMiss":true,"scrollIntoViewOnBoost":false,'
    '"responseHandling":[{"code":"204","swap":false},{"code":"...","swap":true}]}'
)
"""How the script is set up: no page is kept in the browser, nothing is evaluated, and refusals are shown too."""
PURPOSE_WORDS: Final = {
    "match_serve": "Find peers for them",
    "be_shown_as_peer": "Be shown to others as a peer",
    "show_reasons": "Tell others what they have in common",
    "train_model": "Learn from what they choose",
    "fairness_audit": "Check that matching is fair",
    "fairness_balance": "Balance the ranking for fairness",
    "outcome_followup": "Be asked later how it went",
}
"""What each purpose is called on a page."""


class Place(NamedTuple):
    """A page of the navigation."""

    address: str
    name: str
    current: bool


def page(template: str, status: int = 200, **values: Any) -> Response:
    """Return a page. `values` are what its template names; each is escaped where it is written."""
    token = g.get("console_token")
    notice = NOTICES.get(request.cookies.get(cookies.NOTICE, ""))
    common = {
        "places": places() if token is not None else (),
        "form_token": "" if token is None else sessions().form_token(token),
        "signed_in": token is not None,
        "notice": notice,
        "programme_name": None,
    }
    reply = Response(templates().get_template(template).render(**{**common, **values}), status, mimetype="text/html")
    if notice is not None:
        cookies.take_notice(request, reply)
    return reply


def done(notice: str, address: str) -> Response:
    """Return what sends a browser to a page that says what was done."""
    reply = going_to(address)
    cookies.give_notice(request, reply, notice)
    return reply


def places() -> tuple[Place, ...]:
    """Return the pages of the navigation that this application has."""
    there = [(endpoint, name) for endpoint, name in PLACES if endpoint in current_app.view_functions]
    return tuple(Place(url_for(endpoint), name, endpoint == request.endpoint) for endpoint, name in there)


@cache
def templates() -> Environment:
    """Return the templates; whatever they are not given is a fault, and whatever they are given is escaped."""
    made = Environment(
        loader=PackageLoader("service.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["moment"] = moment_text
    made.filters["moment_of_text"] = lambda text: moment_text(datetime.fromisoformat(text))
    made.globals.update(url_for=url_for, htmx_config=HTMX, purposes=PURPOSE_WORDS)
    return made


def moment_text(at: datetime | None, otherwise: str = "–") -> Markup | str:
    """Return a moment as people read it, to the minute, and as machines do."""
    if at is None:
        return otherwise
    there = at.astimezone(UTC)
    return Markup('<time datetime="{}">{} UTC</time>').format(f"{there:%Y-%m-%dT%H:%M:%SZ}", f"{there:%Y-%m-%d %H:%M}")


def flat(values: Mapping[str, Any], path: str = "") -> list[tuple[str, str]]:
    """Return the numbers and texts of a document by path; of long lists only how long they are."""
    told: list[tuple[str, str]] = []
    for name, value in values.items():
        where = f"{path}.{name}" if path else name
        if isinstance(value, Mapping):
            told += flat(value, where)
        elif isinstance(value, list):
            told.append((where, f"{len(value):,} entries" if len(value) > 5 else ", ".join(map(str, value)) or "none"))
        else:
            told.append((where, str(value)))
    return told
