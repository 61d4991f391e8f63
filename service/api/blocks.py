"""``/v1/blocks``: two people who are never shown to each other, whoever asked for it."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from flask import Response, current_app, jsonify
from flask.views import MethodView
from sqlalchemy.orm import Session

from matcher.errors import RecordError, UnknownMemberError
from matcher.people import MEMBER_ID, MEMBER_ID_PATTERN, MEMBER_ID_RULE
from service import problems
from service.access import access, needs
from service.api import example_data as told
from service.api.blueprint import Blueprint, check_member_id, expected
from service.problems import NO_BLOCK, Problem
from service.state import state
from service.store import apart, audit, closing, members

blueprint = Blueprint("blocks", __name__, description="Pairs who are never shown to each other.")

OTHER = "m-000200"
PAIR = {"a": told.SEEKER, "b": OTHER}
NO_SUCH_BLOCK = told.problem("no-such-block", "No such block", 404, "These two have not been blocked.")


def _member_id() -> ma.fields.String:
    return ma.fields.String(
        required=True,
        validate=check_member_id,
        error_messages=expected(MEMBER_ID_RULE),
        metadata={"pattern": MEMBER_ID_PATTERN},
    )


class BlockSchema(ma.Schema):
    """Two members, in either order."""

    class Meta:
        """Unknown fields are refused."""

        unknown = ma.RAISE

    a = _member_id()
    b = _member_id()


@blueprint.route("/v1/blocks", endpoint="blocks")
class BlocksView(MethodView):
    """The blocks of the key's programme. They cannot be listed: whoever is blocked must not find out."""

    @needs("members")
    @blueprint.arguments(BlockSchema)
    @blueprint.response(201, BlockSchema, description="They are blocked from now on")
    @blueprint.response(200, BlockSchema, description="They were blocked already, in this order or the other")
    @blueprint.problems(problems.NO_MEMBER)
    @blueprint.example("a_block", 201, PAIR, body=PAIR)
    @blueprint.example("blocked_already", 200, PAIR, body=PAIR)
    def post(self, asked: dict[str, Any]) -> Response:
        """Block two members: from the very next request on, neither is in a list of the other."""
        one, other = asked["a"], asked["b"]
        if one == other:
            problem = "found the same member as in a; expected another one"
            raise RecordError("a member blocks themselves", {"b": problem})
        here = state(current_app)
        key = access()
        with here.store.transaction() as session:
            _check_known(session, one, other)
            programme = here.pools.programmes.get(session, key.programme_id)
            new = apart.block(session, key.programme_id, [(one, other)])
            closing.close_unallowed(session, programme, here.clock(), [one, other])
            # Of neither of the two: what is told of a member from the log must not tell that somebody blocked them.
            audit.record(session, key.programme_id, "block.made", now=here.clock(), by=key.key_id, new=bool(new))
        reply = jsonify(a=one, b=other)
        reply.status_code = 201 if new else 200
        return reply


@blueprint.route("/v1/blocks/<a>/<b>", endpoint="block")
class BlockView(MethodView):
    """One block."""

    @needs("members")
    @blueprint.response(204)
    @blueprint.problems(problems.NO_MEMBER, problems.NO_BLOCK)
    @blueprint.example("lifted", 204, path=PAIR)
    @blueprint.example("not_blocked", 404, NO_SUCH_BLOCK, path=PAIR)
    def delete(self, a: str, b: str) -> Response:
        """Lift a block, named in either order. What else keeps the two apart stays."""
        here = state(current_app)
        key = access()
        with here.store.transaction() as session:
            _check_known(session, a, b)
            if not apart.unblock(session, key.programme_id, (a, b)):
                raise Problem(NO_BLOCK, "These two have not been blocked.")
            audit.record(session, key.programme_id, "block.lifted", now=here.clock(), by=key.key_id)
        return Response(status=204)


def _check_known(session: Session, *member_ids: str) -> None:
    """Refuse whoever is no member of the key's programme: unknown, foreign and erased alike.

    Raises
    ------
    UnknownMemberError
        Which of them it is, is not told.
    """
    sound = all(MEMBER_ID.fullmatch(member_id) for member_id in member_ids)
    if not sound or len(members.revisions(session, access().programme_id, member_ids)) < len(set(member_ids)):
        raise UnknownMemberError("no such member")
