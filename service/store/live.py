"""The narrow rows beside the records: how each follows from a record, and how a change is numbered."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, cast

from sqlalchemy import Table, bindparam, func, select, update
from sqlalchemy.orm import Session

from matcher.consent import ConsentEvent, fold
from matcher.people import Member
from matcher.programme import Programme
from service.store import ends, feed, sealed, stored
from service.store.histories import history_of
from service.store.live_tables import ApartRow, LiveRow
from service.store.moments import FOREVER, micros
from service.store.tables import MemberRow

CHUNK = 500
_LIVE: Final = cast("Table", LiveRow.__table__)


def derived(member: Member, programme: Programme, now: datetime) -> dict[str, Any]:
    """Return the columns of a live row that follow from a record."""
    minor = member.age_band in programme.minors
    seeker = int(programme.mutual or "seeker" in member.roles)
    states = of_consents(member.consents, programme, now, minor=minor)
    return {"accepted": 1, "capacity": member.capacity, "seeker": seeker, **states}


def of_consents(history: Sequence[ConsentEvent], programme: Programme, now: datetime, *, minor: bool) -> dict[str, Any]:
    """Return the columns of a live row that follow from a history of consent."""
    state = fold(history, programme, now, minor=minor)
    since = sought_since(history, now) if state.on("match_serve") else 0
    return {"shown": int(state.on("be_shown_as_peer")), "seeks_since": since, "edge": edge_of(history, now)}


def sought_since(history: Iterable[ConsentEvent], now: datetime) -> int:
    """Return from when on somebody whose ``match_serve`` is on has wanted it: µs since 1970.

    That is the first yes since they last said no: whose consent ended by itself, or has to be given anew because the
    policy changed, does not lose their place on the waiting list.
    """
    since: datetime | None = None
    told = (event for event in history if event.purpose == "match_serve" and event.at <= now)
    for event in sorted(told, key=lambda one: one.at):
        if event.decision == "given":
            since = since or event.at
        elif event.decision in {"refused", "withdrawn"}:
            since = None
    return micros(now if since is None else since)


def next_edge(member: Member, now: datetime) -> int:
    """Return when a member's consents next mean something else: µs since 1970, FOREVER where they never do."""
    return edge_of(member.consents, now)


def edge_of(history: Sequence[ConsentEvent], now: datetime) -> int:
    """Return when a history next means something else: µs since 1970, FOREVER where it never does."""
    edges = (edge for event in history for edge in (event.at, event.valid_until))
    return min((micros(edge) for edge in edges if edge is not None and edge > now), default=FOREVER)


