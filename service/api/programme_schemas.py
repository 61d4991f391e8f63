"""Schemas of what ``GET /v1/programme`` and the search in vocabularies reply."""

from __future__ import annotations

import marshmallow as ma
from marshmallow import validate

from matcher.facets import KINDS


class ChoiceSchema(ma.Schema):
    """One of a list, as it is sent and as a person reads it."""

    value = ma.fields.String(required=True)
    label = ma.fields.String(required=True)


class VocabularySchema(ma.Schema):
    """The vocabulary of a facet of concepts; search it at ``/v1/programme/vocabularies/{facet}``."""

    name = ma.fields.String(required=True)
    size = ma.fields.Integer(required=True, metadata={"description": "How many concepts it has."})


class FacetSchema(ma.Schema):
    """One thing that the programme compares, requires or shows."""

    name = ma.fields.String(required=True)
    kind = ma.fields.String(required=True, validate=validate.OneOf(sorted(KINDS)))
    label = ma.fields.String(required=True)
    description = ma.fields.String(required=True, metadata={"description": "What it does, in plain words."})
    source = ma.fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "The field of the record it is taken from; null: it is told in the profile."},
    )
    show = ma.fields.Boolean(required=True, metadata={"description": "It may be told as a reason."})
    scored = ma.fields.Boolean(required=True, metadata={"description": "It makes matches closer."})
    gating = ma.fields.Boolean(required=True, metadata={"description": "It keeps people apart by itself."})
    importance = ma.fields.Integer(
        required=True,
        allow_none=True,
        validate=validate.Range(0, 3),
        metadata={"description": "What a member has who asks for nothing; null: it cannot be asked for."},
    )
    wantable = ma.fields.Boolean(required=True, metadata={"description": "`wants` may name it."})
    preferable = ma.fields.Boolean(required=True, metadata={"description": "`wants` may have `prefer` and `avoid`."})
    values = ma.fields.List(
        ma.fields.Nested(ChoiceSchema),
        required=True,
        allow_none=True,
        metadata={"description": "What may be chosen, in order; null: it is no list."},
    )
    vocabulary = ma.fields.Nested(VocabularySchema, required=True, allow_none=True)


class PurposeSchema(ma.Schema):
    """What data may be used for, where a member agrees."""

    name = ma.fields.String(required=True)
    label = ma.fields.String(required=True)
    description = ma.fields.String(required=True)
    required_facets = ma.fields.List(
        ma.fields.String(),
        required=True,
        metadata={"description": "What a grant must cover, if it names `categories`."},
    )


class StratumSchema(ma.Schema):
    """An attribute for checks of fairness, which the matching never reads."""

    name = ma.fields.String(required=True)
    label = ma.fields.String(required=True)
    values = ma.fields.List(ma.fields.Nested(ChoiceSchema), required=True)


class MinorsSchema(ma.Schema):
    """Who is a minor."""

    bands = ma.fields.List(ma.fields.String(), required=True)
    policy = ma.fields.String(
        required=True,
        validate=validate.OneOf(["refuse", "separate"]),
        metadata={"description": "Never matched, or among themselves with a guardian's consent."},
    )


class ProgrammeSchema(ma.Schema):
    """A programme. `docs/schemas/programme.schema.json` says the same."""

    id = ma.fields.String(required=True)
    name = ma.fields.String(required=True)
    pairing = ma.fields.String(required=True, validate=validate.OneOf(["mentor", "mutual"]))
    size = ma.fields.String(required=True, validate=validate.OneOf(["small", "standard", "open"]))
    policy_version = ma.fields.String(required=True, metadata={"description": "The policy to which consents refer."})
    crisis_message = ma.fields.String(
        required=True, allow_none=True, metadata={"description": "Show it wherever somebody may be in danger."}
    )
    confidentiality = ma.fields.String(
        required=True, allow_none=True, metadata={"description": "The agreement that `agreements` must name."}
    )
    age_bands = ma.fields.List(ma.fields.String(), required=True)
    minors = ma.fields.Nested(MinorsSchema, required=True)
    purposes = ma.fields.List(ma.fields.Nested(PurposeSchema), required=True)
    facets = ma.fields.List(ma.fields.Nested(FacetSchema), required=True)
    strata = ma.fields.List(ma.fields.Nested(StratumSchema), required=True)
    labels = ma.fields.Dict(
        keys=ma.fields.String(),
        values=ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.String()),
        required=True,
        metadata={"description": "English words for what the API names: by list, then by name."},
    )
    record_schema = ma.fields.Dict(
        required=True,
        metadata={
            "description": "JSON Schema (2020-12) of a member record of this programme. Its $comment tells what no "
            "JSON Schema can say."
        },
    )


class ConceptSchema(ma.Schema):
    """One concept."""

    code = ma.fields.String(required=True)
    label = ma.fields.String(required=True)


class ConceptsSchema(ma.Schema):
    """What was found, the likeliest first."""

    concepts = ma.fields.List(ma.fields.Nested(ConceptSchema), required=True, validate=validate.Length(max=50))
