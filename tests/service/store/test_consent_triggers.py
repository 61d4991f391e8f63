"""The database itself refuses to change the consent log, whoever asks and in whatever words."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from service.store import consent_check, consent_log, consent_triggers, sealed
from service.store.record_tables import ConsentEventRow
from service.store.tables import MemberRow
from tests.service.databases import only
from tests.service.installation import NOON, Installation, consent, record

OF = (ConsentEventRow.programme_id == "lantern", ConsentEventRow.member_id == "m-1")


@pytest.fixture
def one(made: Installation) -> Installation:
    """An installation with two members of three events each; of one of them more is told than of others."""
    told = consent("show_reasons", method="form 12")
    made.add(record("m-1"), record("m-2", consents=[consent("match_serve"), consent("be_shown_as_peer"), told]))
    return made


def rows(made: Installation) -> list[tuple[str, int, str]]:
    with made.store.reading() as session:
        query = select(ConsentEventRow.member_id, ConsentEventRow.place, ConsentEventRow.decision)
        found = session.execute(
            query.where(ConsentEventRow.programme_id == "lantern").order_by(*query.selected_columns)
        )
        return [tuple(row) for row in found]


def raw(made: Installation, sql: str) -> None:
    """Run SQL as it stands, past everything of ours."""
    with made.store.engine.connect().execution_options(every_programme=True) as connection, connection.begin():
        connection.exec_driver_sql(sql)


UPDATES = [
    "UPDATE consent_events SET decision = 'refused'",
    "UPDATE consent_events SET purpose = 'train_model' WHERE place = 0",
    "UPDATE consent_events SET policy_version = '2'",
    "UPDATE consent_events SET valid_until = at + 1 WHERE member_id = 'm-1'",
    "UPDATE consent_events SET at = at - 1",
    "UPDATE consent_events SET event_id = 'x' WHERE member_id = 'm-1' AND place = 1",
    "UPDATE consent_events SET recorded_by = 'service'",
    "UPDATE consent_events SET recorded_at = recorded_at + 1",
    "UPDATE consent_events SET place = place + 10 WHERE member_id = 'm-1'",
    "UPDATE consent_events SET member_id = 'm-3' WHERE member_id = 'm-1'",
    "UPDATE consent_events SET details = NULL WHERE details IS NOT NULL",
    "UPDATE consent_events SET details = (SELECT one.details FROM consent_events AS one WHERE one.details IS NOT NULL) "
    "WHERE details IS NULL",
]
DELETES = [
    "DELETE FROM consent_events",
    "DELETE FROM consent_events WHERE member_id = 'm-1' AND place = 2",
    "DELETE FROM consent_events WHERE place = (SELECT max(place) FROM consent_events)",
]


@pytest.mark.parametrize("sql", [*UPDATES, *DELETES])
def test_no_event_is_changed_or_deleted_while_its_member_is_there(one: Installation, sql: str) -> None:
    before = rows(one)
    with pytest.raises(DBAPIError, match="events of the consent log"):
        raw(one, sql)
    assert rows(one) == before
    assert len(before) == 6


COPY = (
    "(programme_id, member_id, place, event_id, purpose, decision, policy_version, at, recorded_at, recorded_by) "
    "SELECT programme_id, member_id, place, event_id, purpose, 'withdrawn', policy_version, at, recorded_at, 'nobody' "
    "FROM consent_events WHERE member_id = 'm-1'"
)


@only("sqlite", "Only SQLite knows these words.")
@pytest.mark.parametrize("words", ["INSERT OR REPLACE INTO", "REPLACE INTO", "INSERT OR IGNORE INTO"])
def test_no_event_is_put_in_the_place_of_another(one: Installation, words: str) -> None:
    before = rows(one)
    with pytest.raises(DBAPIError, match="events of the consent log"):
        raw(one, f"{words} consent_events {COPY}")
    assert rows(one) == before


@only("postgresql", "Only PostgreSQL knows these words.")
@pytest.mark.parametrize(
    "sql",
    [
        f"INSERT INTO consent_events {COPY} ON CONFLICT (programme_id, member_id, place) DO UPDATE SET decision = 'x'",
        "TRUNCATE consent_events",
        "TRUNCATE programmes CASCADE",
    ],
)
def test_nothing_else_changes_one_either(one: Installation, sql: str) -> None:
    before = rows(one)
    with pytest.raises(DBAPIError, match="events of the consent log"):
        raw(one, sql)
    assert rows(one) == before


def test_statements_of_ours_are_refused_as_well(one: Installation) -> None:
    def changed(session: Session) -> None:
        session.execute(update(ConsentEventRow).where(*OF).values(decision="refused"))

    def deleted(session: Session) -> None:
        session.execute(delete(ConsentEventRow).where(*OF))

    for act in (changed, deleted):
        with pytest.raises(Exception, match="refused"), one.store.transaction() as session:
            act(session)
    assert len(rows(one)) == 6


@pytest.mark.parametrize("sealed_anew", [True, False])
def test_details_may_only_be_sealed_anew_and_anything_else_is_found(one: Installation, sealed_anew: bool) -> None:
    where = (ConsentEventRow.programme_id == "lantern", ConsentEventRow.member_id == "m-2", ConsentEventRow.place == 2)
    with one.store.transaction() as session:
        row = consent_log.row_key("m-2", 2)
        text = json.dumps({"method": "form 12" if sealed_anew else "form 13"})
        other = sealed.seal(session, "lantern", consent_log.TABLE, row, text)
        session.execute(update(ConsentEventRow).where(*where).values(details=other))
    with one.store.reading() as session:
        assert consent_check.verify(session, one.programme, NOON) == ([] if sealed_anew else ["m-2"])


def test_events_go_once_their_member_has_gone(one: Installation) -> None:
    with one.store.transaction() as session:
        session.execute(delete(MemberRow).where(MemberRow.programme_id == "lantern", MemberRow.member_id == "m-1"))
        session.execute(delete(ConsentEventRow).where(*OF))
    assert {row[0] for row in rows(one)} == {"m-2"}


@pytest.mark.parametrize("sql", [UPDATES[0], DELETES[0]])
def test_it_is_the_triggers_that_refuse(one: Installation, sql: str) -> None:
    with one.store.engine.connect() as connection, connection.begin():
        consent_triggers.REFUSALS.drop(connection)
    raw(one, sql)
    with one.store.engine.connect() as connection, connection.begin():
        consent_triggers.REFUSALS.create(connection)
    one.add(record("m-3"))
    with pytest.raises(DBAPIError, match="events of the consent log"):
        raw(one, sql)


def test_the_database_that_is_made_has_them(made: Installation) -> None:
    queries = {
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'consent_events' ORDER BY 1",
        "postgresql": "SELECT tgname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid "
        "WHERE relname = 'consent_events' AND NOT tgisinternal ORDER BY 1",
    }
    with made.store.engine.connect().execution_options(every_programme=True) as connection:
        found = list(connection.scalars(text(queries[connection.dialect.name])))
    expected = {
        "sqlite": ["consent_events_no_delete", "consent_events_no_replace", "consent_events_no_update"],
        "postgresql": ["consent_events_no_change", "consent_events_no_truncate"],
    }
    assert found == expected[made.store.engine.dialect.name]
