"""JSON Schema (2020-12) of the member record of one programme, for forms and for checks before sending.

It says what `Member.from_dict` says, but for what JSON Schema cannot: see `NOT_SAID` and `SAID_STRICTER`.
"""

from __future__ import annotations

from matcher.consent_evidence import HASH_PATTERN
from matcher.consent_words import ACTORS, ALL_DECISIONS, MATCHING_PURPOSES, PEOPLE, PURPOSES, SYSTEM, SYSTEM_DECISIONS
from matcher.facets.base import MUST, Facet, JSONSchema, text_schema
from matcher.facets.languages import TAG_PATTERN
from matcher.people import MEMBER_ID_RULE, MOST_CAPACITY, ROLES
from matcher.programme import Programme

DIALECT = "https://json-schema.org/draft/2020-12/schema"
LONGEST_TEXT = 200

NOT_SAID = {
    "contact details": "A statement with contact details is refused.",
    "invisible characters": "Codes and statements with control characters or others that show nothing are refused.",
    "length": "What counts is the length of a statement in NFC, which is rarely longer than as it was sent.",
    "same language": "Tags that differ in case alone, or name a language by two codes, are one: refused as told twice.",
    "whole numbers": "1.0 is no whole number here, though JSON Schema takes it for one.",
    "calendar": "Days that no calendar has are refused, and moments outside the years 1 to 9999 in UTC.",
    "valid_until": "valid_until is after at.",
    "locale": "A locale names the same text in any case, and by any code of its language: its policy_hash is checked.",
    "prefer and avoid": "No value stands in both prefer and avoid of one facet.",
    "surrogates": "Text with half a surrogate pair is refused.",
}
"""What is refused although it fits the schema. `tests/matcher/test_profile_schema.py` has a case of each."""

SAID_STRICTER = {
    "length": "A statement is trimmed and put into NFC before its length counts: longer by that much is accepted.",
}
"""What is accepted although it does not fit the schema."""

INSTANT: JSONSchema = {
    "type": "string",
    "format": "date-time",
    "pattern": r"^(?!0000)[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])[Tt ]"
    r"([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
    r"(\.[0-9]{1,9})?([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$(?!\n)",
}

ACTOR_RULE: JSONSchema = {
    "if": {"properties": {"decision": {"enum": list(SYSTEM_DECISIONS)}}, "required": ["decision"]},
    "then": {"properties": {"actor": {"const": SYSTEM}}, "required": ["actor"]},
    "else": {"properties": {"actor": {"enum": list(PEOPLE)}}},
}
"""What the service notes it has told itself, and what people decide it has not."""


def record_schema(programme: Programme) -> JSONSchema:
    """Return the schema of a member record of `programme`."""
    fields: JSONSchema = {
        "member_id": {
            "type": "string",
            "pattern": r"^(?!\.{1,2}$)[A-Za-z0-9._~-]{1,64}$(?!\n)",
            "description": f"The partner's pseudonym: {MEMBER_ID_RULE}",
        },
        "roles": _roles(programme),
        "age_band": {"enum": list(programme.age_bands), "title": "Age"},
        "capacity": {"type": "integer", "minimum": 0, "maximum": MOST_CAPACITY, "default": 1},
        "vetted": {"type": "boolean", "default": False},
        "agreements": _texts(text_schema(100)),
        "profile": _object({name: _titled(facet) for name, facet in programme.facets.items() if facet.source is None}),
        "wants": _object({name: _want(facet) for name, facet in programme.facets.items() if facet.wantable}),
        "strata": _object({name: {"enum": list(values)} for name, values in programme.strata.items()}),
        "consents": {"type": "array", "items": _event(programme)},
    }
    required = ["member_id"] if programme.mutual else ["member_id", "roles"]
    title = f"A member record of {programme.name}"
    return {"$schema": DIALECT, "title": title, **_object(fields, *required), "$comment": " ".join(NOT_SAID.values())}


def _object(properties: JSONSchema, *required: str) -> JSONSchema:
    schema: JSONSchema = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**schema, "required": list(required)} if required else schema


def _texts(items: JSONSchema) -> JSONSchema:
    return {"type": "array", "items": items, "maxItems": 100, "uniqueItems": True}


def _roles(programme: Programme) -> JSONSchema:
    least = len(ROLES) if programme.mutual else 1
    return {**_texts({"enum": list(ROLES)}), "minItems": least}


def _titled(facet: Facet) -> JSONSchema:
    return {"title": facet.label, **facet.json_schema()}


def _want(facet: Facet) -> JSONSchema:
    properties: JSONSchema = {"importance": {"type": "integer", "minimum": 0, "maximum": MUST}}
    asked = facet.asked_schema()
    if asked is not None:
        properties.update(prefer=asked, avoid=asked)
    return {"title": facet.label, **_object(properties), "minProperties": 1}


def _text_rules(programme: Programme) -> list[JSONSchema]:
    """Return for each text that is agreed to that a grant may tell only its own hash for it."""
    rules: list[JSONSchema] = []
    for locale, value in programme.policy_texts.items():
        named: JSONSchema = {
            "decision": {"const": "given"},
            "policy_version": {"const": programme.policy_version},
            "locale": {"const": locale},
        }
        told: JSONSchema = {"properties": {"policy_hash": {"const": value}}}
        rules.append({"if": {"properties": named, "required": list(named)}, "then": told})
    return rules


def _event(programme: Programme) -> JSONSchema:
    """Return the schema of a consent event. Those of another policy version may name facets of their time."""
    properties: JSONSchema = {
        "purpose": {"enum": list(PURPOSES)},
        "decision": {"enum": list(ALL_DECISIONS)},
        "policy_version": text_schema(LONGEST_TEXT),
        "at": INSTANT,
        "valid_until": INSTANT,
        "categories": _texts(text_schema(100)),
        "guardian": text_schema(LONGEST_TEXT),
        "actor": {"enum": list(ACTORS)},
        "method": text_schema(LONGEST_TEXT),
        "locale": {"type": "string", "maxLength": LONGEST_TEXT, "pattern": f"^{TAG_PATTERN}$(?!\\n)"},
        "policy_hash": {"type": "string", "pattern": f"^{HASH_PATTERN}$(?!\\n)"},
    }
    current: JSONSchema = {"properties": {"policy_version": {"const": programme.policy_version}}}
    facets: JSONSchema = {"properties": {"categories": {"items": {"enum": list(programme.facets)}}}}
    grant: JSONSchema = {
        "properties": {
            **current["properties"],
            "decision": {"const": "given"},
            "purpose": {"enum": [name for name in PURPOSES if name in MATCHING_PURPOSES]},
        }
    }
    whole: JSONSchema = {
        "properties": {"categories": {"allOf": [{"contains": {"const": name}} for name in sorted(programme.required)]}}
    }
    rules = [{"if": current, "then": facets}, ACTOR_RULE, *_text_rules(programme)]
    if programme.required:
        rules.append({"if": grant, "then": whole})
    return {**_object(properties, "purpose", "decision", "policy_version", "at"), "allOf": rules}