def refused(record: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Return the columns of a live row whose record the programme no longer accepts."""
    roles = record.get("roles")
    seeker = int(isinstance(roles, list) and "seeker" in roles)
    edge = edge_of(history_of(record) or (), now)
    return {"accepted": 0, "shown": 0, "seeker": seeker, "seeks_since": 0, "edge": edge}


def touch(session: Session, programme_id: str, member_id: str, *, adds: bool, **values: Any) -> bool:
    """Change the live row of a member and number the change; return whether there is one.

    `adds` tells whether it may let somebody into lists who was not in them.
    """
    number = feed.next_number(session, programme_id, adds=adds)
    where = (LiveRow.programme_id == programme_id, LiveRow.member_id == member_id)
    result = session.execute(update(LiveRow).where(*where).values(number=number, **values))
    return bool(result.rowcount)  # type: ignore[attr-defined]


def write(session: Session, programme_id: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write columns of many live rows, the same in each of `rows`, which names its own by `live_id`."""
    mine = (_LIVE.c.programme_id == programme_id, _LIVE.c.id == bindparam("live_id"))
    session.execute(update(_LIVE).where(*mine), rows)


def taken(session: Session, programme_id: str, member_ids: Iterable[str] | None = None) -> dict[str, int]:
    """Return how many places offers and connections take of each of `member_ids`, or of everybody.

    Whoever has given none is left out. What keeps a pair apart in two ways takes one place.
    """
    found: dict[str, int] = {}
    for chunk in _chunks(member_ids):
        pairs = select(ApartRow.member_id, ApartRow.other_id, func.max(ApartRow.takes).label("takes")).where(
            ApartRow.programme_id == programme_id, ApartRow.takes > 0
        )
        if chunk is not None:
            pairs = pairs.where(ApartRow.member_id.in_(chunk))
        each = pairs.group_by(ApartRow.member_id, ApartRow.other_id).subquery()
        query = select(each.c.member_id, func.sum(each.c.takes)).group_by(each.c.member_id)
        found.update((row[0], int(row[1])) for row in session.execute(query))
    return found


def refold(
    session: Session, programme_id: str, states: Iterable[tuple[int, Mapping[str, Any]]], edited: Collection[int] = ()
) -> None:
    """Write the derived columns of live rows anew, as after a change of the programme; all are one change.

    The records of those whose numbers are in `edited` are others now.
    """
    wanted = dict(states)
    number = feed.next_number(session, programme_id, adds=True)
    query = select(LiveRow.id, LiveRow.member_id, LiveRow.edge, LiveRow.revision).where(
        LiveRow.programme_id == programme_id
    )
    few = len(wanted) <= CHUNK
    before = {row[0]: row for row in session.execute(query.where(LiveRow.id.in_(wanted)) if few else query)}
    places = taken(session, programme_id, [row[1] for row in before.values()] if few else None)
    rows = [_refolded(before[live_id], values, number, places) for live_id, values in wanted.items()]
    for row in rows:
        if row["live_id"] in edited:
            row["revision"] = number
    for accepted in (1, 0):  # statements for many rows want the same columns in each
        some = [row for row in rows if row["accepted"] == accepted]
        if some:
            write(session, programme_id, some)


def _refolded(
    before: Sequence[Any], values: Mapping[str, Any], number: int, places: Mapping[str, int]
) -> dict[str, Any]:
    live_id, member_id, edge, revision = before
    free = {"free": values["capacity"] - places.get(member_id, 0)} if "capacity" in values else {}
    # Lists know people by revision. With an edge that moves, what is over would look as if it had never been.
    revised = revision if values["edge"] == edge else number
    return {"live_id": live_id, "number": number, "revision": revised, **values, **free}


def let_time_pass(session: Session, programme: Programme, now: datetime) -> None:
    """Make changes of consents and holds that have begun or ended by themselves, so that every worker hears of them.

    Until then nobody is shown who must not be: the re-check looks at the clock. Somebody who may be is not ranked.
    """
    _let_consents_pass(session, programme, now)
    over = (LiveRow.programme_id == programme.id, LiveRow.held_until > 0, LiveRow.held_until <= micros(now))
    if session.scalar(select(func.count()).select_from(LiveRow).where(*over)):
        number = feed.next_number(session, programme.id, adds=True)
        session.execute(update(LiveRow).where(*over).values(held_until=0, number=number))


def _let_consents_pass(session: Session, programme: Programme, now: datetime) -> None:
    query = (
        select(LiveRow.id, LiveRow.member_id, LiveRow.accepted, MemberRow.record)
        .join(MemberRow, (MemberRow.programme_id == LiveRow.programme_id) & (MemberRow.member_id == LiveRow.member_id))
        .where(LiveRow.programme_id == programme.id, LiveRow.edge <= micros(now))
    )
    rows = session.execute(query).all()
    records = {row.member_id: sealed.record(session, programme.id, row.member_id, row.record) for row in rows}
    changed = ends.note(session, programme, records, now)
    due = []
    for live_id, member_id, accepted, _ in rows:
        record = changed.get(member_id, records[member_id])
        member = stored.member(record, programme) if accepted else None
        due.append((live_id, refused(record, now) if member is None else derived(member, programme, now)))
    if due:
        refold(session, programme.id, due, {row.id for row in rows if row.member_id in changed})


def _chunks(member_ids: Iterable[str] | None) -> Iterable[list[str] | None]:
    if member_ids is None:
        yield None
        return
    wanted = sorted(set(member_ids))
    for start in range(0, len(wanted), CHUNK):
        yield wanted[start : start + CHUNK]
