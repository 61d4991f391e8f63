"""``/v1/members/{member_id}/consents``: decisions about what a member's data may be used for, recorded as they fall."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

import marshmallow as ma
from flask import Response, current_app, jsonify
from flask.views import MethodView

from matcher.consent import ConsentState, fold
from matcher.consent_events import DECISIONS, PURPOSES
from matcher.errors import RecordError
from matcher.people import Member
from matcher.programme import Programme
from service import problems
from service.access import access, needs
from service.api import example_data as told
from service.api.blueprint import Blueprint
from service.api.preconditions import check_preconditions, etag_of, existing
from service.intake.decisions import ALL, decided, event_id
from service.problems import RECORD_OUTDATED, Problem
from service.state import state
from service.store import members
from service.store.members import Stored

blueprint = Blueprint("consents", __name__, description="What a member's data may be used for, decision by decision.")

ETAG = {"ETag": {"description": "Names the member's new state.", "schema": {"type": "string"}}}
_SWITCHES = {
    "type": "object",
    "properties": {purpose: {"type": "boolean"} for purpose in PURPOSES},
    "required": list(PURPOSES),
    "additionalProperties": False,
}


IN_PATH = {"member_id": told.SEEKER}
EVENT = {"id": "9f2c6d0e3b7a4185b1d2f4c8e0a75361", **told.consent("match_serve")}
STATE = dict.fromkeys(PURPOSES, False) | {"match_serve": True, "be_shown_as_peer": True, "show_reasons": True}
COVERS = {purpose: ["channel", "experiences", "journey", "statement"] for purpose, on in STATE.items() if on}
GIVEN = {"purpose": "train_model", "decision": "given", "valid_until": "2028-03-04T12:00:00Z"}
GIVEN_NOW = {**EVENT, **GIVEN, "at": "2026-03-04T12:00:00Z"}
WITHDRAWN = {**EVENT, "decision": "withdrawn", "at": "2026-03-04T12:00:00Z"}
EVERYTHING = {"purpose": ALL, "decision": "withdrawn"}


class DecisionSchema(ma.Schema):
    """A decision. It is made now: the server's clock says when."""

    class Meta:
        """There are no other fields."""

        unknown = ma.RAISE

    purpose = ma.fields.String(
        required=True,
        metadata={
            "enum": [*PURPOSES, ALL],
            "description": "`all`, with the decision `withdrawn`, is every purpose that was given.",
        },
    )
    decision = ma.fields.String(required=True, metadata={"enum": list(DECISIONS)})
    policy_version = ma.fields.String(metadata={"description": "The programme's present one, if it is left out."})
    categories = ma.fields.List(
        ma.fields.String(), metadata={"description": "The facets that a grant covers; all, if it is left out."}
    )
    valid_until = ma.fields.String(
        metadata={"format": "date-time", "description": "The first moment at which a grant no longer holds."}
    )
    guardian = ma.fields.String(metadata={"description": "Evidence that a minor's guardian agreed to a grant."})

    def load(self, data: Any, **_options: Any) -> Any:
        """Let everything through: `decided` tells every problem at once, and what it may be is the programme's."""
        return data


class EventSchema(ma.Schema):
    """A decision as recorded."""

    id = ma.fields.String(required=True, metadata={"description": "Stable, and of this event only."})
    purpose = ma.fields.String(required=True, metadata={"enum": list(PURPOSES)})
    decision = ma.fields.String(required=True, metadata={"enum": list(DECISIONS)})
    policy_version = ma.fields.String(required=True)
    at = ma.fields.String(required=True, metadata={"format": "date-time"})
    valid_until = ma.fields.String(metadata={"format": "date-time"})
    categories = ma.fields.List(ma.fields.String())
    guardian = ma.fields.String()


class RecordedSchema(EventSchema):
    """What was recorded, and what is on after it. Of `all` it has `events` in place of the fields of one."""

    events = ma.fields.List(
        ma.fields.Nested(EventSchema), metadata={"description": "Of `all` only: one for each purpose withdrawn."}
    )
    state = ma.fields.Dict(required=True, metadata={**_SWITCHES, "description": "Which purposes are on now."})


RECORDED = RecordedSchema(partial=("id", "purpose", "decision", "policy_version", "at"))


