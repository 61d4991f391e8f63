"""Who may enter the console: whoever has a session, for as long as the key it was begun with opens it."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Final, cast

from flask import Flask, Response, current_app, g, request, url_for

from service.access import Access
from service.console import cookies
from service.console.sessions import Session, Sessions
from service.problems import Kind, Problem
from service.state import State, state
from service.store import keys

EXTENSION: Final = "peermatch-console"
SCOPE: Final = "coordinator"
OPEN: Final = frozenset({"console.static", "console.sign_in", "console.sign_in_now"})
"""What answers without a session. `tests/service/console/test_entry.py` lists them a second time."""
FORM_FIELD: Final = "form_token"
FORM_REFUSED: Final = Kind("form-refused", 403, "The form was not taken")
FORM_TOLD: Final = (
    "It was not sent from a page of this session, or that page is too old. Nothing was changed. Go back, load the page "
    "again, and send it once more."
)
_SAME_SITE: Final = frozenset({"same-origin", "none"})


def sessions(app: Flask | None = None) -> Sessions:
    """Return the sessions of an application; of the present one unless told."""
    return cast("Sessions", (app or current_app).extensions[EXTENSION])


def enter() -> Response | None:
    """Let a request pass, or answer with where to sign in.

    Raises
    ------
    Problem
        If it is a form that was not sent from a page of this session.
    """
    if request.endpoint in OPEN:
        return None
    found = present()
    if found is None:
        return away()
    session, g.access = found
    g.console_token = session.token
    if request.method == "POST":
        check_form(session.token)
    return None


def present() -> tuple[Session, Access] | None:
    """Return the session of the present request and what it opens, or None."""
    here, token = state(current_app), cookies.token_of(request)
    session = None if token is None else sessions().find(token, here.clock())
    opened = None if session is None else opened_by(here, session.key_id, here.clock())
    return None if session is None or opened is None else (session, opened)


def opened_by(here: State, key_id: str, now: datetime) -> Access | None:
    """Return what a key opens of the console; None: nothing, or nothing any more."""
    key = keys.look_up(here.store, key_id)
    if key is None or SCOPE not in key.scopes or (key.expires_at is not None and now >= key.expires_at):
        return None
    bound = here.settings.per_minute if key.per_minute is None else key.per_minute or None
    return Access(key.key_id, key.programme_id, frozenset({SCOPE}), bound)


def goes_on(app: Flask, token: str) -> bool:
    """Whether a token has a session that opens anything: for servers, before they read a body."""
    here = state(app)
    now = here.clock()
    session = sessions(app).find(token, now, use=False)
    return session is not None and opened_by(here, session.key_id, now) is not None


def check_form(token: str | None) -> None:
    """Refuse a form that was not sent from a page that was given `token`.

    Raises
    ------
    Problem
        403.
    """
    told = request.form.get(FORM_FIELD, "")
    elsewhere = request.headers.get("Sec-Fetch-Site", "same-origin") not in _SAME_SITE
    if token is None or elsewhere or not sessions().is_form_token(token, told):
        raise Problem(FORM_REFUSED, FORM_TOLD)


def away() -> Response:
    """Return what sends a browser to the sign-in page."""
    return going_to(url_for("console.sign_in"))


def going_to(address: str) -> Response:
    """Return what sends a browser to another page, also where a script of ours asked."""
    if "HX-Request" in request.headers:
        return Response(status=HTTPStatus.NO_CONTENT, headers={"HX-Redirect": address})
    return Response(status=HTTPStatus.SEE_OTHER, headers={"Location": address})
