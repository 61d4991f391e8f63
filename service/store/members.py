"""Members: their records, and from when on others may see them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import delete as delete_rows
from sqlalchemy import func, insert, or_, select, update
from sqlalchemy.orm import Session

from service.store import programmes, text
from service.store.tables import FeedbackRow, MemberRow

CHUNK = 500


@dataclass(frozen=True)
class Stored:
    """A member as stored."""

    member_id: str
    record: dict[str, Any]
    revision: int
    """Changes with every change of the record, and is never used twice."""
    visible_from: date


def get(session: Session, programme_id: str, member_id: str) -> Stored | None:
    """Return one member, or None: unknown, foreign and deleted are the same."""
    if "\x00" in member_id:  # PostgreSQL refuses even to look for it
        return None
    row = session.get(MemberRow, (programme_id, member_id))
    return None if row is None else _stored(row)


def upsert(
    session: Session, programme_id: str, record: Mapping[str, Any], *, now: datetime, visible_from: date
) -> tuple[Stored, bool]:
    """Store a valid record, new or in place of the one there is; return it and whether it is new.

    `visible_from` counts for a new member only; one who is visible already stays so.
    """
    member_id = str(record["member_id"])
    row = session.get(MemberRow, (programme_id, member_id))
    new = row is None
    revision = programmes.next_changes(session, programme_id)
    if row is None:
        row = MemberRow(programme_id=programme_id, member_id=member_id, visible_from=visible_from, created_at=now)
        session.add(row)
    row.record, row.revision, row.updated_at = text.write(record), revision, now
    session.flush()
    if row.visible_from <= _day(now):
        programmes.bump(session, programme_id)
    return _stored(row), new


def upsert_many(
    session: Session, programme_id: str, records: Iterable[Mapping[str, Any]], *, now: datetime, visible_from: date
) -> tuple[int, int]:
    """Store many valid records in few statements; return how many were new and how many replaced another.

    Of two records of one member the later stands. Those who were to appear later appear at `visible_from`
    if that is earlier: an import is seen at once.
    """
    by_id = {str(record["member_id"]): record for record in records}
    if not by_id:
        return 0, 0
    known = _known(session, programme_id, list(by_id))
    revision = programmes.next_changes(session, programme_id, len(by_id))
    new: list[dict[str, Any]] = []
    replaced: list[dict[str, Any]] = []
    for number, (member_id, record) in enumerate(by_id.items(), revision):
        keys = {"programme_id": programme_id, "member_id": member_id}
        values = {"record": text.write(record), "revision": number, "updated_at": now}
        if member_id in known:
            replaced.append(keys | values | {"visible_from": min(known[member_id], visible_from)})
        else:
            new.append(keys | values | {"visible_from": visible_from, "created_at": now})
    if new:
        session.execute(insert(MemberRow), new)
    if replaced:
        session.execute(update(MemberRow), replaced)  # by primary key, in one go
    programmes.bump(session, programme_id)
    return len(new), len(replaced)


def delete(session: Session, programme_id: str, member_id: str, *, now: datetime) -> bool:
    """Erase a member and the feedback that names them; return whether there was one."""
    stored = get(session, programme_id, member_id)
    if stored is None:
        return False
    session.execute(
        delete_rows(MemberRow).where(MemberRow.programme_id == programme_id, MemberRow.member_id == member_id)
    )
    session.execute(
        delete_rows(FeedbackRow).where(
            FeedbackRow.programme_id == programme_id,
            or_(FeedbackRow.seeker == member_id, FeedbackRow.candidate == member_id),
        )
    )
    programmes.next_changes(session, programme_id)
    if stored.visible_from <= _day(now):
        programmes.bump(session, programme_id)
    return True


def visible_members(session: Session, programme_id: str, day: date) -> Iterator[Stored]:
    """Yield those whom others may see on `day`, by id."""
    query = (
        select(MemberRow.member_id, MemberRow.record, MemberRow.revision, MemberRow.visible_from)
        .where(MemberRow.programme_id == programme_id, MemberRow.visible_from <= day)
        .order_by(MemberRow.member_id)
        .execution_options(yield_per=CHUNK)
    )
    for member_id, record, revision, visible_from in session.execute(query):
        yield Stored(member_id, text.read(record), revision, visible_from)


def all_members(session: Session, programme_id: str) -> Iterator[Stored]:
    """Yield every member of a programme, by id, whether others may see them yet or not: for training."""
    return visible_members(session, programme_id, date.max)


def revisions(session: Session, programme_id: str, member_ids: Iterable[str]) -> dict[str, int]:
    """Return the revisions of those of `member_ids` who exist: what the live re-check reads."""
    query = select(MemberRow.member_id, MemberRow.revision).where(
        MemberRow.programme_id == programme_id, MemberRow.member_id.in_(list(member_ids))
    )
    return {row.member_id: row.revision for row in session.execute(query)}


def show_all(session: Session, programme_id: str, day: date) -> int:
    """Let others see from `day` on whoever was to appear later (`peermatch refresh`); return how many."""
    waiting = (MemberRow.programme_id == programme_id, MemberRow.visible_from > day)
    number = session.scalar(select(func.count()).select_from(MemberRow).where(*waiting)) or 0
    if number:
        session.execute(update(MemberRow).where(*waiting).values(visible_from=day))
        programmes.bump(session, programme_id)
    return number


def count(session: Session, programme_id: str) -> int:
    """Return how many members a programme has."""
    return session.scalar(select(func.count()).where(MemberRow.programme_id == programme_id)) or 0


def _known(session: Session, programme_id: str, member_ids: list[str]) -> dict[str, date]:
    found: dict[str, date] = {}
    for start in range(0, len(member_ids), CHUNK):
        query = select(MemberRow.member_id, MemberRow.visible_from).where(
            MemberRow.programme_id == programme_id, MemberRow.member_id.in_(member_ids[start : start + CHUNK])
        )
        found.update((member_id, day) for member_id, day in session.execute(query))
    return found


def _stored(row: MemberRow) -> Stored:
    return Stored(row.member_id, text.read(row.record), row.revision, row.visible_from)


def _day(now: datetime) -> date:
    return now.astimezone(UTC).date()
