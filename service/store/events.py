"""The event feed: what partner apps are told of, numbered in the order in which it happened."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from service.store.feed import UnknownFeedError
from service.store.introduction_tables import EventRow
from service.store.moments import micros
from service.store.tables import PoolRow

LISTED: Final = "list.ready"
"""Somebody waited, and a list has people for them now."""
STATES: Final = (
    "in_review", "offered", "accepted", "paused", "connected", "declined", "withdrawn", "ended", "closed",
)  # fmt: skip
"""What a side of an introduction may be told of it: see `matcher.introductions.seen_by`."""
KINDS: Final = (*(f"introduction.{state}" for state in STATES), LISTED)


@dataclass(frozen=True)
class Event:
    """Something that happened to a member."""

    number: int
    """From 1; grows, and none is ever given twice."""
    at: int
    """µs since 1970."""
    kind: str
    """One of `KINDS`."""
    member_id: str
    """Whom it is to be told to."""
    introduction_id: str | None


def add(
    session: Session, programme_id: str, member_id: str, kind: str, introduction_id: str | None, now: datetime
) -> int:
    """Tell the partner app that something happened to a member; return the event's number.

    Writers come one after the other, so whoever has read up to a number has missed none before it.

    Raises
    ------
    UnknownFeedError
        If there is no such programme.
    ValueError
        If nobody is told of this kind.
    """
    if kind not in KINDS:
        raise ValueError(f"kind: found {kind!r}; expected one of {', '.join(KINDS)}")
    mine = PoolRow.programme_id == programme_id
    session.execute(update(PoolRow).where(mine).values(events=PoolRow.events + 1))
    number = session.scalar(select(PoolRow.events).where(mine))
    if number is None:
        raise UnknownFeedError("programme: the database has no such programme")
    told = {"at": micros(now), "kind": kind, "member_id": member_id, "introduction_id": introduction_id}
    session.execute(insert(EventRow).values(programme_id=programme_id, number=number, **told))
    return int(number)


def after(session: Session, programme_id: str, number: int, limit: int) -> list[Event]:
    """Return `limit` events at most from beyond `number` on, in the order in which they happened."""
    columns = (EventRow.number, EventRow.at, EventRow.kind, EventRow.member_id, EventRow.introduction_id)
    query = select(*columns).where(EventRow.programme_id == programme_id, EventRow.number > number)
    return [Event(*row) for row in session.execute(query.order_by(EventRow.number).limit(limit))]


def last(session: Session, programme_id: str) -> int:
    """Return the number of the last event; 0 before the first."""
    return session.scalar(select(PoolRow.events).where(PoolRow.programme_id == programme_id)) or 0


def forget(session: Session, programme_id: str, member_id: str) -> int:
    """Delete what was told to a member; return how many events."""
    mine = (EventRow.programme_id == programme_id, EventRow.member_id == member_id)
    return session.execute(delete(EventRow).where(*mine)).rowcount or 0  # type: ignore[attr-defined]
