"""Holds: a held member gets no list and is in nobody's, until the hold ends or is lifted."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, delete, insert, select
from sqlalchemy.orm import Session

from service.store import live
from service.store.live_tables import HoldRow, LiveRow
from service.store.moments import FOREVER, micros

KINDS = ("crisis", "safeguarding", "pause")


@dataclass(frozen=True)
class Hold:
    """One reason for which a member is held. Several may run at once."""

    id: str
    kind: str
    """One of `KINDS`."""
    until: int
    """µs since 1970 at which it ends by itself; FOREVER: only when it is lifted."""
    created_at: int
    """µs since 1970."""


def add(
    session: Session, programme_id: str, member_id: str, kind: str, *, until: datetime | None, now: datetime
) -> Hold:
    """Hold a member, who must be there, and is in no list from the next request on.

    Parameters
    ----------
    until : datetime, optional
        The first moment at which it no longer holds, later than `now`; None: until it is lifted.
    """
    end = FOREVER if until is None else micros(until)
    hold = Hold(secrets.token_urlsafe(16), kind, end, micros(now))
    before = _forget_ended(session, programme_id, member_id, now)
    _write_end(session, programme_id, member_id, [*before, hold])
    values = {"id": hold.id, "kind": kind, "until": hold.until, "created_at": hold.created_at}
    session.execute(insert(HoldRow).values(programme_id=programme_id, member_id=member_id, **values))
    return hold


def running(session: Session, programme_id: str, member_id: str, now: datetime) -> list[Hold]:
    """Return the holds of a member that have not ended, oldest first."""
    query = select(HoldRow.id, HoldRow.kind, HoldRow.until, HoldRow.created_at).where(
        HoldRow.programme_id == programme_id, HoldRow.member_id == member_id, HoldRow.until > micros(now)
    )
    return [Hold(*row) for row in session.execute(query.order_by(HoldRow.created_at, HoldRow.id))]


def lift(session: Session, programme_id: str, member_id: str, hold_id: str, now: datetime) -> bool:
    """End a hold now; return whether it was running. Others of the same member go on."""
    before = _forget_ended(session, programme_id, member_id, now)
    after = [hold for hold in before if hold.id != hold_id]
    if len(after) == len(before):
        return False
    session.execute(delete(HoldRow).where(*_of(programme_id, member_id), HoldRow.id == hold_id))
    _write_end(session, programme_id, member_id, after)
    return True


def _forget_ended(session: Session, programme_id: str, member_id: str, now: datetime) -> list[Hold]:
    """Delete what has ended (nothing needs it, and that somebody was in a crisis once is not kept); return the rest."""
    session.execute(delete(HoldRow).where(*_of(programme_id, member_id), HoldRow.until <= micros(now)))
    return running(session, programme_id, member_id, now)


def _write_end(session: Session, programme_id: str, member_id: str, holds: Iterable[Hold]) -> None:
    """Write to the live row when the last of `holds` ends."""
    end = max((hold.until for hold in holds), default=0)
    of_member = (LiveRow.programme_id == programme_id, LiveRow.member_id == member_id)
    before = session.scalars(select(LiveRow.held_until).where(*of_member)).one()
    if end != before:
        live.touch(session, programme_id, member_id, adds=end < before, held_until=end)


def _of(programme_id: str, member_id: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return HoldRow.programme_id == programme_id, HoldRow.member_id == member_id
