"""The application factory: what the service is made of, and in which order requests pass it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import Flask
from flask.json.provider import DefaultJSONProvider

from matcher.model import artefact
from matcher.model.artefact import Model
from matcher.model.signing import signing_key
from matcher.programme import Programme
from service import access, headers, logs, problems
from service.api import RESOURCES
from service.api.blueprint import Api
from service.api.probes import release_number
from service.live.handles import Handles
from service.live.models import Models
from service.live.pool_cache import Build, PoolCache, build_matcher
from service.security import read_secret_key
from service.settings import Settings
from service.state import EXTENSION, State, utc_now
from service.store import open_store

MAX_BODY = 64 * 1024


class Json(DefaultJSONProvider):
    """JSON as replies write it: compact, keys in the order of the contract, and no NaN."""

    sort_keys = False
    compact = True

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        """Write `obj`; a NaN is a fault of ours and fails."""
        return super().dumps(obj, allow_nan=False, **kwargs)


def create_app(settings: Settings, *, clock: Callable[[], datetime] = utc_now, build: Build = build_matcher) -> Flask:
    """Make the application.

    Parameters
    ----------
    settings : Settings
        Where database, secret key and models are.
    clock : callable
        Returns the present moment, with its zone.
    build : callable
        Makes a matcher of programme, model, members and moment.

    Raises
    ------
    PeermatchError
        If the secret key or the database cannot be used; the message says what to do.
    """
    secret_key = read_secret_key(settings)
    public_key = signing_key(secret_key).public_key()
    store = open_store(settings)

    def load(programme: Programme, version: str) -> Model:
        return artefact.load(settings.model_folder(programme.id, version), programme, public_key)

    app = Flask(__name__, static_folder=None)
    app.json = Json(app)
    app.url_map.merge_slashes = False  # no redirects: an address is there or it is not
    app.config.update(
        MAX_CONTENT_LENGTH=MAX_BODY,
        PROVIDE_AUTOMATIC_OPTIONS=False,
        PROPAGATE_EXCEPTIONS=False,
        API_TITLE="Peermatch",
        API_VERSION="v1",
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX="/",
    )
    pools = PoolCache(store, Models(load, settings.model_folder), build)
    app.extensions[EXTENSION] = State(store, pools, Handles(secret_key), clock)
    for part in (logs, headers, problems, access):
        part.register(app)
    _describe(app)
    return app


def _describe(app: Flask) -> None:
    """Register the resources, and describe them as OpenAPI."""
    api = Api(
        app,
        spec_kwargs={
            "info": {"description": "Finds the right peer, with consent. Release " + release_number()},
            "security": [{"key": []}],
        },
    )
    api.spec.components.security_scheme("key", {"type": "http", "scheme": "bearer", "bearerFormat": "pm_<id>_<secret>"})
    for resource in RESOURCES:
        api.register_blueprint(resource)
