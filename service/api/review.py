"""``/v1/review``: what waits for a coordinator, and what they decide."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Response, current_app, jsonify
from flask.views import MethodView
from sqlalchemy.orm import Session

from matcher.programme import Programme
from service import problems
from service.access import access, needs
from service.api import example_data as example
from service.api import review_schemas as told
from service.api.blueprint import Blueprint
from service.api.preconditions import existing
from service.live import introducing, reviewing
from service.live.cards import Cards
from service.problems import NO_INTRODUCTION, Problem
from service.state import State, state
from service.store import audit, closing, introduction_rows
from service.store.introduction_rows import Kept

blueprint = Blueprint("review", __name__, description="What waits for a coordinator, and what they decide.")

UNKNOWN = "This programme has no introduction of this id; GET /v1/review lists those that wait."
NO_SUCH = example.problem("no-such-introduction", "No such introduction", 404, UNKNOWN)
NOBODY = {"introduction_id": "none"}


@blueprint.route("/v1/review", endpoint="review")
class ReviewView(MethodView):
    """The queue of the key's programme."""

    @needs("coordinator")
    @blueprint.arguments(told.AskedSchema, location="query")
    @blueprint.response(200, told.QueueSchema)
    @blueprint.problems(problems.INVALID)
    @blueprint.example("one", 200, {"introductions": [told.WITH_CARDS], "waiting": 1, "next": None})
    @blueprint.example("none", 200, {"introductions": [], "waiting": 0, "next": None})
    def get(self, asked: dict[str, Any]) -> Response:
        """Return what waits: first what a report has suspended, then what was proposed first."""
        here = state(current_app)
        now, key = here.clock(), access()
        with here.store.transaction() as session:  # no audit, no answer
            programme = _passed(here, session, now)
            found = reviewing.queue(session, programme.id, asked["limit"] + 1, asked["after"])
            waiting = reviewing.count(session, programme.id)
            audit.record(session, programme.id, "review.read", now=now, by=key.key_id)
        some = found[: asked["limit"]]
        following = some[-1].id if len(found) > len(some) else None
        return jsonify(introductions=_shown(here, some, now), waiting=waiting, next=following)

    @needs("coordinator")
    @blueprint.arguments(told.ByHandSchema)
    @blueprint.response(201, told.ReviewedSchema)
    @blueprint.problems(problems.NO_MEMBER, problems.NOT_AVAILABLE, problems.NO_PLACE, problems.NOT_NOW)
    @blueprint.example(
        "by_hand", 201, told.BY_HAND, body={"seeker": example.SEEKER, "candidate": example.SUPPORTER, "override": True}
    )
    def post(self, asked: dict[str, Any]) -> Response:
        """Introduce two members by hand: both are asked. Wishes can be passed over, safety cannot."""
        here = state(current_app)
        now, key = here.clock(), access()
        introducing.prepare(here.pools, access().programme_id, now)
        with here.store.transaction() as session:
            programme = _passed(here, session, now)
            for name in (asked["seeker"], asked["candidate"]):
                existing(session, name)
            kept, over = introducing.by_hand(
                session, here.pools.models, programme, asked["seeker"], asked["candidate"], now,
                override=asked["override"],
            )  # fmt: skip
            details: dict[str, Any] = {"override": list(over)} if over else {}
            audit.record(session, programme.id, "introduction.made", now=now, by=key.key_id, **details)
        return _reply(kept, now, status=201)


@blueprint.route("/v1/review/<introduction_id>", endpoint="reviewed")
class ReviewedView(MethodView):
    """One introduction, whole."""

    @needs("coordinator")
    @blueprint.response(200, told.WithCardsSchema)
    @blueprint.problems(problems.NO_INTRODUCTION)
    @blueprint.example("one", 200, told.WITH_CARDS, path=told.IN_PATH)
    @blueprint.example("unknown", 404, NO_SUCH, path=NOBODY)
    def get(self, introduction_id: str) -> Response:
        """Return an introduction with its history and both cards."""
        here = state(current_app)
        now, key = here.clock(), access()
        introducing.prepare(here.pools, access().programme_id, now)
        with here.store.transaction() as session:
            programme = _passed(here, session, now)
            kept = _existing(session, programme, introduction_id)
            audit.record(session, programme.id, "review.read", now=now, by=key.key_id)
        return jsonify(_shown(here, [kept], now)[0])


@blueprint.route("/v1/review/<introduction_id>/approve", endpoint="approve")
class ApproveView(MethodView):
    """Yes, ask them."""

    @needs("coordinator")
    @blueprint.arguments(told.ApproveSchema)
    @blueprint.response(200, told.ReviewedSchema)
    @blueprint.problems(problems.NO_INTRODUCTION, problems.NOT_NOW, problems.NOT_AVAILABLE, problems.NO_PLACE)
    @blueprint.example("approved", 200, told.APPROVED, body={}, path=told.IN_PATH)
    @blueprint.example("unknown", 404, NO_SUCH, body={}, path=NOBODY)
    def post(self, asked: dict[str, Any], introduction_id: str) -> Response:
        """Offer what was in review, if everything still allows it and a place is free."""
        here = state(current_app)
        now, key = here.clock(), access()
        introducing.prepare(here.pools, access().programme_id, now)
        with here.store.transaction() as session:
            programme = _passed(here, session, now)
            kept = _existing(session, programme, introduction_id)
            kept, over = introducing.approve(
                session, here.pools.models, programme, kept, now, override=asked["override"]
            )
            reviewing.note(session, programme.id, "approve", now, key.key_id, override=list(over))
        return _reply(kept, now)


