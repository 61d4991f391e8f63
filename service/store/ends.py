"""What ends by itself is noted: in the record and in the log, so that no clock set back revives it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from matcher.consent_events import ConsentEvent
from matcher.programme import Programme
from service.store import consent_log, sealed, text
from service.store.consent_log import SERVICE, Added
from service.store.histories import ends, history_of, is_minor
from service.store.tables import MemberRow

Record = dict[str, Any]


def note(session: Session, programme: Programme, records: Mapping[str, Record], now: datetime) -> dict[str, Record]:
    """Note of members, by `member_id`, which of their grants have ended; return those records that are others now.

    The live rows beside them are the caller's to follow.
    """
    added, changed = list[Added](), dict[str, Record]()
    for member_id, record in records.items():
        history = history_of(record)
        noted = () if history is None else ends(history, programme, now, minor=is_minor(record, programme))
        if history is not None and noted:
            added.append(Added(member_id, len(history), noted, SERVICE))
            changed[member_id] = with_events(record, noted)
    if changed:
        session.execute(
            update(MemberRow), [_row(session, programme.id, name, record, now) for name, record in changed.items()]
        )
        consent_log.append_many(session, programme, added, now=now)
    return changed


def with_events(record: Mapping[str, Any], events: Iterable[ConsentEvent]) -> Record:
    """Return a record as stored, with `events` after those it has."""
    return {**record, "consents": [*record.get("consents", ()), *(event.to_dict() for event in events)]}


def _row(session: Session, programme_id: str, member_id: str, record: Record, now: datetime) -> dict[str, Any]:
    kept = sealed.seal(session, programme_id, sealed.MEMBERS, member_id, text.write(record))
    return {"programme_id": programme_id, "member_id": member_id, "record": kept, "updated_at": now}
