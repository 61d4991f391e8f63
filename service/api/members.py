"""``/v1/members/{member_id}``: a member's record, put, read and erased."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import marshmallow as ma
from flask import Response, current_app, jsonify, request
from flask.views import MethodView
from sqlalchemy.orm import Session

from matcher.consent_events import check_new
from matcher.errors import RecordError, shown
from matcher.people import MEMBER_ID_PATTERN, MOST_CAPACITY, ROLES, Member
from matcher.programme import Programme
from service import problems
from service.access import access, needs
from service.api import consent_acts
from service.api import example_data as told
from service.api.blueprint import Blueprint
from service.api.preconditions import check_preconditions, etag_of, existing
from service.intake.erased import obstacles
from service.live import erasing
from service.problems import CONSENTS_DIFFER, ERASED_BEFORE, Problem
from service.state import state
from service.store import audit, erasure, growth, members
from service.store.erasure_ledger import Ledger
from service.store.histories import History, known_in

blueprint = Blueprint("members", __name__, description="Members, known by the partner's pseudonymous `member_id`.")

COMMON = (problems.UNAUTHORISED, problems.SCOPE_MISSING, problems.NOT_READY)
ETAG = {"ETag": {"description": "Names this state of the record.", "schema": {"type": "string"}}}
IN_PATH = {"member_id": told.SEEKER}
NOBODY = told.problem("no-such-member", "No such member", 404, "This programme has no member of this id.")
PUT_NEW = {"member_id": told.NEWCOMER, "visible_from": "2026-03-05", "warnings": []}
PUT_CHANGED = {"member_id": told.SEEKER, "visible_from": "2026-03-04", "warnings": []}
CHANGED = {"roles": ["seeker"], "age_band": "35-64", "profile": {**told.PROFILE, "journey": "long"}}
KEEPS_CONSENTS = "A changed profile; consents stay as they are"
RECEIPT = {
    "receipt": "5a9c1f0e7d2b4c6a8e3f1d0b9c7a5e42",
    "erased_at": "2026-03-04T12:00:00Z",
    "what": {
        "record": 1,
        "consents": 3,
        "holds": 0,
        "groups": 0,
        "events": 0,
        "feedback": 0,
        "introductions": 0,
        "lists": 0,
    },
}
WRONG = {"roles": ["seeker"], "profile": {"journey": "longer"}}
PUT_WRONG = told.problem(
    "invalid",
    "The request is not valid",
    422,
    "The record is not valid; `errors` names every field.",
    profile__journey="found 'longer'; expected one of new, later, long; did you mean 'long'?",
)


class RecordSchema(ma.Schema):
    """A member's record. What it may say is the programme's: `record_schema` of `GET /v1/programme` is its schema."""

    class Meta:
        """There are no other fields."""

        unknown = ma.RAISE

    member_id = ma.fields.Raw(metadata={"type": "string", "pattern": MEMBER_ID_PATTERN})
    roles = ma.fields.Raw(
        metadata={"type": "array", "items": {"enum": list(ROLES)}, "minItems": 1, "uniqueItems": True}
    )
    age_band = ma.fields.Raw(metadata={"type": "string"})
    capacity = ma.fields.Raw(metadata={"type": "integer", "minimum": 0, "maximum": MOST_CAPACITY})
    vetted = ma.fields.Raw(metadata={"type": "boolean"})
    agreements = ma.fields.Raw(metadata={"type": "array", "items": {"type": "string"}})
    profile = ma.fields.Raw(metadata={"type": "object", "description": "Values by facet."})
    wants = ma.fields.Raw(metadata={"type": "object", "description": "What is asked of a peer, by facet."})
    strata = ma.fields.Raw(metadata={"type": "object", "description": "For checks of fairness only."})
    consents = ma.fields.Raw(metadata={"type": "array", "items": {"type": "object"}})

    def load(self, data: Any, **_options: Any) -> Any:
        """Let everything through: `Member.from_dict` tells every problem of a record at once."""
        return data


class PutSchema(ma.Schema):
    """What became of a record that was put."""

    member_id = ma.fields.String(required=True)
    visible_from = ma.fields.Date(required=True, metadata={"description": "First UTC day on which others may see it."})
    warnings = ma.fields.List(ma.fields.String(), required=True)


class ReceiptSchema(ma.Schema):
    """Somebody was erased."""

    receipt = ma.fields.String(required=True, metadata={"description": "128 random bits; the audit log has it too."})
    erased_at = ma.fields.String(required=True, metadata={"format": "date-time"})
    what = ma.fields.Dict(
        required=True,
        metadata={
            "additionalProperties": {"type": "integer", "minimum": 0},
            "description": "How many things were erased, by kind, of those that an export has. Blocks and what others "
            "told are erased too, and not counted: a number would tell that there were any.",
        },
    )


@blueprint.route("/v1/members/<member_id>", endpoint="member")
class MemberView(MethodView):
    """One member of the key's programme."""

    @needs("members")
    @blueprint.response(200, RecordSchema, headers=ETAG)
    @blueprint.problems(*COMMON, problems.NO_MEMBER)
    @blueprint.example("a_record", 200, told.STORED, path=IN_PATH)
    @blueprint.example("nobody", 404, NOBODY, path={"member_id": "m-999999"}, summary="Unknown, foreign or erased")
    def get(self, member_id: str) -> Response:
        """Return the record as stored."""
        here = state(current_app)
        with here.store.reading() as session:
            stored = existing(session, member_id)
        reply = jsonify(stored.record)
        reply.set_etag(etag_of(stored))
        reply.make_conditional(request)
        return reply

    @needs("members")
    @blueprint.arguments(RecordSchema)
    @blueprint.response(201, PutSchema, headers=ETAG, description="The member is new")
    @blueprint.response(200, PutSchema, headers=ETAG, description="The record replaced the one there was")
    @blueprint.problems(
        *COMMON,
        problems.MALFORMED,
        problems.CONSENTS_DIFFER,
        problems.ERASED_BEFORE,
        problems.PRECONDITION,
        problems.TOO_LARGE,
        problems.MEDIA,
        problems.INVALID,
    )
    @blueprint.example("a_new_member", 201, PUT_NEW, body=told.RECORD, path={"member_id": told.NEWCOMER})
    @blueprint.example("a_changed_profile", 200, PUT_CHANGED, body=CHANGED, path=IN_PATH, summary=KEEPS_CONSENTS)
    @blueprint.example("invalid", 422, PUT_WRONG, body=WRONG, path=IN_PATH, summary="Every problem is told, by path")
    def put(self, record: dict[str, Any], member_id: str) -> Response:
        """Store a record, new or in place of the one there is.

        Consents in a new record count. On replacing, leave `consents` out to keep those stored, or repeat them
        with new events after them; anything else is refused.
        """
        here = state(current_app)
        now = here.clock()
        with here.store.transaction() as session:
            programme = here.pools.programmes.get(session, access().programme_id)
            before = members.get(session, programme.id, member_id)
            check_preconditions(before)
            kept = () if before is None else growth.kept_history(session, programme.id, member_id, before.record)
            member = Member.from_dict(_whole(record, member_id, kept), programme)
            known = _check_consents(member, kept)
            check_new(member.consents, now, known=known)
            erased = _check_erased(session, member, kept)
            visible_from = visible_day(programme, now)
            key = access().key_id
            stored, new = members.upsert(session, programme, member, now=now, visible_from=visible_from, by=key)
            consent_acts.told(session, programme, member_id, member.consents[known:], now)
            if erased:
                audit.record(session, programme.id, "member.restored", now=now, by=key, subject=member_id)
        reply = jsonify(
            member_id=stored.member_id, visible_from=stored.visible_from.isoformat(), warnings=list(member.warnings)
        )
        reply.status_code = 201 if new else 200
        reply.set_etag(etag_of(stored))
        return reply

    @needs("members")
    @blueprint.response(200, ReceiptSchema)
    @blueprint.problems(*COMMON, problems.NO_MEMBER, problems.PRECONDITION)
    @blueprint.example("erased", 200, RECEIPT, path=IN_PATH)
    def delete(self, member_id: str) -> Response:
        """Erase a member and all that names them; the very next list of anybody is without them.

        The receipt names nobody: keep it with what you know of the member, or hand it on.
        """
        here = state(current_app)
        now, programme_id = here.clock(), access().programme_id
        with here.store.transaction() as session:
            check_preconditions(existing(session, member_id))
            done = erasure.erase(session, programme_id, member_id, now=now, by=access().key_id)
            assert done is not None
        erasing.finish(here.store, Ledger.of(here.settings), here.pools, programme_id, done, now)
        return jsonify(done.to_dict())


