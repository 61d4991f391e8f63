"""``GET /v1/events``: what happened to members since an app last looked."""

from __future__ import annotations

from typing import Any, Final

import marshmallow as ma
from flask import Response, current_app, jsonify
from marshmallow import validate

from matcher.records import written
from service import problems
from service.access import access, needs
from service.api import example_data as told
from service.api.blueprint import Blueprint, expected
from service.api.introduction_schemas import INTRODUCTION
from service.live.retrying import retry
from service.state import state
from service.store import events
from service.store.events import Event
from service.store.moments import moment

blueprint = Blueprint("events", __name__, description="What happened, for apps that look for it.")

MOST: Final = 1000
LARGEST: Final = 2**31 - 1
A_NUMBER: Final = f"a whole number from 0 to {LARGEST}"
A_LIMIT: Final = f"a whole number from 1 to {MOST}"
RETRIED: Final = 5
"""Of those who wait, how many are tried again by one request, so that it stays quick."""
TO_SEEKER: Final[dict[str, Any]] = {
    "number": 1,
    "at": "2026-03-04T12:00:00Z",
    "kind": "introduction.offered",
    "member_id": told.SEEKER,
    "introduction_id": INTRODUCTION,
}
TO_SUPPORTER: Final = {**TO_SEEKER, "number": 2, "member_id": told.SUPPORTER}


class AskedSchema(ma.Schema):
    """From where on."""

    class Meta:
        """Unknown parameters are refused."""

        unknown = ma.RAISE

    after = ma.fields.Integer(
        load_default=0,
        validate=validate.Range(0, LARGEST, error=f"expected {A_NUMBER}"),
        error_messages=expected(A_NUMBER),
        metadata={"description": "`next` of the reply before; 0: from the start."},
    )
    limit = ma.fields.Integer(
        load_default=100,
        validate=validate.Range(1, MOST, error=f"expected {A_LIMIT}"),
        error_messages=expected(A_LIMIT),
        metadata={"description": "How many at most."},
    )


class FeedEventSchema(ma.Schema):
    """One thing that happened."""

    number = ma.fields.Integer(required=True)
    at = ma.fields.String(required=True, metadata={"format": "date-time"})
    kind = ma.fields.String(required=True, validate=validate.OneOf(events.KINDS))
    member_id = ma.fields.String(required=True, metadata={"description": "Whom it is to be told to."})
    introduction_id = ma.fields.String(required=True, allow_none=True)


class EventsSchema(ma.Schema):
    """What happened, in order."""

    events = ma.fields.List(ma.fields.Nested(FeedEventSchema), required=True)
    next = ma.fields.Integer(required=True, metadata={"description": "Give this as `after` the next time."})
    more = ma.fields.Boolean(required=True, metadata={"description": "Whether more waits already."})


@blueprint.route("/v1/events", methods=["GET"], endpoint="events")
@needs("match:ids", "coordinator")  # both sides of an introduction are named here, by one id
@blueprint.arguments(AskedSchema, location="query")
@blueprint.response(200, EventsSchema)
@blueprint.problems(problems.INVALID)
@blueprint.example("some", 200, {"events": [TO_SEEKER, TO_SUPPORTER], "next": 2, "more": False})
@blueprint.example("a_page", 200, {"events": [TO_SEEKER], "next": 1, "more": True}, query={"limit": "1"})
@blueprint.example("none", 200, {"events": [], "next": 2, "more": False}, query={"after": "2"})
def feed(asked: dict[str, Any]) -> Response:
    """Return what happened to members after the event `after`, in order; look again from `next` on.

    Every event is there until the programme's `events_days` are over, so that one whose reply was lost is had again: an
    app does what an event says once, by its number. Read what has become of an introduction with GET: two events may
    have come meanwhile.
    """
    here = state(current_app)
    now, programme_id = here.clock(), access().programme_id
    here.pools.let_time_pass(programme_id, now, heard=False)
    retry(here.shortlists, programme_id, now, most=RETRIED)
    with here.store.reading() as session:
        found = events.after(session, programme_id, asked["after"], asked["limit"] + 1)
        last = events.last(session, programme_id)
    some = found[: asked["limit"]]
    # A cursor beyond the last event is of a database that is gone: it must not wait there for ever.
    following = some[-1].number if some else min(asked["after"], last)
    return jsonify(events=[_shown(event) for event in some], next=following, more=len(found) > len(some))


def _shown(event: Event) -> dict[str, Any]:
    return {
        "number": event.number,
        "at": written(moment(event.at)),
        "kind": event.kind,
        "member_id": event.member_id,
        "introduction_id": event.introduction_id,
    }
