"""What a coordinator sees of one member: how they stand, what they agreed to, and when it changed. No profile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from matcher.consent import PURPOSES, fold
from matcher.errors import UnknownMemberError
from matcher.programme import Programme
from service.store import apart, audit, consent_log, holds, members, recording, text
from service.store.consent_log import SERVICE, Recorded
from service.store.histories import is_minor
from service.store.holds import Hold
from service.store.live_tables import GroupPersonRow, GroupRow, LiveRow
from service.store.moments import micros, moment
from service.store.tables import MemberRow


@dataclass(frozen=True)
class InGroup:
    """A group that somebody is in."""

    group_id: str
    name: str
    role: str
    """``member`` or ``facilitator``."""


@dataclass(frozen=True)
class Shown:
    """One member, as a coordinator sees them."""

    member_id: str
    roles: tuple[str, ...]
    vetted: bool
    agreements: tuple[str, ...]
    accepted: bool
    """Whether the programme as it is now accepts the record."""
    created_at: datetime
    updated_at: datetime
    visible_from: date
    seeks_since: datetime | None
    capacity: int
    taken: int
    rests_until: datetime | None
    on: Mapping[str, bool]
    """By purpose."""
    history: Sequence[Recorded]
    holds: Sequence[Hold]
    groups: Sequence[InGroup]
    blocks: int
    """How many members they are never shown with; not who."""

    @property
    def supports(self) -> bool:
        """Whether they take places of theirs."""
        return "supporter" in self.roles or self.taken > 0


def one(session: Session, programme: Programme, member_id: str, *, now: datetime, by: str) -> Shown:
    """Return a member of a programme, having noted what of their consents has ended, and who read them.

    Raises
    ------
    UnknownMemberError
        Unknown, foreign and erased alike.
    """
    stored = members.get(session, programme.id, member_id)
    if stored is None:
        raise UnknownMemberError("no such member")
    stored = recording.append(session, programme, stored, (), now=now, by=SERVICE)
    history = consent_log.history(session, programme.id, member_id)
    audit.record(session, programme.id, "consents.read", now=now, by=by, subject=member_id)
    record = stored.record
    state = fold((each.event for each in history), programme, now, minor=is_minor(record, programme))
    return Shown(
        member_id=member_id,
        roles=_texts(record.get("roles")),
        vetted=record.get("vetted") is True,
        agreements=_texts(record.get("agreements")),
        accepted=stored.accepted,
        visible_from=stored.visible_from,
        on={purpose: state.on(purpose) for purpose in PURPOSES},
        history=history,
        holds=holds.running(session, programme.id, member_id, now),
        groups=_groups(session, programme.id, member_id),
        blocks=len(apart.around(session, programme.id, member_id)[apart.BLOCKED]),
        **_narrow(session, programme.id, member_id, now),
    )


def _narrow(session: Session, programme_id: str, member_id: str, now: datetime) -> dict[str, Any]:
    query = (
        select(
            LiveRow.capacity, LiveRow.free, LiveRow.rests_until, LiveRow.seeker, LiveRow.seeks_since,
            MemberRow.created_at, MemberRow.updated_at,
        )
        .join(MemberRow, (MemberRow.programme_id == LiveRow.programme_id) & (MemberRow.member_id == LiveRow.member_id))
        .where(LiveRow.programme_id == programme_id, LiveRow.member_id == member_id)
    )  # fmt: skip
    row = session.execute(query).one()
    return {
        "capacity": row.capacity,
        "taken": row.capacity - row.free,
        "rests_until": moment(row.rests_until) if row.rests_until > micros(now) else None,
        "seeks_since": moment(row.seeks_since) if row.seeker and row.seeks_since else None,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
    }


def _groups(session: Session, programme_id: str, member_id: str) -> list[InGroup]:
    query = (
        select(GroupRow.group_id, GroupRow.record, GroupPersonRow.role)
        .join(
            GroupPersonRow,
            (GroupPersonRow.programme_id == GroupRow.programme_id) & (GroupPersonRow.group_number == GroupRow.id),
        )
        .where(GroupRow.programme_id == programme_id, GroupPersonRow.member_id == member_id)
        .order_by(GroupRow.group_id)
    )
    rows = session.execute(query)
    return [InGroup(group_id, str(text.read(record).get("name", "")), role) for group_id, record, role in rows]


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list) else ()
