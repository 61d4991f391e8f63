"""Limits over processes and threads: exactly what one process alone would let through, whatever ends."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from service import limit_file
from service.limit_file import LimitFile
from service.limits import Decision, Limits
from tests.conftest import examples

KEY = "k" * 16
NOW = 5_000_000_000_000
PROCESSES, THREADS = 2, 4

HAMMER = """
import sys, threading, time
from pathlib import Path
from service.limits import Limits
run, per_minute, each, clock = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
limits = Limits(run, time.monotonic_ns if clock == "real" else lambda: int(clock))
sys.setswitchinterval(1e-5)
allowed = []

def hammer():
    allowed.append(sum(limits.take("k" * 16, per_minute).allowed for _ in range(each)))

threads = [threading.Thread(target=hammer) for _ in range(int(sys.argv[5]))]
print("ready", flush=True)
sys.stdin.readline()
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert not limits._told, "the file failed"
print(sum(allowed), flush=True)
"""

NO_LOCK = """
import contextlib
import service.limits
from service.limit_file import LimitFile
LimitFile._lock = LimitFile._unlock = lambda self: None
service.limits.Lock = contextlib.nullcontext
"""

HOLD = """
import sys
from pathlib import Path
from service.limit_file import LimitFile
held = LimitFile(Path(sys.argv[1]))

def clock():
    print("held", flush=True)
    return int(sys.stdin.readline())

held.change("k" * 16, clock, lambda before, now: (now, before))
"""


@contextmanager
def child(root: Path, script: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """Run a script in a process of its own, which says a word when it is ready."""
    command = [sys.executable, "-c", script, *map(str, arguments)]
    with subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() in {"ready\n", "held\n"}
            yield process
        finally:
            process.kill()


def hammered(root: Path, run: Path, per_minute: int, clock: object, script: str = HAMMER) -> int:
    """Return how many requests of 2 processes with 4 threads each are let through, of twice as many as may be."""
    each = 2 * per_minute // (PROCESSES * THREADS)
    arguments = (run, per_minute, each, clock, THREADS)
    with child(root, script, *arguments) as one, child(root, script, *arguments) as other:
        for process in (one, other):
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        return sum(int(process.communicate()[0]) for process in (one, other))


def test_all_processes_and_threads_let_exactly_a_burst_through(tmp_path: Path, root: Path) -> None:
    per_minute = examples(4_000, 100_000)
    assert hammered(root, tmp_path, per_minute, NOW) == per_minute
    after = Limits(tmp_path, lambda: NOW).take(KEY, per_minute)
    assert after == Decision(False, 0, 1, 1, per_minute)


def test_without_locks_more_would_be_let_through(tmp_path: Path, root: Path) -> None:
    """The control of the test before."""
    assert hammered(root, tmp_path, 4_000, NOW, NO_LOCK + HAMMER) > 4_000


def test_and_what_came_back_while_they_ran(tmp_path: Path, root: Path) -> None:
    per_minute = examples(4_000, 100_000)
    began = time.monotonic_ns()
    let_through = hammered(root, tmp_path, per_minute, "real")
    back = (time.monotonic_ns() - began) * per_minute / 60e9
    assert per_minute <= let_through <= per_minute + back


def taken(path: Path) -> bool:
    """Return whether somebody holds the lock."""
    handle = os.open(path, os.O_RDWR)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def test_a_holder_of_the_lock_that_is_killed_holds_up_nobody(tmp_path: Path, root: Path) -> None:
    limits = Limits(tmp_path, lambda: NOW)
    assert limits.take(KEY, 3) == Decision(True, 2, 20, 0, 3)
    with child(root, HOLD, tmp_path / "limits") as holder:
        assert taken(tmp_path / "limits")
        holder.send_signal(signal.SIGKILL)
        assert holder.wait() == -signal.SIGKILL
        assert not taken(tmp_path / "limits")
        assert limits.take(KEY, 3) == Decision(True, 1, 20, 0, 3)


def test_a_holder_that_is_stopped_holds_up_nobody_for_long(
    tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(limit_file, "PATIENCE", 0.01)
    limits = Limits(tmp_path, lambda: NOW)
    limits.take(KEY, 3)
    with child(root, HOLD, tmp_path / "limits"):
        found = [limits.take(KEY, 3) for _ in range(4)]
    assert [one.allowed for one in found if one] == [True, True, True, False], "counted in memory"
    assert "TimeoutError" in caplog.text


@pytest.mark.parametrize("many", range(examples(3, 30)))
def test_a_process_killed_while_it_counts_leaves_a_sound_file(tmp_path: Path, root: Path, many: int) -> None:
    per_minute = 1_000_000
    limits = Limits(tmp_path, lambda: NOW)
    with child(root, HAMMER, tmp_path, per_minute, 10**9, NOW, THREADS) as process:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
        while LimitFile(tmp_path / "limits").change(KEY, lambda: NOW, lambda before, _: (before, before)) < NOW + many:
            assert process.poll() is None
        process.kill()
        process.wait()
    first = limits.take(KEY, per_minute)
    second = limits.take(KEY, per_minute)
    assert first is not None
    assert second is not None
    assert 0 < first.remaining < per_minute
    assert second.remaining == first.remaining - 1