class ConsentsSchema(ma.Schema):
    """Every decision of a member in the order in which they were recorded, and what is on now."""

    events = ma.fields.List(ma.fields.Nested(EventSchema), required=True)
    state = ma.fields.Dict(required=True, metadata={**_SWITCHES, "description": "Which purposes are on now."})
    covers = ma.fields.Dict(
        required=True,
        metadata={
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
            "description": "The facets that each purpose which is on covers.",
        },
    )


@blueprint.route("/v1/members/<member_id>/consents", endpoint="consents")
class ConsentsView(MethodView):
    """The decisions of one member of the key's programme."""

    @needs("consents")
    @blueprint.response(200, ConsentsSchema)
    @blueprint.problems(problems.NO_MEMBER, problems.RECORD_OUTDATED)
    @blueprint.example("what_is_on", 200, {"events": [EVENT], "state": STATE, "covers": COVERS}, path=IN_PATH)
    def get(self, member_id: str) -> Response:
        """Return every decision, what is on now, and for which facets."""
        here = state(current_app)
        now = here.clock()
        with here.store.reading() as session:
            programme = here.pools.programmes.get(session, access().programme_id)
            member = _read(existing(session, member_id), programme)
        on = _state(member, programme, now)
        covers = {
            purpose: sorted(programme.facets if covered is None else covered) for purpose, covered in on.grants.items()
        }
        # No ETag: what is on changes with the clock, and the record does not.
        return jsonify(events=list(_told(member)), state=_switches(on), covers=covers)

    @needs("consents")
    @blueprint.arguments(DecisionSchema)
    @blueprint.response(201, RECORDED, headers=ETAG)
    @blueprint.response(200, RECORDED, headers=ETAG, description="There was nothing to withdraw")
    @blueprint.problems(problems.NO_MEMBER, problems.RECORD_OUTDATED, problems.PRECONDITION)
    @blueprint.example("given", 201, {**GIVEN_NOW, "state": {**STATE, "train_model": True}}, body=GIVEN, path=IN_PATH)
    @blueprint.example("withdrawn", 201, {**WITHDRAWN, "state": {**STATE, "match_serve": False}},
                       body={"purpose": "match_serve", "decision": "withdrawn"}, path=IN_PATH)  # fmt: skip
    @blueprint.example("everything_withdrawn", 201, {"events": [WITHDRAWN], "state": dict.fromkeys(PURPOSES, False)},
                       body=EVERYTHING, path=IN_PATH)  # fmt: skip
    def post(self, body: dict[str, Any], member_id: str) -> Response:
        """Record a decision; it counts from the very next request on, on every worker.

        Everything is withdrawn in one call: `{"purpose": "all", "decision": "withdrawn"}`.
        """
        here = state(current_app)
        now = here.clock()
        with here.store.transaction() as session:
            stored = existing(session, member_id)
            check_preconditions(stored)
            programme = here.pools.programmes.get(session, access().programme_id)
            before = _read(stored, programme)
            added = decided(body, before.consents, programme, now)
            member = replace(before, consents=(*before.consents, *added))
            stored, _ = members.upsert(session, programme, member, now=now, visible_from=stored.visible_from)
        told = list(_told(member))[len(before.consents) :]
        recorded = {"events": told} if body["purpose"] == ALL else told[0]
        reply = jsonify(**recorded, state=_switches(_state(member, programme, now)))
        reply.status_code = 201 if added else 200
        reply.set_etag(etag_of(stored))
        return reply


def _read(stored: Stored, programme: Programme) -> Member:
    try:
        return Member.from_dict(stored.record, programme)
    except RecordError:
        # What is wrong with it is for who may read members.
        detail = "The programme has changed; store the member's record again with PUT."
        raise Problem(RECORD_OUTDATED, detail) from None


def _told(member: Member) -> Iterator[dict[str, object]]:
    for place, event in enumerate(member.consents):
        yield {"id": event_id(place, event), **event.to_dict()}


def _state(member: Member, programme: Programme, now: datetime) -> ConsentState:
    return fold(member.consents, programme, now, minor=member.age_band in programme.minors)


def _switches(on: ConsentState) -> dict[str, bool]:
    return {purpose: on.on(purpose) for purpose in PURPOSES}
