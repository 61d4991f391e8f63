"""What closes introductions without anybody's act: a consent that is off, a hold, a block, and time."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from matcher.introductions import OPEN, advance, let_time_pass
from matcher.programme import Programme
from service.store import apart, feed, introduction_rows, live
from service.store.introduction_effects import follow, stand
from service.store.introduction_rows import Kept
from service.store.introduction_tables import IntroductionRow
from service.store.live_tables import ApartRow, LiveRow
from service.store.moments import micros

_SEEKER, _CANDIDATE = aliased(LiveRow), aliased(LiveRow)


def pass_time(session: Session, programme: Programme, now: datetime) -> None:
    """Make changes of all that has begun or ended by itself: consents, holds, offers, rests.

    See `live.let_time_pass`. Nobody who must not be is shown or introduced before that: every step looks at the clock.
    """
    live.let_time_pass(session, programme, now)
    over = (IntroductionRow.programme_id == programme.id, IntroductionRow.due <= micros(now))
    for kept in list(introduction_rows.some(session, programme.id, *over)):
        _lapse(session, programme, kept, now)
    _end_rests(session, programme.id, now)
    close_unallowed(session, programme, now)


def close_unallowed(
    session: Session, programme: Programme, now: datetime, names: Iterable[str] | None = None
) -> list[Kept]:
    """Close the introductions of which a side no longer agrees to matching, is held or has blocked the other.

    Whoever is connected stays so, but for a block: they know each other, and end it themselves.

    Parameters
    ----------
    names : iterable of str, optional
        Whoever changed; None: all whom time has changed, of whom nobody blocks anybody.
    """
    closed = []
    for name, block in _unallowed(session, programme.id, now, names):
        kept = introduction_rows.one(session, programme.id, name)
        if kept is None:
            continue
        act = "end" if kept.introduction.connected_at is not None else "withdraw"
        if act == "end" and not block:
            continue
        after = advance(kept.introduction, act, by="service", at=now, rules=programme.introductions)
        moved = introduction_rows.write(session, programme, name, after, now)
        follow(session, programme, kept.introduction, moved, now)
        closed.append(moved)
    return closed


def _lapse(session: Session, programme: Programme, kept: Kept, now: datetime) -> None:
    """Note that an introduction has lapsed, or that its two members may be introduced again."""
    after = let_time_pass(kept.introduction, now)
    moved = introduction_rows.write(session, programme, kept.id, after, now)
    if after is kept.introduction:
        stand(session, programme, after, now)
    else:
        follow(session, programme, kept.introduction, moved, now)


def _end_rests(session: Session, programme_id: str, now: datetime) -> None:
    over = (LiveRow.programme_id == programme_id, LiveRow.rests_until > 0, LiveRow.rests_until <= micros(now))
    if session.scalar(select(func.count()).select_from(LiveRow).where(*over)):
        number = feed.next_number(session, programme_id, adds=True)
        session.execute(update(LiveRow).where(*over).values(rests_until=0, number=number))


def _unallowed(
    session: Session, programme_id: str, now: datetime, names: Iterable[str] | None
) -> list[tuple[str, bool]]:
    """Return the introductions that must not go on, and whether that is because of a block."""
    at = micros(now)
    blocked = select(ApartRow.kind).where(
        ApartRow.programme_id == programme_id,
        ApartRow.kind == apart.BLOCKED,
        ApartRow.member_id == IntroductionRow.seeker,
        ApartRow.other_id == IntroductionRow.candidate,
    )
    off = or_(
        _SEEKER.accepted == 0, _SEEKER.seeks_since == 0, _SEEKER.held_until > at,
        _CANDIDATE.accepted == 0, _CANDIDATE.shown == 0, _CANDIDATE.held_until > at,
    )  # fmt: skip
    query = (
        select(IntroductionRow.id, blocked.exists().label("block"))
        .join(_SEEKER, _is(_SEEKER, programme_id, IntroductionRow.seeker))
        .join(_CANDIDATE, _is(_CANDIDATE, programme_id, IntroductionRow.candidate))
        .where(
            IntroductionRow.programme_id == programme_id,
            IntroductionRow.state.in_(sorted(OPEN if names is None else {*OPEN, "connected"})),
            or_(off, blocked.exists()),
        )
        .order_by(IntroductionRow.made_at, IntroductionRow.id)
    )
    if names is not None:
        wanted = sorted(set(names))
        found: dict[str, bool] = {}
        for start in range(0, len(wanted), live.CHUNK):
            some = wanted[start : start + live.CHUNK]
            either = or_(IntroductionRow.seeker.in_(some), IntroductionRow.candidate.in_(some))
            found.update((row.id, bool(row.block)) for row in session.execute(query.where(either)))
        return list(found.items())
    return [(row.id, bool(row.block)) for row in session.execute(query)]


def _is(row: Any, programme_id: str, name: InstrumentedAttribute[str]) -> ColumnElement[bool]:
    found: ColumnElement[bool] = (row.programme_id == programme_id) & (row.member_id == name)
    return found
