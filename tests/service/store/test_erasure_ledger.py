"""The file of erasures: it has what the table has, whatever becomes of it, and believes only what was written here."""

from __future__ import annotations

import fcntl
import os
import stat
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from matcher.errors import PeermatchError
from service.store import erasure, erasure_ledger
from service.store.erasure_ledger import Entry, Ledger, LedgerError
from service.store.moments import micros
from tests.service.installation import NOON, Installation, another_programme, record

ENTRIES = [
    Entry("lantern", f"{number:064x}", micros(NOON + timedelta(seconds=number, microseconds=number)), f"{number:032x}")
    for number in range(4)
]


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "erasures.ledger", lambda: b"k" * 32)


def synced(ledger: Ledger, entries: list[Entry]) -> int:
    return ledger.sync(lambda: entries)


def erase(made: Installation, *names: str) -> None:
    made.add(*(record(name) for name in names))
    for name in names:
        assert made.call("DELETE", f"/v1/members/{name}").status_code == 200


def in_table(made: Installation) -> list[Entry]:
    with made.store.reading() as session:
        return erasure.entries(session)


# Written and read --------------------------------------------------------------------------------------------------


def test_what_is_written_is_read(ledger: Ledger) -> None:
    assert ledger.read() == ([], 0, False)
    assert synced(ledger, ENTRIES) == 4
    assert ledger.read() == (ENTRIES, 0, True)
    assert synced(ledger, ENTRIES) == 0
    assert ledger.path.read_bytes().count(b"\n") == 4


def test_it_only_grows(ledger: Ledger) -> None:
    synced(ledger, ENTRIES[:2])
    before = ledger.path.read_bytes()
    assert synced(ledger, ENTRIES[1:]) == 2
    assert ledger.path.read_bytes().startswith(before)
    assert ledger.read().entries == ENTRIES


def test_nobody_else_may_read_it(ledger: Ledger) -> None:
    synced(ledger, ENTRIES[:1])
    assert stat.S_IMODE(ledger.path.stat().st_mode) == 0o600
    ledger.path.chmod(0o644)
    synced(ledger, ENTRIES[:2])
    assert stat.S_IMODE(ledger.path.stat().st_mode) == 0o600