def _decide(what: str, asked: dict[str, Any], introduction_id: str) -> Response:
    here = state(current_app)
    now, key = here.clock(), access()
    with here.store.transaction() as session:
        programme = _passed(here, session, now)
        kept = _existing(session, programme, introduction_id)
        kept = reviewing.decide(session, programme, kept, what, by=key.key_id, now=now, reason=asked.get("reason"))
    return _reply(kept, now)


@blueprint.route("/v1/review/<introduction_id>/reject", endpoint="reject")
class RejectView(MethodView):
    """No, do not ask them."""

    @needs("coordinator")
    @blueprint.arguments(told.RejectSchema)
    @blueprint.response(200, told.ReviewedSchema)
    @blueprint.problems(problems.NO_INTRODUCTION, problems.NOT_NOW)
    @blueprint.example("rejected", 200, told.REJECTED, body={"reason": "not_a_fit"}, path=told.IN_PATH)
    @blueprint.example("unknown", 404, NO_SUCH, body={}, path=NOBODY)
    def post(self, asked: dict[str, Any], introduction_id: str) -> Response:
        """Keep two apart whom a seeker proposed. The seeker is not told that somebody looked at it."""
        return _decide("reject", asked, introduction_id)


@blueprint.route("/v1/review/<introduction_id>/suspend", endpoint="suspend")
class SuspendView(MethodView):
    """Stop, somebody has to look."""

    @needs("coordinator")
    @blueprint.arguments(told.NothingSchema)
    @blueprint.response(200, told.ReviewedSchema)
    @blueprint.problems(problems.NO_INTRODUCTION, problems.NOT_NOW)
    @blueprint.example("suspended", 200, told.SUSPENDED, body={}, path=told.IN_PATH)
    @blueprint.example("unknown", 404, NO_SUCH, body={}, path=NOBODY)
    def post(self, asked: dict[str, Any], introduction_id: str) -> Response:
        """Suspend an introduction: nothing goes on but leaving, until it is resumed or ended."""
        return _decide("suspend", asked, introduction_id)


@blueprint.route("/v1/review/<introduction_id>/resume", endpoint="resume")
class ResumeView(MethodView):
    """Go on."""

    @needs("coordinator")
    @blueprint.arguments(told.NothingSchema)
    @blueprint.response(200, told.ReviewedSchema)
    @blueprint.problems(problems.NO_INTRODUCTION, problems.NOT_NOW)
    @blueprint.example("resumed", 200, told.RESUMED, body={}, path=told.IN_PATH)
    @blueprint.example("unknown", 404, NO_SUCH, body={}, path=NOBODY)
    def post(self, asked: dict[str, Any], introduction_id: str) -> Response:
        """Let a suspended introduction go on, with the time to answer that was left."""
        return _decide("resume", asked, introduction_id)


@blueprint.route("/v1/review/<introduction_id>/end", endpoint="stop")
class StopView(MethodView):
    """Enough."""

    @needs("coordinator")
    @blueprint.arguments(told.StopSchema)
    @blueprint.response(200, told.ReviewedSchema)
    @blueprint.problems(problems.NO_INTRODUCTION, problems.NOT_NOW)
    @blueprint.example("ended", 200, told.STOPPED, body={"reason": "safety"}, path=told.IN_PATH)
    @blueprint.example("unknown", 404, NO_SUCH, body={}, path=NOBODY)
    def post(self, asked: dict[str, Any], introduction_id: str) -> Response:
        """End what is offered or connected, as after a report."""
        return _decide("end", asked, introduction_id)


def _passed(here: State, session: Session, now: datetime) -> Programme:
    programme = here.pools.programmes.get(session, access().programme_id)
    closing.pass_time(session, programme, now)
    return programme


def _existing(session: Session, programme: Programme, introduction_id: str) -> Kept:
    kept = introduction_rows.one(session, programme.id, introduction_id)
    if kept is None:
        raise Problem(NO_INTRODUCTION, UNKNOWN)
    return kept


def _shown(here: State, some: list[Kept], now: datetime) -> list[dict[str, Any]]:
    cards = Cards(here.pools, access().programme_id, now, whole=True)
    with here.store.reading() as session:
        programme = here.pools.programmes.get(session, access().programme_id)
        return [reviewing.with_cards(session, programme, cards, kept, now) for kept in some]


def _reply(kept: Kept, now: datetime, *, status: int = 200) -> Response:
    reply = jsonify(reviewing.shown(kept, now))
    reply.status_code = status
    return reply
