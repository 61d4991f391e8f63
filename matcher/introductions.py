"""How an introduction goes on: pure transitions, read from the one table of `matcher.introduction_table`.

An introduction is proposed, perhaps reviewed, offered, and connected once both sides have said yes. Nothing here knows
a clock or who has a free place: functions take `at`, and the caller asks for a place before it writes what holds one.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from matcher.introduction_record import Introduction, Step, after, first, seen_by, seen_since, side_of
from matcher.introduction_refusals import check_words, refusal, row_of, way_out
from matcher.introduction_replay import replay
from matcher.introduction_rests import Past, again_from, due, past_of, rests_until
from matcher.introduction_table import (
    ACCEPT,
    ACCEPTED,
    ACTS,
    CONNECT,
    END_REASONS,
    EXPIRE,
    FINAL,
    GOING,
    HOLDING,
    IN_REVIEW,
    OFFER,
    OFFERED,
    OPEN,
    PARTIES,
    PROPOSE,
    PROPOSED,
    PROPOSERS,
    REASONS,
    RESUME,
    REVIEW,
    SEEKER,
    SERVICE,
    SIDES,
    STATES,
    SUSPEND,
    TransitionError,
    takes_place,
)
from matcher.programme_introductions import Introductions

__all__ = [
    "ACTS",
    "END_REASONS",
    "FINAL",
    "HOLDING",
    "OPEN",
    "PARTIES",
    "REASONS",
    "SIDES",
    "STATES",
    "Introduction",
    "Past",
    "Step",
    "TransitionError",
    "advance",
    "again_from",
    "allowed",
    "due",
    "let_time_pass",
    "needs_review",
    "past_of",
    "propose",
    "replay",
    "rests_until",
    "seen_by",
    "seen_since",
    "side_of",
    "takes_place",
]


def needs_review(review: str, first_of_either: bool) -> bool:
    """Return whether a coordinator is to look at what a seeker proposes.

    Parameters
    ----------
    review : str
        `Programme.review`: ``none``, ``first`` or ``all``.
    first_of_either : bool
        Whether it is the first introduction of the seeker, or of the candidate.
    """
    return review == "all" or (review == "first" and first_of_either)


def propose(
    seeker: str, candidate: str, rules: Introductions, *, by: str, at: datetime, reviewed: bool
) -> Introduction:
    """Return a new introduction: in review, or offered.

    Parameters
    ----------
    seeker, candidate : str
        Both members.
    rules : Introductions
        Tells for how long it is open.
    by : str
        ``seeker``, whose proposal is their yes, or ``coordinator``: then both sides are asked.
    at : datetime
        Now, with an offset.
    reviewed : bool
        Whether a coordinator is to look at it first: see `needs_review`. A coordinator's own proposal is offered
        whatever this says.

    Raises
    ------
    TransitionError
        If the two are one, or somebody else proposes.
    """
    if seeker == candidate:
        raise TransitionError("candidate: found the seeker; expected another member. Choose somebody of the list")
    if by not in PROPOSERS:
        raise TransitionError(f"by: found another than {' and '.join(PROPOSERS)}; only these two propose")
    start = first(seeker, candidate, Step(PROPOSE, by, None, PROPOSED, _utc(at)))
    return _moved(start, REVIEW if reviewed and by == SEEKER else OFFER, SERVICE, _utc(at), rules)


def advance(
    introduction: Introduction,
    act: str,
    *,
    by: str,
    at: datetime,
    rules: Introductions,
    reason: str | None = None,
) -> Introduction:
    """Return `introduction` after one act, and whatever follows from it at once.

    Time passes first: what has lapsed by `at` is expired, whether or not anybody noted it. The second yes connects the
    two at the same instant, as a step of its own.

    Parameters
    ----------
    introduction : Introduction
        As it was last.
    act : str
        One of `ACTS`.
    by : str
        ``seeker``, ``candidate``, ``coordinator`` or ``service``: see `side_of`.
    at : datetime
        Now, with an offset. Where that is before the last step, for clocks differ, the step counts as made right
        after it.
    rules : Introductions
        Tells for how long the next state is open.
    reason : str, optional
        One of `REASONS` of the act.

    Raises
    ------
    TransitionError
        If this is not allowed now. Nothing has happened then, except that time may have passed.
    """
    check_words(act, by, reason)
    at = max(_utc(at), introduction.history[-1].at)
    present = let_time_pass(introduction, at)
    if act == EXPIRE and by == SERVICE and present is not introduction:
        return present
    found = refusal(present, act, by)
    if found is not None:
        raise TransitionError(f"{act} by the {by}: found {found}; {way_out(present, by)}")
    moved = _moved(present, act, by, at, rules, reason)
    if act == ACCEPT and moved.yes.issuperset(SIDES):
        return _moved(moved, CONNECT, SERVICE, at, rules)
    return moved


def allowed(introduction: Introduction, by: str, at: datetime) -> tuple[str, ...]:
    """Return the acts that `advance` takes from `by` at the moment `at`, in the order of `ACTS`."""
    present = let_time_pass(introduction, at)
    return tuple(act for act in ACTS if refusal(present, act, by) is None)


def let_time_pass(introduction: Introduction, at: datetime) -> Introduction:
    """Return `introduction` as it is at the moment `at` if nobody acts: expired at its `until`, or as it was."""
    until = introduction.until
    if until is None or _utc(at) < until:
        return introduction
    row = GOING[introduction.state, EXPIRE]
    return after(introduction, Step(EXPIRE, SERVICE, introduction.state, row.state, until))


def _moved(
    introduction: Introduction, act: str, by: str, at: datetime, rules: Introductions, reason: str | None = None
) -> Introduction:
    """Return `introduction` after an act that is allowed."""
    row = row_of(introduction, act)
    assert row is not None
    until = None
    if act == RESUME:
        until = _resumed(introduction, at)
    elif row.state == IN_REVIEW and act != SUSPEND:
        until = at + timedelta(days=rules.review_days)
    elif row.state == OFFERED and act != SUSPEND:
        until = at + timedelta(days=rules.offer_days)
    elif row.state == ACCEPTED and act != SUSPEND:
        until = introduction.until  # both were asked at one time: the first yes gives the other side no longer
    return after(introduction, Step(act, by, introduction.state, row.state, at, until, reason))


def _resumed(introduction: Introduction, at: datetime) -> datetime | None:
    """Return when it lapses if it goes on at `at`: nobody's time to answer ran while it was suspended."""
    if introduction.state in FINAL:
        return None
    history = introduction.history
    place = max(place for place, step in enumerate(history) if step.act == SUSPEND)
    until = history[place - 1].until
    return None if until is None else at + (until - history[place].at)


def _utc(at: datetime) -> datetime:
    if at.utcoffset() is None:
        raise TransitionError("at: found a moment without an offset; expected an aware datetime, e.g. in UTC")
    return at.astimezone(UTC)
