"""``/v1/introductions`` and a member's own: what a seeker and a supporter do through the partner's app."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Response, current_app, jsonify
from flask.views import MethodView
from sqlalchemy.orm import Session

from matcher.errors import RecordError
from matcher.introductions import seen_by
from matcher.programme import Programme
from service import problems
from service.access import access, needs
from service.api import example_data as example
from service.api import introduction_schemas as told
from service.api.blueprint import Blueprint
from service.api.preconditions import existing
from service.live import introducing
from service.live.cards import Cards, seen_as
from service.live.handles import resolve
from service.problems import NO_HANDLE, NO_INTRODUCTION, NOT_AVAILABLE, Problem
from service.state import State, state
from service.store import closing, introduction_rows, introductions, members
from service.store.introduction_rows import Kept

blueprint = Blueprint("introductions", __name__, description="From a suggestion to a connection, with both choosing.")

NOBODY = "No list that was returned in the last 14 days has this handle under this match_id."
UNKNOWN = "This member has no introduction of this id; GET /v1/members/{member_id}/introductions lists them."
GONE = "Found that this person cannot be introduced any more; the seeker may choose somebody else."
NO_SUCH_HANDLE = example.problem("no-such-handle", "No such handle", 404, NOBODY)
NO_SUCH = example.problem("no-such-introduction", "No such introduction", 404, UNKNOWN)
ACTING = (problems.NO_INTRODUCTION, problems.NOT_NOW)
PROPOSING = (
    problems.NO_HANDLE, problems.NOT_AVAILABLE, problems.NO_PLACE, problems.TOO_MANY_OPEN, problems.NOT_NOW,
)  # fmt: skip


@blueprint.route("/v1/introductions", endpoint="introductions")
class IntroductionsView(MethodView):
    """Introductions of the key's programme."""

    @needs("match")
    @blueprint.arguments(told.ProposalSchema)
    @blueprint.response(201, told.IntroductionSchema)
    @blueprint.problems(*PROPOSING)
    @blueprint.example(
        "chosen", 201, told.OFFERED, body={"match_id": "H1MlGc43H0DYffccsb2uJw", "handle": "LNbcI3oIxhYyamOwyQILZg"}
    )
    @blueprint.example("nobody", 404, NO_SUCH_HANDLE, body={"match_id": "H1MlGc43H0DYffccsb2uJw", "handle": "nobody"})
    def post(self, asked: dict[str, Any]) -> Response:
        """Propose whom a seeker chose of their list: that is the seeker's yes.

        It goes to a coordinator first where the programme reviews. Several small tries are normal.
        """
        here = state(current_app)
        now = here.clock()
        named = resolve(here.store, here.handles, access().programme_id, asked["match_id"], asked["handle"], now)
        if named is None:
            raise Problem(NO_HANDLE, NOBODY)
        if named.kind != "buddy":
            raise RecordError("introduction to a group", {"handle": "names a group; expected that of a person"})
        introducing.prepare(here.pools, access().programme_id, now)
        with here.store.transaction() as session:
            programme = _passed(here, session, now)
            # Either may have been erased since the handle was read.
            if len(members.revisions(session, programme.id, [named.seeker, named.candidate])) < 2:
                raise Problem(NO_HANDLE, NOBODY)
            kept = introducing.by_handle(session, here.pools.models, programme, named, now)
        return _reply(kept, "seeker", now, status=201)


@blueprint.route("/v1/members/<member_id>/introductions", endpoint="inbox")
class InboxView(MethodView):
    """The introductions of one member."""

    @needs("match")
    @blueprint.response(200, told.InboxSchema)
    @blueprint.problems(problems.NO_MEMBER)
    @blueprint.example("none", 200, {"introductions": []}, path={"member_id": example.SEEKER})
    @blueprint.example("an_offer", 200, {"introductions": [told.IN_INBOX]}, path={"member_id": example.SUPPORTER})
    def get(self, member_id: str) -> Response:
        """Return what is offered to a member, and what became of their own proposals, the newest first."""
        here = state(current_app)
        now = here.clock()
        here.pools.let_time_pass(access().programme_id, now, heard=False)
        cards = Cards(here.pools, access().programme_id, now)
        with here.store.reading() as session:
            programme = here.pools.programmes.get(session, access().programme_id)
            existing(session, member_id)
            found = introduction_rows.of_member(session, programme.id, member_id)
            seen = [cards.in_inbox(session, programme, kept, _side(kept, member_id)) for kept in reversed(found)]
        return jsonify(introductions=[one for one in seen if one is not None])


@blueprint.route("/v1/introductions/<introduction_id>/accept", endpoint="accept")
class AcceptView(MethodView):
    """Yes."""

    @needs("match")
    @blueprint.arguments(told.WhoActsSchema)
    @blueprint.response(200, told.IntroductionSchema)
    @blueprint.problems(*ACTING, problems.NOT_AVAILABLE)
    @blueprint.example("yes", 200, told.CONNECTED, body={"member_id": example.SUPPORTER}, path=told.IN_PATH)
    @blueprint.example("unknown", 404, NO_SUCH, body={"member_id": example.SUPPORTER}, path={"introduction_id": "none"})
    def post(self, asked: dict[str, Any], introduction_id: str) -> Response:
        """Say yes. When both have, they are connected, and each is told who the other is."""
        here = state(current_app)
        now = here.clock()
        introducing.prepare(here.pools, access().programme_id, now)
        with here.store.transaction() as session:
            programme = _passed(here, session, now)
            kept, side = _own(session, programme, introduction_id, asked["member_id"])
            kept, counted = introducing.accept(session, here.pools.models, programme, kept, side, now)
        if not counted:
            raise Problem(NOT_AVAILABLE, GONE)
        return _reply(kept, side, now)