def test_it_is_on_the_disk_before_anybody_is_told(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed: list[bool] = []
    real = os.fsync

    def fsync(handle: int) -> None:
        flushed.append(stat.S_ISREG(os.fstat(handle).st_mode))
        real(handle)

    monkeypatch.setattr(erasure_ledger.os, "fsync", fsync)
    synced(ledger, ENTRIES[:1])
    assert flushed == [False, True], "the folder, in which it is new, and the file"
    synced(ledger, ENTRIES[:2])
    assert flushed == [False, True, True]
    synced(ledger, ENTRIES[:2])
    assert flushed == [False, True, True], "nothing was written"


# Damaged -----------------------------------------------------------------------------------------------------------


def cut(raw: bytes) -> bytes:
    return raw[:-20]


def changed(raw: bytes) -> bytes:
    return raw.replace(b'"receipt":"' + b"0" * 31 + b"1", b'"receipt":"' + b"0" * 31 + b"9")


def moved(raw: bytes) -> bytes:
    return raw.replace(b"lantern", b"lanterm", 1)


def no_json(raw: bytes) -> bytes:
    return raw.replace(b"{", b"[", 1)


def another_shape(raw: bytes) -> bytes:
    return b'[1]\n"text"\n{"mac":1}\n' + b"[" * 100_000 + b"\n" + raw.split(b"\n", 1)[1]


def without_a_line(raw: bytes) -> bytes:
    return raw.split(b"\n", 1)[1]


def emptied(_raw: bytes) -> bytes:
    return b""


@pytest.mark.parametrize("damage", [cut, changed, moved, no_json, another_shape, without_a_line, emptied])
def test_whatever_is_missing_or_damaged_is_written_again(ledger: Ledger, damage: Callable[[bytes], bytes]) -> None:
    synced(ledger, ENTRIES)
    raw = ledger.path.read_bytes()
    ledger.path.write_bytes(damage(raw))
    assert ledger.path.read_bytes() != raw
    before = ledger.read()
    assert set(before.entries) < set(ENTRIES), "nothing that was changed is believed"
    assert synced(ledger, ENTRIES) == len(ENTRIES) - len(before.entries)
    assert set(ledger.read().entries) == set(ENTRIES)
    assert synced(ledger, ENTRIES) == 0


def test_a_line_that_was_cut_off_does_not_spoil_the_next(ledger: Ledger) -> None:
    synced(ledger, ENTRIES[:2])
    ledger.path.write_bytes(ledger.path.read_bytes()[:-5])
    synced(ledger, ENTRIES[:3])
    read = ledger.read()
    assert (set(read.entries), read.damaged) == (set(ENTRIES[:3]), 1)


def test_another_key_reads_nothing_of_it(ledger: Ledger) -> None:
    synced(ledger, ENTRIES)
    assert Ledger(ledger.path, lambda: b"l" * 32).read() == ([], 4, True)


@pytest.mark.parametrize("obstacle", ["folder", "link", "no folder"])
def test_a_file_that_cannot_be_used_is_said_to_be_one(ledger: Ledger, obstacle: str, tmp_path: Path) -> None:
    if obstacle == "folder":
        ledger.path.mkdir()
    elif obstacle == "link":
        ledger.path.symlink_to(tmp_path / "elsewhere")
    else:
        ledger = Ledger(tmp_path / "none" / "erasures.ledger", lambda: b"k" * 32)
    with pytest.raises(LedgerError, match=r"erasures\.ledger: found .*; expected a file .*Make room"):
        synced(ledger, ENTRIES)
    assert not (tmp_path / "elsewhere").exists()


def test_whoever_writes_waits_for_others(ledger: Ledger) -> None:
    synced(ledger, ENTRIES[:1])
    handle = os.open(ledger.path, os.O_RDWR)
    fcntl.flock(handle, fcntl.LOCK_EX)
    done = threading.Event()

    def write() -> None:
        synced(ledger, ENTRIES[:2])
        done.set()

    thread = threading.Thread(target=write)
    thread.start()
    assert not done.wait(0.2)
    assert ledger.read().entries == ENTRIES[:1]
    os.close(handle)
    assert done.wait(30)
    thread.join()
    assert ledger.read().entries == ENTRIES[:2]


def test_many_at_once_write_each_line_once(ledger: Ledger) -> None:
    start = threading.Barrier(8)

    def write() -> None:
        start.wait()
        synced(ledger, ENTRIES)

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ledger.read() == (ENTRIES, 0, True)
    assert ledger.path.read_bytes().count(b"\n") == len(ENTRIES)


# In service --------------------------------------------------------------------------------------------------------


def test_an_erasure_is_in_the_file_when_its_receipt_is_told(made: Installation) -> None:
    key = another_programme(made, "beacon")
    erase(made, "m-1", "m-2")
    made.call("PUT", "/v1/members/m-1", record("m-1"), key=key)
    receipt = made.call("DELETE", "/v1/members/m-1", key=key).get_json()["receipt"]
    ledger = Ledger.of(made.settings)
    assert ledger.path == made.settings.home / "erasures.ledger"
    assert set(ledger.read().entries) == set(in_table(made))
    assert receipt in {entry.receipt for entry in ledger.read().entries}
    assert {entry.programme for entry in ledger.read().entries} == {"lantern", "beacon"}
    assert "m-1" not in ledger.path.read_text("ascii")


def test_a_file_that_cannot_be_written_stops_no_erasure_and_is_made_up_for(
    made: Installation, caplog: pytest.LogCaptureFixture
) -> None:
    file = made.settings.home / "erasures.ledger"
    file.mkdir()
    erase(made, "m-1")
    assert made.call("GET", "/v1/members/m-1").status_code == 404
    assert "LedgerError" in caplog.text
    assert "m-1" not in caplog.text
    file.rmdir()
    erase(made, "m-2")
    assert set(Ledger.of(made.settings).read().entries) == set(in_table(made))
    assert len(in_table(made)) == 2


def test_a_secret_key_that_is_gone_is_told(made: Installation) -> None:
    erase(made, "m-1")
    made.settings.secret_key_file.unlink()
    with pytest.raises(PeermatchError):
        Ledger.of(made.settings).read()


def test_the_ledger_of_many_years_takes_no_time_worth_telling(ledger: Ledger) -> None:
    """What every erasure does: read the file whole, and write what it lacks. The bound is many times what it takes."""
    from time import process_time

    many = [Entry("lantern", f"{number:064x}", micros(NOON), f"{number:032x}") for number in range(10_000)]
    synced(ledger, many)
    began = process_time()
    assert synced(ledger, many) == 0
    assert process_time() - began < 2.0
