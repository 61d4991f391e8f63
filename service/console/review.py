"""What waits for a coordinator, with both cards; what they decide; and introducing two members by hand."""

from __future__ import annotations

from typing import Any, Final

from flask import Response, current_app, request, url_for

from matcher.errors import PeermatchError, RecordError, UnknownMemberError
from matcher.introductions import FINAL, REASONS, TransitionError
from service.access import access
from service.console.blueprint import blueprint
from service.console.opening import reading, writing
from service.console.paging import Page, number_of
from service.console.rendering import done, page
from service.live import introducing, reviewing
from service.live.cards import Cards
from service.problems import NO_INTRODUCTION, Problem
from service.state import state
from service.store import audit, closing, introduction_rows, members
from service.store.introductions import NoPlaceError, NotAvailableError

ROWS: Final = 20
"""Introductions on a page: each has two cards to read."""
REFUSALS: Final = (TransitionError, NotAvailableError, NoPlaceError, RecordError)
NOTICES: Final[dict[str, str]] = {
    "approve": "approved",
    "reject": "rejected",
    "suspend": "suspended",
    "resume": "resumed",
    "end": "ended",
}
"""By act, the word of what the next page says."""
OF_A_REPORT: Final[dict[str, str]] = {"resume": "nothing-against", "end": "kept-apart"}
"""The same where the introduction was over before."""
REASON_WORDS: Final = {
    "finished": "It has done its work",
    "no_contact": "They lost touch",
    "not_a_fit": "They are no fit",
    "bereavement": "A bereavement",
    "moved": "Somebody moved on",
    "safety": "Safety",
    "other": "Another reason",
}
UNKNOWN: Final = "This programme has no introduction of this id."


@blueprint.get("/review", endpoint="review")
def show() -> Response:
    """Show what waits: first what a report has suspended, then what was proposed first."""
    return _queue()


@blueprint.get("/introduction", endpoint="introduction")
def show_one() -> Response:
    """Show one introduction, whole."""
    name = request.args.get("introduction_id", "")
    return _one(name)


@blueprint.post("/review/decide", endpoint="decide")
def decide() -> Response:
    """Carry out what a coordinator decides of one introduction."""
    name, what = request.form.get("introduction_id", ""), request.form.get("act", "")
    here = state(current_app)
    now, key = here.clock(), access()
    if what not in NOTICES:
        raise Problem(NO_INTRODUCTION, UNKNOWN)
    introducing.prepare(here.pools, key.programme_id, now)
    try:
        with writing() as (session, programme):
            closing.pass_time(session, programme, now)
            kept = introduction_rows.one(session, programme.id, name)
            if kept is None:
                raise Problem(NO_INTRODUCTION, UNKNOWN)
            if what == "approve":
                override = "override" in request.form
                _, over = introducing.approve(session, here.pools.models, programme, kept, now, override=override)
                reviewing.note(session, programme.id, what, now, key.key_id, override=list(over))
            else:
                reason = request.form.get("reason") or None
                reviewing.decide(session, programme, kept, what, by=key.key_id, now=now, reason=reason)
    except REFUSALS as refused:
        return _one(name, refused, 409)
    notices = {**NOTICES, **OF_A_REPORT} if kept.introduction.state in FINAL else NOTICES
    return done(notices[what], url_for("console.review"))


@blueprint.post("/review/by-hand", endpoint="by_hand")
def introduce() -> Response:
    """Introduce two members; both are asked."""
    seeker, candidate = (request.form.get(field, "").strip() for field in ("seeker", "candidate"))
    here = state(current_app)
    now, key = here.clock(), access()
    introducing.prepare(here.pools, key.programme_id, now)
    try:
        with writing() as (session, programme):
            closing.pass_time(session, programme, now)
            for name in (seeker, candidate):
                if members.get(session, programme.id, name) is None:
                    raise UnknownMemberError("no such member")
            models, override = here.pools.models, "override" in request.form
            kept, over = introducing.by_hand(session, models, programme, seeker, candidate, now, override=override)
            details: dict[str, Any] = {"override": list(over)} if over else {}
            audit.record(session, programme.id, "introduction.made", now=now, by=key.key_id, **details)
    except UnknownMemberError:
        return _queue("This programme has no member of one of these ids.", 422, (seeker, candidate))
    except REFUSALS as refused:
        return _queue(_sentence(refused), 409, (seeker, candidate))
    return done("introduced", url_for("console.introduction", introduction_id=kept.id))


def _queue(wrong: str | None = None, status: int = 200, asked: tuple[str, str] = ("", "")) -> Response:
    here = state(current_app)
    now, key = here.clock(), access()
    here.pools.let_time_pass(key.programme_id, now, heard=False)
    cards = Cards(here.pools, key.programme_id, now, whole=True)
    with writing() as (session, programme):  # no audit, no answer
        names = reviewing.names(session, programme.id)
        shown = Page.of(names, number_of(request.args), ROWS)
        found = reviewing.of_names(session, programme.id, shown.rows)
        told = [reviewing.with_cards(session, programme, cards, kept, now) for kept in found]
        audit.record(session, programme.id, "review.read", now=now, by=key.key_id)
    return page(
        "review.html",
        status,
        programme_name=programme.name,
        told=told,
        shown=shown,
        wrong=wrong,
        asked=asked,
        reasons=REASONS,
        reason_words=REASON_WORDS,
        address_of=lambda number: url_for("console.review", page=number),
    )


def _one(name: str, refused: PeermatchError | None = None, status: int = 200) -> Response:
    here = state(current_app)
    now, key = here.clock(), access()
    cards = Cards(here.pools, key.programme_id, now, whole=True)
    with writing() as (session, programme):
        kept = introduction_rows.one(session, programme.id, name)
        if kept is None:
            raise Problem(NO_INTRODUCTION, UNKNOWN)
        told = reviewing.with_cards(session, programme, cards, kept, now)
        audit.record(session, programme.id, "review.read", now=now, by=key.key_id)
    return page(
        "introduction.html",
        status,
        programme_name=programme.name,
        one=told,
        wrong=None if refused is None else _sentence(refused),
        reasons=REASONS,
        reason_words=REASON_WORDS,
    )


def of_member(name: str) -> list[dict[str, Any]]:
    """Return the introductions of a member as their page lists them, the newest first."""
    with reading() as (session, programme):
        found = introduction_rows.of_member(session, programme.id, name)
    return [reviewing.shown(kept, state(current_app).clock()) for kept in reversed(found)]


def _sentence(refused: PeermatchError) -> str:
    if isinstance(refused, RecordError):
        return " ".join(f"{path}: {told}." for path, told in refused.errors.items())
    return f"{refused.message[:1].upper()}{refused.message[1:]}."
