"""Introductions in the store: each act in one transaction with all that follows from it.

Who may be introduced to whom is asked before, in `service.live.introducing`; how an introduction goes on, in
`matcher.introductions`. Writers come one after the other, so that whoever finds a place free here has it.
"""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Final

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from matcher.errors import PeermatchError
from matcher.introductions import FINAL, OPEN, Introduction, advance, allowed, propose
from matcher.programme import Programme
from service.store import apart, introduction_rows
from service.store.introduction_effects import follow
from service.store.introduction_rows import Kept
from service.store.introduction_tables import IntroductionRow
from service.store.live_tables import LiveRow
from service.store.moments import micros

ID_BYTES: Final = 16
OFFER_STATES: Final = frozenset({"offered"})


class NoPlaceError(PeermatchError):
    """The supporter takes nobody new at present. Says neither who has the place, nor whether they rest."""

    title = "This supporter takes nobody new at present"


class TooManyOpenError(PeermatchError):
    """The seeker has as many open introductions as the programme allows at once."""

    title = "Another introduction is still open"


class NotAvailableError(PeermatchError):
    """These two cannot be introduced now. To seekers and supporters it never says why."""

    title = "These two cannot be introduced now"


NOBODY_NOW: Final = "found that this person cannot be introduced now; choose somebody else of the list"
"""What seekers read of everything that keeps two apart: who declined looks like what lapsed, or a wish."""


def begin(
    session: Session,
    programme: Programme,
    pair: tuple[str, str],
    *,
    by: str,
    now: datetime,
    reviewed: bool,
    match_id: str | None = None,
    rested: bool = True,
) -> Kept:
    """Propose a candidate to a seeker, or the two to each other; return what is stored.

    Parameters
    ----------
    pair : tuple of str
        Seeker and candidate.
    by : str
        ``seeker`` or ``coordinator``.
    reviewed : bool
        Whether a coordinator is to look at it first: then it takes no place yet.
    match_id : str, optional
        Of the list from which the seeker chose.
    rested : bool
        Whether a supporter who rests is left in peace, as they are unless a coordinator has asked them.

    Raises
    ------
    TransitionError, NoPlaceError, TooManyOpenError, NotAvailableError
        If it cannot be now. Nothing is changed then.
    """
    seeker, candidate = pair
    _check_pair(session, programme.id, seeker, candidate, by)
    if by == "seeker" and _open_of(session, programme.id, seeker) >= programme.introductions.open_at_once:
        raise TooManyOpenError(
            f"found {programme.introductions.open_at_once} open introductions of this seeker, as many as the programme "
            "allows at once; wait for an answer, or withdraw one"
        )
    made = propose(seeker, candidate, programme.introductions, by=by, at=now, reviewed=reviewed)
    if made.state in OFFER_STATES:
        check_places(session, programme, made, now, rested=rested)
    kept = introduction_rows.add(session, programme, secrets.token_urlsafe(ID_BYTES), made, now, match_id)
    follow(session, programme, None, kept, now)
    return kept


def act(
    session: Session,
    programme: Programme,
    kept: Kept,
    what: str,
    *,
    by: str,
    now: datetime,
    reason: str | None = None,
    rested: bool = True,
) -> Kept:
    """Carry out one act of an introduction, and all that follows from it; return what is stored.

    Parameters
    ----------
    what : str
        One of `matcher.introductions.ACTS`.
    by : str
        One of `matcher.introductions.PARTIES`.

    Raises
    ------
    TransitionError
        If it is not allowed now.
    NoPlaceError
        If it would take a place, and none is free. Nothing is changed then.
    """
    after = advance(kept.introduction, what, by=by, at=now, rules=programme.introductions, reason=reason)
    if after.state in OFFER_STATES and kept.introduction.state not in OFFER_STATES:
        check_places(session, programme, after, now, rested=rested)
    moved = introduction_rows.write(session, programme, kept.id, after, now)
    follow(session, programme, kept.introduction, moved, now)
    return moved


def suspend_for_safety(session: Session, programme: Programme, kept: Kept, now: datetime) -> None:
    """Suspend an introduction that a side has reported, also one that is over, and whatever goes on between the two."""
    pair = (kept.introduction.seeker, kept.introduction.candidate)
    for one in introduction_rows.between(session, programme.id, pair):
        concerns = one.id == kept.id or one.introduction.state not in FINAL
        if concerns and "suspend" in allowed(one.introduction, "service", now):
            act(session, programme, one, "suspend", by="service", now=now)


def is_first_of_either(session: Session, programme_id: str, seeker: str, candidate: str) -> bool:
    """Whether one of the two has never been offered to anybody, nor anybody to them: for `needs_review`."""
    return not all(_was_offered(session, programme_id, one) for one in (seeker, candidate))


def check_places(
    session: Session, programme: Programme, introduction: Introduction, now: datetime, *, rested: bool = True
) -> None:
    """Refuse to offer where a place is wanted of somebody who has none left, or rests.

    Raises
    ------
    NoPlaceError
        In the same words for both.
    """
    names = {introduction.candidate, introduction.seeker} if programme.mutual else {introduction.candidate}
    query = select(LiveRow.free, LiveRow.rests_until).where(
        LiveRow.programme_id == programme.id, LiveRow.member_id.in_(sorted(names))
    )
    rows = session.execute(query).all()
    if len(rows) < len(names) or any(row.free < 1 or (rested and row.rests_until > micros(now)) for row in rows):
        raise NoPlaceError("found no free place; choose somebody else of the list, or ask for it again later")


def _check_pair(session: Session, programme_id: str, seeker: str, candidate: str, by: str) -> None:
    """Refuse two who are being introduced, whoever proposed it, or were, and are not to be again yet.

    A seeker is told which of these it is only where they know: of an introduction of their own that goes on.
    """
    if candidate not in apart.around(session, programme_id, seeker)[apart.INTRODUCED]:
        return
    if by == "coordinator":
        raise NotAvailableError(
            "found that these two are being introduced, or were and are not to be again now; choose somebody else"
        )
    mine = (IntroductionRow.programme_id == programme_id, IntroductionRow.seeker == seeker)
    going = (IntroductionRow.candidate == candidate, IntroductionRow.state.not_in(sorted(FINAL)))
    if session.scalar(select(IntroductionRow.id).where(*mine, *going).limit(1)) is not None:
        raise NotAvailableError("found that these two are being introduced already; wait for the answer")
    raise NotAvailableError(NOBODY_NOW)


def _open_of(session: Session, programme_id: str, seeker: str) -> int:
    mine = (IntroductionRow.programme_id == programme_id, IntroductionRow.seeker == seeker)
    query = select(func.count()).select_from(IntroductionRow).where(*mine, IntroductionRow.state.in_(sorted(OPEN)))
    return session.scalar(query) or 0


def _was_offered(session: Session, programme_id: str, member_id: str) -> bool:
    either = or_(IntroductionRow.seeker == member_id, IntroductionRow.candidate == member_id)
    offered = IntroductionRow.offered_at.is_not(None)
    query = select(IntroductionRow.id).where(IntroductionRow.programme_id == programme_id, either, offered).limit(1)
    return session.scalar(query) is not None
