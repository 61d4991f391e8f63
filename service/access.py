"""Who may call what: every route wants a key, but for the few named here, and the key alone names the programme."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any, TypeVar, cast

from flask import Flask, Response, current_app, g, request

from service.problems import SCOPE_MISSING, UNAUTHORISED, Problem
from service.security import digest_of, same_digest, split_token
from service.state import state
from service.store import Store, keys

OPEN_ENDPOINTS = frozenset(
    {
        "probes.lbheartbeat",
        "probes.heartbeat",
        "probes.version",
        "api-docs.openapi_json",
        "docs.page",
    }
)
"""What answers without a key. `tests/service/test_access.py` lists them a second time."""

OPENED = "PEERMATCH_OPENED"
"""The configuration that names what else answers without a key in this installation."""

ENTRIES = "PEERMATCH_ENTRIES"
"""The configuration that names, by blueprint, what lets in without a key in the header: it answers, or returns None."""

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Access:
    """What the key of this request opens."""

    key_id: str
    programme_id: str
    scopes: frozenset[str]
    per_minute: int | None = None
    """Requests a minute; None: any number."""


ANYBODY = Access("", "", frozenset({"admin"}))
"""What is open to whoever asks, where the settings say so: of no programme."""


def register(app: Flask) -> None:
    """Refuse every request without a valid key, before any route runs."""
    app.before_request(_authenticate)


def needs(scope: str, *others: str) -> Callable[[F], F]:
    """Mark a view function as open only to keys with `scope`, or one of `others`."""
    enough = (scope, *others)
    told = " or ".join(f"`{one}`" for one in enough)

    def decorate(view: F) -> F:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            if access().scopes.isdisjoint(enough):
                raise Problem(SCOPE_MISSING, f"This needs a key with the scope {told}.")
            return view(*args, **kwargs)

        guarded.scopes = enough  # type: ignore[attr-defined]
        return cast("F", guarded)

    return decorate


def access() -> Access:
    """Return what the key of the present request opens."""
    return cast("Access", g.access)


def has_own_entry() -> bool:
    """Whether the present request is for a part of the application that lets in by other means than a key."""
    return request.blueprint in current_app.config.get(ENTRIES, ())


def _authenticate() -> Response | None:
    # An address that does not exist, or not with this method, says so to anybody: the API is public, its data is not.
    if request.endpoint is None or request.endpoint in OPEN_ENDPOINTS:
        return None
    if has_own_entry():
        return cast("Response | None", current_app.config[ENTRIES][request.blueprint]())
    if request.endpoint in current_app.config.get(OPENED, ()):
        g.access = ANYBODY
        return None
    here = state(current_app)
    g.access = find_access(here.store, request.headers.get("Authorization", ""), here.clock(), here.settings.per_minute)
    return None


def find_access(store: Store, header: str, now: datetime, per_minute: int | None = None) -> Access:
    """Return what an ``Authorization`` header opens.

    Parameters
    ----------
    per_minute : int, optional
        The bound of keys that have none of their own; None: they may send any number of requests.

    Raises
    ------
    Problem
        401, in the same words whether the key is missing, malformed, unknown, wrong or expired.
    """
    scheme, _, token = header.partition(" ")
    parts = split_token(token.strip()) if scheme.lower() == "bearer" else None
    if parts is not None:
        key_id, secret = parts
        key = keys.look_up(store, key_id)
        # Compared even when there is no such key, so that ids cannot be told by their time.
        right = same_digest(key.digest if key else "0" * 64, digest_of(secret))
        if key is not None and right and (key.expires_at is None or now < key.expires_at):
            bound = per_minute if key.per_minute is None else key.per_minute or None
            return Access(key.key_id, key.programme_id, key.scopes, bound)
    raise Problem(
        UNAUTHORISED,
        "Send `Authorization: Bearer pm_…` with a key that is neither revoked nor expired.",
        headers={"WWW-Authenticate": 'Bearer realm="peermatch"'},
    )
