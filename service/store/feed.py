"""The change feed: every change to a member has a number, and none is ever given twice."""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from matcher.errors import PeermatchError, shown
from service.store.tables import PoolRow


class UnknownFeedError(PeermatchError):
    """The database has no such programme, so nothing of it can change."""

    title = "No such programme"


def latest(session: Session, programme_id: str) -> tuple[int, int]:
    """Return the number of the last change to a member, and that of the last one that may have added somebody."""
    found = session.execute(select(PoolRow.number, PoolRow.additions).where(PoolRow.programme_id == programme_id))
    row = found.one_or_none()
    return (0, 0) if row is None else (row[0], row[1])


def next_number(session: Session, programme_id: str, count: int = 1, *, adds: bool) -> int:
    """Take `count` numbers of change and return the first of them; none is ever given twice."""
    of_programme = PoolRow.programme_id == programme_id
    values = {"number": PoolRow.number + count}
    if adds:
        values["additions"] = PoolRow.number + count
    session.execute(update(PoolRow).where(of_programme).values(**values))
    last = session.scalar(select(PoolRow.number).where(of_programme))
    if last is None:
        raise UnknownFeedError(f"programme: found {shown(programme_id)}; the database has no such programme")
    return last - count + 1
