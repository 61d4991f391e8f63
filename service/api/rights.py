"""What a member may ask for: all that is held on them, and which models learned from them."""

from __future__ import annotations

from typing import Any, Final

from flask import Response, current_app, jsonify
from flask.views import MethodView
from sqlalchemy.orm import Session

from matcher.errors import UnknownMemberError
from service import problems
from service.access import access, needs
from service.api import example_data as told
from service.api.blueprint import Blueprint
from service.api.export_schemas import ExportSchema, ModelsSchema
from service.api.introduction_schemas import INTRODUCTION
from service.api.preconditions import existing
from service.included import learned_from
from service.state import State, state
from service.store import audit, export, models

blueprint = Blueprint("rights", __name__, description="What a member may ask for.")

IN_PATH: Final = {"member_id": told.SEEKER}
NOBODY: Final = told.problem("no-such-member", "No such member", 404, "This programme has no member of this id.")
MODELS: Final = [{"version": "1", "active": True, "included": False}]
EXPORTED: Final[dict[str, Any]] = {
    "format": export.FORMAT,
    "programme": "lantern",
    "member_id": told.SEEKER,
    "exported_at": "2026-03-04T12:00:00Z",
    "record": told.STORED,
    "stored": {
        "first_stored_at": "2026-03-04T12:00:00Z",
        "last_stored_at": "2026-03-04T12:00:00Z",
        "visible_from": "2026-03-04",
        "accepted": True,
        "places": {"capacity": 1, "free": 1},
    },
    "consents": [
        {
            "receipt": "9f2c6d0e3b7a4185b1d2f4c8e0a75361",
            **told.consent("match_serve"),
            "recorded_at": "2026-03-04T12:00:00Z",
            "recorded_by": "command",
        }
    ],
    "holds": [
        {
            "id": "Zk3hH0pBq6yJ1oS8s6m4ng",
            "kind": "pause",
            "until": "2026-04-01T08:00:00Z",
            "created_at": "2026-03-04T12:00:00Z",
        }
    ],
    "groups": [
        {"group_id": "g-01", "name": "Travelling again", "role": "member", "roster_of_week": None},
    ],
    "feedback": [
        {"event": "viewed", "role": "seeker", "at": "2026-03-04T12:00:00Z", "rank": 1},
        {"event": "accepted", "role": "seeker", "at": "2026-03-04T12:00:00Z"},
    ],
    "lists": [
        {
            "match_id": "H1MlGc43H0DYffccsb2uJw",
            "kind": "buddy",
            "made_at": "2026-03-04T12:00:00Z",
            "returned_at": "2026-03-04T12:00:00Z",
            "outcome": "matched",
            "reason": None,
            "model_version": "1",
            "shown": 3,
        }
    ],
    "introductions": [
        {
            "introduction_id": INTRODUCTION,
            "side": "seeker",
            "state": "offered",
            "made_at": "2026-03-04T12:00:00Z",
            "since": "2026-03-04T12:00:00Z",
            "acts": [{"act": "propose", "at": "2026-03-04T12:00:00Z", "reason": None}],
            "member_id": None,
        }
    ],
    "events": [
        {
            "number": 1,
            "kind": "introduction.offered",
            "at": "2026-03-04T12:00:00Z",
            "introduction_id": INTRODUCTION,
        }
    ],
    "models": MODELS,
    "audit": [{"at": "2026-03-04T12:00:00Z", "action": "member.exported", "by": "0123456789abcdef"}],
    "left_out": export.LEFT_OUT,
}


@blueprint.route("/v1/members/<member_id>/export", endpoint="export")
class ExportView(MethodView):
    """One member of the key's programme."""

    @needs("members")
    @blueprint.response(200, ExportSchema)
    @blueprint.problems(problems.NO_MEMBER)
    @blueprint.example("everything", 200, EXPORTED, path=IN_PATH)
    @blueprint.example("nobody", 404, NOBODY, path={"member_id": "m-999999"})
    def get(self, member_id: str) -> Response:
        """Return all that is held on a member, for them to see and to take along; nothing of anybody else is in it.

        The audit log tells that it was read.
        """
        here = state(current_app)
        now, programme_id = here.clock(), access().programme_id
        with here.store.transaction() as session:
            found = export.export(session, programme_id, member_id, now)
            if found is None:
                raise UnknownMemberError("no such member")
            known = models.list_models(session, programme_id)
            audit.record(session, programme_id, "member.exported", now=now, by=access().key_id, subject=member_id)
        # After the transaction: the manifests of many models take a while, and others write meanwhile.
        return jsonify({**found, "models": _learned(here, member_id, known)})


@blueprint.route("/v1/members/<member_id>/models", endpoint="models")
class LearnedView(MethodView):
    """One member of the key's programme."""

    @needs("members")
    @blueprint.response(200, ModelsSchema)
    @blueprint.problems(problems.NO_MEMBER)
    @blueprint.example("not_included", 200, {"models": MODELS}, path=IN_PATH)
    def get(self, member_id: str) -> Response:
        """Return which models learned from a member, who may ask "was I in this model?".

        A model lists keyed hashes of those it learned from. The audit log tells that it was read.
        """
        here = state(current_app)
        with here.store.transaction() as session:
            existing(session, member_id)
            known = models.list_models(session, access().programme_id)
            _tell(session, here, member_id)
        return jsonify(models=_learned(here, member_id, known))


def _tell(session: Session, here: State, member_id: str) -> None:
    key = access()
    audit.record(
        session, key.programme_id, "member.exported", now=here.clock(), by=key.key_id, subject=member_id, what="models"
    )


def _learned(here: State, member_id: str, known: list[models.StoredModel]) -> list[dict[str, Any]]:
    programme_id = access().programme_id
    return [
        {
            "version": one.version,
            "active": one.active,
            "included": learned_from(here.settings, programme_id, one.version, member_id),
        }
        for one in known
    ]
