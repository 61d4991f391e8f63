"""What was decided about consents since a backup was made: it is appended to the histories that the backup has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any, Final

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from matcher.consent import deciding
from matcher.consent_events import ConsentEvent, is_system
from matcher.errors import PeermatchError
from matcher.programme import Programme
from service.backup.errors import RestoreError
from service.backup.present import kept
from service.backup.reading import Contents
from service.intake.decisions import moment
from service.store import consent_log, live, members, programmes, recording, sealed, text
from service.store.consent_log import COMMAND
from service.store.ends import with_events
from service.store.live_tables import LiveRow
from service.store.record_tables import ConsentEventRow
from service.store.tables import MemberRow

METHOD: Final = "restore"
"""How a withdrawal was told that a restore writes down."""
GIVEN: Final = "given"
_RECORDED: Final = tuple(one.name for one in ConsentEventRow.__table__.columns if one.name != "programme_id")
"""As `consent_log.recorded` takes them."""
_Rows = list[dict[str, Any]]


@dataclass
class _Since:
    """The histories of those who are in the backup and in the database that it took the place of."""

    joined: dict[str, _Rows] = field(default_factory=dict)
    """Of those whose history goes on where the backup's ends: what came after."""
    apart: dict[str, _Rows] = field(default_factory=dict)
    """Of those whose history is another than the backup's: all of it."""


def put_back(session: Session, programme_id: str, contents: Contents, now: datetime) -> tuple[int, int]:
    """Return how many decisions of people were appended, and how many grants of the backup were withdrawn.

    Raises
    ------
    RestoreError
        If a grant must be withdrawn of a programme that this release does not read.
    """
    programme = None
    with suppress(PeermatchError):  # one that this release does not read has no lists either
        programme = programmes.load(session, programme_id)
    since = _since(session, programme_id, contents)
    count = _join(session, programme_id, programme, since.joined, now)
    return count, sum(_withdraw(session, programme_id, programme, *one, now) for one in since.apart.items())


def _join(
    session: Session, programme_id: str, programme: Programme | None, joined: Mapping[str, _Rows], now: datetime
) -> int:
    """Append to each history what was decided since, in the log and in the record; return how many decisions."""
    count, refolded = 0, []
    for member_id, rows in joined.items():
        session.connection().execute(insert(ConsentEventRow), rows)
        events = tuple(_event(session, programme_id, row) for row in rows)
        record = _append(session, programme_id, member_id, events, now)
        count += sum(not is_system(event) for event in events)
        if programme is not None:
            query = select(LiveRow.id).where(LiveRow.programme_id == programme_id, LiveRow.member_id == member_id)
            refolded.append((session.scalars(query).one(), programmes.state_of(record, programme, now)))
    if refolded:
        live.refold(session, programme_id, refolded)
    return count


def _withdraw(
    session: Session, programme_id: str, programme: Programme | None, member_id: str, rows: _Rows, now: datetime
) -> int:
    """Withdraw what the backup has as given and the database did not; return for how many purposes."""
    events = tuple(one.event for one in consent_log.history(session, programme_id, member_id))
    present = deciding(_event(session, programme_id, row) for row in rows)
    given = {purpose for purpose, event in present.items() if event.decision == GIVEN}
    lost = sorted(
        purpose for purpose, one in deciding(events).items() if one.decision == GIVEN and purpose not in given
    )
    if not lost:
        return 0
    there = members.get(session, programme_id, member_id)
    if programme is None or there is None:
        raise RestoreError(
            f"{programme_id}: consents were withdrawn since, and this release cannot read the programme to write that "
            "down; restore with the release that wrote the backup"
        )
    withdrawn = tuple(
        ConsentEvent(
            purpose, "withdrawn", programme.policy_version, moment(events, purpose, now), actor="staff", method=METHOD
        )
        for purpose in lost
    )
    recording.append(session, programme, there, withdrawn, now=now, by=COMMAND)
    return len(lost)


def _since(session: Session, programme_id: str, contents: Contents) -> _Since:
    """Return of members who are there what the log had that the backup does not have."""
    found = _Since()
    for member_id, same, history in _histories(session, programme_id):
        known, last = contents.histories.get((programme_id, member_id), (0, ""))
        goes_on = same and len(history) >= known and (known == 0 or history[known - 1]["event_id"] == last)
        if not goes_on:
            found.apart[member_id] = history
        elif len(history) > known:
            found.joined[member_id] = history[known:]
    return found


def _histories(session: Session, programme_id: str) -> Iterator[tuple[str, bool, _Rows]]:
    """Yield of members who are there, whether they are the same as then, and the rows of the log that was."""
    log, was = kept("consent_events").c, kept("members").c
    query = (
        select(was.member_id.label("who"), (MemberRow.created_at == was.created_at).label("same"), *log)
        .join_from(kept("members"), MemberRow, (MemberRow.programme_id == was.programme_id)
                   & (MemberRow.member_id == was.member_id))
        .outerjoin(kept("consent_events"), (was.programme_id == log.programme_id) & (was.member_id == log.member_id))
        .where(was.programme_id == programme_id)
        .order_by(was.member_id, log.place)
    )  # fmt: skip
    rows = session.execute(query).mappings()
    for (member_id, same), some in groupby(rows, key=lambda row: (str(row["who"]), bool(row["same"]))):
        # One without any decision has a row all the same, of nothing.
        history = [{name: row[name] for name in log.keys()} for row in some if row["place"] is not None]  # noqa: SIM118
        yield member_id, same, history


def _event(session: Session, programme_id: str, row: Mapping[str, Any]) -> ConsentEvent:
    return consent_log.recorded(session, programme_id, [row[name] for name in _RECORDED]).event


def _append(
    session: Session, programme_id: str, member_id: str, events: tuple[ConsentEvent, ...], now: datetime
) -> dict[str, Any]:
    """Write events into a member's record, and return it."""
    of_member = (MemberRow.programme_id == programme_id, MemberRow.member_id == member_id)
    before = session.scalars(select(MemberRow.record).where(*of_member)).one()
    record = with_events(sealed.record(session, programme_id, member_id, before), events)
    again = sealed.seal(session, programme_id, sealed.MEMBERS, member_id, text.write(record))
    session.execute(update(MemberRow).where(*of_member).values(record=again, updated_at=now))
    return record
