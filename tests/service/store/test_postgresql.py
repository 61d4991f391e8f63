"""What is PostgreSQL's alone: how it is connected to, who waits for whom, and connections that end."""

from __future__ import annotations

import gc
import os
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import event, func, select, text
from sqlalchemy.dialects.postgresql import insert

from matcher.errors import PeermatchError
from service.settings import SettingsError
from service.store import StoreError, members, open_store, postgresql, scene
from service.store.hot import UncertainError
from service.store.live_tables import GoneRow, LiveRow
from tests.postgresql import SUPERUSER, Cluster
from tests.service.databases import POSTGRESQL, behind, name_in, only
from tests.service.installation import NOON, Installation, record, settings_in

pytestmark = only(POSTGRESQL, "It is about PostgreSQL.")


@pytest.fixture
def running(made: Installation) -> Cluster:
    """The server."""
    assert made.database.cluster is not None
    return made.database.cluster


def end_connections(made: Installation) -> None:
    """End every connection to the database, as a server does that is restarted."""
    assert made.database.cluster is not None
    made.database.cluster.disconnect(name_in(made.folder))


def count(made: Installation) -> int:
    with made.store.reading() as session:
        return members.count(session, "lantern")


def shown(made: Installation, name: str) -> list[Any]:
    """Return a setting as each kind of transaction has it."""
    query = text(f"SELECT current_setting('{name}')")
    with made.store.transaction() as session:
        found = [session.scalar(query)]
    with made.store.reading() as session:
        return [*found, session.scalar(query)]


# How it is connected to ----------------------------------------------------------------------------------------------


def test_what_was_committed_stays_whatever_an_administrator_has_set(made: Installation, running: Cluster) -> None:
    made.store.close()
    running.run(f"ALTER DATABASE {name_in(made.folder)} SET synchronous_commit = off")
    running.run(f"ALTER DATABASE {name_in(made.folder)} SET default_transaction_isolation = 'serializable'")
    running.run(f"ALTER DATABASE {name_in(made.folder)} SET default_transaction_read_only = on")
    assert shown(made, "synchronous_commit") == ["on", "on"]
    assert shown(made, "transaction_isolation") == ["read committed", "repeatable read"]
    assert shown(made, "transaction_read_only") == ["off", "on"]
    with made.store.hot.writing() as writer:
        cursor: Any = writer._cursor
        assert cursor.execute("SHOW transaction_isolation").fetchone() == ("read committed",)
        assert cursor.execute("SHOW synchronous_commit").fetchone() == ("off",), "lists can be made again"
    made.add(record("m-1"))
    assert count(made) == 1


def test_one_that_keeps_more_is_left_as_it_is(made: Installation, running: Cluster) -> None:
    made.store.close()
    running.run(f"ALTER DATABASE {name_in(made.folder)} SET synchronous_commit = 'local'")
    assert shown(made, "synchronous_commit") == ["local", "local"]


def test_what_the_address_says_stands(made: Installation) -> None:
    address = f"{made.settings.database_url}&application_name=another&connect_timeout=9"
    found = postgresql.arguments(replace(made.settings, database_url=address).url)
    assert "keepalives_idle" in found
    assert not {"application_name", "connect_timeout"} & set(found)
    assert shown(made, "application_name") == ["peermatch", "peermatch"]


def test_a_reader_changes_nothing(made: Installation) -> None:
    with pytest.raises(StoreError, match="ReadOnlySqlTransaction"), made.store.reading() as session:
        session.execute(text("CREATE TABLE another (id int)"))


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_a_database_that_cannot_keep_every_character_is_refused(
    tmp_path: Path, made: Installation, running: Cluster, encoding: str
) -> None:
    name = f"other_{encoding.lower()}"
    locale = "LOCALE_PROVIDER libc LC_COLLATE 'C' LC_CTYPE 'C'"
    running.run(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}' {locale}")
    try:
        settings = replace(made.settings, database_url=running.address(name))
        with pytest.raises(SettingsError, match=f"encoding {encoding}; expected UTF8"):
            open_store(settings, create=True)
    finally:
        running.run(f"DROP DATABASE {name}")


def test_ids_are_ordered_by_code_point_though_the_database_orders_words(made: Installation) -> None:
    names = ["a", "B", "b", "A", "_", "~", "-", "a-1", "a1", "A.1", "Z", "z", "0", "10", "9"]
    made.add(*(record(name) for name in names))
    with made.store.reading() as session:
        assert [one.member_id for one in members.all_members(session, "lantern")] == sorted(names)
        words = session.scalars(text("SELECT v FROM (VALUES ('a'), ('B'), ('b'), ('A')) AS t (v) ORDER BY v")).all()
    assert list(words) != sorted(words), "control: the database's own order is another"
    with made.store.hot.reading() as reader:
        found = [live.member_id for live, _ in scene.everybody(reader, "lantern", NOON.toordinal(), 0)]
    assert found == sorted(names)


