"""What operations about introductions take and answer."""

from __future__ import annotations

from typing import Any, Final

import marshmallow as ma
from marshmallow import validate

from matcher.introductions import ACTS, END_REASONS, SIDES, STATES
from matcher.people import MEMBER_ID_PATTERN, MEMBER_ID_RULE
from service.api import example_data as told
from service.api.blueprint import check_member_id, expected
from service.api.match import ReasonSchema

INTRODUCTION: Final = "3vQm1d0T0h5Xb2cJ8kYw7A"
IN_PATH: Final = {"introduction_id": INTRODUCTION}
SEEN: Final = (
    "in_review", "offered", "accepted", "paused", "connected", "declined", "withdrawn", "ended", "closed",
)  # fmt: skip
"""What a side may be told: see `matcher.introductions.seen_by`."""
A_HANDLE: Final = "text, as a shortlist has it"
TEXT: Final = r"^[^\u0000]*$"
"""As JSON Schema has it: that no text of a body has the character U+0000 is told where it is read."""
A_REASON: Final = f"one of {', '.join(END_REASONS)}"
OFFERED: Final[dict[str, Any]] = {
    "introduction_id": INTRODUCTION,
    "side": "seeker",
    "state": "offered",
    "since": "2026-03-04T12:00:00Z",
    "until": "2026-03-11T12:00:00Z",
    "allowed": ["withdraw"],
    "member_id": None,
}
IN_INBOX: Final = {
    **OFFERED,
    "side": "candidate",
    "allowed": ["accept", "decline"],
    "card": {"reasons": [told.REASON], "statement": None},
}
CONNECTED: Final = {
    **OFFERED,
    "side": "candidate",
    "state": "connected",
    "until": None,
    "allowed": ["end", "rematch"],
    "member_id": told.SEEKER,
}
CLOSED: Final = {**OFFERED, "side": "candidate", "state": "declined", "until": None, "allowed": []}
ENDED: Final = {**CLOSED, "state": "ended"}


class Strict(ma.Schema):
    """A body of which every field is known."""

    class Meta:
        """Unknown fields are refused."""

        unknown = ma.RAISE


def member_field(what: str, **options: Any) -> ma.fields.String:
    """Return a field that takes a `member_id`; `what` says whose."""
    told_of = {"description": what, "pattern": MEMBER_ID_PATTERN}
    return ma.fields.String(
        validate=check_member_id, error_messages=expected(MEMBER_ID_RULE), metadata=told_of, **options
    )


class Truth(ma.fields.Boolean):
    """True or false. The numbers 1 and 0 are neither: to Python, and so to marshmallow, they are equal to them."""

    def __init__(self, **options: Any) -> None:
        super().__init__(truthy={True}, falsy={False}, error_messages=expected("true or false"), **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


class ProposalSchema(Strict):
    """Whom a seeker chose."""

    match_id = ma.fields.String(
        required=True, error_messages=expected(A_HANDLE), metadata={"description": "Of the list.", "pattern": TEXT}
    )
    handle = ma.fields.String(
        required=True,
        error_messages=expected(A_HANDLE),
        metadata={"description": "Of somebody in that list.", "pattern": TEXT},
    )


class WhoActsSchema(Strict):
    """Who acts."""

    member_id = member_field("Who acts: the seeker or the candidate of it.", required=True)


class EndSchema(WhoActsSchema):
    """Who ends it, and why if they like."""

    reason = ma.fields.String(
        validate=validate.OneOf(END_REASONS, error=f"expected {A_REASON}"), error_messages=expected(A_REASON)
    )


class CardSchema(ma.Schema):
    """What a side may read of the other before it knows who that is."""

    reasons = ma.fields.List(ma.fields.Nested(ReasonSchema), required=True)
    statement = ma.fields.String(
        required=True, allow_none=True, metadata={"description": "Their own words. Text, never markup."}
    )


class IntroductionSchema(ma.Schema):
    """An introduction as one side may see it."""

    introduction_id = ma.fields.String(required=True)
    side = ma.fields.String(required=True, validate=validate.OneOf(SIDES))
    state = ma.fields.String(required=True, validate=validate.OneOf(SEEN))
    since = ma.fields.String(required=True, metadata={"format": "date-time"})
    until = ma.fields.String(
        required=True,
        allow_none=True,
        metadata={"format": "date-time", "description": "From when on it has lapsed; null: not by itself."},
    )
    allowed = ma.fields.List(
        ma.fields.String(validate=validate.OneOf(ACTS)),
        required=True,
        metadata={"description": "What this side may do now."},
    )
    member_id = ma.fields.String(
        required=True, allow_none=True, metadata={"description": "The other; null before both have accepted."}
    )


class InInboxSchema(IntroductionSchema):
    """The same, with what this side may read of the other."""

    card = ma.fields.Nested(CardSchema, required=True, allow_none=True)


class InboxSchema(ma.Schema):
    """The introductions of one member, on either side, the newest first."""

    introductions = ma.fields.List(ma.fields.Nested(InInboxSchema), required=True)


class StepSchema(ma.Schema):
    """One step of an introduction, as coordinators read it."""

    act = ma.fields.String(required=True, validate=validate.OneOf(ACTS))
    by = ma.fields.String(required=True)
    before = ma.fields.String(required=True, allow_none=True, data_key="from", validate=validate.OneOf(STATES))
    state = ma.fields.String(required=True, data_key="to", validate=validate.OneOf(STATES))
    at = ma.fields.String(required=True, metadata={"format": "date-time"})
    until = ma.fields.String(required=True, allow_none=True, metadata={"format": "date-time"})
    reason = ma.fields.String(required=True, allow_none=True)
