"""What ``POST /v1/feedback`` takes."""

from __future__ import annotations

from typing import Any, Final

import marshmallow as ma
from marshmallow import validate

from matcher.model.feedback import MAX_RATING, SCALES
from service.api.blueprint import expected
from service.api.introduction_schemas import Strict, Truth, member_field

EVENTS: Final = ("viewed", "session", "ended", "rated", "reported")
ONE_EVENT: Final = "viewed, session, ended, rated or reported"
A_RATING: Final = f"a whole number from 0 to {MAX_RATING}"
A_HANDLE: Final = "text, as a shortlist has it"
AN_ID: Final = "text, as an introduction has it"
A_SCALE: Final = " or ".join(SCALES)
BY_LIST, BY_INTRODUCTION = ("match_id", "handle"), ("introduction_id", "member_id")
WAYS: Final = "match_id and handle, or introduction_id and member_id"
OF_ANOTHER_LIST: Final = "not told of a list: give introduction_id and member_id"
OF_NO_INTRODUCTION: Final = {
    "viewed": "is told of a list: give match_id and handle",
    "ended": "is told with POST /v1/introductions/{introduction_id}/end",
}


class FeedbackRequestSchema(Strict):
    """One thing that happened, with somebody of a list or in an introduction."""

    match_id = ma.fields.String(error_messages=expected(A_HANDLE), metadata={"description": "Of the list."})
    handle = ma.fields.String(error_messages=expected(A_HANDLE), metadata={"description": "Of somebody in that list."})
    introduction_id = ma.fields.String(
        error_messages=expected(AN_ID), metadata={"description": "In place of match_id and handle."}
    )
    member_id = member_field("With introduction_id: who tells it, the seeker or the candidate.")
    event = ma.fields.String(
        required=True,
        validate=validate.OneOf(EVENTS, error=f"expected {ONE_EVENT}"),
        error_messages=expected(ONE_EVENT),
    )
    rating = ma.fields.Integer(
        strict=True,
        validate=validate.Range(0, MAX_RATING, error=f"expected {A_RATING}"),
        error_messages=expected(A_RATING),
        metadata={"description": "Of `rated`, and of nothing else."},
    )
    scale = ma.fields.String(
        validate=validate.OneOf(SCALES, error=f"expected {A_SCALE}"),
        error_messages=expected(A_SCALE),
        metadata={"description": "What was rated, of `rated` alone: how much one felt understood, or anything."},
    )
    safety = Truth(
        metadata={"description": "Of `reported` in an introduction: it is suspended at once, and a coordinator looks."},
    )

    @ma.validates_schema(pass_original=True, skip_on_field_errors=False)
    def _check(self, data: dict[str, Any], sent: dict[str, Any], **_options: Any) -> None:
        errors = {**_whom(sent), **_what(data, sent)}
        if errors:
            raise ma.ValidationError({path: [text] for path, text in errors.items()})


class FeedbackSchema(ma.Schema):
    """It was heard."""

    event = ma.fields.String(required=True, validate=validate.OneOf(EVENTS))


def _whom(sent: dict[str, Any]) -> dict[str, str]:
    """Return what is wrong with how somebody is named: in one of two ways, and whole."""
    new = any(key in sent for key in BY_INTRODUCTION)
    if new and any(key in sent for key in BY_LIST):
        return {"introduction_id": f"found with match_id or handle; expected {WAYS}"}
    way = BY_INTRODUCTION if new else BY_LIST
    return {key: f"found nothing; expected {WAYS}" for key in way if key not in sent}


def _what(data: dict[str, Any], sent: dict[str, Any]) -> dict[str, str]:
    """Return what is wrong with what is told; an event that is none is told already."""
    event = data.get("event")
    if event is None:
        return {}
    errors = {}
    if event == "rated" and "rating" not in sent:
        errors["rating"] = f"found nothing; expected {A_RATING}"
    for key, whose in (("rating", "rated"), ("scale", "rated"), ("safety", "reported")):
        if event != whose and key in data:
            errors[key] = f"only {whose} takes one, and not {event}: leave it out"
    by_introduction = "introduction_id" in sent
    if by_introduction and event in OF_NO_INTRODUCTION:
        errors["event"] = f"{event} {OF_NO_INTRODUCTION[event]}"
    if not by_introduction and "safety" in data and "safety" not in errors:
        errors["safety"] = OF_ANOTHER_LIST
    return errors
