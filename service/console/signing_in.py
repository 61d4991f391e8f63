"""Signing in with an API key, once, and signing out."""

from __future__ import annotations

from typing import Final

from flask import Response, current_app, request, url_for

from service.access import Access, find_access
from service.console import cookies
from service.console.blueprint import blueprint
from service.console.entry import SCOPE, check_form, going_to, opened_by, present, sessions
from service.console.rendering import done, page, places
from service.console.sessions import new_token
from service.problems import RATE_LIMITED, Problem
from service.state import State, state
from service.store import audit

FAILURES_PER_MINUTE: Final = 120
"""So often may somebody fail to sign in, everybody together. Guessing at a secret of 256 bits comes to nothing anyway;
whoever has a key is never kept out by others who fail."""
WRONG: Final = (
    "This key does not open the console. It may be mistyped, revoked or expired, or made without the scope coordinator."
)


@blueprint.get("", endpoint="home")
def home() -> Response:
    """Go to the first page there is."""
    return going_to(places()[0].address)


@blueprint.get("/sign-in", endpoint="sign_in")
def sign_in() -> Response:
    """Ask for a key, unless somebody is signed in."""
    return asked() if present() is None else going_to(url_for("console.home"))


@blueprint.post("/sign-in", endpoint="sign_in_now")
def sign_in_now() -> Response:
    """Begin a session with the key of the form; the key itself is kept nowhere."""
    here = state(current_app)
    token = cookies.token_of(request)
    check_form(token)
    text = request.form.get("key", "").strip()
    opened = _opened(here, text)
    if opened is None:
        _count_failure(here)
        return asked(WRONG, 403)
    if token is not None:  # of a session that goes on, or of the form alone
        sessions().end(token)
    now = here.clock()
    with here.store.transaction() as session:
        audit.record(session, opened.programme_id, "console.entered", now=now, by=opened.key_id)
    reply = going_to(url_for("console.home"))
    # A new token: nobody who knew that of the form knows that of the session.
    cookies.give_token(request, reply, sessions().begin(opened.key_id, now))
    return reply


@blueprint.post("/sign-out", endpoint="sign_out")
def sign_out() -> Response:
    """End the session at once, on the server too."""
    sessions().end(cookies.token_of(request) or "")
    reply = done("signed-out", url_for("console.sign_in"))
    cookies.take_token(request, reply)
    return reply


def asked(wrong: str | None = None, status: int = 200) -> Response:
    """Return the sign-in page, its form bound to a token that is no session's."""
    token = cookies.token_of(request) or new_token()
    reply = page("sign_in.html", status, form_token=sessions().form_token(token), wrong=wrong)
    cookies.give_token(request, reply, token)
    return reply


def _opened(here: State, text: str) -> Access | None:
    try:
        found = find_access(here.store, f"Bearer {text}", here.clock())
    except Problem:
        return None
    return opened_by(here, found.key_id, here.clock()) if SCOPE in found.scopes else None


def _count_failure(here: State) -> None:
    """Count a try that failed, whatever key it named: who knows an id learns nothing, and keeps nobody out.

    Raises
    ------
    Problem
        429.
    """
    decision = here.limits.take("sign-in", FAILURES_PER_MINUTE)
    if decision is not None and not decision.allowed:
        headers = {"Retry-After": str(decision.retry_after)}
        raise Problem(RATE_LIMITED, "Too many tries to sign in. Wait a minute.", headers=headers)
