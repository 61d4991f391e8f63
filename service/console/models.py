"""Which models there are, with their verdicts, and which of them serves."""

from __future__ import annotations

from typing import Any

from flask import Response, abort, current_app, request

from matcher.errors import ModelError
from matcher.model import artefact
from matcher.model.signing import signing_key
from matcher.programme import Programme
from service.console.blueprint import blueprint
from service.console.opening import reading
from service.console.rendering import flat, page
from service.security import read_secret_key
from service.state import state
from service.store import models


@blueprint.get("/models", endpoint="models")
def show() -> Response:
    """Show all models, newest first; one of them in full where the address names it."""
    version = request.args.get("version")
    with reading() as (session, programme):
        found = models.list_models(session, programme.id)[::-1]
        active = models.active(session, programme.id)
    chosen = next((one for one in found if one.version == version), None)
    if version is not None and chosen is None:
        abort(404)
    manifest = _manifest(programme, chosen.version) if chosen is not None else {}
    return page(
        "models.html",
        programme_name=programme.name,
        found=[(one, flat(one.verdict)) for one in found],
        active=active,
        chosen=chosen,
        manifest=None if manifest is None else flat(manifest),
    )


def _manifest(programme: Programme, version: str) -> dict[str, Any] | None:
    """Return what a model says of itself, verified as before it serves; None: it cannot serve."""
    where = state(current_app).settings
    public_key = signing_key(read_secret_key(where)).public_key()
    try:
        return dict(artefact.load(where.model_folder(programme.id, version), programme, public_key).manifest)
    except (ModelError, OSError):
        return None
