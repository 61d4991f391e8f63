from __future__ import annotations

import pytest
from sqlalchemy import create_engine

from service.store import StoreError, migrating
from service.store.engine import open_engine
from service.store.schema import HEAD
from tests.service.cli.conftest import Cli
from tests.service.databases import SQLITE, only
from tests.service.installation import record
from tests.service.store import step_2
from tests.service.store.populated import rows


@pytest.fixture
def then(cli: Cli) -> Cli:
    """An installation of step 2."""
    cli.add(record("m-1", "seeker"), record("m-2"))
    cli.run("migrate", "--to", "0002", "--no-copy")
    cli.settings.data_key_file.unlink()
    engine = open_engine(cli.settings)
    with engine.execution_options(peermatch_writes=True).begin() as connection:
        connection.exec_driver_sql("DROP TABLE alembic_version")
    engine.dispose()
    return cli


def test_a_dry_run_says_what_would_be_done(then: Cli) -> None:
    document = then.json("migrate", "--dry-run")
    assert (document["from"], document["to"], document["migrated"]) == ("0002", HEAD, False)
    assert len(document["steps"]) == 3
    assert "It would go from schema 0002 to" in then.run("migrate", "--dry-run").stdout
    assert not then.settings.data_key_file.exists()
    assert then.json("migrate", "--dry-run") == document


def test_a_database_of_step_2_is_named_with_its_way_out(then: Cli) -> None:
    message = then.run("match", "m-1", code=1).stderr
    assert "schema 0002" in message
    assert "`peermatch migrate`" in message


@only(SQLITE, "It is about the copy of SQLite's file.")
def test_a_migration_keeps_a_copy_and_makes_the_data_keys(then: Cli) -> None:
    said = then.run("migrate").stdout
    copy = then.settings.home / f"peermatch.db.before-{HEAD}"
    assert f"As it was it is in {copy} (0600)" in said
    engine = create_engine(f"sqlite:///{copy}")
    assert set(rows(engine)) == {*step_2.ORDER, "schema_version"}
    engine.dispose()
    assert then.settings.data_key_file.stat().st_mode & 0o777 == 0o600
    assert then.run("match", "m-1").stdout


def test_a_migration_is_done_once(then: Cli) -> None:
    document = then.json("migrate", "--no-copy")
    assert (document["from"], document["to"], document["migrated"], document["copy"]) == ("0002", HEAD, True, None)
    assert then.json("migrate")["migrated"] is False
    assert f"has schema {HEAD} already" in then.run("migrate").stdout
    assert then.json("doctor")["status"] in {"ok", "warn"}


def test_a_schema_that_does_not_exist_is_refused(then: Cli) -> None:
    assert "expected one of 0002, 0003" in then.run("migrate", "--to", "9", code=1).stderr


def test_erasures_that_cannot_be_done_again_are_no_success(then: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise StoreError("on purpose")

    with monkeypatch.context() as patched:
        patched.setattr(migrating.erasure, "replay", fail)
        assert "on purpose; run `peermatch migrate` again" in then.run("migrate", "--no-copy", code=1).stdout
    assert then.json("migrate")["left_to_do"] == []
