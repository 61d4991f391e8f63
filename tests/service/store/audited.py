"""Audit logs with something in them, and hands that reach into the tables as nobody should."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from service.store import Store, audit
from service.store.record_tables import AuditRow
from service.store.table_base import Base
from tests.service.databases import SQLITE
from tests.service.installation import NOON, Installation

ACTIONS = ("consent.recorded", "hold.placed", "hold.lifted", "member.exported", "audit.read")


def write(
    made: Installation, count: int, programme_id: str = "lantern", start: datetime = NOON, store: Store | None = None
) -> list[int]:
    """Record so many entries, a minute apart; return their numbers."""
    with (store or made.store).transaction() as session:
        return [
            audit.record(
                session,
                programme_id,
                ACTIONS[place % len(ACTIONS)],
                now=start + timedelta(minutes=place),
                by="command",
                subject=f"m-{place % 7}",
                place=place,
            )
            for place in range(count)
        ]


def by_hand(made: Installation, *statements: str) -> None:
    """Run SQL past the service, its triggers and its rules, as whoever has the file or owns the tables can."""
    connection: Any = made.store.engine.raw_connection()
    try:
        cursor = connection.cursor()
        if made.database.name == SQLITE:
            offs, ons = _sqlite_triggers(cursor)
            cursor.execute("PRAGMA foreign_keys = OFF")
        else:
            offs, ons = ["ALTER TABLE audit DISABLE TRIGGER ALL"], ["ALTER TABLE audit ENABLE TRIGGER ALL"]
        for statement in (*offs, *statements, *ons):
            cursor.execute(statement)
        connection.commit()
    finally:
        connection.invalidate()


def _sqlite_triggers(cursor: Any) -> tuple[list[str], list[str]]:
    found = cursor.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit'"
    ).fetchall()
    return [f"DROP TRIGGER {name}" for name, _ in found], [sql for _, sql in found]


def rows(made: Installation, programme_id: str = "lantern") -> Sequence[AuditRow]:
    """Return the rows of a log."""
    with made.store.reading() as session:
        query = select(AuditRow).where(AuditRow.programme_id == programme_id).order_by(AuditRow.number)
        return session.scalars(query).all()


def told(made: Installation, programme_id: str = "lantern") -> list[tuple[str, str]]:
    """Return by whom what was done, in the order of a log."""
    return [(row.by, row.action) for row in rows(made, programme_id)]


def everything(made: Installation) -> dict[str, list[str]]:
    """Return all rows of all tables."""
    return tables(made.store)


def tables(store: Store) -> dict[str, list[str]]:
    """Return all rows of all tables."""
    with store.engine.connect() as connection:
        reading = connection.execution_options(every_programme=True)
        return {
            name: sorted(map(repr, reading.execute(select(table)).all()))
            for name, table in Base.metadata.tables.items()
        }
