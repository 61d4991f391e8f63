"""The consent log: every decision about what a member's data may be used for, and what the service noted of it.

It only grows, and only here. The member's record has the same events in the same order, for the matching to read; both
are written in one transaction.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, Final

import orjson
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from matcher.consent_events import ConsentEvent
from matcher.programme import Programme
from matcher.records import written
from service.store import sealed
from service.store.moments import micros, moment
from service.store.record_tables import ConsentEventRow

COMMAND: Final = "command"
"""`recorded_by` of what came in on the command line."""
SERVICE: Final = "service"
"""`recorded_by` of what the service notes by itself."""
TABLE: Final = ConsentEventRow.__tablename__
ROWS: Final = 5000
"""Written by one statement."""

_PLAIN: Final = ("purpose", "decision", "policy_version", "at", "valid_until")
"""What of an event has a column of its own."""
# As ids were made from the first: they name receipts, so nothing of this may ever change.
_TOLD: Final = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"), sort_keys=True).encode
_COLUMNS: Final = tuple(
    getattr(ConsentEventRow, name)
    for name in ("member_id", "place", "event_id", *_PLAIN, "details", "recorded_at", "recorded_by")
)


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event as the log has it."""

    event_id: str
    place: int
    """In the member's history, from 0."""
    event: ConsentEvent
    recorded_at: datetime
    recorded_by: str
    """Id of the API key, `COMMAND` or `SERVICE`."""


@dataclass(frozen=True, slots=True)
class Added:
    """What is added to the history of one member."""

    member_id: str
    known: int
    """How many events there are already."""
    events: Sequence[ConsentEvent]
    by: str


def event_id(place: int, event: ConsentEvent) -> str:
    """Return the id of the event at `place` of a history, which only grows: 128 bits of a digest of both.

    It holds for as long as the member is there. Of somebody who was erased and added anew no old id is right.
    """
    return _id(place, event.to_dict())


def append(
    session: Session,
    programme: Programme,
    member_id: str,
    known: int,
    events: Sequence[ConsentEvent],
    *,
    now: datetime,
    by: str,
) -> None:
    """Write down events after the `known` ones that a member has already."""
    append_many(session, programme, [Added(member_id, known, events, by)], now=now)


def append_many(session: Session, programme: Programme, added: Iterable[Added], *, now: datetime) -> None:
    """Write down what is added to the histories of many members, in few statements."""
    # In the order of the table, so that what is written next to each other lies next to each other.
    rows = _rows(session, programme, sorted(added, key=lambda one: (one.member_id, one.known)), micros(now))
    statement = insert(ConsentEventRow.__table__)  # type: ignore[arg-type]
    connection = session.connection()
    while some := list(islice(rows, ROWS)):
        connection.execute(statement, some)


def history(session: Session, programme_id: str, member_id: str) -> list[Recorded]:
    """Return every event of a member in the order in which they were recorded; none of somebody who is not there.

    Raises
    ------
    SealError
        If the details of one cannot be opened.
    """
    which = (ConsentEventRow.programme_id == programme_id, ConsentEventRow.member_id == member_id)
    rows = session.execute(select(*_COLUMNS).where(*which).order_by(ConsentEventRow.place))
    return [recorded(session, programme_id, row) for row in rows]


def histories(session: Session, programme_id: str, member_ids: Sequence[str]) -> Iterator[Sequence[Any]]:
    """Yield the rows of some members, each member's in their order: for `recorded`."""
    which = (ConsentEventRow.programme_id == programme_id, ConsentEventRow.member_id.in_(member_ids))
    order = (ConsentEventRow.member_id, ConsentEventRow.place)
    yield from session.execute(select(*_COLUMNS).where(*which).order_by(*order))


def recorded(session: Session, programme_id: str, row: Sequence[Any]) -> Recorded:
    """Return the event of a row; raise SealError if its details cannot be opened."""
    member_id, place, named, purpose, decision, version, at, until, details, written_at, by = row
    told = {"purpose": purpose, "decision": decision, "policy_version": version, "at": written(moment(at))}
    if until is not None:
        told["valid_until"] = written(moment(until))
    if details is not None:
        told |= orjson.loads(sealed.opened(session, programme_id, TABLE, row_key(member_id, place), details))
    return Recorded(named, place, ConsentEvent.from_stored(told), moment(written_at), by)


def row_key(member_id: str, place: int) -> str:
    """Return what the details of an event are bound to."""
    return f"{member_id} {place}"


def _id(place: int, told: Mapping[str, object]) -> str:
    return hashlib.sha256(_TOLD([place, told]).encode("ascii")).hexdigest()[:32]


def _rows(session: Session, programme: Programme, added: Iterable[Added], now: int) -> Iterator[dict[str, Any]]:
    for one in added:
        for place, event in enumerate(one.events, one.known):
            told = event.to_dict()
            yield {
                "programme_id": programme.id,
                "member_id": one.member_id,
                "place": place,
                "event_id": _id(place, told),
                "purpose": event.purpose,
                "decision": event.decision,
                "policy_version": event.policy_version,
                "at": micros(event.at),
                "valid_until": None if event.valid_until is None else micros(event.valid_until),
                "details": _details(session, programme.id, row_key(one.member_id, place), told),
                "recorded_at": now,
                "recorded_by": one.by,
            }


def _details(session: Session, programme_id: str, row: str, told: Mapping[str, object]) -> bytes | None:
    """Return what of an event has no column of its own, sealed; None where there is no more."""
    more = {key: value for key, value in told.items() if key not in _PLAIN}
    return sealed.seal(session, programme_id, TABLE, row, orjson.dumps(more).decode()) if more else None
