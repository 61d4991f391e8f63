"""What becomes of introductions when one of the two is erased: they go, and the other's app hears that it is over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from matcher.introductions import Introduction, TransitionError, seen_by
from service.sealing import MissingKeyError, SealError
from service.store import events, introduction_rows
from service.store.introduction_tables import IntroductionRow

GOING: Final = frozenset({"in_review", "offered", "accepted", "paused", "connected"})
"""As a side is told of it, an introduction that is not over."""


def forget(session: Session, programme_id: str, member_id: str, now: datetime) -> int:
    """Delete the introductions of a member and what they were told; return how many introductions.

    The other side of one that goes on hears what it would hear of any other end, under an id that means nothing more.
    """
    either = or_(IntroductionRow.seeker == member_id, IntroductionRow.candidate == member_id)
    mine = (IntroductionRow.programme_id == programme_id, either)
    rows = session.execute(
        select(IntroductionRow.id, IntroductionRow.seeker, IntroductionRow.candidate, IntroductionRow.details).where(
            *mine
        )
    ).all()
    told = [(row, _told(session, programme_id, row, member_id)) for row in rows]
    session.execute(delete(IntroductionRow).where(*mine))
    events.forget(session, programme_id, member_id)
    for row, kind in told:
        if kind is not None:
            other = row.candidate if row.seeker == member_id else row.seeker
            events.add(session, programme_id, other, kind, row.id, now)
    return len(rows)


def _told(session: Session, programme_id: str, row: Sequence[Any], member_id: str) -> str | None:
    """Return what the other side is told; None: nothing, for it was over or they had never heard of it."""
    side = "candidate" if row.seeker == member_id else "seeker"  # type: ignore[attr-defined]
    introduction = _read(session, programme_id, row)
    seen = None if introduction is None else seen_by(introduction, side)
    if introduction is None or seen not in GOING:
        return None
    return "introduction.ended" if introduction.connected_at is not None else "introduction.closed"


def _read(session: Session, programme_id: str, row: Sequence[Any]) -> Introduction | None:
    """Return an introduction; None where it is damaged, which keeps nobody from being erased."""
    try:
        return introduction_rows.read(session, programme_id, row)
    except MissingKeyError:
        raise
    except (SealError, TransitionError, ValueError, KeyError, TypeError):
        return None
