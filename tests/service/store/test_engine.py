from __future__ import annotations

import sys
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from service.settings import Settings, SettingsError
from service.store import SchemaError, StoreError, engine, open_store
from service.store.schema import HEAD
from service.store.tables import MemberRow
from tests.service.databases import SQLITE, Database, behind, only
from tests.service.installation import NOON, Installation, settings_in


@only(SQLITE, "PostgreSQL is asked in test_postgresql.py.")
def test_sqlite_is_opened_so_that_what_was_committed_stays(made: Installation) -> None:
    with made.store.reading() as session:
        read = {
            name: session.scalar(text(f"PRAGMA {name}")) for name in ("journal_mode", "synchronous", "foreign_keys")
        }
        assert read == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
        assert session.scalar(text("PRAGMA busy_timeout")) == engine.BUSY_MS
        assert session.scalar(text("PRAGMA secure_delete")) == 1


def test_a_transaction_that_fails_changes_nothing(made: Installation) -> None:
    def fail() -> None:
        with made.store.transaction() as session:
            session.execute(text("DELETE FROM api_keys").execution_options(every_programme=True))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with made.store.reading() as session:
        assert session.scalar(text("SELECT count(*) FROM api_keys").execution_options(every_programme=True)) == 1


def test_a_writer_waits_for_the_other_and_then_says_so(made: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "BUSY_MS", 20)
    other = open_store(made.settings)
    try:
        with (
            made.store.transaction(),
            pytest.raises(StoreError, match=r"OperationalError|LockNotAvailable"),
            other.transaction(),
        ):
            pass
        with made.store.transaction(), other.reading() as session:
            assert session.scalar(text("SELECT count(*) FROM programmes").execution_options(every_programme=True)) == 1
    finally:
        other.close()


def test_a_database_error_never_repeats_a_members_data(made: Installation) -> None:
    def row() -> MemberRow:
        return MemberRow(
            programme_id="none", member_id="canary-word", record=b"canary-word", created_at=NOON, updated_at=NOON,
        )  # fmt: skip

    with pytest.raises(StoreError) as caught, made.store.transaction() as session:
        session.add(row())  # its programme does not exist
    assert "canary-word" not in str(caught.value)
    with made.store.transaction() as session:
        session.add(row())
        with pytest.raises(IntegrityError) as raw:
            session.flush()
        assert "canary-word" not in str(raw.value)
        session.rollback()


def test_a_database_without_tables_names_the_command_that_makes_them(database: Database, tmp_path: Path) -> None:
    database.prepare(tmp_path)
    settings = settings_in(tmp_path)
    with pytest.raises(SchemaError, match="peermatch init"):
        open_store(settings)
    open_store(settings, create=True).close()
    open_store(settings).close()
    open_store(settings, create=True).close()


@pytest.mark.parametrize(
    ("version", "way_out"), [(99, "install the release that wrote it"), (0, "export the members with the release")]
)
def test_a_database_of_another_version_is_refused(
    database: Database, tmp_path: Path, version: int, way_out: str
) -> None:
    database.prepare(tmp_path)
    settings = settings_in(tmp_path)
    open_store(settings, create=True).close()
    with behind(settings) as connection:
        connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{version:04}'")
    for create in (False, True):
        with pytest.raises(SchemaError, match=f"schema {version:04}; this release reads {HEAD}.*: {way_out}"):
            open_store(settings, create=create)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    settings.home.mkdir()
    assert settings.database_file
    settings.database_file.write_bytes(b"no database at all" * 100)
    with pytest.raises(StoreError, match="PEERMATCH_DATABASE_URL"):
        open_store(settings)


def test_an_address_whose_driver_is_missing_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings.from_environment({"PEERMATCH_DATABASE_URL": "postgresql://host/name"})
    monkeypatch.setitem(sys.modules, "psycopg", None)
    way_out = (
        r"the driver of this address is not installed \(ModuleNotFoundError\); `pip install 'peermatch\[postgresql\]'`"
    )
    with pytest.raises(SettingsError, match=way_out):
        open_store(settings)
