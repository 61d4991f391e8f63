"""``/v1/members/{member_id}/consents``: decisions about what a member's data may be used for, recorded as they fall."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask import Response, current_app, jsonify
from flask.views import MethodView
from sqlalchemy.orm import Session

from matcher.consent import ConsentState, fold
from matcher.consent_events import PURPOSES as NAMES
from matcher.programme import Programme
from matcher.records import written
from service import problems
from service.access import access, needs
from service.api import consent_acts
from service.api import consent_schemas as shown
from service.api.blueprint import Blueprint
from service.api.consent_schemas import ConsentsSchema, DecisionSchema
from service.api.formats import FormatSchema, also_fhir, fhir_reply, wants_fhir
from service.api.preconditions import check_preconditions, etag_of, existing
from service.api.words import PURPOSES
from service.intake.decisions import ALL, decided, event_id
from service.receipts import fhir
from service.receipts.account import Account
from service.state import state
from service.store import audit, consent_log, growth, recording
from service.store.consent_log import SERVICE, Recorded
from service.store.histories import history_of, is_minor
from service.store.members import Stored

blueprint = Blueprint("consents", __name__, description="What a member's data may be used for, decision by decision.")

ETAG = {"ETag": {"description": "Names the member's new state.", "schema": {"type": "string"}}}


@blueprint.route("/v1/members/<member_id>/consents", endpoint="consents")
class ConsentsView(MethodView):
    """The decisions of one member of the key's programme."""

    @needs("consents")
    @blueprint.arguments(FormatSchema, location="query")
    @blueprint.response(200, ConsentsSchema)
    @also_fhir(blueprint, "Bundle")
    @blueprint.problems(problems.NO_MEMBER, problems.INVALID)
    @blueprint.example(
        "what_is_on", 200, {"events": [shown.EVENT], "state": shown.STATE, "covers": shown.COVERS}, path=shown.IN_PATH
    )
    @blueprint.example("as_fhir", 200, path=shown.IN_PATH, query={"format": "fhir"}, summary="A Bundle of FHIR R4")
    def get(self, asked: dict[str, Any], member_id: str) -> Response:
        """Return every decision, what is on now, and for which facets.

        As FHIR it is a `Bundle` with one `Consent` for each event.
        """
        here = state(current_app)
        now = here.clock()
        with here.store.transaction() as session:
            stored = existing(session, member_id)
            programme = here.pools.programmes.get(session, access().programme_id)
            stored = recording.append(session, programme, stored, (), now=now, by=SERVICE)
            history = consent_log.history(session, programme.id, member_id)
            audit.record(session, programme.id, "consents.read", now=now, by=access().key_id, subject=member_id)
        on = _state(history, programme, stored, now)
        if wants_fhir(asked):
            return fhir_reply(fhir.bundle(Account(programme, member_id, history, on, PURPOSES), now))
        # No ETag: what is on changes with the clock, and the record does not.
        return jsonify(events=[told(one) for one in history], state=_switches(on), covers=_covers(on, programme))

    @needs("consents")
    @blueprint.arguments(DecisionSchema)
    @blueprint.response(201, shown.RECORDED, headers=ETAG)
    @blueprint.response(200, shown.RECORDED, headers=ETAG, description="There was nothing to withdraw")
    @blueprint.problems(problems.NO_MEMBER, problems.PRECONDITION)
    @blueprint.example("given", 201, {**shown.GIVEN_NOW, "state": {**shown.STATE, "train_model": True}},
                       body=shown.GIVEN, path=shown.IN_PATH)  # fmt: skip
    @blueprint.example("given_on_paper", 201, {**shown.FORM_NOW, "state": {**shown.STATE, "train_model": True}},
                       body=shown.FORM, path=shown.IN_PATH)  # fmt: skip
    @blueprint.example("withdrawn", 201, {**shown.WITHDRAWN, "state": {**shown.STATE, "match_serve": False}},
                       body={"purpose": "match_serve", "decision": "withdrawn"}, path=shown.IN_PATH)  # fmt: skip
    @blueprint.example("everything_withdrawn", 201,
                       {"events": [shown.WITHDRAWN], "state": dict.fromkeys(NAMES, False)},
                       body=shown.EVERYTHING, path=shown.IN_PATH)  # fmt: skip
    def post(self, body: dict[str, Any], member_id: str) -> Response:
        """Record a decision; it counts from the very next request on, on every worker.

        Everything is withdrawn in one call: `{"purpose": "all", "decision": "withdrawn"}`. A refusal or withdrawal is
        recorded even where the programme no longer accepts the rest of the member's record.
        """
        here = state(current_app)
        now = here.clock()
        with here.store.transaction() as session:
            stored = existing(session, member_id)
            check_preconditions(stored)
            programme = here.pools.programmes.get(session, access().programme_id)
            stored, added = _recorded(session, programme, stored, body, now)
        news = [told(one) for one in added]
        recorded = {"events": news} if body["purpose"] == ALL else news[0]
        # Of what there was before nothing is opened: where that cannot be, a "no" must be recorded all the same.
        on = fold(history_of(stored.record) or (), programme, now, minor=is_minor(stored.record, programme))
        reply = jsonify(**recorded, state=_switches(on))
        reply.status_code = 201 if news else 200
        reply.set_etag(etag_of(stored))
        return reply


def told(one: Recorded) -> dict[str, Any]:
    """Return an event as replies tell it."""
    recorded = {"recorded_at": written(one.recorded_at), "recorded_by": one.recorded_by}
    return {"id": one.event_id, **one.event.to_dict(), **recorded}


def _recorded(
    session: Session, programme: Programme, stored: Stored, body: dict[str, Any], now: datetime
) -> tuple[Stored, list[Recorded]]:
    """Write down what a body decides; return the member as stored then, and what was added."""
    stored = recording.append(session, programme, stored, (), now=now, by=SERVICE)
    before = growth.kept_history(session, programme.id, stored.member_id, stored.record)
    added = decided(body, before, programme, now)
    stored = recording.append(session, programme, stored, added, now=now, by=access().key_id)
    if added:
        consent_acts.told(session, programme, stored.member_id, added, now)
    else:  # the reply tells what is on all the same
        audit.record(session, programme.id, "consents.read", now=now, by=access().key_id, subject=stored.member_id)
    places = enumerate(added, len(before))
    return stored, [Recorded(event_id(at, one), at, one, now, access().key_id) for at, one in places]


def _state(history: Sequence[Recorded], programme: Programme, stored: Stored, now: datetime) -> ConsentState:
    return fold((one.event for one in history), programme, now, minor=is_minor(stored.record, programme))


def _switches(on: ConsentState) -> dict[str, bool]:
    return {purpose: on.on(purpose) for purpose in NAMES}


def _covers(on: ConsentState, programme: Programme) -> dict[str, list[str]]:
    return {
        purpose: sorted(programme.facets if covered is None else covered & programme.facets.keys())
        for purpose, covered in on.grants.items()
    }
