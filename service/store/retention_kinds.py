"""What of a programme is due to go by its age alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias

from sqlalchemy import ColumnElement, and_, delete, exists, not_, or_, select
from sqlalchemy.orm import Session

from matcher.introductions import FINAL, OPEN
from matcher.programme import Programme
from matcher.records import instant
from service.store import apart, text
from service.store.feedback import DECISIVE
from service.store.idempotency import KEPT
from service.store.introduction_tables import EventRow, IntroductionRow
from service.store.live_tables import ApartRow, HoldRow, ListRow
from service.store.moments import FOREVER, micros
from service.store.tables import ApiKeyRow, FeedbackRow, IdempotencyRow

Conditions: TypeAlias = tuple[ColumnElement[bool], ...]

AT_ONCE: Final = 1000
"""Rows that are deleted in one transaction: others write in between."""
BUDGET: Final = timedelta(days=31)
"""Budgets look back at the lists of so long, whatever the programme says."""
EXPIRED: Final = timedelta(days=90)
"""For so long a key that has expired can be seen to have done so."""


@dataclass(frozen=True)
class Kind:
    """Rows that are due by their age alone."""

    name: str
    """Of the count in `Due`."""
    table: Any
    columns: tuple[str, ...]
    """Which name a row within its programme."""
    keys: Callable[[Session, Programme, datetime], list[tuple[Any, ...]]]
    still: Callable[[Programme, datetime], Conditions]
    """What holds of a row that is due; rows that may go were read in another transaction, and may have changed."""

    def delete(self, session: Session, programme: Programme, keys: Sequence[tuple[Any, ...]], now: datetime) -> int:
        """Delete those of some rows that are still due; return how many."""
        first = getattr(self.table, self.columns[0])
        which = delete(self.table).where(self.table.programme_id == programme.id, *self.still(programme, now))
        if len(self.columns) == 1:
            return int(session.execute(which.where(first.in_([key[0] for key in keys]))).rowcount)  # type: ignore[attr-defined]
        count = 0
        for key in keys:
            this = [getattr(self.table, name) == value for name, value in zip(self.columns, key, strict=True)]
            count += session.execute(which.where(*this)).rowcount  # type: ignore[attr-defined]
        return count


def old_lists(session: Session, programme: Programme, now: datetime) -> list[tuple[Any, ...]]:
    """Return the lists that are too old."""
    if programme.retention.lists_days is None:
        return []
    query = select(ListRow.id).where(ListRow.programme_id == programme.id, *_old(programme, now))
    return [tuple(row) for row in session.execute(query.order_by(ListRow.id))]


def _old(programme: Programme, now: datetime) -> Conditions:
    before = micros(now - max(timedelta(days=programme.retention.lists_days or 0), BUDGET))
    return ListRow.made_at < before, ListRow.returned_at < before


def _feedback(session: Session, programme: Programme, now: datetime) -> list[tuple[Any, ...]]:
    """Return the feedback that is too old, but for what tells why a pair stands apart."""
    days = programme.retention.feedback_days
    if days is None:
        return []
    before = now - timedelta(days=days)
    query = select(FeedbackRow.id, FeedbackRow.record).where(
        FeedbackRow.programme_id == programme.id, *_decides_nothing(programme, now)
    )
    rows = session.execute(query.order_by(FeedbackRow.id).execution_options(yield_per=AT_ONCE))
    return [(row.id,) for row in rows if _told(row.record) < before]


def _decides_nothing(programme: Programme, _now: datetime) -> Conditions:
    """Whether no pair stands as declined or connected by it: how they stand is told anew from all of it."""
    standing = exists().where(
        ApartRow.programme_id == programme.id,
        ApartRow.member_id == FeedbackRow.seeker,
        ApartRow.other_id == FeedbackRow.candidate,
        ApartRow.kind.in_((apart.DECLINED, apart.CONNECTED)),
    )
    return (or_(FeedbackRow.event.not_in(DECISIVE), not_(standing)),)


def _told(record: str) -> datetime:
    at = instant(text.read(record)["at"])
    assert at is not None  # it was read so when it was stored
    return at


def _introductions(session: Session, programme: Programme, now: datetime) -> list[tuple[Any, ...]]:
    """Return the introductions that were over too long ago, also where nobody has noted yet that they lapsed then.

    Whoever is kept apart by one for good stays so: that stands in `apart`, and asks for no introduction.
    """
    if programme.retention.introductions_days is None:
        return []
    lapsed = and_(IntroductionRow.state.in_(sorted(OPEN)), IntroductionRow.due < _over_before(programme, now))
    query = select(IntroductionRow.id).where(
        IntroductionRow.programme_id == programme.id, or_(lapsed, and_(*_over(programme, now)))
    )
    return [tuple(row) for row in session.execute(query.order_by(IntroductionRow.id))]


def _over(programme: Programme, now: datetime) -> Conditions:
    """Whether one was over too long ago, its two are not to be let meet again later on, and no report is open."""
    nothing_to_come = or_(IntroductionRow.due == FOREVER, IntroductionRow.due <= micros(now))
    before = _over_before(programme, now)
    over = (IntroductionRow.state.in_(sorted(FINAL)), IntroductionRow.suspended == 0)
    return *over, IntroductionRow.since < before, nothing_to_come


def _over_before(programme: Programme, now: datetime) -> int:
    return micros(now - timedelta(days=programme.retention.introductions_days or 0))


def _events(session: Session, programme: Programme, now: datetime) -> list[tuple[Any, ...]]:
    if programme.retention.events_days is None:
        return []
    query = select(EventRow.number).where(EventRow.programme_id == programme.id, *_happened(programme, now))
    return [tuple(row) for row in session.execute(query.order_by(EventRow.number))]


def _happened(programme: Programme, now: datetime) -> Conditions:
    return (EventRow.at < micros(now - timedelta(days=programme.retention.events_days or 0)),)


def _holds(session: Session, programme: Programme, now: datetime) -> list[tuple[Any, ...]]:
    query = select(HoldRow.id).where(HoldRow.programme_id == programme.id, *_ended(programme, now))
    return [tuple(row) for row in session.execute(query)]


def _ended(_programme: Programme, now: datetime) -> Conditions:
    return (HoldRow.until <= micros(now),)


def _replies(session: Session, programme: Programme, now: datetime) -> list[tuple[Any, ...]]:
    query = select(IdempotencyRow.key_id, IdempotencyRow.key).where(
        IdempotencyRow.programme_id == programme.id, *_kept_long_enough(programme, now)
    )
    return [tuple(row) for row in session.execute(query)]


def _kept_long_enough(_programme: Programme, now: datetime) -> Conditions:
    return (IdempotencyRow.started_at <= micros(now - KEPT),)


def _keys(session: Session, programme: Programme, now: datetime) -> list[tuple[Any, ...]]:
    query = select(ApiKeyRow.id).where(ApiKeyRow.programme_id == programme.id, *_expired(programme, now))
    return [tuple(row) for row in session.execute(query)]


def _expired(_programme: Programme, now: datetime) -> Conditions:
    return (ApiKeyRow.expires_at < now - EXPIRED,)


KINDS: Final = (
    Kind("lists", ListRow, ("id",), old_lists, _old),
    Kind("feedback", FeedbackRow, ("id",), _feedback, _decides_nothing),
    Kind("introductions", IntroductionRow, ("id",), _introductions, _over),
    Kind("events", EventRow, ("number",), _events, _happened),
    Kind("holds", HoldRow, ("id",), _holds, _ended),
    Kind("replies", IdempotencyRow, ("key_id", "key"), _replies, _kept_long_enough),
    Kind("keys", ApiKeyRow, ("id",), _keys, _expired),
)
