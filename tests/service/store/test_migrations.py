from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, event, inspect, text
from sqlalchemy.engine import Engine

from matcher.people import Member
from service import create_app
from service.intake.decisions import event_id
from service.sealing import Keyring, SealError, new_key, read_keyring, write_keyring
from service.security import create_secret_key, read_secret_key
from service.settings import Settings
from service.store import SchemaError, StoreError, alone, erasure, migrating, open_store
from service.store.copying import copies
from service.store.derived_keys import DerivedKeys
from service.store.engine import open_engine
from service.store.erasure_ledger import Entry, Ledger
from service.store.migrating import configuration, migrate, plan, run
from service.store.migrations.versions import revision_0002
from service.store.moments import micros
from service.store.schema import HEAD, REVISIONS, create_schema, revision_of
from service.store.table_base import Base
from tests.conftest import ROOT, examples
from tests.service.databases import SQLITE, Database, only, sampled
from tests.service.installation import Clock, Installation, close, copied, settings_in
from tests.service.store import step_2
from tests.service.store.populated import populated, rows, told

MIGRATED = datetime(2026, 3, 7, 9, tzinfo=UTC)
DERIVED = {"installation", "audit", "erasures", "consent_events", "alembic_version", "schema_version"}
"""Tables that one of the two schemas does not have."""


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory, database: Database) -> Installation:
    """An installation of today in which much has happened, closed."""
    made = populated(tmp_path_factory.mktemp("original"), database)
    close(made)
    return made


@pytest.fixture
def then(original: Installation, tmp_path: Path) -> Settings:
    """The same as of the release of step 2."""
    return step_2.as_then(original, tmp_path / "then", original.database)


@contextmanager
def engine_of(settings: Settings) -> Iterator[Engine]:
    engine = open_engine(settings)
    try:
        yield engine.execution_options(every_programme=True)
    finally:
        engine.dispose()


def everything(settings: Settings) -> dict[str, list[dict[str, Any]]]:
    with engine_of(settings) as engine:
        return rows(engine)


def opened(settings: Settings) -> dict[str, list[dict[str, Any]]]:
    """Return everything in a database of today, what is sealed opened."""
    ring = read_keyring(settings)
    return {name: [step_2.opened_row(name, row, ring) for row in some] for name, some in everything(settings).items()}


def shape(engine: Engine) -> dict[str, Any]:
    """Return all that a database says of its tables, but for the order of the columns."""
    there, found = inspect(engine), {}
    for name in there.get_table_names():
        columns = {
            one["name"]: (str(one["type"]), one["nullable"], str(one.get("default")).replace("_new_", "_"))
            for one in there.get_columns(name)
        }
        foreign = sorted(
            (tuple(one["constrained_columns"]), one["referred_table"], str(one["options"]), str(one["name"]))
            for one in there.get_foreign_keys(name)
        )
        indexes = sorted((str(i["name"]), tuple(i["column_names"]), bool(i["unique"])) for i in there.get_indexes(name))
        found[name] = columns, there.get_pk_constraint(name), foreign, indexes
    found["more"] = triggers(engine), sequences(engine)
    return found


def triggers(engine: Engine) -> list[tuple[Any, ...]]:
    query = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name"
    if engine.dialect.name == "postgresql":
        query = (
            "SELECT pg_get_triggerdef(t.oid), prosrc FROM pg_trigger t JOIN pg_proc p ON p.oid = tgfoid "
            "WHERE NOT tgisinternal ORDER BY 1"
        )
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def sequences(engine: Engine) -> list[str]:
    """Return which tables never use a number twice."""
    if engine.dialect.name == "postgresql":
        return sorted(inspect(engine).get_sequence_names())
    with engine.connect() as connection:
        made = connection.execute(text("SELECT name FROM sqlite_master WHERE sql LIKE '%AUTOINCREMENT%' ORDER BY name"))
        return list(made.scalars())


