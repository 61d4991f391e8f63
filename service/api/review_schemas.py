"""What operations of the review queue take and answer."""

from __future__ import annotations

from typing import Any, Final

import marshmallow as ma
from marshmallow import validate

from matcher.introductions import ACTS, END_REASONS, REASONS, SIDES, STATES
from service.api import example_data as told
from service.api.blueprint import expected
from service.api.introduction_schemas import IN_PATH, INTRODUCTION, CardSchema, StepSchema, Strict, Truth, member_field

__all__ = ["IN_PATH"]

MOST: Final = 200
A_LIMIT: Final = f"a whole number from 1 to {MOST}"
REJECTIONS: Final = REASONS["reject"]
NOW, LAPSES, OVERDUE = "2026-03-04T12:00:00Z", "2026-03-11T12:00:00Z", "2026-03-18T12:00:00Z"
CARD: Final = {"reasons": [told.REASON], "statement": None}


def _step(act: str, by: str, before: str | None, state: str, **more: str) -> dict[str, Any]:
    """Return a step as the examples show it."""
    return {"act": act, "by": by, "from": before, "to": state, "at": NOW, "until": None, "reason": None, **more}


CHOSEN: Final = _step("propose", "seeker", None, "proposed")
TO_REVIEW: Final = _step("review", "service", "proposed", "in_review", until=OVERDUE)
APPROVING: Final = _step("approve", "coordinator", "in_review", "offered", until=LAPSES)
IN_REVIEW: Final[dict[str, Any]] = {
    "introduction_id": INTRODUCTION,
    "seeker": told.SEEKER,
    "candidate": told.SUPPORTER,
    "proposed_by": "seeker",
    "state": "in_review",
    "suspended": False,
    "yes": ["seeker"],
    "since": NOW,
    "until": OVERDUE,
    "reason": None,
    "allowed": ["approve", "reject", "suspend"],
    "history": [CHOSEN, TO_REVIEW],
}
WITH_CARDS: Final = {**IN_REVIEW, "cards": {"seeker": CARD, "candidate": CARD}}
_SO_FAR: Final = (CHOSEN, TO_REVIEW, APPROVING)
_SUSPENDING: Final = _step("suspend", "coordinator", "offered", "offered")
APPROVED: Final = {
    **IN_REVIEW,
    "state": "offered",
    "until": LAPSES,
    "allowed": ["end", "suspend"],
    "history": list(_SO_FAR),
}
BY_HAND: Final = {
    **APPROVED,
    "proposed_by": "coordinator",
    "yes": [],
    "history": [
        _step("propose", "coordinator", None, "proposed"),
        _step("offer", "service", "proposed", "offered", until=LAPSES),
    ],
}
REJECTED: Final = {
    **IN_REVIEW,
    "state": "rejected",
    "until": None,
    "reason": "not_a_fit",
    "allowed": ["suspend"],
    "history": [CHOSEN, TO_REVIEW, _step("reject", "coordinator", "in_review", "rejected", reason="not_a_fit")],
}
SUSPENDED: Final = {
    **APPROVED,
    "suspended": True,
    "until": None,
    "allowed": ["end", "resume"],
    "history": [*_SO_FAR, _SUSPENDING],
}
RESUMED: Final = {
    **APPROVED,
    "history": [*_SO_FAR, _SUSPENDING, _step("resume", "coordinator", "offered", "offered", until=LAPSES)],
}
STOPPED: Final = {
    **APPROVED,
    "state": "ended",
    "until": None,
    "reason": "safety",
    "allowed": ["suspend"],
    "history": [*_SO_FAR, _step("end", "coordinator", "offered", "ended", reason="safety")],
}


class AskedSchema(Strict):
    """Which part of the queue."""

    limit = ma.fields.Integer(
        load_default=50,
        validate=validate.Range(1, MOST, error=f"expected {A_LIMIT}"),
        error_messages=expected(A_LIMIT),
        metadata={"description": "How many at most."},
    )
    after = ma.fields.String(
        load_default=None, metadata={"description": "`next` of the reply before; an id that waits no more starts anew."}
    )


def _override() -> Truth:
    return Truth(
        load_default=False,
        metadata={"description": "Whether wishes and a supporter's rest are passed over. Safety never is."},
    )


class ByHandSchema(Strict):
    """Two members to introduce."""

    seeker = member_field("The seeker.", required=True)
    candidate = member_field("Whom to ask to support them.", required=True)
    override = _override()


class ApproveSchema(Strict):
    """How strictly."""

    override = _override()


class RejectSchema(Strict):
    """Why, if that is to be kept."""

    reason = ma.fields.String(
        validate=validate.OneOf(REJECTIONS, error=f"expected one of {', '.join(REJECTIONS)}"),
        error_messages=expected(f"one of {', '.join(REJECTIONS)}"),
    )


class StopSchema(Strict):
    """Why, if that is to be kept."""

    reason = ma.fields.String(
        validate=validate.OneOf(END_REASONS, error=f"expected one of {', '.join(END_REASONS)}"),
        error_messages=expected(f"one of {', '.join(END_REASONS)}"),
    )


class NothingSchema(Strict):
    """Nothing needs to be said."""


class CardsSchema(ma.Schema):
    """What each side may read of the other."""

    seeker = ma.fields.Nested(CardSchema, required=True, allow_none=True)
    candidate = ma.fields.Nested(CardSchema, required=True, allow_none=True)


class ReviewedSchema(ma.Schema):
    """An introduction as coordinators see it."""

    introduction_id = ma.fields.String(required=True)
    seeker = ma.fields.String(required=True)
    candidate = ma.fields.String(required=True)
    proposed_by = ma.fields.String(required=True, validate=validate.OneOf(["seeker", "coordinator"]))
    state = ma.fields.String(required=True, validate=validate.OneOf(STATES))
    suspended = ma.fields.Boolean(required=True)
    yes = ma.fields.List(ma.fields.String(validate=validate.OneOf(SIDES)), required=True)
    since = ma.fields.String(required=True, metadata={"format": "date-time"})
    until = ma.fields.String(required=True, allow_none=True, metadata={"format": "date-time"})
    reason = ma.fields.String(required=True, allow_none=True)
    allowed = ma.fields.List(ma.fields.String(validate=validate.OneOf(ACTS)), required=True)
    history = ma.fields.List(ma.fields.Nested(StepSchema), required=True)


class WithCardsSchema(ReviewedSchema):
    """The same, with what each side may read of the other."""

    cards = ma.fields.Nested(CardsSchema, required=True)


class QueueSchema(ma.Schema):
    """What waits for a coordinator."""

    introductions = ma.fields.List(ma.fields.Nested(WithCardsSchema), required=True)
    waiting = ma.fields.Integer(required=True, metadata={"description": "How many wait in all."})
    next = ma.fields.String(
        required=True, allow_none=True, metadata={"description": "Give this as `after`; null: there are no more."}
    )
