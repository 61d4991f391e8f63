"""``/v1/waiting-list``: who waits for somebody, why, and in which order; and where all other seekers stand."""

from __future__ import annotations

from typing import Any, Final

import marshmallow as ma
from flask import Response, current_app, jsonify
from marshmallow import validate

from matcher.records import written
from matcher.waiting import NAMES, REASONS
from service import problems
from service.access import access, needs
from service.api import example_data as told
from service.api.blueprint import Blueprint, expected
from service.api.introduction_schemas import Strict
from service.live.waiting import Snapshot, Waiting
from service.state import state
from service.store import audit

blueprint = Blueprint("waiting_list", __name__, description="Who waits, why, and in which order.")

MOST: Final = 1000
LARGEST: Final = 2**31 - 1
A_PLACE: Final = f"a whole number from 0 to {LARGEST}"
A_LIMIT: Final = f"a whole number from 1 to {MOST}"
WAITER: Final = {"place": 1, "member_id": told.SEEKER, "since": "2026-02-02T12:00:00Z", "reason": "never_asked"}
ONE_WAITS: Final = {
    "as_of": "2026-03-04T12:00:00Z",
    "states": {**dict.fromkeys(NAMES, 0), "waiting": 1},
    "waiting": [WAITER],
    "next": None,
}


class AskedSchema(Strict):
    """Which part of the list."""

    limit = ma.fields.Integer(
        load_default=100,
        validate=validate.Range(1, MOST, error=f"expected {A_LIMIT}"),
        error_messages=expected(A_LIMIT),
        metadata={"description": "How many at most."},
    )
    after = ma.fields.Integer(
        load_default=0,
        validate=validate.Range(0, LARGEST, error=f"expected {A_PLACE}"),
        error_messages=expected(A_PLACE),
        metadata={"description": "`next` of the reply before: a place; 0: from the first."},
    )


class WaiterSchema(ma.Schema):
    """Somebody who waits."""

    place = ma.fields.Integer(required=True, metadata={"minimum": 1})
    member_id = ma.fields.String(required=True)
    since = ma.fields.String(required=True, metadata={"format": "date-time"})
    reason = ma.fields.String(required=True, validate=validate.OneOf(REASONS))


class WaitingListSchema(ma.Schema):
    """Where every seeker stands, and those who wait in order."""

    as_of = ma.fields.String(required=True, metadata={"format": "date-time"})
    states = ma.fields.Dict(
        keys=ma.fields.String(validate=validate.OneOf(NAMES)),
        values=ma.fields.Integer(),
        required=True,
        metadata={"description": "How many seekers are in each state; every seeker is in exactly one."},
    )
    waiting = ma.fields.List(ma.fields.Nested(WaiterSchema), required=True)
    next = ma.fields.Integer(
        required=True, allow_none=True, metadata={"description": "What to send as `after` for more; null: no more."}
    )


@blueprint.route("/v1/waiting-list", endpoint="waiting_list")
@needs("coordinator")
@blueprint.arguments(AskedSchema, location="query")
@blueprint.response(200, WaitingListSchema)
@blueprint.problems(problems.INVALID)
@blueprint.example("one_waits", 200, ONE_WAITS)
@blueprint.example("a_page", 200, ONE_WAITS, query={"limit": "1", "after": "0"})
@blueprint.example("no_more", 200, {**ONE_WAITS, "waiting": []}, query={"after": "1"})
def waiting_list(asked: dict[str, Any]) -> Response:
    """Return who waits, first comes first, with the reason; that it was read is recorded in the audit log.

    It is looked up anew each time: whoever pages through it while people come and go may see somebody twice, or not.
    """
    here, key = state(current_app), access()
    now = here.clock()
    here.pools.let_time_pass(key.programme_id, now)
    found = here.shortlists.waits.fresh(key.programme_id, now)
    first = min(asked["after"], len(found.waiting))
    some = found.waiting[first : first + asked["limit"]]
    with here.store.transaction() as session:  # no audit, no answer
        audit.record(session, key.programme_id, "waiting.read", now=now, by=key.key_id, entries=len(some))
    return jsonify(_told(found, first, some))


def _told(found: Snapshot, first: int, some: tuple[Waiting, ...]) -> dict[str, Any]:
    last = first + len(some)
    return {
        "as_of": written(found.as_of),
        "states": found.states,
        "waiting": [_row(place, one) for place, one in enumerate(some, first + 1)],
        "next": last if last < len(found.waiting) else None,
    }


def _row(place: int, one: Waiting) -> dict[str, Any]:
    since = written(one.waiter.since)
    return {"place": place, "member_id": one.waiter.member_id, "since": since, "reason": one.reason}
