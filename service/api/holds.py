"""``/v1/members/{member_id}/holds``: a held member gets no list and is in nobody's."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import marshmallow as ma
from flask import Response, current_app, jsonify
from flask.views import MethodView
from marshmallow import validate

from matcher.records import Fields, Problems, note, refuse, written
from service import problems
from service.access import access, needs
from service.api import example_data as told
from service.api.blueprint import Blueprint, expected
from service.api.preconditions import check_preconditions, existing
from service.problems import NO_HOLD, Problem
from service.state import state
from service.store import hold_acts, holds
from service.store.holds import KINDS, Hold
from service.store.moments import FOREVER, moment

blueprint = Blueprint("holds", __name__, description="Members who are matched with nobody for a while.")

ONE_KIND = "crisis, safeguarding or pause"
END = "a date and time with its offset from UTC (RFC 3339), later than now"
HELD = {
    "id": "Zk3hH0pBq6yJ1oS8s6m4ng",
    "kind": "pause",
    "until": "2026-04-01T08:00:00Z",
    "created_at": "2026-03-04T12:00:00Z",
}
OPEN_ENDED = {**HELD, "kind": "crisis", "until": None}
NO_SUCH_HOLD = told.problem("no-such-hold", "No such hold", 404, "This member is not held by a hold of this id.")


class HoldRequestSchema(ma.Schema):
    """Why somebody is held, and for how long."""

    class Meta:
        """Unknown fields are refused."""

        unknown = ma.RAISE

    kind = ma.fields.String(
        required=True,
        validate=validate.OneOf(KINDS, error=f"expected {ONE_KIND}"),
        error_messages=expected(ONE_KIND),
        metadata={"description": "The seeker is given the crisis message for `crisis`."},
    )
    until = ma.fields.String(
        error_messages=expected(END),
        metadata={
            "format": "date-time",
            "description": "The first moment at which it no longer holds, later than now; absent: until it is lifted.",
        },
    )


class HoldSchema(ma.Schema):
    """A hold that runs."""

    id = ma.fields.String(required=True)
    kind = ma.fields.String(required=True, validate=validate.OneOf(KINDS))
    until = ma.fields.String(required=True, allow_none=True, metadata={"format": "date-time"})
    created_at = ma.fields.String(required=True, metadata={"format": "date-time"})


class HoldsSchema(ma.Schema):
    """The holds that run, oldest first."""

    holds = ma.fields.List(ma.fields.Nested(HoldSchema), required=True)


@blueprint.route("/v1/members/<member_id>/holds", endpoint="holds")
class HoldsView(MethodView):
    """The holds of one member of the key's programme."""

    @needs("members", "coordinator")
    @blueprint.response(200, HoldsSchema)
    @blueprint.problems(problems.NO_MEMBER)
    @blueprint.example("nobody_holds_them", 200, {"holds": []}, path={"member_id": told.SEEKER})
    @blueprint.example("held", 200, {"holds": [HELD]}, path={"member_id": told.SEEKER})
    def get(self, member_id: str) -> Response:
        """Return the holds that have neither ended nor been lifted."""
        here = state(current_app)
        with here.store.reading() as session:
            existing(session, member_id)
            running = holds.running(session, access().programme_id, member_id, here.clock())
        return jsonify(holds=[_shown(hold) for hold in running])

    @needs("members", "coordinator")
    @blueprint.arguments(HoldRequestSchema)
    @blueprint.response(201, HoldSchema)
    @blueprint.problems(problems.NO_MEMBER, problems.PRECONDITION)
    @blueprint.example(
        "a_pause", 201, HELD, body={"kind": "pause", "until": HELD["until"]}, path={"member_id": told.SEEKER}
    )
    @blueprint.example("a_crisis", 201, OPEN_ENDED, body={"kind": "crisis"}, path={"member_id": told.SEEKER})
    def post(self, asked: dict[str, Any], member_id: str) -> Response:
        """Hold a member: from the very next request on, no list for them, and they are in nobody's."""
        here = state(current_app)
        now = here.clock()
        until = _end(asked, now)
        with here.store.transaction() as session:
            check_preconditions(existing(session, member_id))
            key = access()
            programme = here.pools.programmes.get(session, key.programme_id)
            hold = hold_acts.place(session, programme, member_id, asked["kind"], until=until, now=now, by=key.key_id)
        reply = jsonify(_shown(hold))
        reply.status_code = 201
        return reply


@blueprint.route("/v1/members/<member_id>/holds/<hold_id>", endpoint="hold")
class HoldView(MethodView):
    """One hold."""

    @needs("members", "coordinator")
    @blueprint.response(204)
    @blueprint.problems(problems.NO_MEMBER, problems.NO_HOLD)
    @blueprint.example("lifted", 204, path={"member_id": told.SEEKER, "hold_id": HELD["id"]})
    @blueprint.example("not_held", 404, NO_SUCH_HOLD, path={"member_id": told.SEEKER, "hold_id": "ended-or-never"})
    def delete(self, member_id: str, hold_id: str) -> Response:
        """Lift a hold. The member stays held for as long as another one runs."""
        here = state(current_app)
        now, key = here.clock(), access()
        with here.store.transaction() as session:
            existing(session, member_id)
            if not hold_acts.lift(session, key.programme_id, member_id, hold_id, now=now, by=key.key_id):
                raise Problem(NO_HOLD, "This member is not held by a hold of this id.")
        return Response(status=204)


def _end(asked: dict[str, Any], now: datetime) -> datetime | None:
    """Return when a hold is to end, or None.

    Raises
    ------
    RecordError
        If that is no instant, or not later than `now`.
    """
    wrong: Problems = {}
    until = Fields(asked, "", wrong, asked).time("until", required=False)
    if until is not None and until <= now:
        note(wrong, "until", f"found {written(until)}, which is over; expected a moment to come")
    refuse(wrong)
    return until


def _shown(hold: Hold) -> dict[str, object]:
    return {
        "id": hold.id,
        "kind": hold.kind,
        "until": None if hold.until == FOREVER else written(moment(hold.until)),
        "created_at": written(moment(hold.created_at)),
    }
