"""``/v1/groups/{group_id}``: a support group's record, put, read and deleted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import marshmallow as ma
from flask import Response, current_app, jsonify, request
from flask.views import MethodView
from sqlalchemy.orm import Session

from matcher.errors import RecordError, shown
from matcher.people import MEMBER_ID_PATTERN
from matcher.support_group import Group
from service import problems
from service.access import access, needs
from service.api import example_data as told
from service.api.blueprint import Blueprint
from service.api.preconditions import check_preconditions, etag_of
from service.problems import NO_GROUP, Problem
from service.state import state
from service.store import groups, members
from service.store.groups import Stored

blueprint = Blueprint("groups", __name__, description="Support groups, known by the partner's `group_id`.")

EXPECTED = "expected a member of this programme, stored before"
NOT_HERE = "This programme has no group of this id."
ETAG = {"ETag": {"description": "Names this state of the record.", "schema": {"type": "string"}}}
IN_PATH = {"group_id": "g-01"}
RECORD: dict[str, Any] = {
    "name": "After surgery, on the phone",
    "facilitators": ["m-000200"],
    "topics": {"experiences": ["lumpectomy"]},
    "channel": "phone",
    "capacity": 8,
    "open": True,
    "members": ["m-000201", "m-000202"],
}
STORED = {"group_id": "g-01", **RECORD, "min_size": 4, "minors": False}
PUT_REPLY: dict[str, Any] = {"group_id": "g-01", "warnings": []}
NO_SUCH_GROUP = told.problem("no-such-group", "No such group", 404, NOT_HERE)
A_STRANGER = {**RECORD, "members": ["m-000201", "m-999999"]}
STRANGER = told.problem(
    "invalid",
    "The request is not valid",
    422,
    "The record is not valid; `errors` names every field.",
    **{"members[1]": f"found 'm-999999'; {EXPECTED}"},
)


class GroupSchema(ma.Schema):
    """A group's record. `topics` and `channel` depend on the programme, so `Group.from_dict` reads it."""

    class Meta:
        """There are no other fields. Here they are let through all the same (see `put`)."""

        unknown = ma.RAISE

    group_id = ma.fields.Raw(allow_none=True, metadata={"type": "string", "pattern": MEMBER_ID_PATTERN})
    name = ma.fields.Raw(allow_none=True, metadata={"type": "string"})
    facilitators = ma.fields.Raw(allow_none=True, metadata={"type": "array", "items": {"type": "string"}})
    topics = ma.fields.Raw(allow_none=True, metadata={"type": "object"})
    slot = ma.fields.Raw(allow_none=True, metadata={"type": "string"})
    tz = ma.fields.Raw(allow_none=True, metadata={"type": "string"})
    channel = ma.fields.Raw(allow_none=True, metadata={"type": "string"})
    languages = ma.fields.Raw(allow_none=True, metadata={"type": "array", "items": {"type": "string"}})
    capacity = ma.fields.Raw(allow_none=True, metadata={"type": "integer", "minimum": 0})
    min_size = ma.fields.Raw(allow_none=True, metadata={"type": "integer", "minimum": 0})
    open = ma.fields.Raw(allow_none=True, metadata={"type": "boolean"})
    minors = ma.fields.Raw(allow_none=True, metadata={"type": "boolean"})
    members = ma.fields.Raw(allow_none=True, metadata={"type": "array", "items": {"type": "string"}})


class PutGroupSchema(ma.Schema):
    """What became of a record that was put."""

    group_id = ma.fields.String(required=True)
    warnings = ma.fields.List(ma.fields.String(), required=True)


@blueprint.route("/v1/groups/<group_id>", endpoint="group")
class GroupView(MethodView):
    """One group of the key's programme."""

    @needs("groups")
    @blueprint.response(200, GroupSchema, headers=ETAG)
    @blueprint.problems(NO_GROUP)
    @blueprint.example("a_group", 200, STORED, path=IN_PATH)
    @blueprint.example("no_group", 404, NO_SUCH_GROUP, path={"group_id": "g-99"}, summary="Unknown, foreign or deleted")
    def get(self, group_id: str) -> Response:
        """Return the record with those who are in the group: for a back end, not for the app of a seeker."""
        here = state(current_app)
        with here.store.reading() as session:
            stored = _existing(session, group_id)
        reply = jsonify(stored.record)
        reply.set_etag(etag_of(stored))
        reply.make_conditional(request)
        return reply

    @needs("groups")
    # Nothing is refused by the schema: every problem of a record is told at once, by `Group.from_dict`.
    @blueprint.arguments(GroupSchema, unknown=ma.INCLUDE)
    @blueprint.response(201, PutGroupSchema, headers=ETAG, description="The group is new")
    @blueprint.response(200, PutGroupSchema, headers=ETAG, description="The record replaced the one there was")
    @blueprint.problems(problems.PRECONDITION)
    @blueprint.example("a_new_group", 201, PUT_REPLY, body=RECORD, path=IN_PATH)
    @blueprint.example("closed", 200, PUT_REPLY, body={**RECORD, "open": False}, path=IN_PATH)
    @blueprint.example("a_stranger", 422, STRANGER, body=A_STRANGER, path=IN_PATH, summary="Every problem, by path")
    def put(self, record: dict[str, Any], group_id: str) -> Response:
        """Store a record, new or in place of the one there is, with all who are in the group.

        Who is in it must be a member of the programme.
        """
        here = state(current_app)
        with here.store.transaction() as session:
            programme = here.pools.programmes.get(session, access().programme_id)
            check_preconditions(groups.get(session, programme.id, group_id))
            whole = _whole(record, group_id)
            group = Group.from_dict(whole, programme)
            _check_known(session, whole)
            stored, new = groups.upsert(session, programme, group, now=here.clock())
        reply = jsonify(group_id=stored.group_id, warnings=list(group.warnings))
        reply.status_code = 201 if new else 200
        reply.set_etag(etag_of(stored))
        return reply

    @needs("groups")
    @blueprint.response(204)
    @blueprint.problems(NO_GROUP, problems.PRECONDITION)
    @blueprint.example("deleted", 204, path=IN_PATH)
    def delete(self, group_id: str) -> Response:
        """Delete a group; the very next list of anybody is without it."""
        here = state(current_app)
        with here.store.transaction() as session:
            check_preconditions(_existing(session, group_id))
            groups.delete(session, access().programme_id, group_id)
        return Response(status=204)


def _existing(session: Session, group_id: str) -> Stored:
    """Return a group of the key's programme; unknown, foreign and deleted are told in the same words."""
    stored = groups.get(session, access().programme_id, group_id)
    if stored is None:
        raise Problem(NO_GROUP, NOT_HERE)
    return stored


def _whole(record: Mapping[str, Any], group_id: str) -> dict[str, Any]:
    """Return the record with the id of the path."""
    if "group_id" in record and record["group_id"] != group_id:
        problem = f"found {shown(record['group_id'])}; expected the id in the path, or no `group_id` at all"
        raise RecordError("the ids differ", {"group_id": problem})
    return {**record, "group_id": group_id}


def _check_known(session: Session, record: Mapping[str, Any]) -> None:
    """Refuse whoever is no member of the key's programme: unknown, foreign and erased alike."""
    named = groups.named(record)
    known = members.revisions(session, access().programme_id, set(named.values()))
    errors = {path: f"found {shown(name)}; {EXPECTED}" for path, name in named.items() if name not in known}
    if errors:
        raise RecordError("somebody in the group is no member", errors)