def from_nothing(settings: Settings, target: str) -> None:
    """Run every revision in an empty database."""
    ring = Keyring([new_key()])
    with alone.alone(settings) as connection, connection.begin():
        run(connection, migrating.Plan("0000", target, ()), ring, MIGRATED)


# The schema ----------------------------------------------------------------------------------------------------------


def test_the_revisions_are_those_that_the_release_knows() -> None:
    script = ScriptDirectory.from_config(configuration())
    assert script.get_heads() == [HEAD]
    assert tuple(one.revision for one in reversed(list(script.walk_revisions()))) == REVISIONS


def test_a_new_database_is_the_same_as_one_that_was_migrated_from_nothing(database: Database, tmp_path: Path) -> None:
    shapes = []
    for name in ("made", "migrated"):
        database.prepare(tmp_path / name)
        settings = settings_in(tmp_path / name)
        settings.home.mkdir(parents=True)
        with engine_of(settings) as engine:
            if name == "made":
                create_schema(engine)
            else:
                from_nothing(settings, HEAD)
            shapes.append(shape(engine))
            with engine.connect() as connection:
                assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
                assert revision_of(connection) == HEAD
    assert shapes[0] == shapes[1]
    assert len(shapes[0]["more"][0]) >= 2


def test_the_baseline_is_what_the_release_of_step_2_made(database: Database, tmp_path: Path) -> None:
    shapes = []
    for name in ("made", "migrated"):
        database.prepare(tmp_path / name)
        settings = settings_in(tmp_path / name)
        settings.home.mkdir(parents=True)
        with engine_of(settings) as engine:
            if name == "made":
                step_2.make_tables(engine)
            else:
                from_nothing(settings, "0002")
            with engine.connect() as connection:
                assert revision_of(connection) == "0002"
                assert connection.scalar(text("SELECT version FROM schema_version")) == 2
            shapes.append(shape(engine))
    del shapes[1]["alembic_version"]
    assert shapes[0] == shapes[1]


def test_there_is_nothing_before_the_baseline() -> None:
    with pytest.raises(NotImplementedError):
        revision_0002.downgrade()


# Up, down, and up again ----------------------------------------------------------------------------------------------


def test_everything_is_there_after_a_migration(original: Installation, then: Settings) -> None:
    before, today = everything(then), opened(original.settings)
    done = migrate(then, now=MIGRATED)
    assert (done.plan.before, done.plan.after, done.plan.up) == ("0002", HEAD, True)
    assert [note.partition(": ")[0] for note in done.notes] == [str(then.data_key_file)]
    now = opened(then)
    for pool in today["pools"]:
        pool["events"] += pool["number"]  # those of events go on from those of changes
    for name in set(before) - DERIVED - {"gone", "api_keys"}:
        assert now[name] == today[name], name
        assert [{key: row[key] for key in before[name][0]} for row in now[name]] == before[name], name
        assert now[name], f"nothing in {name}: it shows nothing"
    assert {(row["seeker"], row["seeks_since"] > 0) for row in now["live"]} == {(1, True), (0, True)}
    assert now["gone"] == [{**row, "at": micros(MIGRATED)} for row in before["gone"]] != []
    assert now["api_keys"] == [
        {**row, "label": "", "per_minute": None, "replaced_by": None} for row in before["api_keys"]
    ]
    assert {"installation", "audit", "erasures", "consent_events"} <= set(now)
    assert "schema_version" not in now


