"""The names behind the numbers by which lists speak of people and groups."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.store.live_tables import GroupRow, LiveRow


def of(session: Session, programme_id: str, kind: str, number: int) -> str | None:
    """Return the id of a member (for ``buddy``) or of a group, or None where the number means nobody any more."""
    if kind == "group":
        return session.scalar(
            select(GroupRow.group_id).where(GroupRow.programme_id == programme_id, GroupRow.id == number)
        )
    query = select(LiveRow.member_id).where(LiveRow.programme_id == programme_id, LiveRow.id == number)
    return session.scalar(query)
