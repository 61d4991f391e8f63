"""What stays of a database when a backup takes its place: what was decided since, for somebody's protection.

The rows are put aside in tables of the connection's own, which go with it, and put back once the backup is in.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Final

from sqlalchemy import Column, ColumnElement, MetaData, Table, insert, select, text
from sqlalchemy.orm import Session

from service.backup import sequences
from service.backup.reading import Contents
from service.store import erasure, programmes
from service.store.erasure_ledger import Entry
from service.store.record_tables import AuditRow
from service.store.table_base import Base
from service.store.tables import PoolRow

ASIDE: Final = (
    "programmes", "audit", "consent_events", "apart", "feedback", "holds", "api_keys", "members", "introductions",
    "events", "privacy_releases",
)  # fmt: skip
_EVERY: Final = {"every_programme": True}


@dataclass
class Present:
    """What is known of the database as it was."""

    programmes: list[str] = field(default_factory=list)
    numbers: dict[str, int] = field(default_factory=dict)
    """The last change of each programme."""
    events: dict[str, int] = field(default_factory=dict)
    """The last event of each programme."""
    sequences: dict[str, int] = field(default_factory=dict)
    erasures: list[Entry] = field(default_factory=list)
    logs: list[str] = field(default_factory=list)
    """Programmes whose audit log goes on where the backup's ends, and is kept."""
    broken_off: list[str] = field(default_factory=list)
    """Programmes whose audit log does not, and is lost."""


def put_aside(session: Session, contents: Contents) -> Present:
    """Return what is known of a database, and keep of it what `service.backup.merging` puts back."""
    for name in ASIDE:
        session.execute(text(f"CREATE TEMPORARY TABLE kept_{name} AS SELECT * FROM {name}"))  # noqa: S608
    query = select(PoolRow.programme_id, PoolRow.number, PoolRow.events)
    numbers = session.execute(query, execution_options=_EVERY).all()
    found = Present(
        programmes=programmes.identifiers(session),
        numbers={row[0]: row[1] for row in numbers},
        events={row[0]: row[2] for row in numbers},
        sequences=sequences.read(session),
        erasures=erasure.entries(session),
    )
    for programme_id in sorted(set(contents.programmes) & set(found.programmes)):
        _compare_logs(session, programme_id, contents, found)
    return found


@cache
def kept(name: str) -> Table:
    """Return where the rows of a table are that were put aside."""
    columns = [Column(one.name, one.type) for one in Base.metadata.tables[name].columns]
    return Table(f"kept_{name}", MetaData(), *columns)


def put_back(session: Session, name: str, programme_id: str, *which: ColumnElement[bool]) -> int:
    """Put some rows of a programme back; return how many."""
    was = kept(name)
    rows = select(was).where(was.c.programme_id == programme_id, *which)
    added = insert(Base.metadata.tables[name]).from_select(was.c.keys(), rows)
    return int(session.connection().execute(added, execution_options={"preserve_rowcount": True}).rowcount)


def _compare_logs(session: Session, programme_id: str, contents: Contents, found: Present) -> None:
    """Tell whether a programme's audit log goes on where that of the backup ends."""
    of_programme = AuditRow.programme_id == programme_id
    first = session.scalar(select(AuditRow.number).where(of_programme).order_by(AuditRow.number).limit(1))
    if first is None:
        return
    number, mac = contents.logs.get(programme_id, (0, ""))
    there = session.scalar(select(AuditRow.mac).where(of_programme, AuditRow.number == number))
    # Where entries were trimmed beyond the end of the backup's, there is nothing left to compare.
    if number == 0 or there == mac or first > number:
        found.logs.append(programme_id)
    else:
        found.broken_off.append(programme_id)
