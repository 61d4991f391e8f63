"""``/v1/audit-log``: who did what in the programme of the key, and when."""

from __future__ import annotations

from typing import Any, Final

import marshmallow as ma
import orjson
from flask import Response, current_app, jsonify
from marshmallow import validate

from matcher.people import MEMBER_ID_PATTERN, MEMBER_ID_RULE
from matcher.records import written
from service import problems
from service.access import access, needs
from service.api import example_data as told
from service.api.blueprint import Blueprint, check_member_id, expected
from service.state import state
from service.store import audit
from service.store.audit_actions import MEANINGS
from service.store.audit_chain import Entry
from service.store.moments import moment

blueprint = Blueprint("audit_log", __name__, description="Who did what, and when.")

MOST: Final = 1000
LARGEST: Final = 2**31 - 1
SUBJECT: Final = "5d1e0a7c94b2f3680c1d7e9fa4b35862"
PLACED: Final = {
    "number": 1,
    "at": "2026-03-04T12:00:00Z",
    "by": "0123456789abcdef",
    "action": "hold.placed",
    "subject": SUBJECT,
    "details": {},
}
BLOCKED: Final = {**PLACED, "number": 2, "action": "block.made", "subject": None, "details": {"new": True}}
FIRST: Final = {"entries": [PLACED, BLOCKED], "next": None}
MORE: Final = {"entries": [PLACED], "next": 1}
NONE_LEFT: Final[dict[str, Any]] = {"entries": [], "next": None}
A_NUMBER: Final = f"a whole number from 0 to {LARGEST}"
A_LIMIT: Final = f"a whole number from 1 to {MOST}"


class AskedSchema(ma.Schema):
    """Which entries."""

    class Meta:
        """Unknown parameters are refused."""

        unknown = ma.RAISE

    after = ma.fields.Integer(
        load_default=0,
        validate=validate.Range(0, LARGEST, error=f"expected {A_NUMBER}"),
        error_messages=expected(A_NUMBER),
        metadata={"description": "The number of the last entry that you have."},
    )
    limit = ma.fields.Integer(
        load_default=100,
        validate=validate.Range(1, MOST, error=f"expected {A_LIMIT}"),
        error_messages=expected(A_LIMIT),
    )
    member_id = ma.fields.String(
        validate=check_member_id,
        error_messages=expected(MEMBER_ID_RULE),
        metadata={"pattern": MEMBER_ID_PATTERN, "description": "Only what was done to this member."},
    )


class EntrySchema(ma.Schema):
    """One entry."""

    number = ma.fields.Integer(required=True, metadata={"minimum": 1, "description": "From 1, without a gap."})
    at = ma.fields.String(required=True, metadata={"format": "date-time"})
    by = ma.fields.String(
        required=True,
        metadata={"pattern": "^([a-z0-9]{16}|command|service)$", "description": "Id of the API key, or what did it."},
    )
    action = ma.fields.String(required=True, validate=validate.OneOf(tuple(MEANINGS)))
    subject = ma.fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "A keyed hash of the `member_id` of whom it is about; null: of nobody, or not told."},
    )
    details = ma.fields.Dict(required=True, metadata={"description": "Numbers and words; see docs/reference/audit.md."})


class EntriesSchema(ma.Schema):
    """Entries in their order."""

    entries = ma.fields.List(ma.fields.Nested(EntrySchema), required=True)
    next = ma.fields.Integer(
        required=True, allow_none=True, metadata={"description": "What to send as `after` for more; null: no more now."}
    )


@blueprint.route("/v1/audit-log", endpoint="entries")
@needs("audit")
@blueprint.arguments(AskedSchema, location="query")
@blueprint.response(200, EntriesSchema)
@blueprint.problems(problems.INVALID)
@blueprint.example("from_the_start", 200, FIRST)
@blueprint.example("a_page", 200, MORE, query={"limit": "1"})
@blueprint.example("of_one_member", 200, {"entries": [PLACED], "next": None}, query={"member_id": told.SEEKER})
@blueprint.example("nothing_new", 200, NONE_LEFT, query={"after": "2"})
def entries(asked: dict[str, Any]) -> Response:
    """Return entries of the audit log, in their order; that it was read is recorded in it.

    It names no member: `subject` is a keyed hash. Whoever knows a `member_id` can ask for what was done to them.
    """
    here, key = state(current_app), access()
    limit, member_id = asked["limit"], asked.get("member_id")
    with here.store.transaction() as session:
        found = audit.entries(session, key.programme_id, after=asked["after"], limit=limit + 1, member_id=member_id)
        shown = found[:limit]
        audit.record(
            session,
            key.programme_id,
            "audit.read",
            now=here.clock(),
            by=key.key_id,
            subject=member_id,
            entries=len(shown),
        )
    more = shown[-1].number if len(found) > limit else None
    return jsonify(entries=[_told(entry) for entry in shown], next=more)


def _told(entry: Entry) -> dict[str, Any]:
    try:
        details = orjson.loads(entry.details)
    except orjson.JSONDecodeError:  # changed by hand, which `peermatch doctor` tells; the rest can be read
        details = {}
    return {**entry._asdict(), "at": written(moment(entry.at)), "details": details}
