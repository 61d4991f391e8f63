"""Feedback: what became of suggestions, for training."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import ColumnElement, insert, select
from sqlalchemy.orm import Session

from service.store import programmes, text
from service.store.members import CHUNK
from service.store.tables import FeedbackRow

DECISIVE = frozenset({"accepted", "declined", "ended"})
"""Events that keep two people apart, or no longer do: they change today's pool."""


def add(session: Session, programme_id: str, records: Iterable[Mapping[str, Any]]) -> int:
    """Store valid feedback records; return how many were new. The same record twice is one event."""
    by_digest = {text.digest(record): record for record in records}
    known = _known(session, programme_id, list(by_digest))
    new = [
        {
            "programme_id": programme_id,
            "seeker": record["seeker"],
            "candidate": record["candidate"],
            "event": record["event"],
            "record": text.write(record),
            "digest": digest,
        }
        for digest, record in by_digest.items()
        if digest not in known
    ]
    if new:
        session.execute(insert(FeedbackRow), new)
    if any(row["event"] in DECISIVE for row in new):
        programmes.bump(session, programme_id)
    return len(new)


def all_feedback(session: Session, programme_id: str) -> Iterator[dict[str, Any]]:
    """Yield every feedback record of a programme, in the order in which they came."""
    yield from _records(session, FeedbackRow.programme_id == programme_id)


def decisions(session: Session, programme_id: str) -> Iterator[dict[str, Any]]:
    """Yield the records that tell who declined whom and who is connected, in the order in which they came."""
    yield from _records(session, FeedbackRow.programme_id == programme_id, FeedbackRow.event.in_(DECISIVE))


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
