"""Placing and lifting a hold with all that follows from it: introductions that close, and the audit log's entry."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from matcher.programme import Programme
from service.store import audit, closing, holds
from service.store.holds import Hold


def place(
    session: Session,
    programme: Programme,
    member_id: str,
    kind: str,
    *,
    until: datetime | None,
    now: datetime,
    by: str,
) -> Hold:
    """Hold a member, who must be there; see `service.store.holds.add`.

    Parameters
    ----------
    by : str
        Id of the API key.
    """
    hold = holds.add(session, programme.id, member_id, kind, until=until, now=now)
    closing.close_unallowed(session, programme, now, [member_id])
    # Not of which kind: that somebody was in a crisis once is not kept.
    audit.record(session, programme.id, "hold.placed", now=now, by=by, subject=member_id)
    return hold


def lift(session: Session, programme_id: str, member_id: str, hold_id: str, *, now: datetime, by: str) -> bool:
    """End a hold of a member, who must be there; return whether it was running."""
    # PostgreSQL refuses even to look for a text with a NUL.
    if "\x00" in hold_id or not holds.lift(session, programme_id, member_id, hold_id, now):
        return False
    audit.record(session, programme_id, "hold.lifted", now=now, by=by, subject=member_id)
    return True
