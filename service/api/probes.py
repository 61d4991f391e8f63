"""Probes, as Dockerflow names them. They answer without a key, and so say nothing of members or programmes."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from flask import current_app, jsonify
from flask.typing import ResponseReturnValue

from service.api.blueprint import Blueprint
from service.live.health import health
from service.problems import RETRY_SECONDS
from service.state import state

blueprint = Blueprint("probes", __name__, description="Is it alive, is it well, which release is it.")


def release_number() -> str:
    """Return the version of the installed distribution."""
    try:
        return version("peermatch")
    except PackageNotFoundError:  # run from a checkout that was not installed
        return "0"


@blueprint.route("/__lbheartbeat__")
@blueprint.open()
@blueprint.response(200, {"type": "object"})
def lbheartbeat() -> ResponseReturnValue:
    """Say that this process answers; nothing behind it is asked."""
    return jsonify(status="ok")


@blueprint.route("/__version__", endpoint="version")
@blueprint.open()
@blueprint.response(200, {"type": "object"})
def release() -> ResponseReturnValue:
    """Name the release."""
    return jsonify(name="peermatch", version=release_number())


@blueprint.route("/__heartbeat__")
@blueprint.open()
@blueprint.response(200, {"type": "object"})
@blueprint.response(503, {"type": "object"}, description="Nothing can be answered; `status` is `error`")
def heartbeat() -> ResponseReturnValue:
    """Say how the database, the active models and the pools are.

    `status` is `ok`, or `degraded` (an older model answers since `models.stale_since`, or a programme has none),
    or `error`.
    """
    here = state(current_app)
    report = health(here.pools, here.clock())
    if report["status"] != "error":
        return jsonify(report)
    reply = jsonify(report)
    reply.status_code = 503
    reply.headers["Retry-After"] = str(RETRY_SECONDS)
    return reply
