from __future__ import annotations

import fcntl
import os
import random
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from zlib import crc32

import pytest

from service import limit_file
from service.limit_file import AHEAD, GROUP, SIZE, SLOTS, InMemory, LimitFile, Moments

NOW = 1_000_000_000_000


def put(table: Moments, key_id: str, moment: int, now: int = NOW) -> int:
    """Write the moment of a key; return the one before."""
    return table.change(key_id, lambda: now, lambda before, _: (moment, before))


def get(table: Moments, key_id: str) -> int:
    return table.change(key_id, lambda: NOW, lambda before, _: (before, before))


def of_one_group(many: int) -> Iterator[str]:
    """Yield ids of keys that have the same group as the first."""
    groups = SLOTS // GROUP
    ids = (f"{number:016d}" for number in count())
    same = (one for one in ids if crc32(one.encode()) % groups == crc32(b"0" * 16) % groups)
    for _ in range(many):
        yield next(same)


@pytest.fixture(params=["file", "memory"])
def table(request: pytest.FixtureRequest, tmp_path: Path) -> Moments:
    return InMemory() if request.param == "memory" else LimitFile(tmp_path / "limits")


def test_each_key_has_its_own_moment(table: Moments) -> None:
    keys = [f"{number:016x}" for number in range(200)]
    assert {get(table, key) for key in keys} == {0}
    assert {put(table, key, NOW + number) for number, key in enumerate(keys)} == {0}
    assert [get(table, key) for key in keys] == [NOW + number for number in range(200)]
    assert put(table, keys[7], 5) == NOW + 7
    assert get(table, keys[7]) == 5


def test_ids_of_other_lengths_are_told_apart_too(table: Moments) -> None:
    keys = ["", "k", "k" * 15, "k" * 16, "k" * 17, "k" * 18, "é" * 8]
    for number, key in enumerate(keys):
        put(table, key, NOW + number)
    assert [get(table, key) for key in keys] == [NOW + number for number in range(len(keys))]


def test_the_moment_is_that_at_which_nobody_else_is_there(tmp_path: Path) -> None:
    held = LimitFile(tmp_path / "limits")
    told: list[bool] = []

    def clock() -> int:
        other = os.open(tmp_path / "limits", os.O_RDWR)
        try:
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            told.append(True)
        finally:
            os.close(other)
        return NOW

    held.change("k" * 16, clock, lambda before, now: (now, before))
    assert told == [True]


def test_a_full_group_gives_up_the_key_that_is_idle_longest(table: Moments) -> None:
    *keys, late, later = of_one_group(GROUP + 2)
    order = random.Random(1).sample(range(GROUP), GROUP)
    for rank, key in zip(order, keys, strict=True):
        put(table, key, NOW + rank)
    put(table, late, NOW + GROUP)
    left = {key: get(table, key) for key in [*keys, late] if key != keys[order.index(0)]}
    assert left == {late: NOW + GROUP, **{key: NOW + rank for rank, key in zip(order, keys, strict=True) if rank}}
    put(table, later, NOW + GROUP)
    assert put(table, keys[order.index(1)], NOW + 99) == 0
    assert put(table, keys[order.index(3)], NOW + 99) == NOW + 3