def visible_day(programme: Programme, now: datetime) -> date:
    """Return the first UTC day on which a member added over HTTP may be seen by others."""
    today = now.astimezone(UTC).date()
    return today if programme.additions == "at_once" else today + timedelta(days=1)


def _check_erased(session: Session, member: Member, kept: History) -> bool:
    """Refuse to store somebody again who was erased and has decided nothing since; return whether they come back."""
    erased_at = erasure.erased_at(session, member.programme_id, member.member_id)
    if erased_at is None:
        return False
    wrong = obstacles(member, erased_at, kept)
    if wrong:
        raise Problem(
            ERASED_BEFORE,
            "The member of this id was erased. They can be stored again with a purpose given since and no decision of "
            "before; another person needs another id. Nothing was changed.",
            wrong,
        )
    return not kept


def _whole(record: Mapping[str, Any], member_id: str, kept: History) -> dict[str, Any]:
    """Return the record with the id of the path, and the consents stored where it brings none."""
    if "member_id" in record and record["member_id"] != member_id:
        found = shown(record["member_id"])
        problem = f"found {found}; expected the id in the path, or no `member_id` at all"
        raise RecordError("the ids differ", {"member_id": problem})
    whole = {**record, "member_id": member_id}
    if "consents" not in record:
        whole["consents"] = [event.to_dict() for event in kept]
    return whole


def _check_consents(member: Member, kept: History) -> int:
    """Refuse a record that forgets or rewrites a consent event: their history only grows. Return how many it knows.

    What the service noted by itself it need not know of.
    """
    known = known_in(member.consents, kept) if kept else 0
    if known is None:
        raise Problem(
            CONSENTS_DIFFER,
            "The stored consents cannot be changed by a record. Leave `consents` out to keep them, or send them all "
            "in their order, with new events (a withdrawal, say) after them. Nothing was changed.",
        )
    return known
