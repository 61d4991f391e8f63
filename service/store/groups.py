"""Support groups: their records, who is in them, and who was when the week began."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import delete as delete_rows
from sqlalchemy import insert, select, union, update
from sqlalchemy.orm import Session

from matcher.programme import Programme
from matcher.support_group import Group
from service.store import feed, text
from service.store.live_tables import GroupPersonRow, GroupRow, GroupWeekRow
from service.store.moments import day, micros

MEMBER, FACILITATOR = "member", "facilitator"
PEOPLE: Final = {"facilitators": FACILITATOR, "members": MEMBER}
"""Key of a record → role of those whom it names."""
NO_WEEK: Final = 0


@dataclass(frozen=True)
class Stored:
    """A group as stored."""

    id: int
    """Names the group in lists; never used twice."""
    group_id: str
    record: dict[str, Any]
    """Whole: with those who are in it now."""
    revision: int
    """Changes with every change of the record, of who is in it too, and is never used twice."""


def week(moment: datetime) -> int:
    """Return the ordinal of the Monday of the UTC week of a moment."""
    return day(moment) - (day(moment) - 1) % 7  # day 1 of the calendar was a Monday


def named(record: Mapping[str, Any]) -> dict[str, str]:
    """Return by path whom a sound record names."""
    return {f"{key}[{at}]": name for key in PEOPLE for at, name in enumerate(record.get(key, ()))}


def get(session: Session, programme_id: str, group_id: str) -> Stored | None:
    """Return one group, or None: unknown, foreign and deleted are the same."""
    if "\x00" in group_id:  # PostgreSQL refuses even to look for it
        return None
    query = select(GroupRow.id, GroupRow.record, GroupRow.number)
    row = session.execute(query.where(GroupRow.programme_id == programme_id, GroupRow.group_id == group_id)).first()
    if row is None:
        return None
    return Stored(row[0], group_id, _whole(text.read(row[1]), _people(session, programme_id, row[0])), row[2])


def upsert(session: Session, programme: Programme, group: Group, *, now: datetime) -> tuple[Stored, bool]:
    """Store a group, new or in place of the one there is; return what is stored and whether it is new.

    Everybody in it must be a member of the programme. A record that says what is stored already changes nothing.
    """
    before, record = get(session, programme.id, group.group_id), group.to_dict()
    if before is not None and before.record == record:
        return before, False
    number = feed.next_number(session, programme.id, adds=True)
    alone = _without_people(record)
    values = {"record": text.write(alone), "number": number, "updated_at": micros(now)}
    if before is None:
        keys = {"programme_id": programme.id, "group_id": group.group_id}
        new = {**keys, **values, "revision": number, "week": NO_WEEK, "created_at": micros(now)}
        session.execute(insert(GroupRow).values(**new))
    else:
        if alone != _without_people(before.record):
            values["revision"] = number
        session.execute(update(GroupRow).where(*_of(programme.id, before.id)).values(**values))
        if record["members"] != before.record["members"]:
            _freeze(session, programme.id, before, week(now))
    forget_weeks(session, programme.id, now)
    stored = get(session, programme.id, group.group_id)
    assert stored is not None
    _write_people(session, programme.id, stored.id, record)
    return Stored(stored.id, stored.group_id, record, number), before is None


def delete(session: Session, programme_id: str, group_id: str) -> bool:
    """Delete a group; return whether there was one. What is left in lists is a number that names nothing."""
    stored = get(session, programme_id, group_id)
    if stored is None:
        return False
    for table in (GroupWeekRow, GroupPersonRow):
        session.execute(delete_rows(table).where(table.programme_id == programme_id, table.group_number == stored.id))
    session.execute(delete_rows(GroupRow).where(*_of(programme_id, stored.id)))
    return True


def leave_all(session: Session, programme_id: str, member_id: str, number: int) -> None:
    """Take somebody who is erased out of every group and every roster; `number` is that of the change."""
    tables = (GroupPersonRow, GroupWeekRow)
    theirs = union(
        *(
            select(table.group_number).where(table.programme_id == programme_id, table.member_id == member_id)
            for table in tables
        )
    )
    groups = list(session.scalars(theirs))
    for group in groups:
        session.execute(update(GroupRow).where(*_of(programme_id, group)).values(number=number))
    for table in tables:
        session.execute(delete_rows(table).where(table.programme_id == programme_id, table.member_id == member_id))


def forget_weeks(session: Session, programme_id: str, now: datetime) -> None:
    """Delete the rosters of weeks that are over: the roster of any other week is who is in the group."""
    over = select(GroupRow.id).where(GroupRow.programme_id == programme_id, GroupRow.week < week(now))
    session.execute(
        delete_rows(GroupWeekRow).where(
            GroupWeekRow.programme_id == programme_id, GroupWeekRow.group_number.in_(over.scalar_subquery())
        )
    )


def _freeze(session: Session, programme_id: str, before: Stored, now: int) -> None:
    """Keep who was in a group when the week began, unless somebody came or went in it before.

    So the roster of a week is the same whenever it is asked for, and nobody who only asks has to write it.
    """
    changed = update(GroupRow).where(*_of(programme_id, before.id), GroupRow.week < now).values(week=now)
    if not session.execute(changed).rowcount:  # type: ignore[attr-defined]
        return
    session.execute(
        delete_rows(GroupWeekRow).where(
            GroupWeekRow.programme_id == programme_id, GroupWeekRow.group_number == before.id
        )
    )
    rows = [
        {"programme_id": programme_id, "group_number": before.id, "member_id": member_id}
        for member_id in before.record["members"]
    ]
    if rows:
        session.execute(insert(GroupWeekRow), rows)


def _write_people(session: Session, programme_id: str, group: int, record: Mapping[str, Any]) -> None:
    of_group = (GroupPersonRow.programme_id == programme_id, GroupPersonRow.group_number == group)
    session.execute(delete_rows(GroupPersonRow).where(*of_group))
    rows = [
        {"programme_id": programme_id, "group_number": group, "member_id": member_id, "role": role}
        for key, role in PEOPLE.items()
        for member_id in record[key]
    ]
    if rows:
        session.execute(insert(GroupPersonRow), rows)


def _people(session: Session, programme_id: str, group: int) -> Iterable[tuple[str, str]]:
    query = select(GroupPersonRow.member_id, GroupPersonRow.role).where(
        GroupPersonRow.programme_id == programme_id, GroupPersonRow.group_number == group
    )
    return [(row[0], row[1]) for row in session.execute(query.order_by(GroupPersonRow.member_id))]


def _whole(record: Mapping[str, Any], people: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Return a record with those who are in the group, its keys in the order of `Group.to_dict`."""
    named = {key: sorted(name for name, of in people if of == role) for key, role in PEOPLE.items()}
    first = {key: record[key] for key in ("group_id", "name")}
    return {**first, "facilitators": named["facilitators"], **record, "members": named["members"]}


def _without_people(record: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in record.items() if key not in PEOPLE}


def _of(programme_id: str, group: int) -> tuple[Any, Any]:
    return GroupRow.programme_id == programme_id, GroupRow.id == group
