"""Writing a decision down: in the log, in the member's record, and in the live row beside it.

It needs nothing of the record but its consents. So it works where the programme no longer accepts the rest, and nobody
is kept from taking something back.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from matcher.programme import Programme
from service.store import closing, consent_log, feed, growth, live, members, sealed, text
from service.store.consent_log import SERVICE, Added
from service.store.histories import History, ends, is_minor
from service.store.live_tables import LiveRow
from service.store.members import Stored
from service.store.moments import day
from service.store.tables import MemberRow


def append(
    session: Session, programme: Programme, stored: Stored, events: History, *, now: datetime, by: str
) -> Stored:
    """Write down decisions of a member after those there are, and after them what has ended by `now`.

    Without `events` it only notes what has ended.
    """
    name, minor = stored.member_id, is_minor(stored.record, programme)
    kept = growth.kept_history(session, programme.id, name, stored.record)
    told = (*kept, *events)
    noted = ends(told, programme, now, minor=minor)
    if not events and not noted:
        return stored
    history = (*told, *noted)
    record = {**stored.record, "consents": [event.to_dict() for event in history]}
    values = live.of_consents(history, programme, now, minor=minor) if stored.accepted else live.refused(record, now)
    _write(session, programme.id, stored, record, values, now)
    added = (Added(name, len(kept), events, by), Added(name, len(told), noted, SERVICE))
    consent_log.append_many(session, programme, added, now=now)
    closing.close_unallowed(session, programme, now, [name])
    changed = members.get(session, programme.id, name)
    assert changed is not None
    return changed


def _write(
    session: Session, programme_id: str, stored: Stored, record: dict[str, Any], values: dict[str, Any], now: datetime
) -> None:
    name = stored.member_id
    if "member_id" in stored.record:  # of one that is damaged, what is left stays as it is
        kept = sealed.seal(session, programme_id, sealed.MEMBERS, name, text.write(record))
        of_member = (MemberRow.programme_id == programme_id, MemberRow.member_id == name)
        session.execute(update(MemberRow).where(*of_member).values(record=kept, updated_at=now))
    number = feed.next_number(session, programme_id, adds=stored.visible_from.toordinal() <= day(now))
    of_row = (LiveRow.programme_id == programme_id, LiveRow.member_id == name)
    session.execute(update(LiveRow).where(*of_row).values(number=number, revision=number, **values))
