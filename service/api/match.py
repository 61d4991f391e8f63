"""``POST /v1/match``, also ``POST /match``: a seeker's shortlist."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from flask import Response, current_app, jsonify
from marshmallow import validate

from matcher.matching.shortlist import Entry
from matcher.people import MEMBER_ID, MEMBER_ID_RULE
from service import problems
from service.access import access, needs
from service.api.blueprint import Blueprint, expected
from service.live.shortlists import LiveShortlist, shortlist_for
from service.problems import INVALID, Problem
from service.state import State, state

blueprint = Blueprint("match", __name__, description="Whom a seeker may be introduced to.")

MAX_LIMIT = 10


def _check_member_id(value: str) -> None:
    if not MEMBER_ID.fullmatch(value):
        raise ma.ValidationError(f"expected {MEMBER_ID_RULE}")


class MatchRequestSchema(ma.Schema):
    """What is asked."""

    class Meta:
        """Unknown fields are refused."""

        unknown = ma.RAISE

    member_id = ma.fields.String(
        required=True,
        validate=_check_member_id,
        error_messages=expected(MEMBER_ID_RULE),
        metadata={"description": "The seeker."},
    )
    kind = ma.fields.String(
        load_default="buddy",
        validate=validate.OneOf(["buddy", "group"], error="expected buddy or group"),
        error_messages=expected("buddy or group"),
        metadata={"description": "This version answers `buddy` only."},
    )
    limit = ma.fields.Integer(
        strict=True,
        load_default=None,
        validate=validate.Range(1, MAX_LIMIT, error="expected a whole number from 1 to 10"),
        error_messages=expected("a whole number from 1 to 10"),
        metadata={"description": "How many; the programme's own limit if it is left out."},
    )


class ReasonSchema(ma.Schema):
    """One thing that both share, in words, and that both let be told."""

    facet = ma.fields.String(required=True)
    text = ma.fields.String(required=True)


class MatchSchema(ma.Schema):
    """One candidate."""

    rank = ma.fields.Integer(required=True)
    handle = ma.fields.String(required=True, metadata={"description": "Names the candidate to this seeker only."})
    strength = ma.fields.String(required=True, validate=validate.OneOf(["strong", "good", "possible"]))
    reasons = ma.fields.List(ma.fields.Nested(ReasonSchema), required=True)
    statement = ma.fields.String(required=True, allow_none=True)
    member_id = ma.fields.String(metadata={"description": "Only for keys with the scope `match:ids`."})


class MatchResponseSchema(ma.Schema):
    """The shortlist. `docs/schemas/match-response.schema.json` says the same."""

    match_id = ma.fields.String(required=True)
    outcome = ma.fields.String(required=True, validate=validate.OneOf(["matched", "no_match"]))
    reason = ma.fields.String(
        required=True,
        allow_none=True,
        validate=validate.OneOf(["held", "no_eligible", "small_pool", "low_information", "below_quality"]),
    )
    model_version = ma.fields.String(required=True)
    fresh = ma.fields.Boolean(required=True)
    matches = ma.fields.List(ma.fields.Nested(MatchSchema), required=True)
    waiting = ma.fields.Dict(required=True, allow_none=True)


@blueprint.route("/match", methods=["POST"], endpoint="match")
@blueprint.route("/v1/match", methods=["POST"], endpoint="match_v1")
@needs("match")
@blueprint.arguments(MatchRequestSchema)
@blueprint.response(200, MatchResponseSchema)
@blueprint.problems(
    problems.MALFORMED,
    problems.UNAUTHORISED,
    problems.SCOPE_MISSING,
    problems.CONSENT_MISSING,
    problems.NO_MEMBER,
    problems.NOT_A_SEEKER,
    problems.RECORD_OUTDATED,
    problems.TOO_LARGE,
    problems.MEDIA,
    problems.INVALID,
    problems.NOT_READY,
)
def match(asked: dict[str, Any]) -> Response:
    """Return the shortlist of a seeker.

    The same question on the same day has the same reply, byte for byte, unless somebody changed.
    """
    if asked["kind"] == "group":
        raise Problem(
            INVALID,
            "The body is not valid; `errors` names every field.",
            {"kind": "found 'group'; this version matches buddies only: expected 'buddy'"},
        )
    here = state(current_app)
    found = shortlist_for(here.pools, access().programme_id, asked["member_id"], limit=asked["limit"], now=here.clock())
    return jsonify(_reply(here, found, asked["member_id"], with_ids="match:ids" in access().scopes))


def _reply(here: State, found: LiveShortlist, seeker: str, *, with_ids: bool) -> dict[str, Any]:
    programme, epoch, shortlist = found.pool.programme, found.pool.epoch, found.shortlist
    matches = [_match(here, found, entry, seeker, with_ids=with_ids) for entry in found.entries]
    head = [shortlist.outcome, shortlist.reason, shortlist.model_version]
    return {
        "match_id": here.handles.of_list(programme.id, seeker, epoch, ["buddy", *head, matches]),
        "outcome": shortlist.outcome,
        "reason": shortlist.reason,
        "model_version": shortlist.model_version,
        "fresh": True,
        "matches": matches,
        "waiting": None,
    }


def _match(here: State, found: LiveShortlist, entry: Entry, seeker: str, *, with_ids: bool) -> dict[str, Any]:
    candidate = entry.member_id
    one: dict[str, Any] = {
        "rank": entry.rank,
        "handle": here.handles.of_candidate(found.pool.programme.id, seeker, candidate, found.pool.epoch),
        "strength": entry.strength,
        "reasons": [{"facet": reason.facet, "text": reason.text} for reason in entry.reasons],
        "statement": None,
    }
    return {**one, "member_id": candidate} if with_ids else one