def test_the_consent_log_says_what_the_records_said(then: Settings) -> None:
    before = {row["member_id"]: row for row in everything(then)["members"]}
    migrate(then, now=MIGRATED)
    ring = read_keyring(then)
    log: dict[str, list[dict[str, Any]]] = {}
    for row in everything(then)["consent_events"]:
        log.setdefault(row["member_id"], []).append(row)
    for member_id, member in before.items():
        events = json.loads(member["record"])["consents"]
        assert [row["place"] for row in log[member_id]] == list(range(len(events)))
        for event_, row in zip(events, log[member_id], strict=True):
            place = row["programme_id"], "consent_events", f"{member_id} {row['place']}"
            rest = {} if row["details"] is None else json.loads(ring.open(*place, row["details"]))
            same = {key: event_[key] for key in ("purpose", "decision", "policy_version")}
            assert same.items() <= row.items()
            assert rest == {key: event_[key] for key in event_ if key in {"categories", "guardian"}}
            assert row["at"] == micros(datetime.fromisoformat(event_["at"]))
            until = event_.get("valid_until")
            assert row["valid_until"] == (None if until is None else micros(datetime.fromisoformat(until)))
            assert row["recorded_at"] == micros(member["created_at"].replace(tzinfo=UTC))
            assert row["recorded_by"] == "command"


def test_events_are_called_what_they_were_called(original: Installation, then: Settings) -> None:
    migrate(then, now=MIGRATED)
    ring = read_keyring(then)
    found = everything(then)
    ids = {(row["member_id"], row["place"]): row["event_id"] for row in found["consent_events"]}
    for row in found["members"]:
        record = json.loads(ring.open(row["programme_id"], "members", row["member_id"], row["record"]))
        for place, one in enumerate(Member.from_dict(record, original.programme).consents):
            assert ids.pop((row["member_id"], place)) == event_id(place, one)
    assert not ids


def test_the_service_tells_the_same_as_before(original: Installation, then: Settings, tmp_path: Path) -> None:
    migrate(then, now=MIGRATED)
    untouched = copied(original, tmp_path / "untouched")
    clock = Clock(original.clock.now)
    app, store = create_app(then, clock=clock), open_store(then)
    migrated = Installation(
        then.home.parent, then, store, original.programme, clock, app, original.key, original.database
    )
    untouched.clock.now = clock.now
    try:
        was = told(untouched)
        assert told(migrated) == was
        shown = [was[f"{number} buddy"][1]["matches"] for number in (1, 2, 3)]
        assert all(shown), "lists without anybody in them show nothing"
    finally:
        close(untouched)
        close(migrated)


def told_erased(then: Settings) -> Entry:
    """Have the ledger tell that somebody was erased who is there, in a programme that is and in one that is not."""
    create_secret_key(then)
    digest = DerivedKeys(lambda: read_secret_key(then)).erasure("lantern", "m-05")
    entry = Entry("lantern", digest, micros(MIGRATED - timedelta(hours=1)), "cd" * 16)
    Ledger.of(then).sync(lambda: [entry, entry._replace(programme="elsewhere")])
    return entry


def are_there(where: Settings) -> set[str]:
    return {row["member_id"] for row in everything(where)["live"] if row["programme_id"] == "lantern"}


def test_whoever_the_ledger_tells_of_is_erased_again_by_a_migration(then: Settings) -> None:
    entry = told_erased(then)
    assert "m-05" in are_there(then)
    with Ledger.of(then).path.open("a") as file:
        file.write("not a line\n")
    done = migrate(then, now=MIGRATED)
    assert (done.erased, done.damaged, done.undone) == (1, 1, "")
    assert "m-05" not in are_there(then)
    store = open_store(then)
    with store.reading() as session:
        assert erasure.entries(session) == [entry]
    store.close()
    assert migrate(then, now=MIGRATED).erased == 0


