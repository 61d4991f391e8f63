"""Members: their records, and from when on others may see them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from matcher.people import Member
from matcher.programme import Programme
from service.store import closing, consent_log, erasure, feed, growth, live, sealed, text
from service.store.consent_log import COMMAND
from service.store.derived_keys import derived
from service.store.live_tables import LiveRow
from service.store.moments import day
from service.store.tables import MemberRow

CHUNK = live.CHUNK


@dataclass(frozen=True)
class Stored:
    """A member as stored."""

    id: int
    """Names the member in lists, groups and the change feed; never used twice."""
    member_id: str
    record: dict[str, Any]
    revision: int
    """Changes with every change of the record, and is never used twice."""
    visible_from: date
    accepted: bool = True
    """Whether the programme as it is now accepts the record."""


def get(session: Session, programme_id: str, member_id: str) -> Stored | None:
    """Return one member, or None: unknown, foreign and deleted are the same."""
    if "\x00" in member_id:  # PostgreSQL refuses even to look for it
        return None
    return next(_stored(session, programme_id, LiveRow.member_id == member_id), None)


def upsert(
    session: Session, programme: Programme, member: Member, *, now: datetime, visible_from: date, by: str = COMMAND
) -> tuple[Stored, bool]:
    """Store a member, new or in place of the one there is; return what is stored and whether it is new.

    `visible_from` counts for a new member only; one who is visible already stays so. A record that says what is stored
    already changes nothing. Of consents none is lost: what is new of the member's comes after those stored, and in the
    log `by` whoever told it.
    """
    before = get(session, programme.id, member.member_id)
    kept = () if before is None else growth.kept_history(session, programme.id, member.member_id, before.record)
    member, added = growth.grow(member, kept, programme, now=now, by=by)
    record = text.write(member.to_dict())
    if before is not None and before.accepted and text.write(before.record) == record:
        return before, False
    seen = visible_from if before is None else before.visible_from
    number = feed.next_number(session, programme.id, adds=seen.toordinal() <= day(now))
    values = _live_values(member, programme, now, number, live.taken(session, programme.id, [member.member_id]))
    keys = {"programme_id": programme.id, "member_id": member.member_id}
    sealed_record = sealed.seal(session, programme.id, sealed.MEMBERS, member.member_id, record)
    if before is None:
        created = _created(now, erasure.erased_at(session, programme.id, member.member_id))
        session.execute(insert(MemberRow).values(**keys, record=sealed_record, created_at=created, updated_at=now))
        new = {**keys, **values, "held_until": 0, "visible_from": visible_from.toordinal()}
        session.execute(insert(LiveRow).values(**new))
    else:
        _update(session, MemberRow, keys, record=sealed_record, updated_at=now)
        _update(session, LiveRow, keys, **values)
    consent_log.append_many(session, programme, added, now=now)
    closing.close_unallowed(session, programme, now, [member.member_id])
    stored = get(session, programme.id, member.member_id)
    assert stored is not None
    return stored, before is None


def upsert_many(
    session: Session,
    programme: Programme,
    members: Iterable[Member],
    *,
    now: datetime,
    visible_from: date,
    by: str = COMMAND,
) -> tuple[int, int]:
    """Store many members in few statements; return how many were new and how many replaced another.

    Of two members of one id the later stands. Those who were to appear later appear at `visible_from`
    if that is earlier: an import is seen at once. Consents are as in `upsert`.
    """
    by_name = {member.member_id: member for member in members}
    if not by_name:
        return 0, 0
    known = _known(session, programme.id, list(by_name))
    by_name, added = growth.grow_many(session, programme, by_name, list(known), now=now, by=by)
    taken = live.taken(session, programme.id, known)
    number = feed.next_number(session, programme.id, len(by_name), adds=True)
    gone = erasure.moments(session, programme.id)
    new: tuple[list[dict[str, Any]], list[dict[str, Any]]] = ([], [])
    replaced: tuple[list[dict[str, Any]], list[dict[str, Any]]] = ([], [])
    for at, (member_id, member) in enumerate(by_name.items(), number):
        keys = {"programme_id": programme.id, "member_id": member_id}
        values = _live_values(member, programme, now, at, taken)
        sealed_record = sealed.seal(session, programme.id, sealed.MEMBERS, member_id, text.write(member.to_dict()))
        record = {**keys, "record": sealed_record, "updated_at": now}
        if member_id in known:
            live_id, seen = known[member_id]
            replaced[0].append(record)
            replaced[1].append({"live_id": live_id, **values, "visible_from": min(seen, visible_from.toordinal())})
        else:
            erased = gone.get(derived(session).erasure(programme.id, member_id)) if gone else None
            new[0].append({**record, "created_at": _created(now, erased)})
            new[1].append({**keys, **values, "held_until": 0, "visible_from": visible_from.toordinal()})
    for table, some in zip((MemberRow, LiveRow), new, strict=True):
        if some:
            session.execute(insert(table), some)
    if replaced[0]:
        session.execute(update(MemberRow), replaced[0])
        live.write(session, programme.id, replaced[1])
    consent_log.append_many(session, programme, added, now=now)
    closing.close_unallowed(session, programme, now, known)
    return len(new[0]), len(replaced[0])


def visible_members(session: Session, programme_id: str, on: date) -> Iterator[Stored]:
    """Yield by id every member whom others may see on a UTC day, as far as the programme goes."""
    yield from _stored(session, programme_id, LiveRow.visible_from <= on.toordinal())


def all_members(session: Session, programme_id: str) -> Iterator[Stored]:
    """Yield every member of a programme, by id, whether others may see them yet or not."""
    yield from _stored(session, programme_id)


def revisions(session: Session, programme_id: str, member_ids: Iterable[str]) -> dict[str, int]:
    """Return the revisions of those of `member_ids` who exist."""
    query = select(LiveRow.member_id, LiveRow.revision).where(
        LiveRow.programme_id == programme_id, LiveRow.member_id.in_(list(member_ids))
    )
    return {row[0]: row[1] for row in session.execute(query)}


def show_all(session: Session, programme_id: str, on: date) -> int:
    """Let others see from a day on whoever was to appear later (`peermatch refresh`); return how many."""
    waiting = (LiveRow.programme_id == programme_id, LiveRow.visible_from > on.toordinal())
    number = session.scalar(select(func.count()).select_from(LiveRow).where(*waiting)) or 0
    if number:
        change = feed.next_number(session, programme_id, adds=True)
        session.execute(update(LiveRow).where(*waiting).values(visible_from=on.toordinal(), number=change))
    return number


def count(session: Session, programme_id: str) -> int:
    """Return how many members a programme has."""
    return session.scalar(select(func.count()).where(LiveRow.programme_id == programme_id)) or 0


def _created(now: datetime, erased: datetime | None) -> datetime:
    """Return when somebody new was stored: after they were last erased, also where a clock was set back since."""
    return now if erased is None else max(now, erased + timedelta(microseconds=1))


def _live_values(
    member: Member, programme: Programme, now: datetime, number: int, taken: dict[str, int]
) -> dict[str, Any]:
    free = member.capacity - taken.get(member.member_id, 0)
    return {"revision": number, "number": number, "free": free, **live.derived(member, programme, now)}


def _update(session: Session, table: type[MemberRow | LiveRow], keys: dict[str, str], **values: Any) -> None:
    where = (table.programme_id == keys["programme_id"], table.member_id == keys["member_id"])
    session.execute(update(table).where(*where).values(**values))


def _known(session: Session, programme_id: str, member_ids: list[str]) -> dict[str, tuple[int, int]]:
    found: dict[str, tuple[int, int]] = {}
    for start in range(0, len(member_ids), CHUNK):
        query = select(LiveRow.member_id, LiveRow.id, LiveRow.visible_from).where(
            LiveRow.programme_id == programme_id, LiveRow.member_id.in_(member_ids[start : start + CHUNK])
        )
        found.update((row[0], (row[1], row[2])) for row in session.execute(query))
    return found


def _stored(session: Session, programme_id: str, *which: Any) -> Iterator[Stored]:
    query = (
        select(
            LiveRow.id, LiveRow.member_id, MemberRow.record, LiveRow.revision, LiveRow.visible_from, LiveRow.accepted
        )
        .join(
            MemberRow,
            (MemberRow.programme_id == LiveRow.programme_id) & (MemberRow.member_id == LiveRow.member_id),
        )
        .where(LiveRow.programme_id == programme_id, *which)
        .order_by(LiveRow.member_id)
    )
    for live_id, member_id, record, revision, seen, accepted in session.execute(query):
        kept = sealed.record(session, programme_id, member_id, record)
        yield Stored(live_id, member_id, kept, revision, date.fromordinal(seen), bool(accepted))
