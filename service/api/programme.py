"""``GET /v1/programme``: what a partner needs to build its form; and a search in the vocabularies for its boxes."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

import marshmallow as ma
from flask import Response, current_app, jsonify, request
from marshmallow import validate

from matcher.consent_events import MATCHING_PURPOSES
from matcher.facets.base import Facet
from matcher.facets.coded import CodedFacet
from matcher.facets.concepts import Concepts
from matcher.profile_schema import record_schema
from matcher.programme import Programme
from matcher.vocabulary_search import MOST, search_of
from service import problems
from service.access import access
from service.api import programme_examples as shown
from service.api.blueprint import Blueprint, expected
from service.api.probes import release_number
from service.api.programme_schemas import ConceptsSchema, ProgrammeSchema
from service.api.words import LABELS, PURPOSES, told
from service.problems import NO_VOCABULARY, Problem
from service.state import state

blueprint = Blueprint("programme", __name__, description="What the programme of the key compares, asks and allows.")

ETAG = {"ETag": {"description": "Names this state of the programme.", "schema": {"type": "string"}}}
LONGEST_QUERY = 100


class SearchSchema(ma.Schema):
    """What is looked for."""

    class Meta:
        """Unknown parameters are refused."""

        unknown = ma.RAISE

    q = ma.fields.String(
        required=True,
        validate=validate.Length(1, LONGEST_QUERY, error="expected 1 to 100 characters"),
        error_messages=expected("1 to 100 characters"),
        metadata={"description": "The beginning, or any part, of a code or label. Case and accents do not matter."},
    )
    limit = ma.fields.Integer(
        load_default=20,
        validate=validate.Range(1, MOST, error=f"expected a whole number from 1 to {MOST}"),
        error_messages=expected(f"a whole number from 1 to {MOST}"),
    )


@blueprint.route("/v1/programme", endpoint="programme")
@blueprint.response(200, ProgrammeSchema, headers=ETAG)
@blueprint.example("a_programme", 200, shown.PROGRAMME, summary="A small programme; its record_schema is left out here")
def programme() -> Response:
    """Describe the programme of the key: facets, labels, purposes of consent, and a JSON Schema of its records.

    Any valid key may ask. The programme changes rarely: keep the reply, and ask again with `If-None-Match`.
    """
    mine = _programme()
    reply = Response(_text(mine), mimetype="application/json")
    reply.set_etag(f"{mine.digest}-{release_number()}")
    reply.make_conditional(request)
    return reply


@blueprint.route("/v1/programme/vocabularies/<facet>", endpoint="vocabulary")
@blueprint.arguments(SearchSchema, location="query")
@blueprint.response(200, ConceptsSchema)
@blueprint.problems(problems.INVALID, problems.NO_VOCABULARY)
@blueprint.example("a_search", 200, shown.FOUND, path={"facet": "experiences"}, query={"q": "lump", "limit": "5"})
@blueprint.example("no_vocabulary", 404, shown.NO_VOCABULARY, path={"facet": "channel"}, query={"q": "phone"})
def vocabulary(asked: dict[str, Any], facet: str) -> Response:
    """Search the vocabulary of a facet of concepts, for a search box.

    Codes and labels that start with `q` come first, then labels with a word that does, then what has it anywhere.
    """
    found = _programme().facets.get(facet)
    if not isinstance(found, Concepts):
        raise Problem(NO_VOCABULARY, "This programme has no facet of kind `concepts` of this name.")
    rows = search_of(found.vocabulary).find(asked["q"], asked["limit"])
    return jsonify(concepts=[{"code": code, "label": label} for code, label in rows])


def _programme() -> Programme:
    here = state(current_app)
    with here.store.reading() as session:
        return here.pools.programmes.get(session, access().programme_id)


@lru_cache(maxsize=32)
def _text(mine: Programme) -> str:
    return json.dumps(description(mine), separators=(",", ":"), ensure_ascii=False)


def description(mine: Programme) -> dict[str, Any]:
    """Return the reply of ``GET /v1/programme``."""
    return {
        "id": mine.id,
        "name": mine.name,
        "pairing": mine.pairing,
        "size": mine.size,
        "policy_version": mine.policy_version,
        "crisis_message": mine.crisis_message,
        "confidentiality": mine.confidentiality,
        "age_bands": list(mine.age_bands),
        "minors": {"bands": [band for band in mine.age_bands if band in mine.minors], "policy": mine.minors_policy},
        "purposes": _purposes(mine),
        "facets": [_facet(facet) for facet in mine.facets.values()],
        "strata": [
            {"name": name, "label": _label(name), "values": [{"value": one, "label": _label(one)} for one in values]}
            for name, values in mine.strata.items()
        ],
        "labels": LABELS,
        "record_schema": record_schema(mine),
    }


def _purposes(mine: Programme) -> list[dict[str, Any]]:
    required = [name for name in mine.facets if name in mine.required]
    return [
        {
            "name": name,
            "label": label,
            "description": text,
            "required_facets": required if name in MATCHING_PURPOSES else [],
        }
        for name, (label, text) in PURPOSES.items()
    ]


def _facet(facet: Facet) -> dict[str, Any]:
    values = facet.values if isinstance(facet, CodedFacet) else None
    searched = facet.vocabulary if isinstance(facet, Concepts) else None
    return {
        "name": facet.name,
        "kind": facet.kind,
        "label": facet.label,
        "description": told(facet),
        "source": facet.source,
        "show": facet.show,
        "scored": facet.is_feature,
        "gating": facet.gating,
        "importance": facet.importance if facet.wantable else None,
        "wantable": facet.wantable,
        "preferable": facet.wantable and facet.asked_schema() is not None,
        "values": None if values is None else [{"value": one, "label": facet.value_label(one)} for one in values],
        "vocabulary": None if searched is None else {"name": searched.name, "size": len(searched)},
    }


def _label(name: str) -> str:
    return name.replace("_", " ").capitalize()