def test_erasures_that_failed_after_a_migration_are_told_and_done_when_it_is_run_again(
    then: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise StoreError("on purpose")

    told_erased(then)
    with monkeypatch.context() as patched:
        patched.setattr(migrating.erasure, "replay", fail)
        done = migrate(then, now=MIGRATED)
    assert (done.erased, done.plan.after) == (0, HEAD)
    assert "the erasures of before" in done.undone
    assert "on purpose" in done.undone
    again = migrate(then, now=MIGRATED)
    assert (again.erased, again.undone, again.plan.steps) == (1, "", ())
    assert "m-05" not in are_there(then)


def test_down_and_up_again(then: Settings) -> None:
    first = everything(then)
    migrate(then, now=MIGRATED)
    up = opened(then)
    done = migrate(then, "0002", now=MIGRATED)
    assert not done.plan.up
    with engine_of(then) as engine:
        down, made = rows(engine), shape(engine)
    assert down.pop("alembic_version") == [{"version_num": "0002"}]
    assert down == first
    assert "audit" not in made
    migrate(then, now=MIGRATED)
    again = opened(then)
    assert {name: some for name, some in again.items() if name != "installation"} == {
        name: some for name, some in _without_details(up, again).items() if name != "installation"
    }


def _without_details(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Return `one` with the sealed details of `other`, which are other bytes each time."""
    pairs = zip(one["consent_events"], other["consent_events"], strict=True)
    return {**one, "consent_events": [{**mine, "details": its["details"]} for mine, its in pairs]}


def test_a_database_that_went_down_is_of_the_release_of_step_2(
    then: Settings, database: Database, tmp_path: Path
) -> None:
    database.prepare(tmp_path / "made")
    made = settings_in(tmp_path / "made")
    made.home.mkdir(parents=True)
    migrate(then, now=MIGRATED)
    migrate(then, "0002", now=MIGRATED)
    with engine_of(then) as engine, engine_of(made) as other:
        step_2.make_tables(other)
        found, expected = shape(engine), shape(other)
    del found["alembic_version"]
    assert found == expected


def test_down_drops_what_schema_2_does_not_know_and_says_so(then: Settings, original: Installation) -> None:
    migrate(then, now=MIGRATED)
    evidence = {"method": "form-1", "actor": "member", "locale": "en-GB"}
    later = {"purpose": "match_serve", "decision": "superseded", "policy_version": "2", "at": "2026-03-05T00:00:00Z"}
    _rewrite(then, "m-05", lambda consents: [{**consents[0], **evidence}, *consents[1:], later])
    done = migrate(then, "0002", now=MIGRATED)
    assert [note.partition(" ")[0] for note in done.notes] == ["1"]
    assert "evidence" in done.notes[0]
    record = next(row["record"] for row in everything(then)["members"] if row["member_id"] == "m-05")
    consents = json.loads(record)["consents"]
    assert consents == Member.from_dict(original_record(original, "m-05"), original.programme).to_dict()["consents"]


def original_record(made: Installation, member_id: str) -> dict[str, Any]:
    row = next(one for one in opened(made.settings)["members"] if one["member_id"] == member_id)
    record: dict[str, Any] = json.loads(row["record"])
    return record


def _rewrite(settings: Settings, member_id: str, change: Callable[[list[Any]], list[Any]]) -> None:
    ring = read_keyring(settings)
    with engine_of(settings) as engine, engine.begin() as connection:
        where = f"WHERE member_id = '{member_id}'"
        kept = connection.execute(text(f"SELECT record FROM members {where}")).scalar()
        record = json.loads(ring.open("lantern", "members", member_id, bytes(kept or b"")))
        record["consents"] = change(record["consents"])
        sealed = ring.seal("lantern", "members", member_id, json.dumps(record).encode())
        connection.execute(text(f"UPDATE members SET record = :record {where}"), {"record": sealed})


def test_a_record_that_cannot_be_read_is_kept_and_told_of(then: Settings) -> None:
    with engine_of(then) as engine, engine.begin() as connection:
        connection.execute(text("UPDATE members SET record = 'no JSON' WHERE member_id = 'm-04'"))
        connection.execute(text("""UPDATE members SET record = '{"consents": [1]}' WHERE member_id = 'm-05'"""))
    done = migrate(then, now=MIGRATED)
    assert len(done.notes) == 2
    assert done.notes[0].startswith("2 records that cannot be read")
    kept = {row["member_id"]: row["record"] for row in opened(then)["members"]}
    assert (kept["m-04"], kept["m-05"]) == ("no JSON", '{"consents": [1]}')
    migrate(then, "0002", now=MIGRATED)
    kept = {row["member_id"]: row["record"] for row in everything(then)["members"]}
    assert (kept["m-04"], kept["m-05"]) == ("no JSON", '{"consents": [1]}')


@only(SQLITE, "It is about SQLite's file.")
def test_nothing_that_was_open_is_left_in_the_file(then: Settings) -> None:
    file = then.database_file
    assert file is not None
    assert b"Statement of number" in file.read_bytes()
    migrate(then, now=MIGRATED, copy=False)
    for left in file.parent.glob(f"{file.name}*"):
        assert b"Statement of number" not in left.read_bytes(), left.name


# Interrupted ---------------------------------------------------------------------------------------------------------


class Interrupted(Exception):
    pass


class Steps:
    """Counts the statements of what is done alone, and interrupts at one of them.

    Parameters
    ----------
    monkeypatch : MonkeyPatch
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count, self.last = 0, -1
        monkeypatch.setattr(alone, "open_engine", self.opened)

    def opened(self, settings: Settings) -> Engine:
        engine = open_engine(settings)
        event.listen(engine, "before_cursor_execute", self._look)
        return engine

    def _look(self, _connection: Any, _cursor: Any, sql: str, *_: Any) -> None:
        self.count += 1
        if self.count == self.last:
            raise Interrupted(sql)

    def of_migration(self, settings: Settings, target: str = HEAD) -> int:
        """Return how many statements a migration has, by one that is rolled back."""
        self.count, self.last = 0, -1
        planned, ring = plan(settings, target), migrating.create_keyring(settings)
        with alone.alone(settings) as connection, connection.begin() as transaction:
            run(connection, planned, ring, MIGRATED)
            transaction.rollback()
        return self.count


@pytest.mark.parametrize("target", ["0002", HEAD])
def test_an_interruption_anywhere_changes_nothing(then: Settings, target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if target == "0002":
        migrate(then, now=MIGRATED, copy=False)
    before, steps = everything(then), Steps(monkeypatch)
    total = steps.of_migration(then, target)
    stride = max(1, total // examples(8, total))
    for at in range(1, total + 1, stride):
        steps.count, steps.last = 0, at
        with pytest.raises(Interrupted):
            migrate(then, target, now=MIGRATED, copy=False)
        if at % (stride * 5) == 1:
            assert everything(then) == before, f"after statement {at}"
    assert everything(then) == before
    steps.last = -1
    migrate(then, target, now=MIGRATED, copy=False)
    assert everything(then) != before


@sampled("Each kill is of another process.")
@pytest.mark.slow
def test_a_migration_that_is_killed_changes_nothing_and_can_be_run_again(
    then: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, total = everything(then), Steps(monkeypatch).of_migration(then)
    names = {"PEERMATCH_HOME": str(then.home), "PEERMATCH_DATABASE_URL": then.database_url}
    rng = random.Random(7)
    for step in [0, *sorted(rng.sample(range(1, total + 1), min(total, examples(3, 40))))]:
        command = [sys.executable, "-m", "tests.service.store.migration_process", str(step)]
        killed = subprocess.run(command, cwd=ROOT, env={**os.environ, **names}, capture_output=True, check=False)
        assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
        assert everything(then) == before, f"after statement {step}"
    assert migrate(then, now=MIGRATED).plan.steps
    open_store(then).close()


def test_a_data_key_that_is_not_at_hand_changes_nothing(then: Settings) -> None:
    migrate(then, now=MIGRATED)
    before, keys = everything(then), then.data_key_file.read_text("ascii")
    write_keyring(then, [new_key()])
    with pytest.raises(SealError, match="data key file"):
        migrate(then, "0002", now=MIGRATED)
    assert everything(then) == before
    then.data_key_file.write_text(keys, "ascii")
    migrate(then, "0002", now=MIGRATED)


def test_while_others_use_the_database_nothing_is_changed(then: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.store.engine.BUSY_MS", 20)
    before = everything(then)
    other = create_engine(then.url)
    with other.connect() as connection:
        connection.execute(text("SELECT count(*) FROM members"))
        with pytest.raises(StoreError, match="stop the service"):
            migrate(then, now=MIGRATED, copy=False)
    other.dispose()
    assert everything(then) == before
    migrate(then, now=MIGRATED, copy=False)


# The copy ------------------------------------------------------------------------------------------------------------


@only(SQLITE, "It is about SQLite's file.")
def test_a_copy_of_the_file_is_kept_and_is_as_it_was(then: Settings) -> None:
    file = then.database_file
    assert file is not None
    before = everything(then)
    copy = migrate(then, now=MIGRATED).copy
    assert copy == file.with_name(f"peermatch.db.before-{HEAD}")
    assert copies(file) == [copy]
    assert copy.stat().st_mode & 0o777 == 0o600
    engine = create_engine(f"sqlite:///{copy}")
    assert rows(engine) == before
    engine.dispose()
    for left in copies(file):
        left.unlink()
    assert migrate(then, "0002", now=MIGRATED, copy=False).copy is None
    assert not copies(file)


@only(SQLITE, "It is about SQLite's file.")
def test_a_copy_that_cannot_be_written_changes_nothing(then: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    before = everything(then)

    def full(_connection: Connection, aside: Path) -> None:
        aside.write_bytes(b"half")
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr("service.store.copying._copy", full)
    with pytest.raises(StoreError, match="--no-copy"):
        migrate(then, now=MIGRATED)
    assert everything(then) == before
    assert then.database_file is not None
    assert not copies(then.database_file)


# What is refused -----------------------------------------------------------------------------------------------------


def test_a_release_refuses_a_database_of_another(then: Settings) -> None:
    with pytest.raises(SchemaError, match=f"schema 0002; this release reads {HEAD}: .*peermatch migrate"):
        open_store(then)
    migrate(then, now=MIGRATED)
    open_store(then).close()
    with engine_of(then) as engine, engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0099'"))
    with pytest.raises(SchemaError, match=r"schema 0099; .*install the release that wrote it, or a newer one"):
        open_store(then)
    with pytest.raises(SchemaError, match="0099"):
        migrate(then, now=MIGRATED)


def test_a_database_from_before_the_baseline_is_refused(then: Settings) -> None:
    with engine_of(then) as engine, engine.begin() as connection:
        connection.execute(text("UPDATE schema_version SET version = 1"))
    for refused in (lambda: open_store(then), lambda: migrate(then, now=MIGRATED)):
        with pytest.raises(SchemaError, match=r"schema 0001; .*export the members"):
            refused()


def test_a_schema_that_does_not_exist_is_refused(then: Settings) -> None:
    with pytest.raises(SchemaError, match="--to: found '0006'; expected one of 0002, 0003, 0004, 0005"):
        plan(then, "0006")


def test_a_migration_that_has_nothing_to_do_does_nothing(then: Settings) -> None:
    migrate(then, now=MIGRATED)
    before = everything(then)
    done = migrate(then, now=MIGRATED)
    assert (done.plan.steps, done.copy) == ((), None)
    assert everything(then) == before


def test_a_plan_says_what_would_be_done(then: Settings) -> None:
    before = everything(then)
    planned = plan(then)
    assert (planned.before, planned.after) == ("0002", HEAD)
    assert [step.partition(":")[0] for step in planned.steps] == ["Schema 3", "Schema 4", "Schema 5"]
    assert everything(then) == before
