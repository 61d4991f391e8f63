from __future__ import annotations

import fcntl
import json
import logging
import multiprocessing
import os
from datetime import timedelta
from pathlib import Path

import pytest

from service.store import audit, audit_heads, open_store
from service.store.audit_heads import EVERY, FILE, NONE, HeadsError, Keeper
from service.store.moments import micros
from tests.service.installation import NOON, Installation, another_programme
from tests.service.store.audited import rows, write

AT = micros(NOON)
STORE = "s" * 32


@pytest.fixture
def keeper(tmp_path: Path) -> Keeper:
    return Keeper(tmp_path / "apart" / FILE, lambda: b"k" * 32)


def add(keeper: Keeper, count: int, start: int = 1) -> None:
    keeper.path.parent.mkdir(exist_ok=True)
    for number in range(start, start + count):
        keeper.append("lantern", STORE, number, "ab" * 32, AT)


def test_lines_are_read_as_they_were_written_and_by_nobody_else(keeper: Keeper) -> None:
    assert keeper.read() == []
    add(keeper, 3)
    lines = keeper.read()
    assert [(line.place, line.head.number) for line in lines] == [(1, 1), (2, 2), (3, 3)]
    assert lines[0].head == ("lantern", STORE, 1, "ab" * 32, "2026-03-04T12:00:00Z")
    told = [json.loads(line) for line in keeper.path.read_text().splitlines()]
    assert list(told[0]) == ["programme", "store", "number", "mac", "at", "sig"]
    assert len({one["sig"] for one in told} - {NONE}) == 3
    assert keeper.path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda lines: [lines[0], lines[2], lines[3]], 2),
        (lambda lines: lines[1:], 1),
        (lambda lines: [lines[0], lines[2], lines[1], lines[3]], 2),
        (lambda lines: [*lines, lines[3]], 5),
        (lambda lines: [lines[0], lines[1].replace(b'"number":2', b'"number":9'), *lines[2:]], 2),
        (lambda lines: [lines[0], lines[1].replace(b"lantern", b"beacon"), *lines[2:]], 2),
        (lambda lines: [lines[0], b"{}\n", *lines[2:]], 2),
        (lambda lines: [lines[0], b"\xff\n", *lines[2:]], 2),
        (lambda lines: [lines[0], b"\n", *lines[1:]], 2),
        (lambda lines: [lines[0], lines[1][:40]], None),
        (lambda lines: [], None),
    ],
)
def test_a_line_that_was_changed_is_named(keeper: Keeper, change, line: int | None) -> None:  # type: ignore[no-untyped-def]
    add(keeper, 4)
    keeper.path.write_bytes(b"".join(change(keeper.path.read_bytes().splitlines(keepends=True))))
    if line is None:  # lines cut off at the end: the log itself tells
        assert len(keeper.read()) < 4
        return
    with pytest.raises(HeadsError, match=f"line {line} is not as it was written"):
        keeper.read()


def test_another_secret_reads_none_of_them(keeper: Keeper) -> None:
    add(keeper, 1)
    with pytest.raises(HeadsError, match="line 1"):
        Keeper(keeper.path, lambda: b"K" * 32).read()


def test_a_line_cut_by_a_power_cut_is_forgotten_and_the_next_one_follows(keeper: Keeper) -> None:
    add(keeper, 2)
    with keeper.path.open("ab") as file:
        file.write(b'{"programme":"lantern","store":"')
    assert len(keeper.read()) == 2
    add(keeper, 1, start=3)
    assert [line.head.number for line in keeper.read()] == [1, 2, 3]


def test_a_line_added_behind_a_changed_one_mends_nothing(keeper: Keeper) -> None:
    add(keeper, 2)
    keeper.path.write_bytes(keeper.path.read_bytes().replace(b'"number":2', b'"number":3'))
    add(keeper, 1)
    with pytest.raises(HeadsError, match="line 2"):
        keeper.read()


def _append(path: str, first: int) -> None:
    keeper = Keeper(Path(path), lambda: b"k" * 32)
    for number in range(first, first + 20):
        keeper.append("lantern", STORE, number, "ab" * 32, AT)


