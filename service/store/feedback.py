"""Feedback: what became of suggestions, for training."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import ColumnElement, insert, select
from sqlalchemy.orm import Session

from matcher.errors import RecordError
from matcher.model.feedback import Feedback
from matcher.programme import Programme
from service.store import apart, text
from service.store.live import CHUNK
from service.store.tables import FeedbackRow

DECISIVE = frozenset({"accepted", "declined", "ended"})
"""Events that keep two people apart, or no longer do."""


def add(session: Session, programme: Programme, events: Iterable[Feedback]) -> int:
    """Store feedback; return how many events were new. The same event twice is one.

    Who stands apart from whom, and how many places are taken, follows in the same transaction.
    """
    programme_id = programme.id
    records = [event.to_dict() for event in events]
    by_digest = {text.digest(record): record for record in records}
    known = _known(session, programme_id, list(by_digest))
    new = [_row(programme_id, record, digest) for digest, record in by_digest.items() if digest not in known]
    if new:
        session.execute(insert(FeedbackRow), new)
    pairs = {(str(row["seeker"]), str(row["candidate"])) for row in new if row["event"] in DECISIVE}
    if pairs:
        apart.relate(session, programme, decisions(session, programme, pairs), pairs)
    return len(new)


def add_once(session: Session, programme: Programme, event: Feedback, of: str) -> bool:
    """Store an event that keeps nobody apart, unless it was stored `of` the same (a list, say); return whether it was.

    However often it is told, and whenever, it is one event.
    """
    record = event.to_dict()
    digest = text.digest({"of": of, "seeker": event.seeker, "candidate": event.candidate, "event": event.event})
    if _known(session, programme.id, [digest]):
        return False
    session.execute(insert(FeedbackRow), [_row(programme.id, record, digest)])
    return True


def all_feedback(session: Session, programme_id: str) -> Iterator[dict[str, Any]]:
    """Yield every feedback record of a programme, in the order in which they came."""
    yield from _records(session, FeedbackRow.programme_id == programme_id)


def decisions(session: Session, programme: Programme, pairs: Iterable[tuple[str, str]]) -> Iterator[Feedback]:
    """Yield what tells how `pairs` stand, and perhaps others, in the order in which it came."""
    which = [FeedbackRow.programme_id == programme.id, FeedbackRow.event.in_(DECISIVE)]
    names = sorted({name for pair in pairs for name in pair})
    if len(names) <= CHUNK:
        which += [FeedbackRow.seeker.in_(names), FeedbackRow.candidate.in_(names)]
    for record in _records(session, *which):
        try:
            yield Feedback.from_dict(record, programme)
        except RecordError:  # stored by another release; training reports it
            continue


def _row(programme_id: str, record: dict[str, Any], digest: str) -> dict[str, Any]:
    return {
        "programme_id": programme_id,
        "seeker": record["seeker"],
        "candidate": record["candidate"],
        "event": record["event"],
        "record": text.write(record),
        "digest": digest,
    }


def _records(session: Session, *which: ColumnElement[bool]) -> Iterator[dict[str, Any]]:
    query = select(FeedbackRow.record).where(*which).order_by(FeedbackRow.id)
    for record in session.scalars(query.execution_options(yield_per=CHUNK)):
        yield text.read(record)


def _known(session: Session, programme_id: str, digests: list[str]) -> set[str]:
    found: set[str] = set()
    for start in range(0, len(digests), CHUNK):
        query = select(FeedbackRow.digest).where(
            FeedbackRow.programme_id == programme_id, FeedbackRow.digest.in_(digests[start : start + CHUNK])
        )
        found.update(session.scalars(query))
    return found