def test_a_full_table_answers_everybody_and_forgets_few(table: Moments) -> None:
    keys = [f"{number:016d}" for number in range(SLOTS)]
    for number, key in enumerate(keys):
        put(table, key, NOW + number)
    known = sum(get(table, key) == NOW + number for number, key in enumerate(keys))
    # Of groups with more keys than slots: of a mean of 16, a Poisson count is 1.6 above it.
    assert 0.85 * SLOTS < known < SLOTS
    few = [f"{number:016x}" for number in range(10 * SLOTS, 10 * SLOTS + SLOTS // 8)]
    for key in few:
        put(table, key, NOW + 2 * SLOTS)
    assert {get(table, key) for key in few} == {NOW + 2 * SLOTS}, "those of now push those of before out"


def test_a_moment_that_cannot_be_is_the_first_to_go(table: Moments) -> None:
    *keys, late, later = of_one_group(GROUP + 2)
    for key in keys:
        put(table, key, NOW)
    put(table, keys[5], NOW + AHEAD + 1)
    put(table, keys[6], 2**64 - 1)
    put(table, late, NOW)
    put(table, later, NOW)
    assert [get(table, key) for key in keys if key not in {keys[5], keys[6]}] == [NOW] * (GROUP - 2)
    assert get(table, late) == get(table, later) == NOW


def cut(path: Path, size: int) -> None:
    os.truncate(path, size)


DAMAGE: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: cut(path, 0),
    "cut in the head": lambda path: cut(path, 10),
    "cut in the slots": lambda path: cut(path, SIZE // 2),
    "a byte short": lambda path: cut(path, SIZE - 1),
    "longer": lambda path: cut(path, SIZE + 1),
    "other words": lambda path: path.write_bytes(b"something else" * 9000),
    "another start of the machine": lambda path: path.write_bytes(
        path.read_bytes().replace(limit_file._head()[19:55], b"0" * 36)
    ),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_what_is_no_such_file_is_made_anew_in_its_place(damage: Callable[[Path], object], tmp_path: Path) -> None:
    path = tmp_path / "limits"
    before = LimitFile(path)
    put(before, "k" * 16, NOW)
    assert get(LimitFile(path), "k" * 16) == NOW, "sound, it is left alone"
    damage(path)
    after = LimitFile(path)
    assert path.stat().st_size == SIZE
    assert path.stat().st_blocks * 512 >= SIZE, "the room is taken"
    assert get(after, "k" * 16) == 0
    put(after, "k" * 16, NOW + 1)
    assert get(before, "k" * 16) == NOW + 1, "whoever had it open goes on with the same"


@pytest.mark.parametrize("size", [0, 10, SIZE // 2])
def test_a_file_cut_short_under_those_who_use_it_ends_none_of_them(tmp_path: Path, size: int) -> None:
    path = tmp_path / "limits"
    keys, one, other = [f"{number:016d}" for number in range(300)], LimitFile(path), LimitFile(path)
    for key in keys:
        put(one, key, NOW)
    cut(path, size)
    for key in keys:
        put(one, key, NOW + 1)
    # What came before the cut was noticed may be lost with it; what came after is not.
    for key in keys:
        put(one, key, NOW + 2)
    assert {get(other, key) for key in keys} == {NOW + 2}
    assert path.stat().st_size == SIZE


def test_a_group_cut_in_two_is_none(tmp_path: Path) -> None:
    table, (known, new) = LimitFile(tmp_path / "limits"), of_one_group(2)
    put(table, known, NOW)
    cut(tmp_path / "limits", 64 + crc32(known.encode()) % (SLOTS // GROUP) * 384 + 100)
    assert put(table, new, NOW) == 0
    assert (get(table, known), get(table, new)) == (0, NOW)
    assert (tmp_path / "limits").stat().st_size == SIZE


@pytest.mark.parametrize("seed", range(5))
def test_rubbish_in_the_slots_does_no_harm_for_long(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "limits"
    LimitFile(path)
    path.write_bytes(limit_file._head() + random.Random(seed).randbytes(SIZE - 64))
    table, keys = LimitFile(path), [f"{number:016d}" for number in range(SLOTS // 8)]
    for key in keys:
        assert put(table, key, NOW) == 0
    assert {get(table, key) for key in keys} == {NOW}


def test_a_file_that_was_removed_is_known_as_gone(tmp_path: Path) -> None:
    table = LimitFile(tmp_path / "limits")
    seen = [table.gone]
    (tmp_path / "limits").unlink()
    seen.append(table.gone)
    LimitFile(tmp_path / "limits")
    seen.append(table.gone)
    assert seen == [False, True, True]


def test_its_mode_is_put_right(tmp_path: Path) -> None:
    path = tmp_path / "limits"
    LimitFile(path)
    path.chmod(0o644)
    LimitFile(path)
    assert path.stat().st_mode & 0o777 == 0o600


def test_no_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("mine")
    (tmp_path / "limits").symlink_to(tmp_path / "precious")
    with pytest.raises(OSError, match="symbolic"):
        LimitFile(tmp_path / "limits")
    assert (tmp_path / "precious").read_text() == "mine"


def test_one_that_waits_too_long_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two at once: the second finds the lock taken. Without it, it would find the moment of before."""
    one, other = LimitFile(tmp_path / "limits"), LimitFile(tmp_path / "limits")
    monkeypatch.setattr(limit_file, "PATIENCE", 0.0)

    def both(before: int, now: int) -> tuple[int, int]:
        return now, put(other, "k" * 16, NOW + 1)

    with pytest.raises(TimeoutError, match="lock of the limits"):
        one.change("k" * 16, lambda: NOW, both)
    assert get(one, "k" * 16) == 0
    monkeypatch.setattr(LimitFile, "_lock", lambda self: None)
    assert one.change("k" * 16, lambda: NOW, both) == 0
    assert get(one, "k" * 16) == NOW, "the control: one of two requests was lost"


def test_files_are_closed_with_what_opened_them(tmp_path: Path) -> None:
    table = LimitFile(tmp_path / "limits")
    handle = table._handle
    os.fstat(handle)
    del table
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(handle)
