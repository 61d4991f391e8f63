"""Who came to stand apart since a backup was made: blocked, declined or connected, and the feedback of it."""

from __future__ import annotations

from contextlib import suppress

from sqlalchemy import ColumnElement, insert, select
from sqlalchemy.orm import Session

from matcher.errors import PeermatchError
from service.backup.present import kept, put_back
from service.store import apart, feedback, live, programmes
from service.store.apart import BLOCKED, CONNECTED, DECLINED
from service.store.feedback import DECISIVE
from service.store.live_tables import ApartRow, LiveRow
from service.store.tables import FeedbackRow


def put_apart(session: Session, programme_id: str) -> tuple[int, int]:
    """Keep those apart who came to stand apart; return how many pairs blocked or declined, and how many connected.

    The decisions that it follows from are put back too: the next one about a pair is judged together with them.
    """
    blocked = _missing(session, programme_id, BLOCKED, DECLINED)
    connected = _missing(session, programme_id, CONNECTED)
    pairs = _put_feedback_back(session, programme_id)
    with suppress(PeermatchError):  # of a programme that this release does not read it follows from the rows alone
        programme = programmes.load(session, programme_id)
        if pairs:
            apart.relate(session, programme, feedback.decisions(session, programme, pairs), pairs)
    new = _new(programme_id)
    was = kept("apart").c
    names = set(session.scalars(select(was.member_id).where(was.programme_id == programme_id, was.takes > 0, *new)))
    put_back(session, "apart", programme_id, *new)
    _count_places(session, programme_id, names)
    return blocked, connected


def _missing(session: Session, programme_id: str, *kinds: str) -> int:
    """Return how many pairs stood apart that do not now."""
    was = kept("apart").c
    query = select(was.member_id).where(was.programme_id == programme_id, was.kind.in_(kinds), *_new(programme_id))
    return len(session.scalars(query).all()) // 2


def _new(programme_id: str) -> tuple[ColumnElement[bool], ...]:
    """Return what is true of rows put aside of two who are there, and of which there is none now."""
    was = kept("apart").c
    keys = (was.programme_id, was.member_id, was.other_id, was.kind)
    now = select(ApartRow).where(
        *(getattr(ApartRow, key.name) == key for key in keys), ApartRow.programme_id == programme_id
    )
    return there(programme_id, was.member_id), there(programme_id, was.other_id), ~now.exists()


def _put_feedback_back(session: Session, programme_id: str) -> set[apart.Pair]:
    """Put decisions about pairs back; return the pairs."""
    was = kept("feedback").c
    known = select(FeedbackRow.id).where(FeedbackRow.programme_id == programme_id, FeedbackRow.digest == was.digest)
    query = select(*(one for one in was if one.name != "id")).where(  # others may have its number by now
        was.programme_id == programme_id, was.event.in_(DECISIVE), ~known.exists(),
        there(programme_id, was.seeker), there(programme_id, was.candidate),
    ).order_by(was.id)  # fmt: skip
    rows = [dict(row) for row in session.execute(query).mappings()]
    if rows:
        session.execute(insert(FeedbackRow), rows)
    return {(row["seeker"], row["candidate"]) for row in rows}


def _count_places(session: Session, programme_id: str, names: set[str]) -> None:
    """Write anew how many places are left of those whose connections were put back."""
    ordered = sorted(names)
    for start in range(0, len(ordered), live.CHUNK):
        some = ordered[start : start + live.CHUNK]
        taken = live.taken(session, programme_id, some)
        query = select(LiveRow.id, LiveRow.member_id, LiveRow.capacity).where(
            LiveRow.programme_id == programme_id, LiveRow.member_id.in_(some)
        )
        rows = [{"live_id": row[0], "free": row[2] - taken.get(row[1], 0)} for row in session.execute(query)]
        live.write(session, programme_id, rows)


def there(programme_id: str, name: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether somebody is a member now."""
    return select(LiveRow.id).where(LiveRow.programme_id == programme_id, LiveRow.member_id == name).exists()
