"""A member's own introductions, and what their app was told: for their export, without what the other side did."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from matcher.introductions import Introduction, let_time_pass, seen_by, seen_since, side_of
from matcher.records import written
from service.store import introduction_rows
from service.store.introduction_tables import EventRow, IntroductionRow
from service.store.moments import moment

CONNECTED: Final = "connected"


def introductions(session: Session, programme_id: str, member_id: str, now: datetime) -> Iterator[dict[str, Any]]:
    """Yield the introductions of which a member was told, oldest first, as their side is told of them at `now`.

    Raises
    ------
    SealError, TransitionError, ValueError, KeyError, TypeError
        If any of it cannot be read, also one of which they were not told: half of it would look like all.
    """
    either = or_(IntroductionRow.seeker == member_id, IntroductionRow.candidate == member_id)
    query = select(
        IntroductionRow.id, IntroductionRow.seeker, IntroductionRow.candidate, IntroductionRow.details
    ).where(IntroductionRow.programme_id == programme_id, either)
    for row in session.execute(query.order_by(IntroductionRow.made_at, IntroductionRow.id)).all():
        introduction = let_time_pass(introduction_rows.read(session, programme_id, row), now)
        side = side_of(introduction, member_id)
        state = seen_by(introduction, side)
        if state is not None:
            yield {"introduction_id": row.id, **_seen(introduction, side, state)}


def told(session: Session, programme_id: str, member_id: str) -> Iterator[dict[str, Any]]:
    """Yield the events that were addressed to a member, in the order in which they happened."""
    query = select(EventRow.number, EventRow.kind, EventRow.at, EventRow.introduction_id).where(
        EventRow.programme_id == programme_id, EventRow.member_id == member_id
    )
    for number, kind, at, name in session.execute(query.order_by(EventRow.number)):
        yield {"number": number, "kind": kind, "at": written(moment(at)), "introduction_id": name}


def _seen(introduction: Introduction, side: str, state: str) -> dict[str, Any]:
    other = introduction.candidate if side == "seeker" else introduction.seeker
    return {
        "side": side,
        "state": state,
        "made_at": written(_heard_at(introduction, side)),
        "since": written(seen_since(introduction, side)),
        "acts": [
            {"act": step.act, "at": written(step.at), "reason": step.reason}
            for step in introduction.history
            if step.by == side
        ],
        "member_id": other if state == CONNECTED else None,
    }


def _heard_at(introduction: Introduction, side: str) -> datetime:
    """Return since when there is anything of it for a side: when the seeker proposed is not the candidate's to know."""
    first = introduction.history[0].at
    return first if side == "seeker" else introduction.offered_at or introduction.since
