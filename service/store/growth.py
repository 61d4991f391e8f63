"""How the histories of members grow when their records are stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from matcher.people import Member
from matcher.programme import Programme
from service.store import consent_log, sealed
from service.store.consent_log import SERVICE, Added
from service.store.histories import History, ends, grown, history_of
from service.store.tables import MemberRow

CHUNK: Final = 500
"""Members whom one statement looks up."""


def grow(member: Member, kept: History, programme: Programme, *, now: datetime, by: str) -> tuple[Member, list[Added]]:
    """Return a member with the history that is kept, what the member's own adds to it, and what has ended by `now`.

    And what of this is to be written down, as recorded `by` whoever told it and by the service.
    """
    told = grown(kept, member.consents, programme)
    noted = ends(told, programme, now, minor=member.age_band in programme.minors)
    name, count = member.member_id, len(kept)
    added = [Added(name, count, told[count:], by), Added(name, len(told), noted, SERVICE)]
    history = (*told, *noted)
    grown_up = member if history == member.consents else replace(member, consents=history)
    return grown_up, [one for one in added if one.events]


def kept_history(session: Session, programme_id: str, member_id: str, record: Mapping[str, Any]) -> History:
    """Return the history of a member whose record is at hand: of one that is damaged, what the log has."""
    found = history_of(record)
    if found is not None:
        return found
    return tuple(one.event for one in consent_log.history(session, programme_id, member_id))


def grow_many(
    session: Session,
    programme: Programme,
    members: Mapping[str, Member],
    there: Sequence[str],
    *,
    now: datetime,
    by: str,
) -> tuple[dict[str, Member], list[Added]]:
    """Return many members as `grow` does, and what is to be written down of all; `there` are those stored already."""
    kept = _kept_histories(session, programme.id, there)
    grown_up, added = dict[str, Member](), list[Added]()
    for member_id, member in members.items():
        grown_up[member_id], more = grow(member, kept.get(member_id, ()), programme, now=now, by=by)
        added += more
    return grown_up, added


def _kept_histories(session: Session, programme_id: str, member_ids: Sequence[str]) -> dict[str, History]:
    found: dict[str, History] = {}
    for start in range(0, len(member_ids), CHUNK):
        some = member_ids[start : start + CHUNK]
        query = select(MemberRow.member_id, MemberRow.record).where(
            MemberRow.programme_id == programme_id, MemberRow.member_id.in_(some)
        )
        for member_id, kept in session.execute(query).all():
            record = sealed.record(session, programme_id, member_id, kept)
            found[member_id] = kept_history(session, programme_id, member_id, record)
    return found
