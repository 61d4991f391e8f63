"""The application factory: what the service is made of, and in which order requests pass it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import Flask
from flask.json.provider import DefaultJSONProvider

from service import access, console, headers, limits, logs, metrics, problems
from service.api import RESOURCES, docs, idempotency
from service.api.description import describe
from service.gate import MAX_BODY
from service.live.building import Builder
from service.live.handles import Handles
from service.live.pool_cache import Inline, PoolCache, Refresher
from service.live.refresher import builder
from service.live.shortlists import Shortlists
from service.security import read_secret_key
from service.settings import Settings
from service.state import EXTENSION, State, utc_now
from service.store import open_store


class Json(DefaultJSONProvider):
    """JSON as replies write it: compact, keys in the order of the contract, and no NaN."""

    sort_keys = False
    compact = True

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        """Write `obj`; a NaN is a fault of ours and fails."""
        return super().dumps(obj, allow_nan=False, **kwargs)


def create_app(
    settings: Settings,
    *,
    clock: Callable[[], datetime] = utc_now,
    refresher: Callable[[Builder], Refresher] = Inline,
) -> Flask:
    """Make the application.

    Parameters
    ----------
    settings : Settings
        Where database, secret key and models are.
    clock : callable
        Returns the present moment, with its zone.
    refresher : callable
        Makes what gets new bases of pools built: in the requests themselves, or by another process.

    Raises
    ------
    PeermatchError
        If the secret key or the database cannot be used; the message says what to do.
    """
    secret_key = read_secret_key(settings)
    store = open_store(settings)

    app = Flask(__name__, static_folder=None)
    app.json = Json(app)
    app.url_map.merge_slashes = False  # no redirects: an address is there or it is not
    app.config.update(
        MAX_CONTENT_LENGTH=MAX_BODY,
        PROVIDE_AUTOMATIC_OPTIONS=False,
        PROPAGATE_EXCEPTIONS=False,
    )
    pools, handles = PoolCache(builder(settings, store), refresher), Handles(secret_key)
    shared = limits.Limits(settings.run)
    app.extensions[EXTENSION] = State(store, pools, handles, Shortlists(pools, handles), clock, shared, settings)
    if settings.metrics_open:
        app.config[access.OPENED] = frozenset({"probes.metrics"})
    for part in (logs, metrics, headers, problems, access, limits, idempotency):
        part.register(app)
    describe(app, RESOURCES)
    app.register_blueprint(docs.blueprint)
    console.register(app, settings, secret_key)
    return app
