"""``/v1/members/{member_id}/consents/{consent_id}/receipt``: what was decided, for whoever has to show it."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from flask import Response, current_app, jsonify
from flask.views import MethodView

from matcher.consent import fold
from service import problems
from service.access import access, needs
from service.api import consent_schemas as shown
from service.api import example_data as told
from service.api.blueprint import Blueprint
from service.api.formats import FormatSchema, also_fhir, fhir_reply, wants_fhir
from service.api.preconditions import existing
from service.api.words import PURPOSES
from service.problems import NO_CONSENT, Problem
from service.receipts import fhir, iso
from service.receipts.account import Account
from service.state import state
from service.store import audit, consent_log
from service.store.histories import is_minor

blueprint = Blueprint("receipts", __name__, description="Receipts of decisions, for those who made them.")

IN_PATH = {**shown.IN_PATH, "consent_id": shown.EVENT["id"]}
RECEIPT = {"schema_version": iso.SCHEMA, "receipt_id": "0c4f3f59-2b0e-5c58-8a52-6a7f9b1f1f0e", "content": {}}
NO_SUCH_CONSENT = told.problem(
    "no-such-consent", "No such consent", 404, "This member has no decision of this id; GET …/consents lists them."
)


class ConsentReceiptSchema(ma.Schema):
    """A receipt of ISO/IEC TS 27560; `docs/schemas/consent-receipt.schema.json` describes it whole."""

    schema_version = ma.fields.String(required=True)
    receipt_id = ma.fields.String(required=True, metadata={"description": "A UUID, the same each time."})
    content = ma.fields.Dict(
        required=True,
        metadata={"description": "The record: processing, parties, and the events of the purpose up to this one."},
    )


@blueprint.route("/v1/members/<member_id>/consents/<consent_id>/receipt", endpoint="receipt")
class ReceiptView(MethodView):
    """The receipt of one event of a member of the key's programme."""

    @needs("consents")
    @blueprint.arguments(FormatSchema, location="query")
    @blueprint.response(200, ConsentReceiptSchema)
    @also_fhir(blueprint, "Consent")
    @blueprint.problems(problems.NO_MEMBER, problems.NO_CONSENT, problems.INVALID)
    @blueprint.example("a_receipt", 200, RECEIPT, path=IN_PATH)
    @blueprint.example("as_fhir", 200, path=IN_PATH, query={"format": "fhir"}, summary="A Consent of FHIR R4")
    @blueprint.example("no_such_consent", 404, NO_SUCH_CONSENT, path={**shown.IN_PATH, "consent_id": "0" * 32})
    def get(self, asked: dict[str, Any], member_id: str, consent_id: str) -> Response:
        """Return the receipt of a decision, or of what the service noted of one.

        A receipt of ISO/IEC TS 27560:2023; as FHIR, a `Consent` of R4, whose `status` is that of now.
        """
        here = state(current_app)
        now = here.clock()
        with here.store.transaction() as session:
            stored = existing(session, member_id)
            programme = here.pools.programmes.get(session, access().programme_id)
            history = consent_log.history(session, programme.id, member_id)
            found = next((one for one in history if one.event_id == consent_id), None)
            if found is None:
                raise Problem(NO_CONSENT, NO_SUCH_CONSENT["detail"])
            audit.record(session, programme.id, "receipt.read", now=now, by=access().key_id, subject=member_id)
        on = fold((one.event for one in history), programme, now, minor=is_minor(stored.record, programme))
        account = Account(programme, member_id, history, on, PURPOSES)
        if wants_fhir(asked):
            return fhir_reply(fhir.consent(account, found))
        return jsonify(iso.receipt(account, found))
