"""The file in which the workers of a machine share what their keys have used: ``$PEERMATCH_RUN/limits``.

One moment a key (`service.limits` says of what), in nanoseconds, in a table of a fixed size: groups of `GROUP` slots,
and the id of a key says which group is its own, so that one read finds it. A group that is full gives up the slot with
the earliest moment: the one idle longest, whose key has most of its minute left and so loses least by it. A moment that
has passed is as good as none, so only keys of the last minute need a slot.

The file is read and written by calls of the system, not mapped: who cuts a mapped file short ends every process that
looks at it (SIGBUS), and here it is only made anew. The lock is of `flock`: the system lets go of it with its holder,
however that ends. It is not one of `fcntl.lockf`, which any other closing of the file in this process would give up.
"""

from __future__ import annotations

import fcntl
import os
import struct
import time
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Final, TypeAlias, TypeVar
from zlib import crc32

SLOTS: Final = 4096
GROUP: Final = 16
AHEAD: Final = 120_000_000_000
"""Nanoseconds: no moment lies further ahead, so one that does is damage and its slot is free."""
PATIENCE: Final = 1.0
"""Seconds to wait for the lock, which is held for microseconds: whoever holds it for so long was stopped."""
_PAUSE: Final = 0.00005
_SLOT: Final = struct.Struct("<16sQ")
_GROUP_BYTES: Final = GROUP * _SLOT.size
_HEAD_BYTES: Final = 64
SIZE: Final = _HEAD_BYTES + SLOTS * _SLOT.size

Clock: TypeAlias = Callable[[], int]
Verdict = TypeVar("Verdict")


class Moments(ABC):
    """A moment for each of many keys; 0 for one that is not known."""

    def change(self, key_id: str, clock: Clock, judge: Callable[[int, int], tuple[int, Verdict]]) -> Verdict:
        """Replace the moment of a key.

        Parameters
        ----------
        key_id : str
        clock : callable
            Returns nanoseconds; the one that the moments are of. Asked when nobody else is at the table any more: after
            a wait for the others, a moment of before it would be of another order than theirs.
        judge : callable
            Is told the moment there is and the present one, and returns the one to be, and a verdict: what is returned.
        """
        now = clock()
        key = _named(key_id)
        place = _HEAD_BYTES + crc32(key) % (SLOTS // GROUP) * _GROUP_BYTES
        group = self._read(place)
        at = group.find(key)
        if at < 0 or at % _SLOT.size:
            at, before = _given_up(group, now), 0
        else:
            before = _SLOT.unpack_from(group, at)[1]
        after, verdict = judge(before, now)
        if after != before:
            self._write(place + at, _SLOT.pack(key, after))
        return verdict

    @abstractmethod
    def _read(self, place: int) -> bytes:
        """Return the group of slots that begins at `place`."""

    @abstractmethod
    def _write(self, place: int, slot: bytes) -> None:
        """Write one slot."""


class InMemory(Moments):
    """Of this process only, where there can be no file."""

    def __init__(self) -> None:
        self._bytes = bytearray(SIZE)

    def _read(self, place: int) -> bytes:
        return bytes(self._bytes[place : place + _GROUP_BYTES])

    def _write(self, place: int, slot: bytes) -> None:
        self._bytes[place : place + len(slot)] = slot


class LimitFile(Moments):
    """Of all processes that open the same file. The threads of one must take turns at it: they share its lock.

    What is there and is no such file, or one of before the machine was started, is made anew in its place, so that
    processes that have it open go on with the same.

    Parameters
    ----------
    path : Path
        Made with mode 0600 if it is missing, and its folder with 0700.

    Raises
    ------
    OSError
        If it cannot be opened, made, read, written, or locked within `PATIENCE`; from each method.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        weakref.finalize(self, os.close, self._handle)
        found = os.fstat(self._handle)
        if found.st_mode & 0o077:
            os.fchmod(self._handle, 0o600)
        self._lock()
        try:
            if os.fstat(self._handle).st_size != SIZE or os.pread(self._handle, _HEAD_BYTES, 0) != _head():
                self._make()
        finally:
            self._unlock()

    @property
    def gone(self) -> bool:
        """Whether it was removed, so that processes that start now have another."""
        return not os.fstat(self._handle).st_nlink

    def change(self, key_id: str, clock: Clock, judge: Callable[[int, int], tuple[int, Verdict]]) -> Verdict:
        """Replace the moment of a key while no other process does."""
        self._lock()
        try:
            return super().change(key_id, clock, judge)
        finally:
            self._unlock()

    def _read(self, place: int) -> bytes:
        group = os.pread(self._handle, _GROUP_BYTES, place)
        if len(group) == _GROUP_BYTES:
            return group
        self._make()
        return bytes(_GROUP_BYTES)

    def _write(self, place: int, slot: bytes) -> None:
        os.pwrite(self._handle, slot, place)

    def _make(self) -> None:
        os.ftruncate(self._handle, 0)
        # The room is taken now: a full disk is met here, and not at each request.
        os.posix_fallocate(self._handle, 0, SIZE)
        os.pwrite(self._handle, _head(), 0)

    def _lock(self) -> None:
        deadline = 0.0
        while True:
            try:
                fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                now = time.monotonic()
                deadline = deadline or now + PATIENCE
                if now > deadline:
                    raise TimeoutError("another process keeps the lock of the limits") from None
                time.sleep(_PAUSE)
            else:
                return

    def _unlock(self) -> None:
        fcntl.flock(self._handle, fcntl.LOCK_UN)


def _named(key_id: str) -> bytes:
    """Return what stands in a slot for a key: its id, which has 16 characters; of any other a hash, for safety."""
    key = key_id.encode()
    return key if len(key) == 16 else blake2b(key, digest_size=16).digest()


def _given_up(group: bytes, now: int) -> int:
    """Return where the slot begins that a new key takes."""
    moments = [moment if moment <= now + AHEAD else 0 for _, moment in _SLOT.iter_unpack(group)]
    return moments.index(min(moments)) * _SLOT.size


@lru_cache(maxsize=1)
def _head() -> bytes:
    """Return how the file begins: with this start of the machine, for the clock begins anew with each."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_bytes().strip()
    except OSError:  # not Linux: moments of before are too far ahead, and cut back
        boot = b""
    return (b"peermatch limits 1\n" + boot)[:_HEAD_BYTES].ljust(_HEAD_BYTES, b"\0")
