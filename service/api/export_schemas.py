"""The schemas of what a member is told of all that is held on them."""

from __future__ import annotations

from typing import Final

import marshmallow as ma

from matcher.consent_words import ALL_DECISIONS, PURPOSES
from matcher.introductions import ACTS, END_REASONS, SIDES
from service.store import events

AT: Final = {"format": "date-time"}


class LearnedSchema(ma.Schema):
    """One model, and whether it learned from the member."""

    version = ma.fields.String(required=True)
    active = ma.fields.Boolean(required=True, metadata={"description": "It makes the lists now."})
    included = ma.fields.Boolean(
        required=True,
        allow_none=True,
        metadata={"description": "null: its files are gone, or not this installation's, and nobody can tell."},
    )


class ModelsSchema(ma.Schema):
    """Every model of the programme, oldest first."""

    models = ma.fields.List(ma.fields.Nested(LearnedSchema), required=True)


class PlacesSchema(ma.Schema):
    """How many people at once, and how many more now."""

    capacity = ma.fields.Integer(required=True)
    free = ma.fields.Integer(required=True)


class StoredSchema(ma.Schema):
    """When the record was stored, and how the member stands."""

    first_stored_at = ma.fields.String(required=True, metadata=AT)
    last_stored_at = ma.fields.String(required=True, metadata=AT)
    visible_from = ma.fields.Date(required=True)
    accepted = ma.fields.Boolean(required=True, metadata={"description": "The programme as it is takes the record."})
    places = ma.fields.Nested(PlacesSchema, required=True)


class DecisionsSchema(ma.Schema):
    """One decision, with what its receipt is named by."""

    receipt = ma.fields.String(required=True)
    purpose = ma.fields.String(required=True, metadata={"enum": list(PURPOSES)})
    decision = ma.fields.String(required=True, metadata={"enum": list(ALL_DECISIONS)})
    policy_version = ma.fields.String(required=True)
    at = ma.fields.String(required=True, metadata=AT)
    valid_until = ma.fields.String(metadata=AT)
    categories = ma.fields.List(ma.fields.String())
    guardian = ma.fields.String()
    actor = ma.fields.String()
    method = ma.fields.String()
    locale = ma.fields.String()
    policy_hash = ma.fields.String()
    recorded_at = ma.fields.String(required=True, metadata=AT)
    recorded_by = ma.fields.String(required=True)


class HeldSchema(ma.Schema):
    """One hold."""

    id = ma.fields.String(required=True)
    kind = ma.fields.String(required=True)
    until = ma.fields.String(required=True, allow_none=True, metadata=AT)
    created_at = ma.fields.String(required=True, metadata=AT)


class InGroupSchema(ma.Schema):
    """One group: `role` null and `roster_of_week` told: left during that week, and in its roster until it ends."""

    group_id = ma.fields.String(required=True)
    name = ma.fields.String(required=True)
    role = ma.fields.String(required=True, allow_none=True)
    roster_of_week = ma.fields.Date(required=True, allow_none=True)


class ActSchema(ma.Schema):
    """What the member told of somebody."""

    event = ma.fields.String(required=True)
    role = ma.fields.String(required=True, metadata={"enum": ["seeker", "candidate"]})
    at = ma.fields.String(required=True, metadata=AT)
    rank = ma.fields.Integer()
    propensity = ma.fields.Float()
    rating = ma.fields.Integer()
    scale = ma.fields.String()


class GivenListSchema(ma.Schema):
    """One list that the member was given."""

    match_id = ma.fields.String(required=True)
    kind = ma.fields.String(required=True, metadata={"enum": ["buddy", "group"]})
    made_at = ma.fields.String(required=True, metadata=AT)
    returned_at = ma.fields.String(required=True, metadata=AT)
    outcome = ma.fields.String(required=True)
    reason = ma.fields.String(required=True, allow_none=True)
    model_version = ma.fields.String(required=True)
    shown = ma.fields.Integer(required=True, metadata={"description": "How many of it were returned."})


class OwnStepSchema(ma.Schema):
    """What the member did in an introduction."""

    act = ma.fields.String(required=True, metadata={"enum": list(ACTS)})
    at = ma.fields.String(required=True, metadata=AT)
    reason = ma.fields.String(required=True, allow_none=True, metadata={"enum": [*END_REASONS, None]})


class OwnIntroductionSchema(ma.Schema):
    """One introduction of which the member was told, as their side is told of it."""

    introduction_id = ma.fields.String(required=True)
    side = ma.fields.String(required=True, metadata={"enum": list(SIDES)})
    state = ma.fields.String(required=True, metadata={"enum": list(events.STATES)})
    made_at = ma.fields.String(
        required=True, metadata={**AT, "description": "When it was proposed; to a candidate, when it was offered."}
    )
    since = ma.fields.String(required=True, metadata=AT)
    acts = ma.fields.List(ma.fields.Nested(OwnStepSchema), required=True)
    member_id = ma.fields.String(
        required=True, allow_none=True, metadata={"description": "The other, while they are connected."}
    )


class ToldEventSchema(ma.Schema):
    """One event of which the member was to be told."""

    number = ma.fields.Integer(required=True)
    kind = ma.fields.String(required=True, metadata={"enum": list(events.KINDS)})
    at = ma.fields.String(required=True, metadata=AT)
    introduction_id = ma.fields.String(required=True, allow_none=True)


class AuditedSchema(ma.Schema):
    """One entry of the audit log about the member."""

    at = ma.fields.String(required=True, metadata=AT)
    action = ma.fields.String(required=True)
    by = ma.fields.String(required=True, metadata={"description": "Id of an API key, `command` or `service`."})


class ExportSchema(ma.Schema):
    """All that is held on one member. Also in `docs/schemas/export.schema.json`."""

    format = ma.fields.Integer(required=True)
    programme = ma.fields.String(required=True)
    member_id = ma.fields.String(required=True)
    exported_at = ma.fields.String(required=True, metadata=AT)
    record = ma.fields.Dict(required=True, metadata={"description": "As `GET /v1/members/{member_id}` returns it."})
    stored = ma.fields.Nested(StoredSchema, required=True)
    consents = ma.fields.List(ma.fields.Nested(DecisionsSchema), required=True)
    holds = ma.fields.List(ma.fields.Nested(HeldSchema), required=True)
    groups = ma.fields.List(ma.fields.Nested(InGroupSchema), required=True)
    feedback = ma.fields.List(ma.fields.Nested(ActSchema), required=True)
    lists = ma.fields.List(ma.fields.Nested(GivenListSchema), required=True)
    introductions = ma.fields.List(ma.fields.Nested(OwnIntroductionSchema), required=True)
    events = ma.fields.List(ma.fields.Nested(ToldEventSchema), required=True)
    models = ma.fields.List(ma.fields.Nested(LearnedSchema), required=True)
    audit = ma.fields.List(ma.fields.Nested(AuditedSchema), required=True)
    left_out = ma.fields.Dict(
        required=True,
        metadata={"additionalProperties": {"type": "string"}, "description": "What is held and not here, and why."},
    )
