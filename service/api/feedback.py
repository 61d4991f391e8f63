"""``POST /v1/feedback``: what became of somebody who was shown, told by handle, or of an introduction."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Response, current_app, jsonify
from flask.views import MethodView
from sqlalchemy.orm import Session

from matcher.errors import RecordError
from matcher.introductions import SIDES, seen_by
from matcher.model.feedback import Feedback
from matcher.programme import Programme
from service import problems
from service.access import access, needs
from service.api import example_data as told
from service.api.blueprint import Blueprint
from service.api.feedback_schemas import FeedbackRequestSchema, FeedbackSchema
from service.api.introduction_schemas import INTRODUCTION
from service.live.handles import Named, resolve
from service.problems import NO_HANDLE, NO_INTRODUCTION, NOT_NOW, Problem
from service.state import State, state
from service.store import closing, feedback, introduction_rows, introductions, members

blueprint = Blueprint("feedback", __name__, description="What became of those who were shown.")

NOBODY = "No list that was returned in the last 14 days has this handle under this match_id."
SHOWN = {"match_id": "H1MlGc43H0DYffccsb2uJw", "handle": "LNbcI3oIxhYyamOwyQILZg"}
MET = {"introduction_id": INTRODUCTION, "member_id": told.SUPPORTER}
UNKNOWN = "This member has no introduction of this id; GET /v1/members/{member_id}/introductions lists them."
OF_A_CONNECTION = frozenset({"session", "rated"})
"""What is told of two who have been connected, and of nobody else: training learns from it that they met."""
NEVER_MET = "Found an introduction that never was a connection; tell this once both have accepted."
NO_SUCH_HANDLE = told.problem("no-such-handle", "No such handle", 404, NOBODY)


@blueprint.route("/v1/feedback", endpoint="feedback")
class FeedbackView(MethodView):
    """Events of the key's programme."""

    @needs("feedback")
    @blueprint.arguments(FeedbackRequestSchema)
    @blueprint.response(202, FeedbackSchema)
    @blueprint.problems(problems.NO_HANDLE, problems.NO_INTRODUCTION, problems.NOT_NOW)
    @blueprint.example("viewed", 202, {"event": "viewed"}, body={**SHOWN, "event": "viewed"})
    @blueprint.example("rated", 202, {"event": "rated"}, body={**SHOWN, "event": "rated", "rating": 6})
    @blueprint.example("a_meeting", 202, {"event": "session"}, body={**MET, "event": "session"})
    @blueprint.example(
        "felt_understood",
        202,
        {"event": "rated"},
        body={**MET, "event": "rated", "scale": "felt_understood", "rating": 7},
    )
    @blueprint.example(
        "not_safe",
        202,
        {"event": "reported"},
        body={**MET, "event": "reported", "safety": True},
        summary="The introduction is suspended at once",
    )
    @blueprint.example("nobody", 404, NO_SUCH_HANDLE, body={**SHOWN, "event": "viewed"})
    def post(self, asked: dict[str, Any]) -> Response:
        """Say what happened with somebody of a shortlist, or in an introduction, now.

        `viewed` counts once for each list, however often it is told. Of an introduction either side tells `session`,
        `rated` and `reported`; with `safety` a report suspends it at once and brings it before a coordinator.
        """
        here = state(current_app)
        now = here.clock()
        if "introduction_id" in asked:
            _of_introduction(here, asked, now)
        else:
            _of_list(here, asked, now)
        reply = jsonify(event=asked["event"])
        reply.status_code = 202
        return reply


def _of_list(here: State, asked: dict[str, Any], now: datetime) -> None:
    named = resolve(here.store, here.handles, access().programme_id, asked["match_id"], asked["handle"], now)
    if named is None:
        raise Problem(NO_HANDLE, NOBODY)
    if named.kind != "buddy":
        wrong = "names a group; expected that of a person: of groups nothing can be told yet"
        raise RecordError("feedback of a group", {"handle": wrong})
    pair = (named.seeker, named.candidate)
    event = Feedback(*pair, asked["event"], now, rank=named.rank, **_rated(asked))
    with here.store.transaction() as session:
        programme = here.pools.programmes.get(session, access().programme_id)
        # Either may have been erased since the handle was read, and what was erased must not come back.
        if len(members.revisions(session, programme.id, pair)) < len(pair):
            raise Problem(NO_HANDLE, NOBODY)
        _add(session, programme, named, event)


def _add(session: Session, programme: Programme, named: Named, event: Feedback) -> None:
    if event.event == "viewed":
        feedback.add_once(session, programme, event, of=named.match_id)
    else:
        feedback.add(session, programme, [event])


def _of_introduction(here: State, asked: dict[str, Any], now: datetime) -> None:
    with here.store.transaction() as session:
        programme = here.pools.programmes.get(session, access().programme_id)
        closing.pass_time(session, programme, now)
        kept = introduction_rows.one(session, programme.id, asked["introduction_id"])
        pair = None if kept is None else (kept.introduction.seeker, kept.introduction.candidate)
        if kept is None or pair is None or asked["member_id"] not in pair:
            raise Problem(NO_INTRODUCTION, UNKNOWN)
        side = SIDES[pair.index(asked["member_id"])]
        if seen_by(kept.introduction, side) is None:
            raise Problem(NO_INTRODUCTION, UNKNOWN)
        if asked["event"] in OF_A_CONNECTION and kept.introduction.connected_at is None:
            raise Problem(NOT_NOW, NEVER_MET)
        feedback.add(session, programme, [Feedback(*pair, asked["event"], now, by=side, **_rated(asked))])
        if asked.get("safety"):
            introductions.suspend_for_safety(session, programme, kept, now)


def _rated(asked: dict[str, Any]) -> dict[str, Any]:
    return {key: asked[key] for key in ("rating", "scale") if key in asked}
