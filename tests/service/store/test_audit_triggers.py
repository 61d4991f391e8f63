from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Delete, Insert, Update, delete, insert, inspect, text, update

from service.store import StoreError, audit, audit_triggers
from service.store.record_tables import AuditRow
from tests.service.databases import POSTGRESQL, SQLITE, only
from tests.service.installation import NOON, Installation, another_programme
from tests.service.store.audited import rows, write

LANTERN = AuditRow.programme_id == "lantern"


def run(made: Installation, statement: Insert | Update | Delete) -> None:
    with made.store.transaction() as session:
        session.execute(statement)


def refused(made: Installation, statement: Insert | Update | Delete) -> None:
    with pytest.raises(StoreError, match="the database refused"):
        run(made, statement)


def test_no_entry_is_changed(made: Installation) -> None:
    write(made, 3)
    for values in ({"at": 1}, {"details": "{}"}, {"mac": "0"}, {"number": 9}):
        refused(made, update(AuditRow).where(LANTERN, AuditRow.number == 2).values(**values))
    refused(made, update(AuditRow).where(LANTERN).values(by="service"))


def test_no_entry_is_deleted(made: Installation) -> None:
    write(made, 3)
    for number in (1, 2, 3):
        refused(made, delete(AuditRow).where(LANTERN, AuditRow.number == number))
    refused(made, delete(AuditRow).where(LANTERN))
    assert len(rows(made)) == 3


def test_what_was_trimmed_may_go_and_nothing_else(made: Installation) -> None:
    another_programme(made, "beacon")
    write(made, 5), write(made, 5, "beacon")
    with made.store.transaction() as session:
        audit.trim(session, "lantern", NOON + timedelta(minutes=2), NOON)
    assert [row.number for row in rows(made)] == [3, 4, 5, 6]
    refused(made, delete(AuditRow).where(LANTERN, AuditRow.number == 3))
    refused(made, delete(AuditRow).where(LANTERN, AuditRow.number == 6))
    refused(made, delete(AuditRow).where(AuditRow.programme_id == "beacon", AuditRow.number == 1))


def test_they_can_be_taken_off_and_put_back(made: Installation) -> None:
    write(made, 2)
    with made.store.engine.begin() as connection:
        audit_triggers.REFUSALS.drop(connection)
    run(made, update(AuditRow).where(LANTERN, AuditRow.number == 1).values(at=1))
    with made.store.engine.begin() as connection:
        audit_triggers.REFUSALS.create(connection)
    refused(made, update(AuditRow).where(LANTERN, AuditRow.number == 1).values(at=2))


def test_a_table_that_is_made_again_has_them_again(made: Installation) -> None:
    table = AuditRow.__table__
    with made.store.engine.begin() as connection:
        table.drop(connection)  # type: ignore[attr-defined]
        assert not inspect(connection).has_table("audit")
        table.create(connection)  # type: ignore[attr-defined]
    write(made, 2)
    refused(made, delete(AuditRow).where(LANTERN))


@only(SQLITE, "PostgreSQL replaces nothing by inserting.")
def test_no_entry_is_replaced(made: Installation) -> None:
    write(made, 2)
    row = rows(made)[0]
    values = {name: getattr(row, name) for name in row.__table__.columns.keys()}  # noqa: SIM118
    replacing = insert(AuditRow).prefix_with("OR REPLACE").values(**{**values, "at": 1})
    refused(made, replacing.execution_options(every_programme=True))
    assert rows(made)[0].at != 1


@only(POSTGRESQL, "SQLite has no TRUNCATE.")
def test_the_table_is_not_emptied_at_once(made: Installation) -> None:
    write(made, 2)
    with pytest.raises(Exception, match="never changed"), made.store.engine.begin() as connection:
        connection.execution_options(every_programme=True).execute(text("TRUNCATE audit"))
    assert len(rows(made)) == 2
