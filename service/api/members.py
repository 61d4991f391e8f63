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
from matcher.errors import RecordError, UnknownMemberError, shown
from matcher.people import Member
from matcher.programme import Programme
from service import problems
from service.access import access, needs
from service.api.blueprint import Blueprint
from service.problems import CONSENTS_DIFFER, PRECONDITION, Problem
from service.state import state
from service.store import members
from service.store.members import Stored

blueprint = Blueprint("members", __name__, description="Members, known by the partner's pseudonymous `member_id`.")

COMMON = (problems.UNAUTHORISED, problems.SCOPE_MISSING, problems.NOT_READY)
ETAG = {"ETag": {"description": "Names this state of the record.", "schema": {"type": "string"}}}


class RecordSchema(ma.Schema):
    """A member's record. `profile`, `wants` and `strata` depend on the programme, so `Member.from_dict` reads them."""

    class Meta:
        """There are no other fields. Here they are let through all the same (see `put`)."""

        unknown = ma.RAISE

    member_id = ma.fields.Raw(allow_none=True, metadata={"type": "string", "pattern": "^[A-Za-z0-9._~-]{1,64}$"})
    roles = ma.fields.Raw(allow_none=True, metadata={"type": "array", "items": {"enum": ["seeker", "supporter"]}})
    age_band = ma.fields.Raw(allow_none=True, metadata={"type": "string"})
    capacity = ma.fields.Raw(allow_none=True, metadata={"type": "integer", "minimum": 0})
    vetted = ma.fields.Raw(allow_none=True, metadata={"type": "boolean"})
    agreements = ma.fields.Raw(allow_none=True, metadata={"type": "array", "items": {"type": "string"}})
    profile = ma.fields.Raw(allow_none=True, metadata={"type": "object"})
    wants = ma.fields.Raw(allow_none=True, metadata={"type": "object"})
    strata = ma.fields.Raw(allow_none=True, metadata={"type": "object"})
    consents = ma.fields.Raw(allow_none=True, metadata={"type": "array", "items": {"type": "object"}})


class PutSchema(ma.Schema):
    """What became of a record that was put."""

    member_id = ma.fields.String(required=True)
    visible_from = ma.fields.Date(required=True, metadata={"description": "First UTC day on which others may see it."})
    warnings = ma.fields.List(ma.fields.String(), required=True)


@blueprint.route("/v1/members/<member_id>", endpoint="member")
class MemberView(MethodView):
    """One member of the key's programme."""

    @needs("members")
    @blueprint.response(200, RecordSchema, headers=ETAG)
    @blueprint.problems(*COMMON, problems.NO_MEMBER)
    def get(self, member_id: str) -> Response:
        """Return the record as stored."""
        here = state(current_app)
        with here.store.reading() as session:
            stored = _existing(session, member_id)
        reply = jsonify(stored.record)
        reply.set_etag(_etag(stored))
        reply.make_conditional(request)
        return reply

    @needs("members")
    # Nothing is refused by the schema: every problem of a record is told at once, by `Member.from_dict`.
    @blueprint.arguments(RecordSchema, unknown=ma.INCLUDE)
    @blueprint.response(201, PutSchema, headers=ETAG, description="The member is new")
    @blueprint.response(200, PutSchema, headers=ETAG, description="The record replaced the one there was")
    @blueprint.problems(
        *COMMON,
        problems.MALFORMED,
        problems.CONSENTS_DIFFER,
        problems.PRECONDITION,
        problems.TOO_LARGE,
        problems.MEDIA,
        problems.INVALID,
    )
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
            _check_preconditions(before)
            member = Member.from_dict(_whole(record, member_id, before), programme)
            whole = member.to_dict()
            check_new(member.consents, now, known=_check_consents(whole, before))
            visible_from = visible_day(programme, now)
            stored, new = members.upsert(session, programme.id, whole, now=now, visible_from=visible_from)
        reply = jsonify(
            member_id=stored.member_id, visible_from=stored.visible_from.isoformat(), warnings=list(member.warnings)
        )
        reply.status_code = 201 if new else 200
        reply.set_etag(_etag(stored))
        return reply

    @needs("members")
    @blueprint.response(204)
    @blueprint.problems(*COMMON, problems.NO_MEMBER, problems.PRECONDITION)
    def delete(self, member_id: str) -> Response:
        """Erase a member, and the feedback that names them; the very next list of anybody is without them."""
        here = state(current_app)
        with here.store.transaction() as session:
            _check_preconditions(_existing(session, member_id))
            members.delete(session, access().programme_id, member_id, now=here.clock())
        return Response(status=204)


def visible_day(programme: Programme, now: datetime) -> date:
    """Return the first UTC day on which a member added over HTTP may be seen by others."""
    today = now.astimezone(UTC).date()
    return today if programme.additions == "at_once" else today + timedelta(days=1)


def _existing(session: Session, member_id: str) -> Stored:
    stored = members.get(session, access().programme_id, member_id)
    if stored is None:
        raise UnknownMemberError("no such member")
    return stored


def _whole(record: Mapping[str, Any], member_id: str, before: Stored | None) -> dict[str, Any]:
    """Return the record with the id of the path, and the consents stored where it brings none."""
    if "member_id" in record and record["member_id"] != member_id:
        found = shown(record["member_id"])
        problem = f"found {found}; expected the id in the path, or no `member_id` at all"
        raise RecordError("the ids differ", {"member_id": problem})
    whole = {**record, "member_id": member_id}
    if before is not None and "consents" not in record and "consents" in before.record:
        whole["consents"] = before.record["consents"]
    return whole


def _check_consents(record: Mapping[str, Any], before: Stored | None) -> int:
    """Refuse a record that forgets or rewrites a consent event: their history only grows. Return how many it had."""
    if before is None:
        return 0
    known = before.record.get("consents", [])
    if list(record.get("consents", []))[: len(known)] != list(known):
        raise Problem(
            CONSENTS_DIFFER,
            "The stored consents cannot be changed by a record. Leave `consents` out to keep them, or send them all "
            "in their order, with new events (a withdrawal, say) after them. Nothing was changed.",
        )
    return len(known)


def _check_preconditions(stored: Stored | None) -> None:
    """Honour If-Match and If-None-Match where they were sent (RFC 9110, 13.1)."""
    etag = None if stored is None else _etag(stored)
    if "If-Match" in request.headers and (etag is None or not request.if_match.contains(etag)):
        raise Problem(PRECONDITION, "If-Match names another state; GET the member and send its ETag.")
    if "If-None-Match" in request.headers and etag is not None and request.if_none_match.contains_weak(etag):
        raise Problem(PRECONDITION, "If-None-Match names the state there is; nothing was changed.")


def _etag(stored: Stored) -> str:
    return str(stored.revision)