def test_processes_take_turns(keeper: Keeper) -> None:
    keeper.path.parent.mkdir()
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_append, args=(str(keeper.path), 100 * place)) for place in range(1, 4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    assert sorted(line.head.number for line in keeper.read()) == sorted(
        number for place in range(1, 4) for number in range(100 * place, 100 * place + 20)
    )


def test_a_line_is_on_the_disk_when_it_is_there(keeper: Keeper, monkeypatch: pytest.MonkeyPatch) -> None:
    keeper.path.parent.mkdir()
    synced: list[bool] = []
    real = os.fsync

    def fsync(handle: int) -> None:
        synced.append(Path(f"/proc/self/fd/{handle}").is_dir())
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    add(keeper, 1)
    assert synced == [False, True], "the line, and its file's name"
    add(keeper, 1)
    assert synced == [False, True, False]


def test_a_process_writes_one_head_an_hour_of_each_log(made: Installation) -> None:
    another_programme(made, "beacon")
    write(made, 3)
    write(made, 1, start=NOON + timedelta(minutes=59, seconds=59))
    assert [line.head.number for line in made.store.heads.read()] == [3]
    write(made, 1, "beacon", start=NOON + timedelta(minutes=10))
    write(made, 1, start=NOON + timedelta(hours=1, minutes=2))
    write(made, 1, start=NOON - timedelta(hours=1))  # the clock was set back
    found = made.store.heads.read()
    assert [(line.head.programme, line.head.number) for line in found] == [
        ("lantern", 3),
        ("beacon", 1),
        ("lantern", 5),
        ("lantern", 6),
    ]
    assert found[2].head.mac == rows(made)[4].mac
    assert EVERY == 3600 * 10**6


def test_another_process_writes_its_own(made: Installation) -> None:
    write(made, 1)
    another = open_store(made.settings)
    write(made, 1, store=another)
    another.close()
    assert [line.head.number for line in made.store.heads.read()] == [1, 2]


def test_what_is_rolled_back_has_no_head(made: Installation) -> None:
    def fail() -> None:
        with made.store.transaction() as session:
            audit.record(session, "lantern", "hold.placed", now=NOON, by="command")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert made.store.heads.read() == []
    write(made, 1)
    assert [line.head.number for line in made.store.heads.read()] == [1]


def test_the_last_entry_of_a_transaction_is_its_head(made: Installation) -> None:
    with made.store.transaction() as session:
        for _ in range(3):
            audit.record(session, "lantern", "hold.placed", now=NOON, by="command")
    (line,) = made.store.heads.read()
    assert (line.head.number, line.head.mac) == (3, rows(made)[2].mac)


def test_a_second_place_that_is_away_is_told_and_stops_nothing(
    made: Installation, caplog: pytest.LogCaptureFixture
) -> None:
    made.store.heads.path.mkdir()
    with caplog.at_level(logging.INFO, "peermatch"):
        write(made, 1)
    assert len(rows(made)) == 1
    assert '"event":"failure"' in caplog.text
    made.store.heads.path.rmdir()
    write(made, 1)  # tried again at once: it is still due
    assert [line.head.number for line in made.store.heads.read()] == [2]


def test_nobody_waits_for_long_for_whoever_holds_the_file(
    made: Installation, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert audit_heads.PATIENCE == 1
    monkeypatch.setattr(audit_heads, "PATIENCE", 0.0)
    asked: list[int] = []
    real = fcntl.flock

    def never_waits(handle: int, how: int) -> None:
        assert how & fcntl.LOCK_NB
        asked.append(how)
        real(handle, how)

    path = made.store.heads.path
    with path.open("ab") as held, caplog.at_level(logging.INFO, "peermatch"):
        real(held, fcntl.LOCK_EX)
        monkeypatch.setattr(fcntl, "flock", never_waits)
        write(made, 1)
        assert '"event":"failure"' in caplog.text
        write(made, 1, start=NOON + timedelta(seconds=59))
        assert len(asked) == 1, "the next minute's requests do not wait as well"
        with pytest.raises(TimeoutError):
            made.store.heads.append("lantern", STORE, 1, "ab" * 32, AT)
    assert len(rows(made)) == 2
    assert made.store.heads.read() == []
    write(made, 1, start=NOON + timedelta(seconds=60))
    assert [line.head.number for line in made.store.heads.read()] == [3]


def test_a_request_reads_only_the_end_of_the_file(keeper: Keeper, monkeypatch: pytest.MonkeyPatch) -> None:
    add(keeper, 100)
    read: list[int] = []
    real = os.pread

    def pread(handle: int, size: int, start: int) -> bytes:
        read.append(size)
        return real(handle, size, start)

    monkeypatch.setattr(os, "pread", pread)
    keeper.note("lantern", STORE, 101, "ab" * 32, AT)
    assert keeper.path.stat().st_size > 3 * 4096
    assert read == [4096]
    assert keeper.append("lantern", STORE, 102, "ab" * 32, AT).place == 102
    assert [line.head.number for line in keeper.read()] == list(range(1, 103))


@pytest.mark.parametrize("tail", [1, 10, 300, 1000])
@pytest.mark.parametrize("left", [0, 1, 3])
def test_the_last_line_is_found_whatever_lies_behind_it(
    keeper: Keeper, monkeypatch: pytest.MonkeyPatch, tail: int, left: int
) -> None:
    monkeypatch.setattr(audit_heads, "_TAIL", tail)
    add(keeper, left)
    with keeper.path.open("ab") as file:
        file.write(b"x" * 2500)
    add(keeper, 2, start=left + 1)
    assert [(line.place, line.head.number) for line in keeper.read()] == [(n, n) for n in range(1, left + 3)]
