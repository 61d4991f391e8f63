"""``POST /v1/feedback``: what became of somebody who was shown, told by handle."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from flask import Response, current_app, jsonify
from flask.views import MethodView
from marshmallow import validate

from matcher.errors import RecordError
from matcher.model.feedback import MAX_RATING, Feedback
from service import problems
from service.access import access, needs
from service.api import example_data as told
from service.api.blueprint import Blueprint, expected
from service.live.handles import Named, resolve
from service.problems import NO_HANDLE, Problem
from service.state import State, state
from service.store import feedback, members

blueprint = Blueprint("feedback", __name__, description="What became of those who were shown.")

EVENTS = ("viewed", "session", "ended", "rated", "reported")
ONE_EVENT = "viewed, session, ended, rated or reported"
A_RATING = f"a whole number from 0 to {MAX_RATING}"
A_HANDLE = "text, as a shortlist has it"
NOBODY = "No list that was returned in the last 14 days has this handle under this match_id."
SHOWN = {"match_id": "H1MlGc43H0DYffccsb2uJw", "handle": "LNbcI3oIxhYyamOwyQILZg"}
NO_SUCH_HANDLE = told.problem("no-such-handle", "No such handle", 404, NOBODY)


class FeedbackRequestSchema(ma.Schema):
    """One thing that happened."""

    class Meta:
        """Unknown fields are refused."""

        unknown = ma.RAISE

    match_id = ma.fields.String(
        required=True, error_messages=expected(A_HANDLE), metadata={"description": "Of the list."}
    )
    handle = ma.fields.String(
        required=True, error_messages=expected(A_HANDLE), metadata={"description": "Of somebody in that list."}
    )
    event = ma.fields.String(
        required=True,
        validate=validate.OneOf(EVENTS, error=f"expected {ONE_EVENT}"),
        error_messages=expected(ONE_EVENT),
    )
    rating = ma.fields.Integer(
        strict=True,
        validate=validate.Range(0, MAX_RATING, error=f"expected {A_RATING}"),
        error_messages=expected(A_RATING),
        metadata={"description": "Of `rated`, and of nothing else."},
    )

    @ma.validates_schema(pass_original=True, skip_on_field_errors=False)
    def _check_rating(self, data: dict[str, Any], sent: dict[str, Any], **_options: Any) -> None:
        event = data.get("event")  # absent: told already, as is a rating that is none
        if event == "rated" and "rating" not in sent:
            raise ma.ValidationError(f"found nothing; expected {A_RATING}", "rating")
        if event not in (None, "rated") and "rating" in data:
            raise ma.ValidationError(f"only rated takes one, and not {event}: leave it out", "rating")


class FeedbackSchema(ma.Schema):
    """It was heard."""

    event = ma.fields.String(required=True, validate=validate.OneOf(EVENTS))


@blueprint.route("/v1/feedback", endpoint="feedback")
class FeedbackView(MethodView):
    """Events of the key's programme."""

    @needs("feedback")
    @blueprint.arguments(FeedbackRequestSchema)
    @blueprint.response(202, FeedbackSchema)
    @blueprint.problems(problems.NO_HANDLE)
    @blueprint.example("viewed", 202, {"event": "viewed"}, body={**SHOWN, "event": "viewed"})
    @blueprint.example("rated", 202, {"event": "rated"}, body={**SHOWN, "event": "rated", "rating": 6})
    @blueprint.example("nobody", 404, NO_SUCH_HANDLE, body={**SHOWN, "event": "viewed"})
    def post(self, asked: dict[str, Any]) -> Response:
        """Say what happened to somebody in a shortlist, now.

        `viewed` counts once for each list, however often it is told.
        """
        here = state(current_app)
        now = here.clock()
        named = resolve(here.store, here.handles, access().programme_id, asked["match_id"], asked["handle"], now)
        if named is None:
            raise Problem(NO_HANDLE, NOBODY)
        if named.kind != "buddy":
            wrong = "names a group; expected that of a person: of groups nothing can be told yet"
            raise RecordError("feedback of a group", {"handle": wrong})
        event = Feedback(
            named.seeker, named.candidate, asked["event"], now, rank=named.rank, rating=asked.get("rating")
        )
        _store(here, named, event)
        reply = jsonify(event=event.event)
        reply.status_code = 202
        return reply


def _store(here: State, named: Named, event: Feedback) -> None:
    with here.store.transaction() as session:
        programme = here.pools.programmes.get(session, access().programme_id)
        # Either may have been erased since the handle was read, and what was erased must not come back.
        if len(members.revisions(session, programme.id, [named.seeker, named.candidate])) < 2:
            raise Problem(NO_HANDLE, NOBODY)
        if event.event == "viewed":
            feedback.add_once(session, programme, event, of=named.match_id)
        else:
            feedback.add(session, programme, [event])