def _act(what: str, asked: dict[str, Any], introduction_id: str) -> Response:
    """Carry out an act of a side."""
    here = state(current_app)
    now = here.clock()
    with here.store.transaction() as session:
        programme = _passed(here, session, now)
        kept, side = _own(session, programme, introduction_id, asked["member_id"])
        kept = introductions.act(session, programme, kept, what, by=side, now=now, reason=asked.get("reason"))
    return _reply(kept, side, now)


@blueprint.route("/v1/introductions/<introduction_id>/decline", endpoint="decline")
class DeclineView(MethodView):
    """No."""

    @needs("match")
    @blueprint.arguments(told.WhoActsSchema)
    @blueprint.response(200, told.IntroductionSchema)
    @blueprint.problems(*ACTING)
    @blueprint.example("no", 200, told.CLOSED, body={"member_id": example.SUPPORTER}, path=told.IN_PATH)
    @blueprint.example("unknown", 404, NO_SUCH, body={"member_id": example.SUPPORTER}, path={"introduction_id": "none"})
    def post(self, asked: dict[str, Any], introduction_id: str) -> Response:
        """Say no, without a reason. The other side is not told that it was one; the two are never offered again."""
        return _act("decline", asked, introduction_id)


@blueprint.route("/v1/introductions/<introduction_id>/withdraw", endpoint="withdraw")
class WithdrawView(MethodView):
    """Not any more."""

    @needs("match")
    @blueprint.arguments(told.WhoActsSchema)
    @blueprint.response(200, told.IntroductionSchema)
    @blueprint.problems(*ACTING)
    @blueprint.example(
        "taken_back",
        200,
        {**told.CLOSED, "side": "seeker", "state": "withdrawn"},
        body={"member_id": example.SEEKER},
        path=told.IN_PATH,
    )
    @blueprint.example("unknown", 404, NO_SUCH, body={"member_id": example.SEEKER}, path={"introduction_id": "none"})
    def post(self, asked: dict[str, Any], introduction_id: str) -> Response:
        """Take back what a seeker proposed, before both have accepted."""
        return _act("withdraw", asked, introduction_id)


@blueprint.route("/v1/introductions/<introduction_id>/end", endpoint="end")
class EndView(MethodView):
    """Enough."""

    @needs("match")
    @blueprint.arguments(told.EndSchema)
    @blueprint.response(200, told.IntroductionSchema)
    @blueprint.problems(*ACTING)
    @blueprint.example(
        "done", 200, told.ENDED, body={"member_id": example.SUPPORTER, "reason": "finished"}, path=told.IN_PATH
    )
    @blueprint.example("unknown", 404, NO_SUCH, body={"member_id": example.SUPPORTER}, path={"introduction_id": "none"})
    def post(self, asked: dict[str, Any], introduction_id: str) -> Response:
        """End a connection, with a reason or without. Its place is free again, after a rest."""
        return _act("end", asked, introduction_id)


@blueprint.route("/v1/introductions/<introduction_id>/rematch", endpoint="rematch")
class RematchView(MethodView):
    """Somebody else."""

    @needs("match")
    @blueprint.arguments(told.EndSchema)
    @blueprint.response(200, told.IntroductionSchema)
    @blueprint.problems(*ACTING)
    @blueprint.example(
        "another", 200, {**told.ENDED, "side": "seeker"}, body={"member_id": example.SEEKER}, path=told.IN_PATH
    )
    @blueprint.example("unknown", 404, NO_SUCH, body={"member_id": example.SEEKER}, path={"introduction_id": "none"})
    def post(self, asked: dict[str, Any], introduction_id: str) -> Response:
        """End a connection that is no fit; the two are kept apart, and the seeker chooses anew."""
        return _act("rematch", asked, introduction_id)


def _passed(here: State, session: Session, now: datetime) -> Programme:
    """Return the key's programme, in which all has been noted that has begun or ended by itself."""
    programme = here.pools.programmes.get(session, access().programme_id)
    closing.pass_time(session, programme, now)
    return programme


def _own(session: Session, programme: Programme, introduction_id: str, member_id: str) -> tuple[Kept, str]:
    """Return an introduction and the side on which a member is in it.

    Raises
    ------
    Problem
        404: unknown, foreign, others' and what this side has never heard of alike.
    """
    kept = introduction_rows.one(session, programme.id, introduction_id)
    if kept is None or member_id not in {kept.introduction.seeker, kept.introduction.candidate}:
        raise Problem(NO_INTRODUCTION, UNKNOWN)
    side = _side(kept, member_id)
    if seen_by(kept.introduction, side) is None:
        raise Problem(NO_INTRODUCTION, UNKNOWN)
    return kept, side


def _side(kept: Kept, member_id: str) -> str:
    return "seeker" if kept.introduction.seeker == member_id else "candidate"


def _reply(kept: Kept, side: str, now: datetime, *, status: int = 200) -> Response:
    reply = jsonify(seen_as(kept, side, now))
    reply.status_code = status
    return reply
