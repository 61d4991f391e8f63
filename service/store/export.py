"""All that is held on one member, in one document, and nothing of anybody else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, Final

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from matcher.records import written
from service.store import audit, consent_log, groups, members, own_introductions, sealed, text
from service.store.acts import own_acts
from service.store.live_tables import GroupPersonRow, GroupRow, GroupWeekRow, HoldRow, ListRow, LiveRow
from service.store.moments import FOREVER, moment
from service.store.tables import MemberRow

FORMAT: Final = 1
"""Of the document."""
PAGE: Final = 1000
LEFT_OUT: Final = {
    "blocks": "A block names another person, and nobody can tell whether somebody blocked them.",
    "what_others_told": "What others told of this member, such as that they declined or reported, is about them too.",
    "lists_of_others": "The lists of others have this member's place, a word and what both have in common: they are "
    "the others'. Whom this member's own lists showed, and why, is left out for the same reason.",
    "connections": "Who is connected with this member is another person; `places` tells how many places are taken, and "
    "`introductions` names whom both chose, for as long as they are connected.",
    "answers_of_others": "What the other side of an introduction did, and a coordinator, is not this member's; nor is "
    "one of which they were never told.",
    "groups_people": "Who else is in a group is another person.",
    "kept_replies": "Replies kept for 24 hours, so that a request sent twice is done once, repeat what is here.",
    "working_numbers": "Numbers of rows and changes, and what is worked out anew from the record and "
    "from introductions, tell nothing more.",
}
"""What is held and is not in an export, and why."""


def export(session: Session, programme_id: str, member_id: str, now: datetime) -> dict[str, Any] | None:
    """Return what the database holds on a member, or None if there is no such member.

    ``models`` is empty: which models learned from them is in their files, see `service.included`.

    Raises
    ------
    SealError
        If anything of it cannot be opened: half of it would look like all.
    """
    stored = members.get(session, programme_id, member_id)
    if stored is None:
        return None
    return {
        "format": FORMAT,
        "programme": programme_id,
        "member_id": member_id,
        "exported_at": written(now),
        "record": _record(session, programme_id, member_id),
        "stored": _stored(session, programme_id, member_id),
        "consents": list(_consents(session, programme_id, member_id)),
        "holds": list(_holds(session, programme_id, member_id)),
        "groups": list(_groups(session, programme_id, member_id)),
        "feedback": list(own_acts(session, programme_id, member_id)),
        "lists": list(_lists(session, programme_id, stored.id)),
        "introductions": list(own_introductions.introductions(session, programme_id, member_id, now)),
        "events": list(own_introductions.told(session, programme_id, member_id)),
        "models": [],
        "audit": list(_audit(session, programme_id, member_id)),
        "left_out": dict(LEFT_OUT),
    }


def _record(session: Session, programme_id: str, member_id: str) -> dict[str, Any]:
    query = select(MemberRow.record).where(MemberRow.programme_id == programme_id, MemberRow.member_id == member_id)
    kept = session.execute(query).scalar_one()
    return text.read(sealed.opened(session, programme_id, sealed.MEMBERS, member_id, kept))


def _stored(session: Session, programme_id: str, member_id: str) -> dict[str, Any]:
    """Return when the record was stored, and how the member stands."""
    query = (
        select(
            MemberRow.created_at, MemberRow.updated_at, LiveRow.visible_from, LiveRow.accepted, LiveRow.capacity,
            LiveRow.free,
        )
        .join(LiveRow, (LiveRow.programme_id == MemberRow.programme_id) & (LiveRow.member_id == MemberRow.member_id))
        .where(MemberRow.programme_id == programme_id, MemberRow.member_id == member_id)
    )  # fmt: skip
    created, updated, visible, accepted, capacity, free = session.execute(query).one()
    return {
        "first_stored_at": written(created),
        "last_stored_at": written(updated),
        "visible_from": date.fromordinal(visible).isoformat(),
        "accepted": bool(accepted),
        "places": {"capacity": capacity, "free": free},
    }


def _consents(session: Session, programme_id: str, member_id: str) -> Iterator[dict[str, Any]]:
    for one in consent_log.history(session, programme_id, member_id):
        yield {
            "receipt": one.event_id,
            **one.event.to_dict(),
            "recorded_at": written(one.recorded_at),
            "recorded_by": one.recorded_by,
        }


def _holds(session: Session, programme_id: str, member_id: str) -> Iterator[dict[str, Any]]:
    """Yield every hold there is, also one that has ended and is not forgotten yet."""
    query = select(HoldRow.id, HoldRow.kind, HoldRow.until, HoldRow.created_at).where(
        HoldRow.programme_id == programme_id, HoldRow.member_id == member_id
    )
    for hold_id, kind, until, created in session.execute(query.order_by(HoldRow.created_at, HoldRow.id)):
        end = None if until == FOREVER else written(moment(until))
        yield {"id": hold_id, "kind": kind, "until": end, "created_at": written(moment(created))}


def _groups(session: Session, programme_id: str, member_id: str) -> Iterator[dict[str, Any]]:
    """Yield the groups that a member is in, or in whose roster of a week they are yet."""
    now_in = select(GroupRow.group_id, GroupPersonRow.role).join(
        GroupPersonRow,
        (GroupPersonRow.programme_id == GroupRow.programme_id) & (GroupPersonRow.group_number == GroupRow.id),
    )
    roster = select(GroupRow.group_id, GroupRow.week).join(
        GroupWeekRow, (GroupWeekRow.programme_id == GroupRow.programme_id) & (GroupWeekRow.group_number == GroupRow.id)
    )
    theirs = (GroupPersonRow.programme_id == programme_id, GroupPersonRow.member_id == member_id)
    roles = {row[0]: row[1] for row in session.execute(now_in.where(*theirs))}
    theirs = (GroupWeekRow.programme_id == programme_id, GroupWeekRow.member_id == member_id)
    weeks = {row[0]: row[1] for row in session.execute(roster.where(*theirs))}
    for group_id in sorted({*roles, *weeks}):
        group = groups.get(session, programme_id, group_id)
        assert group is not None
        week = date.fromordinal(weeks[group_id]).isoformat() if group_id in weeks else None
        yield {
            "group_id": group_id,
            "name": group.record["name"],
            "role": roles.get(group_id),
            "roster_of_week": week,
        }


def _lists(session: Session, programme_id: str, number: int) -> Iterator[dict[str, Any]]:
    """Yield when a member got lists, and how many of each were returned: whom they showed is the others'."""
    columns = (ListRow.match_id, ListRow.kind, ListRow.made_at, ListRow.returned_at, ListRow.outcome, ListRow.reason)
    query = select(*columns, ListRow.model_version, ListRow.shown).where(
        ListRow.programme_id == programme_id, ListRow.seeker_id == number
    )
    for match_id, kind, made, returned, outcome, reason, model, shown in session.execute(query.order_by(ListRow.id)):
        yield {
            "match_id": match_id,
            "kind": kind,
            "made_at": written(moment(made)),
            "returned_at": written(moment(returned)),
            "outcome": outcome,
            "reason": reason,
            "model_version": model,
            "shown": len(orjson.loads(shown)),
        }


def _audit(session: Session, programme_id: str, member_id: str) -> Iterator[dict[str, Any]]:
    """Yield what the audit log tells of a member since they were last erased: what came before may be another's."""
    found, after = [], 0
    while page := audit.entries(session, programme_id, after=after, limit=PAGE, member_id=member_id):
        found += page
        after = page[-1].number
    erased = [place for place, one in enumerate(found) if one.action == "member.erased"]
    for one in found[erased[-1] + 1 if erased else 0 :]:
        yield {"at": written(moment(one.at)), "action": one.action, "by": one.by}
