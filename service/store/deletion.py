"""Deleting a member's rows, wherever they are. Only `service.store.erasure` does so, which keeps that it was done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete as delete_rows
from sqlalchemy import func, insert, or_, select, update
from sqlalchemy.orm import Session

from service.store import feed, groups, idempotency, introduced, live
from service.store.acts import own_acts
from service.store.introduction_tables import EventRow, IntroductionRow
from service.store.live_tables import ApartRow, GoneRow, GroupPersonRow, HoldRow, ListRow, LiveRow
from service.store.moments import micros
from service.store.record_tables import ConsentEventRow
from service.store.tables import FeedbackRow, MemberRow


@dataclass(frozen=True)
class Deleted:
    """A member who was there."""

    number: int
    """What stood for them in the lists of others."""
    what: dict[str, int]
    """How many things of their own there were, by kind.

    Not how often others named them: a number that is not zero would tell of blocks, and of what others told.
    """


def delete(session: Session, programme_id: str, member_id: str, *, now: datetime) -> Deleted | None:
    """Delete a member and all that names them; return what there was, or None if there is no such member.

    What is left anywhere is a number that means nobody: in lists of others, and in `gone`, for the workers.
    """
    if "\x00" in member_id:  # PostgreSQL refuses even to look for it
        return None
    query = select(LiveRow.id).where(LiveRow.programme_id == programme_id, LiveRow.member_id == member_id)
    number = session.scalar(query)
    if number is None:
        return None
    what = _counts(session, programme_id, member_id, number)
    supporting = _supporting(session, programme_id, member_id)
    change = feed.next_number(session, programme_id, adds=True)
    # The record first: no decision is ever deleted while its member is there.
    for table in (MemberRow, LiveRow, HoldRow, ConsentEventRow):
        session.execute(delete_rows(table).where(table.programme_id == programme_id, table.member_id == member_id))
    for both, one, other in (
        (FeedbackRow, FeedbackRow.seeker, FeedbackRow.candidate),
        (ApartRow, ApartRow.member_id, ApartRow.other_id),
    ):
        naming = or_(one == member_id, other == member_id)
        session.execute(delete_rows(both).where(both.programme_id == programme_id, naming))
    session.execute(delete_rows(ListRow).where(ListRow.programme_id == programme_id, ListRow.seeker_id == number))
    introduced.forget(session, programme_id, member_id, now)
    groups.leave_all(session, programme_id, member_id, change)
    _free_places(session, programme_id, supporting, change)
    idempotency.forget(session, programme_id, member_id)
    gone = {"number": change, "live_id": number, "at": micros(now)}
    session.execute(insert(GoneRow).values(programme_id=programme_id, **gone))
    return Deleted(number, what)


def _supporting(session: Session, programme_id: str, member_id: str) -> list[str]:
    """Return whose places a connection with a member takes."""
    query = select(ApartRow.member_id).where(
        ApartRow.programme_id == programme_id, ApartRow.other_id == member_id, ApartRow.takes > 0
    )
    return sorted(set(session.scalars(query)))


def _free_places(session: Session, programme_id: str, names: list[str], change: int) -> None:
    """Give back the places that connections with somebody who is gone took of `names`."""
    taken = live.taken(session, programme_id, names)
    for name in names:
        of_name = (LiveRow.programme_id == programme_id, LiveRow.member_id == name)
        free = LiveRow.capacity - taken.get(name, 0)
        session.execute(update(LiveRow).where(*of_name).values(free=free, number=change))


def _counts(session: Session, programme_id: str, member_id: str, number: int) -> dict[str, int]:
    counted = {}
    for kind, table in (("record", MemberRow), ("consents", ConsentEventRow), ("holds", HoldRow),
                        ("groups", GroupPersonRow), ("events", EventRow)):  # fmt: skip
        theirs = (table.programme_id == programme_id, table.member_id == member_id)
        counted[kind] = session.scalar(select(func.count()).select_from(table).where(*theirs)) or 0
    counted["feedback"] = sum(1 for _ in own_acts(session, programme_id, member_id))
    # Whom somebody proposed to, and who was not offered to, has never heard of it.
    heard = (IntroductionRow.candidate == member_id) & IntroductionRow.offered_at.is_not(None)
    theirs = (IntroductionRow.programme_id == programme_id, or_(IntroductionRow.seeker == member_id, heard))
    query = select(func.count()).select_from(IntroductionRow)
    counted["introductions"] = session.scalar(query.where(*theirs)) or 0
    lists = (ListRow.programme_id == programme_id, ListRow.seeker_id == number)
    counted["lists"] = session.scalar(select(func.count()).select_from(ListRow).where(*lists)) or 0
    return counted
