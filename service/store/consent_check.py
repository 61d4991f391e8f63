"""Whether the consent log, the records and the live rows say the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

import orjson
from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from matcher.consent import fold
from matcher.programme import Programme
from service.sealing import SealError
from service.store import consent_log, live, sealed
from service.store.histories import History, history_of, is_minor
from service.store.live_tables import LiveRow
from service.store.moments import FOREVER, micros, moment
from service.store.record_tables import ConsentEventRow
from service.store.tables import MemberRow

CHUNK: Final = 500


def verify(session: Session, programme: Programme, now: datetime) -> list[str]:
    """Return, sorted, the ids of members of whom the log tells another history than the record or the live row.

    Or than it did when it was written: an event that was changed since has another id.
    """
    names = session.scalars(select(LiveRow.member_id).where(LiveRow.programme_id == programme.id)).all()
    wrong = set(_without_member(session, programme.id))
    for start in range(0, len(names), CHUNK):
        wrong.update(_wrong(session, programme, names[start : start + CHUNK], now))
    return sorted(wrong)


def _without_member(session: Session, programme_id: str) -> Sequence[str]:
    """Return who has events and is no member."""
    of_member = (
        MemberRow.programme_id == ConsentEventRow.programme_id, MemberRow.member_id == ConsentEventRow.member_id
    )  # fmt: skip
    query = select(ConsentEventRow.member_id).where(
        ConsentEventRow.programme_id == programme_id, ~exists().where(*of_member)
    )
    return session.scalars(query.distinct()).all()


def _wrong(session: Session, programme: Programme, names: Sequence[str], now: datetime) -> Iterator[str]:
    logged = _logged(session, programme.id, names)
    query = (
        select(LiveRow, MemberRow.record)
        .outerjoin(
            MemberRow, (MemberRow.programme_id == LiveRow.programme_id) & (MemberRow.member_id == LiveRow.member_id)
        )
        .where(LiveRow.programme_id == programme.id, LiveRow.member_id.in_(names))
    )
    for row, kept in session.execute(query):
        name = row.member_id
        history = logged.get(name, ())
        record = {} if kept is None else sealed.record(session, programme.id, name, kept)
        same = history is not None and history_of(record) == history
        if not (same and _seeks(record, programme, row) and _follows(history or (), record, programme, now, row)):
            yield name


def _logged(session: Session, programme_id: str, names: Sequence[str]) -> dict[str, History | None]:
    """Return what the log tells of those of some members who have events; None where that was changed since."""
    found: dict[str, History | None] = {}
    for name, rows in groupby(consent_log.histories(session, programme_id, names), itemgetter(0)):
        try:
            events = [consent_log.recorded(session, programme_id, row) for row in rows]
        except (SealError, ValueError, KeyError, TypeError, orjson.JSONDecodeError):
            found[name] = None
            continue
        true = all(
            (one.place, one.event_id) == (place, consent_log.event_id(place, one.event))
            for place, one in enumerate(events)
        )
        found[name] = tuple(one.event for one in events) if true else None
    return found


def _seeks(record: Mapping[str, Any], programme: Programme, row: LiveRow) -> bool:
    """Whether a live row says by the roles of a record whether its member seeks somebody."""
    roles = record.get("roles")
    named = isinstance(roles, list) and "seeker" in roles
    return row.seeker == int(named or bool(row.accepted and programme.mutual))


def _follows(history: History, record: Mapping[str, Any], programme: Programme, now: datetime, row: LiveRow) -> bool:
    """Whether a live row says what follows from a history: it is right from now until its edge, which is one.

    Where events are dated ahead, by other clocks or because this one was set back, it may be right from then only.
    """
    edge = row.edge
    turns = {micros(one) for event in history for one in (event.at, event.valid_until) if one is not None}
    if edge not in {*turns, FOREVER}:
        return False
    if not row.accepted:
        return not row.shown and not row.seeks_since
    minor = is_minor(record, programme)
    starts = {min(micros(one), edge - 1) for one in (now, max((now, *(event.at for event in history))))}
    for start in starts:
        moments = [start, *(turn for turn in turns if start < turn < edge)]
        states = [fold(history, programme, moment(one), minor=minor) for one in moments]
        since = live.sought_since(history, moment(start)) if states[0].on("match_serve") else 0
        says = (states[0].on("be_shown_as_peer"), since) == (bool(row.shown), row.seeks_since)
        if says and all(state == states[0] for state in states):
            return True
    return False
