"""The service with two more addresses, for `benchmarks.http` alone.

``/bench/floor`` asks for the same key and reads the same body by the same schemas, and answers with one constant reply.
``/bench/baseline/…`` is what people build instead: a pandas filter and scikit-learn's brute-force neighbours.
"""

from __future__ import annotations

from datetime import UTC, datetime
from time import perf_counter
from typing import Any

import orjson
from flask import Flask, Response, current_app

from benchmarks.baseline import Baseline
from matcher.consent import consented
from matcher.facets.week import monday_from
from matcher.people import Member
from matcher.programme import Programme
from service import wsgi
from service.access import access, needs
from service.api.blueprint import Blueprint
from service.api.match import MatchRequestSchema, MatchResponseSchema
from service.live.peers import Peers
from service.live.seeking import Seeking
from service.state import state
from service.store import lists, members, scene

CARD = {
    "rank": 1,
    "handle": "LNbcI3oIxhYyamOwyQILZg",
    "strength": "strong",
    "reasons": [{"facet": "experiences", "text": "Experiences in common: Lumpectomy"}],
    "statement": None,
}
FLOOR = {
    "match_id": "H1MlGc43H0DYffccsb2uJw",
    "outcome": "matched",
    "reason": None,
    "model_version": "1",
    "fresh": True,
    "matches": [{**CARD, "rank": rank} for rank in range(1, 6)],
    "waiting": None,
}

blueprint = Blueprint("bench", __name__)


@blueprint.route("/bench/floor", methods=["POST"], endpoint="floor")
@needs("match")
@blueprint.arguments(MatchRequestSchema)
@blueprint.response(200, MatchResponseSchema)
def floor(_asked: dict[str, Any]) -> Response:
    return Response(orjson.dumps(FLOOR), mimetype="application/json")


@blueprint.route("/bench/baseline/<which>", methods=["POST"], endpoint="baseline")
@needs("match")
@blueprint.arguments(MatchRequestSchema)
@blueprint.response(200, MatchResponseSchema)
def baseline(asked: dict[str, Any], which: str) -> Response:
    """Filter `first` or `last`. In its favour it looks one way, gives no reasons, and stores and re-checks nothing."""
    here = state(current_app)
    rival, programme, now = _rival(here)
    with here.store.reading() as session:
        stored = members.get(session, access().programme_id, asked["member_id"])
    assert stored is not None
    profile = consented(Member.from_stored(stored.record, programme), programme, now)
    ask = rival.first_filter if which == "first" else rival.last_filter
    found = ask(profile, asked["limit"] or programme.limit)
    matches = [{**CARD, "rank": rank, "handle": one} for rank, one in enumerate(found, 1)]
    return Response(orjson.dumps({**FLOOR, "matches": matches}), mimetype="application/json")


@blueprint.route("/bench/recheck", methods=["POST"], endpoint="recheck")
@needs("match")
@blueprint.arguments(MatchRequestSchema)
@blueprint.response(200, {"type": "object"})
def recheck(asked: dict[str, Any]) -> Response:
    """Say how long the live re-check of the seeker's stored list takes, its statements with it."""
    here, now = state(current_app), datetime.now(UTC)
    with here.store.hot.reading() as reader:
        found = scene.scene_and_member(reader, access().programme_id, asked["member_id"])
        assert found is not None
        assert found[1] is not None
        held = here.pools.current(reader, found[0], now)
        stored = lists.latest(reader, access().programme_id, found[1].id, "buddy")
        assert stored is not None
        start = perf_counter()
        Peers().recheck(
            stored, Seeking(reader, found[0], found[1], held.programme, now), held, asked["limit"], again=False
        )
        ms = 1000 * (perf_counter() - start)
    return Response(orjson.dumps({"ms": ms}), mimetype="application/json")


SERVICE = wsgi.make
"""As it is before `benchmarks.http_server` puts `make` in its place."""
_BUILT: list[tuple[Baseline, Programme, datetime]] = []


def _rival(here: Any) -> tuple[Baseline, Programme, datetime]:
    if not _BUILT:
        now = datetime.now(UTC)
        with here.store.reading() as session:
            programme = here.pools.programmes.get(session, access().programme_id)
            stored = list(members.all_members(session, programme.id))
        profiles = [consented(Member.from_stored(one.record, programme), programme, now) for one in stored]
        _BUILT.append((Baseline(programme, profiles, monday_from(now.date())), programme, now))
    return _BUILT[0]


def make() -> Flask:
    """Return the application, from the environment."""
    app = SERVICE()
    app.register_blueprint(blueprint)
    return app
