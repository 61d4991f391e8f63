"""What was deleted is gone from the files of the database too."""

from __future__ import annotations

import random

import pytest

from service.store import StoreError, audit, erasure, scrubbing
from service.store.table_base import Base
from service.store.tables import MemberRow
from tests.service.databases import POSTGRESQL, SQLITE, name_in, only
from tests.service.installation import Installation, record

CANARIES = [f"canary-{number:04}-{random.Random(number).getrandbits(120):x}" for number in range(240)]


def files(made: Installation) -> dict[str, bytes]:
    """Return the files of the database."""
    if made.database.cluster is None:
        return {path.name: path.read_bytes() for path in made.settings.home.glob("peermatch.db*")}
    made.database.cluster.run("CHECKPOINT")
    data = made.database.cluster.folder.parent / "d"
    name = name_in(made.folder)
    (oid,) = made.database.cluster.run(f"SELECT oid FROM pg_database WHERE datname = '{name}'")[0]
    return {path.name: path.read_bytes() for path in (data / "base" / str(oid)).iterdir()}


def left(made: Installation, names: list[str] = CANARIES) -> list[str]:
    """Return whose ids are anywhere in the files of the database."""
    whole = b"\n".join(files(made).values())
    return [name for name in names if name.encode() in whole]


def erase(made: Installation, *names: str) -> None:
    for name in names:
        with made.store.transaction() as session:
            assert erasure.erase(session, "lantern", name, now=made.clock(), by=audit.COMMAND) is not None


def populate(made: Installation) -> None:
    """Store many, so that pages are split and merged, with something of each in several tables."""
    made.add(*(record(name, "seeker", "supporter") for name in CANARIES))
    rng = random.Random(7)
    at = "2026-03-01T00:00:00Z"
    pairs = [rng.sample(CANARIES, 2) for _ in range(300)]
    made.tell(*({"seeker": one, "candidate": other, "event": "viewed", "at": at} for one, other in pairs))


@only(SQLITE, "PostgreSQL overwrites nothing, see below.")
def test_an_erasure_leaves_nothing_in_the_file_or_its_log(made: Installation) -> None:
    populate(made)
    assert left(made) == CANARIES, "control"
    gone = random.Random(1).sample(CANARIES, 120)
    for number, name in enumerate(gone):
        erase(made, name)
        if number % 10 == 0:
            made.add(record(f"new-{number}"))
    assert scrubbing.empty_log(made.store)
    assert files(made)["peermatch.db-wal"] == b""
    assert set(left(made)) == set(CANARIES) - set(gone)


@only(SQLITE, "It has the setting.")
def test_without_overwriting_something_would_be_left(made: Installation) -> None:
    """The control of the test above, and `whole` makes up for it."""
    populate(made)
    with made.store.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA secure_delete = OFF")
    with made.store.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA secure_delete").scalar() == 0
    erase(made, *CANARIES)
    assert scrubbing.empty_log(made.store)
    assert left(made)
    assert scrubbing.scrub(made.store, whole=True)
    assert left(made) == []
    assert files(made)["peermatch.db-wal"] == b""


@only(SQLITE, "It has a log that is read.")
def test_somebody_who_reads_keeps_the_log_and_the_next_time_empties_it(made: Installation) -> None:
    made.add(record("canary"))
    with made.store.hot.reading() as reader:
        from service.store import scene

        assert scene.scene(reader, "lantern") is not None
        erase(made, "canary")
        assert not scrubbing.empty_log(made.store, patience_ms=1)
        assert left(made, ["canary"]) == ["canary"], "control: that is why it matters"
    assert scrubbing.empty_log(made.store)
    assert left(made, ["canary"]) == []


@only(SQLITE, "It is a file.")
def test_a_database_that_is_no_database_any_more_is_told(made: Installation) -> None:
    made.store.close()
    for path in made.settings.home.glob("peermatch.db*"):
        path.write_bytes(b"no database" * 500)
    for refused in (lambda: scrubbing.empty_log(made.store), lambda: scrubbing.scrub(made.store, whole=True)):
        with pytest.raises(StoreError, match=r"the database refused \(\w+\)"):
            refused()


@only(POSTGRESQL, "It keeps what was deleted until a table is written anew.")
def test_postgresql_writes_its_tables_anew(made: Installation) -> None:
    populate(made)
    assert left(made) == CANARIES, "control"
    gone = CANARIES[::2]
    erase(made, *gone)
    assert scrubbing.empty_log(made.store)
    assert set(left(made)) == set(CANARIES), "control: nothing is overwritten at once"
    assert scrubbing.scrub(made.store)
    assert set(left(made)) == set(CANARIES) - set(gone)
    assert made.call("GET", f"/v1/members/{CANARIES[1]}").status_code == 200


@only(POSTGRESQL, "It locks each table.")
def test_postgresql_waits_no_longer_than_it_is_told(made: Installation) -> None:
    with made.store.reading() as session:
        session.get(MemberRow, ("lantern", "x"))
        with pytest.raises(StoreError, match="LockNotAvailable"):
            scrubbing.scrub(made.store, patience_ms=20)
    assert scrubbing.scrub(made.store, patience_ms=20)


def test_every_table_that_has_anything_of_members_is_written_anew() -> None:
    named = {"member_id", "other_id", "seeker", "candidate", "seeker_id", "about"}
    personal = {name for name, table in Base.metadata.tables.items() if named & set(table.columns.keys())}
    assert personal == {table.__tablename__ for table in scrubbing.PERSONAL} - {"groups"}


def test_scrubbing_twice_is_nothing(made: Installation) -> None:
    made.add(record("m-1"))
    for _ in range(2):
        assert scrubbing.scrub(made.store, whole=True)
    assert made.call("GET", "/v1/members/m-1").status_code == 200
