from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import LargeBinary, delete, select, update

from service.sealing import Keyring, key_of, new_key, read_keyring, write_keyring
from service.store import Store, StoreError, consent_log, members, open_store, resealing
from service.store.record_tables import ConsentEventRow
from service.store.resealing import COLUMNS, ROWS, Resealed, left_over, reseal
from service.store.table_base import Base
from service.store.tables import MemberRow
from tests.service.installation import Installation, another_programme, record

NOT_SEALED = {("lists", "shown")}
"""Columns of bytes that hold positions and moments alone."""
LAST = ("installation", "sealed")


def sealed_columns() -> set[tuple[str, str]]:
    return {
        (table.name, column.name)
        for table in Base.metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, LargeBinary)
    }


def test_every_sealed_column_is_known() -> None:
    known = {(sealed.table.name, sealed.column) for sealed in COLUMNS}
    assert known == sealed_columns() - NOT_SEALED - {LAST}


@pytest.fixture
def full(made: Installation) -> Installation:
    """Something in every sealed column, of two programmes."""
    other = another_programme(made, "beacon")
    for key in (made.key, other):
        for member_id in ("s-1", "m-1", "m-2"):
            made.call("PUT", f"/v1/members/{member_id}", record(member_id, "seeker", "supporter"), key=key)
        decision = {"purpose": "train_model", "decision": "given", "valid_until": "2027-03-04T12:00:00Z"}
        said = {**decision, "categories": ["channel"]}
        made.call("POST", "/v1/members/s-1/consents", said, key=key, headers={"Idempotency-Key": "k-1"})
    made.clock.turn(days=1)
    for key in (made.key, other):
        found = made.match("s-1", key=key)
        chosen = {"match_id": found["match_id"], "handle": found["matches"][0]["handle"]}
        assert made.call("POST", "/v1/introductions", chosen, key=key).status_code == 201
    return made


def change(made: Installation) -> Keyring:
    """Put a new key before the others."""
    write_keyring(made.settings, [new_key(), *read_keyring(made.settings).keys])
    return read_keyring(made.settings)


def kept(store: Store) -> dict[tuple[str, str], list[bytes]]:
    """Return what is sealed, by table and column."""
    with store.engine.connect() as connection:
        reading = connection.execution_options(every_programme=True)
        return {
            (sealed.table.name, sealed.column): [
                row[0] for row in reading.execute(select(sealed.table.c[sealed.column])) if row[0] is not None
            ]
            for sealed in COLUMNS
        }


def run(made: Installation, ring: Keyring) -> tuple[Resealed, int]:
    seen: list[int] = []
    return reseal(made.store, ring, seen.append), sum(seen)


def test_everything_is_sealed_with_the_new_key_and_says_the_same(full: Installation) -> None:
    before = kept(full.store)
    assert all(before.values()), "the control: there is something in every column"
    export = full.call("GET", "/v1/members/s-1/export").get_json()
    ring = change(full)
    done, seen = run(full, ring)
    assert done.unreadable == 0
    assert done.rows == {table: len(rows) for (table, _), rows in before.items()}
    assert seen == sum(done.rows.values())
    after = kept(full.store)
    assert {key_of(one) for rows in after.values() for one in rows} == {ring.current}
    again = full.call("GET", "/v1/members/s-1/export").get_json()
    assert {**again, "audit": [], "exported_at": ""} == {**export, "audit": [], "exported_at": ""}
    assert run(full, ring)[0].rows == {}


def test_rows_are_counted_that_another_key_sealed(full: Installation) -> None:
    ring = change(full)
    with full.store.reading() as session:
        left = dict(left_over(session, ring))
    assert left.pop("installation") == 1
    assert left == {table: len(rows) for (table, _), rows in kept(full.store).items()}
    run(full, ring)
    with full.store.transaction() as session:
        assert left_over(session, ring) == {"installation": 1}
        assert not resealing.is_finished(session, ring)
        resealing.finish(session)
        assert left_over(session, ring) == {}
        assert resealing.is_finished(session, ring)


