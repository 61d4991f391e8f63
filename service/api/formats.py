"""In which of two forms a reply about consent comes: as this API tells it, or as FHIR."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar, cast

import marshmallow as ma
from flask import Response, request
from marshmallow import validate

from service.api.blueprint import Blueprint, expected

FHIR: Final = "application/fhir+json"
_FORMATS: Final = ("json", "fhir")
_EXPECTED: Final = "json or fhir"

F = TypeVar("F", bound=Callable[..., Any])


class FormatSchema(ma.Schema):
    """In which form the reply is wanted."""

    class Meta:
        """Unknown parameters are refused."""

        unknown = ma.RAISE

    format = ma.fields.String(
        validate=validate.OneOf(_FORMATS, error=f"expected {_EXPECTED}"),
        error_messages=expected(_EXPECTED),
        metadata={"description": f"`fhir` is FHIR R4, as is `Accept: {FHIR}`."},
    )


def wants_fhir(asked: Mapping[str, Any]) -> bool:
    """Whether the present request wants FHIR: as its parameter says, or else its header ``Accept``."""
    if "format" in asked:
        return bool(asked["format"] == "fhir")
    return request.accept_mimetypes.best_match(["application/json", FHIR], "application/json") == FHIR


def fhir_reply(resource: Mapping[str, Any]) -> Response:
    """Return a FHIR resource as a reply."""
    return Response(json.dumps(resource, separators=(",", ":"), ensure_ascii=False), mimetype=FHIR)


def also_fhir(blueprint: Blueprint, what: str) -> Callable[[F], F]:
    """Document that a view answers `what` of FHIR R4, where that is asked for."""
    schema = {
        "type": "object",
        "description": f"A {what} of FHIR R4 (4.0.1), as hl7.org publishes it.",
        "properties": {"resourceType": {"const": what}},
        "required": ["resourceType"],
    }
    told = blueprint.doc(responses={200: {"content": {FHIR: {"schema": schema}}}})
    return cast("Callable[[F], F]", told)
