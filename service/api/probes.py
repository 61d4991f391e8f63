"""Probes, as Dockerflow names them, and metrics.

Probes answer without a key, and so say nothing of members or programmes. Metrics name programmes, so they want one.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from flask import Response, current_app, jsonify
from flask.typing import ResponseReturnValue

from service import metrics as told
from service.access import access, needs
from service.api.blueprint import Blueprint
from service.live.health import health
from service.problems import RETRY_SECONDS
from service.state import state

blueprint = Blueprint("probes", __name__, description="Is it alive, is it well, which release is it.")

WELL = {
    "status": "ok",
    "database": "ok",
    "models": {"served": 1, "missing": 0, "stale": 0, "stale_since": None},
    "pools": {"held": 0, "oldest_seconds": None, "skipped_records": 0, "stale": 0, "stale_since": None},
}


def release_number() -> str:
    """Return the version of the installed distribution."""
    try:
        return version("peermatch")
    except PackageNotFoundError:  # run from a checkout that was not installed
        return "0"


@blueprint.route("/__lbheartbeat__")
@blueprint.open()
@blueprint.response(200, {"type": "object"})
@blueprint.example("alive", 200, {"status": "ok"})
def lbheartbeat() -> ResponseReturnValue:
    """Say that this process answers; nothing behind it is asked."""
    return jsonify(status="ok")


@blueprint.route("/__version__", endpoint="version")
@blueprint.open()
@blueprint.response(200, {"type": "object"})
@blueprint.example("a_release", 200, {"name": "peermatch", "version": "0.4.0"})
def release() -> ResponseReturnValue:
    """Name the release."""
    return jsonify(name="peermatch", version=release_number())


@blueprint.route("/__heartbeat__")
@blueprint.open()
@blueprint.response(200, {"type": "object"})
@blueprint.response(503, {"type": "object"}, description="Nothing can be answered; `status` is `error`")
@blueprint.example("well", 200, WELL)
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


@blueprint.route("/metrics")
@needs("admin")
@blueprint.response(200, {"type": "string"}, content_type="text/plain")
@blueprint.example("some", 200, '# TYPE peermatch_pool_members gauge\npeermatch_pool_members{programme="p"} 812.0\n')
def metrics() -> ResponseReturnValue:
    """Tell Prometheus how the whole server does, over all of its workers.

    Of what is told apart by programme, only the key's own is told. Where the installation says
    `PEERMATCH_METRICS=open` no key is needed, and every programme is told of.
    """
    return Response(told.text(access().programme_id or None), content_type=told.CONTENT_TYPE)