def test_how_many_rows_an_insert_made_is_known(made: Installation) -> None:
    values = {"programme_id": "lantern", "number": 1, "live_id": 1, "at": 1}
    with made.store.transaction() as session:
        query = insert(GoneRow).values(**values).on_conflict_do_nothing()
        assert [session.execute(query).rowcount for _ in range(2)] == [1, 0]  # type: ignore[attr-defined]


def test_rows_that_are_not_read_to_their_end_are_no_fault(made: Installation) -> None:
    """Control: the driver's own cursor warns, and a warning is a failure here."""
    made.add(*(record(f"m-{number}") for number in range(5)))
    query = select(LiveRow.member_id).where(LiveRow.programme_id == "lantern").execution_options(yield_per=1)
    with made.store.reading() as session:
        assert next(iter(session.scalars(query).partitions())) is not None
        connection: Any = session.connection().connection.driver_connection
        assert issubclass(connection.server_cursor_factory, psycopg.ServerCursor)
    gc.collect()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        with psycopg.connect(connection.info.dsn) as other:
            other.cursor("left").execute("SELECT 1")
            gc.collect()
    assert [one.category for one in told] == [ResourceWarning]


# Who waits for whom --------------------------------------------------------------------------------------------------


def test_no_patience_is_not_for_ever(made: Installation) -> None:
    with made.store.transaction(), pytest.raises(StoreError, match="LockNotAvailable"), made.store.hot.writing(0):
        pass
    with made.store.transaction():
        refused = pytest.raises(StoreError, match="LockNotAvailable")
        with refused, made.store.transaction(patience_ms=0):
            pass
    with made.store.hot.writing(0), made.store.reading():
        pass


def test_a_writer_that_waited_sees_what_the_other_wrote(made: Installation, running: Cluster) -> None:
    """What is read after the lock is held is read as of then: a change number is never taken twice."""
    began, seen = threading.Event(), list[int]()
    waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = '{}' AND wait_event_type = 'Lock'"

    def later() -> None:
        began.set()
        with made.store.transaction() as session:
            seen.append(members.count(session, "lantern"))

    with made.store.transaction() as session:
        thread = threading.Thread(target=later)
        thread.start()
        began.wait()
        while running.run(waits.format(name_in(made.folder))) == [(0,)]:
            pass
        people = [made.member(record("m-1"))]
        members.upsert_many(session, made.programme, people, now=NOON, visible_from=NOON.date())
    thread.join()
    assert seen == [1]


