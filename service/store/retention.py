"""What a programme keeps no longer: what is due to go is found first, and deleted a part at a time.

It can be interrupted anywhere and run again. `due` tells the counts that `apply` then has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Session

from matcher.errors import PeermatchError
from matcher.programme import Programme
from service.store import audit, closing, erasure, groups, list_forgetting, members
from service.store.engine import Store
from service.store.histories import history_of, is_minor
from service.store.last_consent import last_on
from service.store.live_tables import GoneRow, ListRow
from service.store.moments import micros
from service.store.record_tables import AuditRow
from service.store.retention_kinds import AT_ONCE, KINDS, old_lists
from service.store.tables import MemberRow

GONE: Final = timedelta(days=30)
"""For so long workers may have to hear that somebody was erased."""


class RetentionError(PeermatchError):
    """Somebody who is kept no longer could not be erased."""

    title = "Not everybody could be erased"


@dataclass
class Due:
    """How many of each kind are due, or were deleted."""

    lists: int = 0
    feedback: int = 0
    introductions: int = 0
    """That were over."""
    events: int = 0
    """That apps were told of."""
    holds: int = 0
    """That had ended."""
    replies: int = 0
    """Kept for requests that are sent twice."""
    keys: int = 0
    """API keys that had expired."""
    members: int = 0
    """Erased, since nothing has been agreed to for too long."""
    lists_stripped: int = 0
    """Lists of others that named somebody who is erased."""
    erasures: int = 0
    """Notes for the workers that somebody was erased."""
    audit: int = 0
    """Entries of the audit log."""


def due(session: Session, programme: Programme, now: datetime) -> Due:
    """Return how many of each kind are due; nothing is changed."""
    found = Due(**{kind.name: len(kind.keys(session, programme, now)) for kind in KINDS})
    lost = without_consent(session, programme, now)
    found.members = len(lost)
    numbers = list_forgetting.gone(session, programme.id) | {number for _, number in lost}
    going = {key[0] for key in old_lists(session, programme, now)} | _of_seekers(session, programme.id, lost)
    named = list_forgetting.lists_naming(session, programme.id, numbers)
    found.lists_stripped = len(set(named) - going)
    found.erasures = session.scalar(select(func.count()).select_from(GoneRow).where(*_long_gone(programme, now))) or 0
    found.audit = _entries(session, programme, now)
    return found


def apply(
    store: Store,
    programme: Programme,
    now: datetime,
    *,
    done: Due | None = None,
    advance: Callable[[int], None] = lambda _: None,
) -> Due:
    """Delete what is due and return how many of each kind that were; the audit log has them too.

    Parameters
    ----------
    done : Due, optional
        Where the counts are written as they become known.
    advance : callable, optional
        Told how many rows were deleted since.

    Raises
    ------
    AuditError
        If the audit log is not as it was written: nothing of it is deleted, and everything else is.
    RetentionError
        If some members could not be erased; the others are, and everything else is done.
    StoreError, SettingsError
        If the database or the secret key cannot be used; what was deleted by then is.
    """
    done = Due() if done is None else done
    with store.transaction() as session:
        closing.pass_time(session, programme, now)
        groups.forget_weeks(session, programme.id, now)
    for kind in KINDS:
        with store.reading() as session:
            keys = kind.keys(session, programme, now)
        count = 0
        for some in _parts(keys):
            with store.transaction() as session:
                deleted = kind.delete(session, programme, some, now)
                _record(session, programme, now, kind.name, deleted)
            count += deleted
            advance(len(some))
        setattr(done, kind.name, count)
    failed: list[str] = []
    done.members = _erase(store, programme, now, advance, failed)
    done.lists_stripped = _strip(store, programme, now)
    done.erasures = _forget_gone(store, programme, now)
    _record_end(store, programme, now, done)
    with store.transaction() as session:
        done.audit = _trim(session, programme, now)
    if failed:
        raise RetentionError(f"{len(failed)} members could not be erased, and are tried again next time: {failed[0]}")
    return done


def without_consent(session: Session, programme: Programme, now: datetime) -> list[tuple[str, int]]:
    """Return id and number of members for whom nothing has been on for longer than the programme keeps them."""
    days = programme.retention.without_consent_days
    if days is None:
        return []
    before = now - timedelta(days=days)
    old = select(MemberRow.member_id).where(MemberRow.programme_id == programme.id, MemberRow.created_at < before)
    added = set(session.scalars(old))
    return [
        (one.member_id, one.id)
        for one in (members.all_members(session, programme.id) if added else ())
        if one.member_id in added and _lapsed(one.record, programme, now, before)
    ]


def _lapsed(record: dict[str, Any], programme: Programme, now: datetime, before: datetime) -> bool:
    history = history_of(record)
    if history is None:  # damaged: what was agreed to is not known
        return False
    last = last_on(history, programme, now, minor=is_minor(record, programme))
    return last is None or last < before


def _of_seekers(session: Session, programme_id: str, lost: Sequence[tuple[str, int]]) -> set[int]:
    numbers = {number for _, number in lost}
    query = select(ListRow.id, ListRow.seeker_id).where(ListRow.programme_id == programme_id)
    return {row.id for row in session.execute(query) if row.seeker_id in numbers} if numbers else set()


def _erase(store: Store, programme: Programme, now: datetime, advance: Callable[[int], None], failed: list[str]) -> int:
    """Erase whom nothing allows to be kept; each is looked at again in the transaction that erases them.

    Why some could not be erased is added to `failed`.
    """
    with store.reading() as session:
        lost = without_consent(session, programme, now)
    count = 0
    for member_id, _ in lost:
        try:
            count += _erase_one(store, programme, member_id, now)
        except PeermatchError as error:
            failed.append(error.message)
        advance(1)
    return count


def _erase_one(store: Store, programme: Programme, member_id: str, now: datetime) -> bool:
    before = now - timedelta(days=programme.retention.without_consent_days or 0)
    with store.transaction() as session:
        one = members.get(session, programme.id, member_id)
        if one is None or not _lapsed(one.record, programme, now, before):
            return False
        return erasure.erase(session, programme.id, member_id, now=now, by=audit.COMMAND) is not None


def _strip(store: Store, programme: Programme, now: datetime) -> int:
    """Take everybody who was ever erased out of the lists of others."""
    with store.reading() as session:
        numbers = list_forgetting.gone(session, programme.id)
        named = list_forgetting.lists_naming(session, programme.id, numbers)
    count = 0
    for some in _parts(named):
        with store.transaction() as session:
            stripped = list_forgetting.strip(session, programme.id, some, numbers)
            _record(session, programme, now, "lists_stripped", stripped)
        count += stripped
    return count


def _forget_gone(store: Store, programme: Programme, now: datetime) -> int:
    with store.transaction() as session:
        result = session.execute(delete(GoneRow).where(*_long_gone(programme, now)))
        count = int(result.rowcount)  # type: ignore[attr-defined]
        _record(session, programme, now, "erasures", count)
    return count


def _long_gone(programme: Programme, now: datetime) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return GoneRow.programme_id == programme.id, GoneRow.at < micros(now - GONE)


def _entries(session: Session, programme: Programme, now: datetime) -> int:
    """Return how many entries at the start of the audit log are too old."""
    days = programme.retention.audit_days
    if days is None:
        return 0
    mine = AuditRow.programme_id == programme.id
    kept = select(func.min(AuditRow.number)).where(mine, AuditRow.at >= micros(now - timedelta(days=days)))
    count = select(func.count()).select_from(AuditRow).where(mine)
    first = session.scalar(kept)
    return session.scalar(count if first is None else count.where(AuditRow.number < first)) or 0


def _trim(session: Session, programme: Programme, now: datetime) -> int:
    days = programme.retention.audit_days
    return 0 if days is None else audit.trim(session, programme.id, now - timedelta(days=days), now)


def _record(session: Session, programme: Programme, now: datetime, name: str, count: int) -> None:
    """Tell the audit log of a part, in the transaction that deletes it: a run may end before the next."""
    if count:
        told: dict[str, Any] = {name: count}
        audit.record(session, programme.id, "retention.applied", now=now, by=audit.COMMAND, **told)


def _record_end(store: Store, programme: Programme, now: datetime, done: Due) -> None:
    """Tell how many were erased, each of whom has an entry, or that nothing was due: the run took place."""
    if done.members or not any(asdict(done).values()):
        told: dict[str, Any] = {"members": done.members}
        with store.transaction() as session:
            audit.record(session, programme.id, "retention.applied", now=now, by=audit.COMMAND, **told)


def _parts(keys: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(keys), AT_ONCE):
        yield keys[start : start + AT_ONCE]
