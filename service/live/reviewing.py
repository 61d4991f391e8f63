"""What a coordinator looks at: introductions in review, and those that a report has suspended."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from matcher.introductions import allowed, let_time_pass
from matcher.programme import Programme
from matcher.records import written
from service.live.cards import Cards, told
from service.store import audit, introduction_rows, introductions
from service.store.introduction_rows import Kept
from service.store.introduction_tables import IntroductionRow

AUDITED: Final = {
    "approve": "introduction.approved",
    "reject": "introduction.rejected",
    "suspend": "introduction.suspended",
    "resume": "introduction.resumed",
    "end": "introduction.ended",
}
"""What a coordinator does, and what the audit log calls it."""
_ASKS: Final = or_(IntroductionRow.state == "in_review", IntroductionRow.suspended == 1)
"""A report waits for a coordinator also where one of the two has left meanwhile."""


def names(session: Session, programme_id: str) -> list[str]:
    """Return the ids of all that waits for a coordinator, in the order of `queue`."""
    query = select(IntroductionRow.id).where(IntroductionRow.programme_id == programme_id, _ASKS)
    return list(
        session.scalars(query.order_by(IntroductionRow.suspended.desc(), IntroductionRow.since, IntroductionRow.id))
    )


def of_names(session: Session, programme_id: str, wanted: Sequence[str]) -> list[Kept]:
    """Return introductions in the order in which they are named."""
    found = {kept.id: kept for kept in introduction_rows.some(session, programme_id, IntroductionRow.id.in_(wanted))}
    return [found[name] for name in wanted if name in found]


def queue(session: Session, programme_id: str, limit: int, after: str | None = None) -> list[Kept]:
    """Return what waits for a coordinator: first what a report has suspended, then who has waited longest.

    Parameters
    ----------
    limit : int
        How many at most.
    after : str, optional
        The introduction after which to go on.
    """
    waiting = names(session, programme_id)
    start = waiting.index(after) + 1 if after in waiting else 0
    return of_names(session, programme_id, waiting[start : start + limit])


def count(session: Session, programme_id: str) -> int:
    """Return how many introductions wait for a coordinator."""
    mine = (IntroductionRow.programme_id == programme_id, _ASKS)
    return session.scalar(select(func.count()).select_from(IntroductionRow).where(*mine)) or 0


def decide(
    session: Session,
    programme: Programme,
    kept: Kept,
    what: str,
    *,
    by: str,
    now: datetime,
    reason: str | None = None,
) -> Kept:
    """Carry out what a coordinator decides but approving, and write it into the audit log.

    Parameters
    ----------
    what : str
        ``reject``, ``suspend``, ``resume`` or ``end``.
    by : str
        Id of the key.

    Raises
    ------
    TransitionError
        If it is not allowed now.
    """
    moved = introductions.act(session, programme, kept, what, by="coordinator", now=now, reason=reason)
    note(session, programme.id, what, now, by, reason=reason)
    return moved


def note(session: Session, programme_id: str, what: str, now: datetime, by: str, **details: Any) -> None:
    """Write into the audit log what a coordinator decided; it names neither of the two."""
    said = {key: value for key, value in details.items() if value}
    audit.record(session, programme_id, AUDITED[what], now=now, by=by, **said)


def with_cards(session: Session, programme: Programme, cards: Cards, kept: Kept, now: datetime) -> dict[str, Any]:
    """Return an introduction as coordinators see it, with both cards."""
    both = {side: cards.of(session, programme, kept.introduction, to=side) for side in ("seeker", "candidate")}
    return {**shown(kept, now), "cards": {side: None if one is None else told(one) for side, one in both.items()}}


def shown(kept: Kept, now: datetime) -> dict[str, Any]:
    """Return an introduction as coordinators see it, without the cards: replies may be kept and sent again."""
    one = let_time_pass(kept.introduction, now)
    return {
        "introduction_id": kept.id,
        "seeker": one.seeker,
        "candidate": one.candidate,
        "proposed_by": one.by,
        "state": one.state,
        "suspended": one.suspended,
        "yes": sorted(one.yes),
        "since": written(one.since),
        "until": None if one.until is None else written(one.until),
        "reason": one.reason,
        "allowed": list(allowed(one, "coordinator", now)),
        "history": introduction_rows.history(one),
    }