def test_one_who_reads_does_not_wait_for_ever_for_a_table(made: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown(made, "lock_timeout")[1] == "5s"
    monkeypatch.setattr(postgresql, "_CONNECTED", "SET lock_timeout = 20")
    with closing(open_store(made.settings)) as other, behind(made.settings) as connection:
        connection.execute(text("LOCK TABLE programmes IN ACCESS EXCLUSIVE MODE"))
        with pytest.raises(StoreError, match="LockNotAvailable"), other.hot.reading() as reader:
            scene.scene(reader, "lantern")


def test_two_that_make_the_tables_at_once_make_them_once(tmp_path: Path, made: Installation) -> None:
    folder, problems = tmp_path / "new", list[PeermatchError]()
    made.database.prepare(folder)
    settings, barrier = settings_in(folder), threading.Barrier(4)

    def make() -> None:
        barrier.wait()
        try:
            open_store(settings, create=True).close()
        except PeermatchError as problem:
            problems.append(problem)

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    open_store(settings).close()


def test_any_number_of_threads_have_a_connection_each(made: Installation) -> None:
    barrier, done = threading.Barrier(24), list[int]()

    def read() -> None:
        with made.store.reading() as session, made.store.hot.reading() as reader:
            barrier.wait(30)
            assert scene.scene(reader, "lantern") is not None
            done.append(members.count(session, "lantern"))

    threads = [threading.Thread(target=read) for _ in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done == [0] * 24


# What is left on the server's disk -----------------------------------------------------------------------------------


def files_with(running: Cluster, word: bytes) -> set[str]:
    """Return the folders of the server's data in whose files a word stands: ``base`` its tables, ``pg_wal`` its log."""
    running.run("CHECKPOINT")
    data = running.folder.parent / "d"
    return {
        path.relative_to(data).parts[0]
        for folder in ("base", "pg_wal")
        for path in (data / folder).rglob("*")
        if path.is_file() and word in path.read_bytes()
    }


def test_what_a_member_told_is_never_in_the_servers_files_and_an_id_goes_as_the_documents_say(
    made: Installation, running: Cluster
) -> None:
    profile = {"channel": ["phone"], "experiences": ["lumpectomy"], "statement": "canary-word"}
    made.add(record("s-1", "seeker"), record("canary-id", profile=profile))
    assert made.match("s-1")["outcome"] == "matched"
    assert made.call("GET", "/v1/members/canary-id").get_json()["profile"]["statement"] == "canary-word"
    assert "base" in files_with(running, b"canary-id"), "control: what is there is found"
    assert made.call("DELETE", "/v1/members/canary-id").status_code < 300
    made.store.close()
    made.app.extensions["peermatch"].store.close()
    with psycopg.connect(host=running.folder, user=SUPERUSER, dbname=name_in(made.folder), autocommit=True) as own:
        own.execute("VACUUM FULL")
    assert "base" not in files_with(running, b"canary-id")
    assert files_with(running, b"canary-word") == set()


# Connections that end ------------------------------------------------------------------------------------------------


def test_connections_that_the_server_ended_are_replaced_without_a_word(made: Installation) -> None:
    made.add(record("s-1", "seeker"), record("p-1"))
    before = made.match("s-1")
    for _ in range(3):
        end_connections(made)
        assert made.match("s-1") == before
        assert made.call("PUT", "/v1/members/p-2", record("p-2")).status_code in {200, 201}
        assert count(made) == 3


def test_a_server_that_was_restarted_is_asked_anew(made: Installation, running: Cluster) -> None:
    made.add(record("s-1", "seeker"), record("p-1"))
    before = made.match("s-1")
    running.restart()
    assert made.match("s-1") == before
    assert count(made) == 2


def test_a_connection_that_ends_within_a_transaction_is_told_and_nothing_is_changed(made: Installation) -> None:
    def write() -> None:
        with made.store.transaction() as session:
            people = [made.member(record("m-1"))]
            members.upsert_many(session, made.programme, people, now=NOON, visible_from=NOON.date())
            end_connections(made)
            session.scalar(select(func.count()).select_from(LiveRow).where(LiveRow.programme_id == "lantern"))

    with pytest.raises(StoreError, match=r"AdminShutdown|OperationalError") as told:
        write()
    assert not isinstance(told.value, UncertainError)
    assert count(made) == 0
    with pytest.raises(StoreError):
        read_while_it_ends(made)
    with made.store.hot.reading() as reader:
        assert scene.scene(reader, "lantern") is not None


def read_while_it_ends(made: Installation) -> None:
    with made.store.hot.reading() as reader:
        end_connections(made)
        scene.scene(reader, "lantern")


@contextmanager
def lost_at_commit(made: Installation) -> Iterator[None]:
    """End the connection when it is to commit: the server may have done so before it ended."""

    def lose(_connection: Any) -> None:
        end_connections(made)

    event.listen(made.app.extensions["peermatch"].store.engine, "commit", lose)
    event.listen(made.store.engine, "commit", lose)
    try:
        yield
    finally:
        event.remove(made.app.extensions["peermatch"].store.engine, "commit", lose)
        event.remove(made.store.engine, "commit", lose)


def test_a_connection_that_ends_while_it_commits_is_told_as_that(made: Installation) -> None:
    with lost_at_commit(made):
        with pytest.raises(UncertainError, match="may have been made or not"):
            made.add(record("m-1"))
        reply = made.call("PUT", "/v1/members/m-1", record("m-1"))
    assert (reply.status_code, bool(reply.headers["Retry-After"])) == (503, True)
    assert "may have been made or not" in reply.get_json()["detail"]
    assert made.call("PUT", "/v1/members/m-1", record("m-1")).status_code == 201


def test_tables_that_were_changed_meanwhile_are_read_as_they_are(made: Installation) -> None:
    """A statement that the server has prepared, for a table that is another one now, fails at most once."""
    with made.store.hot.reading() as reader:
        for _ in range(8):
            scene.scene(reader, "lantern")
    for _ in range(8):
        count(made)
    with behind(made.settings) as connection:
        connection.execute(text("ALTER TABLE programmes ALTER COLUMN digest TYPE varchar(80)"))
        connection.execute(text("ALTER TABLE live ADD COLUMN another int"))
    failed = 0
    for _ in range(3):
        try:
            with made.store.hot.reading() as reader:
                scene.scene(reader, "lantern")
        except StoreError:
            failed += 1
    assert failed <= 1
    assert count(made) == 0


# Processes -----------------------------------------------------------------------------------------------------------


def in_a_fork(work: Callable[[], bool]) -> bool:
    """Return what a process that was forked off this one says."""
    child = os.fork()
    if child == 0:
        try:
            os._exit(0 if work() else 1)
        finally:
            os._exit(2)
    return os.waitpid(child, 0)[1] == 0


def server_process(made: Installation) -> tuple[int, int]:
    """Return which of the server's processes each kind of transaction talks to."""
    query = text("SELECT pg_backend_pid()")
    with made.store.reading() as session, made.store.hot.reading() as reader:
        cursor: Any = reader._cursor
        return int(session.scalar(query) or 0), int(cursor.execute(str(query)).fetchone()[0])


def test_a_process_that_was_forked_has_connections_of_its_own(made: Installation) -> None:
    mine = server_process(made)

    def work() -> bool:
        others = server_process(made)
        made.add(record("m-1"))
        made.store.close()
        return not set(mine) & set(others)

    assert in_a_fork(work)
    assert server_process(made) == mine, "and ends none of this one's"
    assert count(made) == 1
