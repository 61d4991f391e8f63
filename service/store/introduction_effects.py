"""What follows from a step of an introduction: places, who stands apart, rests, feedback, and events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from matcher.introductions import (
    FINAL,
    SIDES,
    Introduction,
    again_from,
    past_of,
    rests_until,
    seen_by,
    takes_place,
)
from matcher.model.feedback import Feedback
from matcher.programme import Programme
from service.store import apart, events, feedback, introduction_rows
from service.store.introduction_rows import Kept
from service.store.introduction_tables import IntroductionRow
from service.store.live_tables import LiveRow
from service.store.moments import micros

DECISIONS: Final = {"accept": "accepted", "decline": "declined"}
VOID: Final = FINAL - {"declined"}
"""States after which a yes of before counts for nothing. To a no it counts for nothing already."""


def follow(
    session: Session,
    programme: Programme,
    before: Introduction | None,
    kept: Kept,
    now: datetime,
) -> None:
    """Write down all that follows from the steps that `kept` has and `before` has not.

    Parameters
    ----------
    before : Introduction or None
        As it was; None: it is new.
    """
    after = kept.introduction
    stand(session, programme, after, now)
    feedback.add(session, programme, _decisions(before, after))
    let_rest(session, programme, after, now)
    for side in SIDES:
        seen = seen_by(after, side)
        if seen is not None and (before is None or seen_by(before, side) != seen):
            member = after.seeker if side == "seeker" else after.candidate
            events.add(session, programme.id, member, f"introduction.{seen}", kept.id, now)


def stand(session: Session, programme: Programme, introduction: Introduction, now: datetime) -> None:
    """Keep its two apart, with the places that they take, for as long as one of theirs goes on or forbids another.

    It must be stored already. An older one of the two counts as well: a report may be made of it while the newer one
    goes on.
    """
    pair = (introduction.seeker, introduction.candidate)
    all_ = [one.introduction for one in introduction_rows.between(session, programme.id, pair)]
    again = [again_from(one, programme.introductions) for one in all_]
    forbids = any(moment is None or moment > now for moment in again)
    apart.introduce(session, programme.id, pair, takers(all_, programme) if forbids else None)


def takers(introductions: Iterable[Introduction], programme: Programme) -> set[str]:
    """Return who gives a place in one of some introductions."""
    return {name for one in introductions if takes_place(one.state) for name in supporters(one, programme)}


def supporters(introduction: Introduction, programme: Programme) -> set[str]:
    """Return who gives a place in it, and rests after it: in a mutual programme both."""
    return {introduction.seeker, introduction.candidate} if programme.mutual else {introduction.candidate}


def _decisions(before: Introduction | None, after: Introduction) -> Iterator[Feedback]:
    """Yield what training and the gates are to know: each side's yes or no, and that no yes of it counts any more."""
    pair = (after.seeker, after.candidate)
    new = after.history[0 if before is None else len(before.history) :]
    for step in new:
        if step.act == "propose" and step.by == "seeker":
            yield Feedback(*pair, "accepted", step.at, by="seeker")
        elif step.act in DECISIONS and step.by in SIDES:
            yield Feedback(*pair, DECISIONS[step.act], step.at, by=step.by)
        elif step.state in VOID and step.before not in FINAL and after.yes:
            yield Feedback(*pair, "ended", step.at)


def let_rest(session: Session, programme: Programme, introduction: Introduction, now: datetime) -> None:
    """Write until when whoever supports in it is to be left in peace.

    A rest that still runs is never cut short, also where what it followed from has been deleted meanwhile.
    """
    for name in sorted(supporters(introduction, programme)):
        where = IntroductionRow.candidate == name
        if programme.mutual:
            where = or_(where, IntroductionRow.seeker == name)
        offered = IntroductionRow.offered_at.is_not(None)
        past = [past_of(one.introduction) for one in introduction_rows.some(session, programme.id, where, offered)]
        until = rests_until(past, programme.introductions, now)
        mine = (LiveRow.programme_id == programme.id, LiveRow.member_id == name)
        stood = session.scalar(select(LiveRow.rests_until).where(*mine)) or 0
        ends = [end for end in (stood, 0 if until is None else micros(until)) if end > micros(now)]
        # The change has its number already, from `stand`.
        session.execute(update(LiveRow).where(*mine).values(rests_until=max(ends, default=0)))
