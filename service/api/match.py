"""``POST /v1/match``, also ``POST /match``: a seeker's shortlist."""

from __future__ import annotations

from time import perf_counter
from typing import Any

import marshmallow as ma
import orjson
from flask import Response, current_app
from marshmallow import validate

from matcher.people import MEMBER_ID_PATTERN, MEMBER_ID_RULE
from matcher.programme import Programme
from matcher.records import written
from service import logs, metrics, problems
from service.access import access, needs
from service.api import example_data as told
from service.api.blueprint import Blueprint, check_member_id, expected
from service.live.group_lists import Groups
from service.live.listing import Kind, LiveList
from service.live.peers import Peers
from service.live.recheck import Alive
from service.state import State, state
from service.store import holds

blueprint = Blueprint("match", __name__, description="Whom a seeker may be introduced to.")

MAX_LIMIT = 10
KINDS: dict[str, Kind] = {"buddy": Peers(), "group": Groups()}
IDS = {"buddy": "member_id", "group": "group_id"}
"""By kind, what names a candidate to keys with the scope `match:ids`."""


class MatchRequestSchema(ma.Schema):
    """What is asked."""

    class Meta:
        """Unknown fields are refused."""

        unknown = ma.RAISE

    member_id = ma.fields.String(
        required=True,
        validate=check_member_id,
        error_messages=expected(MEMBER_ID_RULE),
        metadata={"description": "The seeker.", "pattern": MEMBER_ID_PATTERN},
    )
    kind = ma.fields.String(
        load_default="buddy",
        validate=validate.OneOf(list(KINDS), error="expected buddy or group"),
        error_messages=expected("buddy or group"),
        metadata={"description": "Peers, or support groups."},
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
    """One candidate, or one group."""

    rank = ma.fields.Integer(required=True)
    handle = ma.fields.String(required=True, metadata={"description": "Names the candidate to this seeker only."})
    strength = ma.fields.String(required=True, validate=validate.OneOf(["strong", "good", "possible"]))
    reasons = ma.fields.List(ma.fields.Nested(ReasonSchema), required=True)
    statement = ma.fields.String(required=True, allow_none=True)
    member_id = ma.fields.String(metadata={"description": "Of a peer; only for keys with the scope `match:ids`."})
    group_id = ma.fields.String(metadata={"description": "Of a group; only for keys with the scope `match:ids`."})


class PlaceSchema(ma.Schema):
    """A place on the waiting list."""

    place = ma.fields.Integer(required=True, metadata={"minimum": 1, "description": "It may be a minute old."})
    since = ma.fields.String(required=True, metadata={"format": "date-time"})


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
    fresh = ma.fields.Boolean(
        required=True, metadata={"description": "False: the list before, because there are no more new ones for now."}
    )
    matches = ma.fields.List(ma.fields.Nested(MatchSchema), required=True)
    waiting = ma.fields.Nested(
        PlaceSchema,
        required=True,
        allow_none=True,
        metadata={"description": "Only where there is no peer for somebody who waits; null in every other reply."},
    )
    fresh_at = ma.fields.DateTime(
        format="iso", metadata={"description": "Only where `fresh` is false: when a new list can be had."}
    )
    message = ma.fields.String(
        allow_none=True, metadata={"description": "Only where the reason is `held`: what to show to the seeker."}
    )


@blueprint.route("/match", methods=["POST"], endpoint="match")
@blueprint.route("/v1/match", methods=["POST"], endpoint="match_v1")
@needs("match")
@blueprint.arguments(MatchRequestSchema)
@blueprint.response(200, MatchResponseSchema)
@blueprint.problems(problems.CONSENT_MISSING, problems.NO_MEMBER, problems.NOT_A_SEEKER, problems.RECORD_OUTDATED)
@blueprint.runs_again  # the live re-check: a list is never replayed
@blueprint.example("a_shortlist", 200, told.shortlist(), body={"member_id": told.SEEKER, "kind": "buddy", "limit": 5})
@blueprint.example(
    "with_ids",
    200,
    told.shortlist(member_id="m-000200"),
    body={"member_id": told.SEEKER},
    scopes=("match", "match:ids"),
    summary="For a back end whose key has the scope `match:ids`",
)
@blueprint.example("groups", 200, told.groups(), body={"member_id": told.SEEKER, "kind": "group"})
@blueprint.example(
    "groups_with_ids",
    200,
    told.groups(group_id="g-01"),
    body={"member_id": told.SEEKER, "kind": "group"},
    scopes=("match", "match:ids"),
    summary="Groups have a `group_id` in place of a `member_id`",
)
def match(asked: dict[str, Any]) -> Response:
    """Return the shortlist of a seeker.

    The same question on the same day has the same reply, byte for byte, unless somebody changed.
    """
    kind = KINDS[asked["kind"]]
    here, began = state(current_app), perf_counter()
    found = here.shortlists.of(access().programme_id, asked["member_id"], kind, limit=asked["limit"], now=here.clock())
    _count(found, perf_counter() - began)
    body = _reply(here, found, asked["member_id"], with_ids="match:ids" in access().scopes)
    return Response(orjson.dumps(body), mimetype="application/json")


def _count(found: LiveList, seconds: float) -> None:
    outcome = found.reason or found.outcome
    logs.tell_outcome(outcome)
    metrics.matched(
        found.programme.id,
        found.kind,
        outcome,
        fresh=found.result == "new",
        seconds=seconds,
        result=found.result,
        excluded=found.excluded,
        dropped=found.dropped,
    )


def _reply(here: State, found: LiveList, seeker: str, *, with_ids: bool) -> dict[str, Any]:
    body = {
        "match_id": found.match_id,
        "outcome": found.outcome,
        "reason": found.reason,
        "model_version": found.model_version,
        "fresh": found.fresh_at is None,
        "matches": [_match(here, found, rank, one, with_ids=with_ids) for rank, one in enumerate(found.alive, 1)],
        "waiting": _waiting(here, found, seeker),
    }
    if found.fresh_at is not None:
        body["fresh_at"] = written(found.fresh_at)
    if found.result == "held":
        body["message"] = _message(here, found.programme, seeker)
    return body


def _waiting(here: State, found: LiveList, seeker: str) -> dict[str, Any] | None:
    """Return the seeker's place on the waiting list, for whom no list of peers has anybody."""
    if found.alive or found.result == "held" or found.kind != "buddy":
        return None
    place = here.shortlists.waits.place(found.programme.id, seeker, here.clock())
    return None if place is None else {"place": place[0], "since": written(place[1])}


def _match(here: State, found: LiveList, rank: int, one: Alive, *, with_ids: bool) -> dict[str, Any]:
    body: dict[str, Any] = {
        "rank": rank,
        "handle": here.handles.of_candidate(found.programme.id, found.match_id, one.entry.id),
        "strength": one.entry.strength,
        "reasons": [{"facet": facet, "text": text} for facet, text in one.entry.reasons],
        "statement": None,
    }
    return {**body, IDS[found.kind]: one.member_id} if with_ids else body


def _message(here: State, programme: Programme, seeker: str) -> str | None:
    """Return what somebody is told who is held: the crisis message, unless they only paused."""
    with here.store.reading() as session:
        running = holds.running(session, programme.id, seeker, here.clock())
    return None if all(hold.kind == "pause" for hold in running) else programme.crisis_message
