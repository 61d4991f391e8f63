from __future__ import annotations

import errno
import os
import signal
from collections.abc import Callable
from math import ceil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service import limits
from service.limit_file import LimitFile
from service.limits import MINUTE, Decision, Limits
from service.settings import MOST_PER_MINUTE
from tests.conftest import examples

SECOND = 1_000_000_000
DAY = 86_400 * SECOND
KEY, OTHER = "k" * 16, "o" * 16


class Clock:
    def __init__(self, now: int = 5 * DAY) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now

    def turn(self, seconds: float) -> None:
        self.now += int(seconds * SECOND)


def taken(meter: Limits, per_minute: int) -> Decision:
    decision = meter.take(KEY, per_minute)
    assert decision is not None
    return decision


@settings(max_examples=examples(100, 2000))
@given(st.integers(1, 600), st.lists(st.integers(-2 * DAY, 2 * DAY) | st.integers(-MINUTE, MINUTE), max_size=15))
def test_a_clock_that_jumps_locks_nobody_out_and_lets_nobody_in_for_free(per_minute: int, jumps: list[int]) -> None:
    clock = Clock()
    meter = Limits(None, clock)
    let_through, earned = 0, float(per_minute)
    for jump in jumps:
        clock.now = max(0, clock.now + jump)
        earned += min(max(jump, 0), MINUTE) / MINUTE * per_minute
        while (decision := taken(meter, per_minute)).allowed:
            let_through += 1
        assert decision.retry_after <= ceil(60 / per_minute)
        assert let_through <= earned + 1e-6
    clock.turn(ceil(60 / per_minute))
    assert taken(meter, per_minute).allowed


def test_a_clock_set_back_a_day_costs_a_key_its_burst_and_no_more() -> None:
    clock = Clock()
    meter = Limits(None, clock)
    assert meter.take(KEY, 60) == Decision(True, 59, 1, 0, 60)
    clock.turn(-86_400)
    assert meter.take(KEY, 60) == Decision(False, 0, 1, 1, 60)
    clock.turn(1)
    assert meter.take(KEY, 60) == Decision(True, 0, 1, 0, 60)
    clock.turn(60)
    assert meter.take(KEY, 60) == Decision(True, 59, 1, 0, 60)


def test_a_limit_that_is_changed_counts_from_the_next_request_on() -> None:
    clock = Clock()
    meter = Limits(None, clock)
    assert meter.take(KEY, 2, 2) == Decision(True, 0, 30, 0, 2)
    assert meter.take(KEY, 6000) == Decision(False, 0, 1, 1, 6000)
    clock.turn(1)
    assert meter.take(KEY, 6000) == Decision(True, 99, 1, 0, 6000)
    assert meter.take(KEY, 1) == Decision(False, 0, 60, 60, 1)


def test_keys_are_counted_apart_and_some_not_at_all() -> None:
    meter = Limits(None, Clock())
    assert meter.take(KEY, 1) == Decision(True, 0, 60, 0, 1)
    assert meter.take(KEY, 1) == Decision(False, 0, 60, 60, 1)
    assert meter.take(OTHER, 1) == Decision(True, 0, 60, 0, 1)
    assert meter.take(KEY, None) is None


@pytest.mark.parametrize(("per_minute", "cost"), [(0, 1), (-1, 1), (MOST_PER_MINUTE + 1, 1), (5, 6), (5, 0), (5, -1)])
def test_what_is_no_limit_is_refused(per_minute: int, cost: int) -> None:
    with pytest.raises(ValueError, match=f"found {cost} of {per_minute} a minute"):
        Limits(None).take(KEY, per_minute, cost)


def test_the_file_is_made_when_it_is_needed(tmp_path: Path) -> None:
    run = tmp_path / "var" / "run"
    meter = Limits(run)
    meter.take(KEY, None)
    assert not run.exists()
    meter.take(KEY, 1)
    assert (run / "limits").stat().st_mode & 0o777 == 0o600
    assert run.stat().st_mode & 0o777 == 0o700


def test_a_file_that_is_removed_is_made_again_for_all(tmp_path: Path) -> None:
    one, other = Limits(tmp_path, Clock()), Limits(tmp_path, Clock())
    assert taken(one, 3).remaining == 2
    assert taken(other, 3).remaining == 1
    (tmp_path / "limits").unlink()
    assert taken(one, 3).remaining == 2
    assert taken(other, 3).remaining == 1
    assert taken(Limits(tmp_path, Clock()), 3).remaining == 0


def counts(meter: Limits) -> None:
    """Look that a limit of two lets two through."""
    assert [taken(meter, 2).allowed for _ in range(3)] == [True, True, False]


def in_the_way(folder: Path, _: pytest.MonkeyPatch) -> Path:
    (folder / "run").write_text("a file")
    return folder / "run"


def a_folder_of_the_name(folder: Path, _: pytest.MonkeyPatch) -> Path:
    (folder / "limits").mkdir()
    return folder


def read_only(folder: Path, patch: pytest.MonkeyPatch) -> Path:
    def refuse(*_: Any) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    patch.setattr(os, "open", refuse)
    return folder


def full_disk(folder: Path, patch: pytest.MonkeyPatch) -> Path:
    def refuse(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    patch.setattr(os, "posix_fallocate", refuse)
    return folder


@pytest.mark.parametrize("fault", [in_the_way, a_folder_of_the_name, read_only, full_disk])
def test_without_a_file_each_process_counts_for_itself_and_says_so_once(
    fault: Callable[[Path, pytest.MonkeyPatch], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = Clock()
    with monkeypatch.context() as patch:
        meter = Limits(fault(tmp_path, patch), clock)
        counts(meter)
        clock.turn(120)
        counts(meter)
    assert caplog.text.count('"event":"failure"') == 1


def test_a_file_that_can_be_made_again_is_found_within_a_minute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    meter, tries = Limits(tmp_path, clock), []

    def counted(path: Path) -> LimitFile:
        tries.append(path)
        return LimitFile(path)

    with monkeypatch.context() as patch:
        full_disk(tmp_path, patch)
        patch.setattr(limits, "LimitFile", counted)
        counts(meter)
        clock.turn(59)
        meter.take(KEY, 2)
    assert len(tries) == 1
    clock.turn(1)
    counts(meter)
    assert Limits(tmp_path, clock).take(KEY, 2) == Decision(False, 0, 30, 30, 2)


def test_a_process_that_is_forked_while_a_thread_counts_can_count(tmp_path: Path) -> None:
    meter = Limits(tmp_path, Clock())
    meter.take(KEY, 3)
    with meter._one_at_a_time:
        child = os.fork()
        if not child:
            signal.alarm(20)  # a lock that nobody gives back would keep it for ever
            found = meter.take(KEY, 3)
            os._exit(found.remaining if found and found.allowed else 99)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1
    assert meter.take(KEY, 3) == Decision(True, 0, 20, 0, 3)