def test_many_rows_in_parts_with_others_writing_in_between(made: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resealing, "ROWS", 7)
    made.add(*(record(f"m-{number:03}") for number in range(40)))
    ring = change(made)
    parts: list[int] = []

    def advance(rows: int) -> None:
        parts.append(rows)
        if len(parts) == 2:
            made.add(record("m-003", capacity=3), record("a-first"), record("z-last"))

    done = reseal(made.store, ring, advance)
    assert max(parts) == 7
    assert done.rows["members"] == 40  # what others wrote meanwhile was sealed with the new key
    assert {key_of(one) for one in kept(made.store)["members", "record"]} == {ring.current}
    with made.store.reading() as session:
        stored = members.get(session, "lantern", "m-003")
        assert stored is not None
        assert stored.record["capacity"] == 3
    assert ROWS > 7


def test_interrupted_after_any_part_it_can_be_run_again(made: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resealing, "ROWS", 5)
    made.add(*(record(f"m-{number:03}") for number in range(20)))
    ring = change(made)

    def stop(_: int) -> None:
        raise KeyboardInterrupt

    for left in (15, 10, 5):
        with pytest.raises(KeyboardInterrupt):
            reseal(made.store, ring, stop)
        with made.store.reading() as session:
            assert left_over(session, ring)["members"] == left
            assert all(stored.record for stored in members.all_members(session, "lantern"))
    assert run(made, ring)[0].rows == {"members": 5}


def test_a_row_that_no_key_opens_stays_as_it_is(made: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resealing, "ROWS", 1)
    made.add(*(record(f"m-{number}") for number in range(3)))
    broken = Keyring([new_key()]).seal("lantern", "members", "m-1", b"{}")
    which = (MemberRow.programme_id == "lantern", MemberRow.member_id == "m-1")
    with made.store.transaction() as session:
        session.execute(update(MemberRow).where(*which).values(record=broken))
    done, seen = run(made, change(made))
    assert (done.rows["members"], done.unreadable, seen) == (2, 1, 2)
    with made.store.reading() as session:
        assert session.scalar(select(MemberRow.record).where(*which)) == broken


def test_of_an_event_only_the_seal_may_change(full: Installation) -> None:
    which = (ConsentEventRow.programme_id == "lantern", ConsentEventRow.member_id == "s-1")

    def run_it(statement: Any) -> None:
        with full.store.transaction() as session:
            session.execute(statement)

    for values in (
        {"purpose": "match_serve"},
        {"decision": "withdrawn"},
        {"at": 1},
        {"valid_until": None},
        {"recorded_by": "command"},
        {"place": 9},
        {"details": None},
        {"details": b"x", "at": 1},
    ):
        last = (*which, ConsentEventRow.details.is_not(None))
        with pytest.raises(StoreError):
            run_it(update(ConsentEventRow).where(*last).values(**values))
    with pytest.raises(StoreError):  # nor may one that had none get some
        run_it(update(ConsentEventRow).where(*which, ConsentEventRow.details.is_(None)).values(details=b"x"))
    with pytest.raises(StoreError):
        run_it(delete(ConsentEventRow).where(*which))
    with full.store.reading() as session:
        assert len(consent_log.history(session, "lantern", "s-1")) == 4


def test_another_worker_reads_and_writes_all_the_while(full: Installation) -> None:
    """It has the old key alone in its memory when the new one comes."""
    worker = open_store(full.settings)
    assert len(worker.keyring.keys) == 1
    ring = change(full)
    run(full, ring)
    with worker.transaction() as session:
        stored = members.get(session, "lantern", "s-1")
        assert stored is not None
        assert stored.record["member_id"] == "s-1"
        kept_by_worker = worker.keyring.seal("lantern", "members", "x", b"{}")
    assert key_of(kept_by_worker) == ring.current
    worker.close()
