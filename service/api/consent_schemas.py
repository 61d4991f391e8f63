"""What the consents endpoints take and answer, and the examples that they share."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from matcher.consent_words import ACTORS, ALL_DECISIONS, DECISIONS, PEOPLE, PURPOSES
from service.api import example_data as told
from service.intake.decisions import ALL

SWITCHES: dict[str, Any] = {
    "type": "object",
    "properties": {purpose: {"type": "boolean"} for purpose in PURPOSES},
    "required": list(PURPOSES),
    "additionalProperties": False,
}
IN_PATH = {"member_id": told.SEEKER}
EVENT = {
    "id": "9f2c6d0e3b7a4185b1d2f4c8e0a75361",
    **told.consent("match_serve"),
    "recorded_at": "2026-03-04T12:00:00Z",
    "recorded_by": "command",
}
STATE = dict.fromkeys(PURPOSES, False) | {"match_serve": True, "be_shown_as_peer": True, "show_reasons": True}
COVERS = {purpose: ["channel", "experiences", "journey", "statement"] for purpose, on in STATE.items() if on}
GIVEN = {"purpose": "train_model", "decision": "given", "valid_until": "2028-03-04T12:00:00Z"}
NOW = {"at": "2026-03-04T12:00:00Z", "actor": "self", "recorded_by": "k3v9q0x1w7m2d8s5"}
GIVEN_NOW = {**EVENT, **GIVEN, **NOW}
FORM: dict[str, Any] = {
    **GIVEN,
    "categories": ["channel", "experiences"],
    "actor": "staff",
    "method": "paper form 12, shelf 3",
    "locale": "en",
    "policy_hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
}
FORM_NOW = {**EVENT, **NOW, **FORM}
WITHDRAWN = {**EVENT, **NOW, "decision": "withdrawn"}
EVERYTHING = {"purpose": ALL, "decision": "withdrawn"}


class DecisionSchema(ma.Schema):
    """A decision. It is made now: the server's clock says when."""

    class Meta:
        """There are no other fields."""

        unknown = ma.RAISE

    purpose = ma.fields.String(
        required=True,
        metadata={
            "enum": [*PURPOSES, ALL],
            "description": "`all`, with the decision `withdrawn`, is every purpose that was given.",
        },
    )
    decision = ma.fields.String(required=True, metadata={"enum": list(DECISIONS)})
    policy_version = ma.fields.String(metadata={"description": "The programme's present one, if it is left out."})
    categories = ma.fields.List(
        ma.fields.String(), metadata={"description": "The facets that a grant covers; all, if it is left out."}
    )
    valid_until = ma.fields.String(
        metadata={"format": "date-time", "description": "The first moment at which a grant no longer holds."}
    )
    guardian = ma.fields.String(metadata={"description": "Evidence that a minor's guardian agreed to a grant."})
    actor = ma.fields.String(
        metadata={"enum": list(PEOPLE), "description": "Who told it: the member, if it is left out."}
    )
    method = ma.fields.String(
        metadata={"maxLength": 200, "description": "How or where it was told: the id of a form or screen."}
    )
    locale = ma.fields.String(metadata={"description": "The language of the text that was decided about (BCP 47)."})
    policy_hash = ma.fields.String(
        metadata={
            "pattern": "^[0-9a-f]{64}$",
            "description": "SHA-256 of exactly that text. It is filled in where the programme knows the text.",
        }
    )

    def load(self, data: Any, **_options: Any) -> Any:
        """Let everything through: `decided` tells every problem at once, and what it may be is the programme's."""
        return data


class EventSchema(ma.Schema):
    """A decision as recorded, or what the service noted of one: that it expired, or a policy superseded it."""

    id = ma.fields.String(required=True, metadata={"description": "Stable, and of this event only: for its receipt."})
    purpose = ma.fields.String(required=True, metadata={"enum": list(PURPOSES)})
    decision = ma.fields.String(required=True, metadata={"enum": list(ALL_DECISIONS)})
    policy_version = ma.fields.String(required=True)
    at = ma.fields.String(required=True, metadata={"format": "date-time"})
    valid_until = ma.fields.String(metadata={"format": "date-time"})
    categories = ma.fields.List(ma.fields.String())
    guardian = ma.fields.String()
    actor = ma.fields.String(metadata={"enum": list(ACTORS)})
    method = ma.fields.String()
    locale = ma.fields.String()
    policy_hash = ma.fields.String()
    recorded_at = ma.fields.String(
        required=True, metadata={"format": "date-time", "description": "When it was written down."}
    )
    recorded_by = ma.fields.String(
        required=True,
        metadata={"description": "Id of the API key, `command` (an import) or `service` (what it notes by itself)."},
    )


class RecordedSchema(EventSchema):
    """What was recorded, and what is on after it. Of `all` it has `events` in place of the fields of one."""

    events = ma.fields.List(
        ma.fields.Nested(EventSchema), metadata={"description": "Of `all` only: one for each purpose withdrawn."}
    )
    state = ma.fields.Dict(required=True, metadata={**SWITCHES, "description": "Which purposes are on now."})


RECORDED = RecordedSchema(
    partial=("id", "purpose", "decision", "policy_version", "at", "recorded_at", "recorded_by"),
)


class ConsentsSchema(ma.Schema):
    """Every event of a member in the order in which they were recorded, and what is on now."""

    events = ma.fields.List(ma.fields.Nested(EventSchema), required=True)
    state = ma.fields.Dict(required=True, metadata={**SWITCHES, "description": "Which purposes are on now."})
    covers = ma.fields.Dict(
        required=True,
        metadata={
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
            "description": "The facets that each purpose which is on covers.",
        },
    )
