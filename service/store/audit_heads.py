"""The second place: where each log ended, hour by hour, in a file beside the database's, signed line after line.

A log whose last entries were cut off is still a whole chain; the line of a head that it no longer reaches tells.
"""

from __future__ import annotations

import errno
import fcntl
import hmac
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Final, NamedTuple

import orjson
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from matcher.errors import PeermatchError
from matcher.model.signing import derive
from service.logs import log_failure
from service.store.moments import moment
from service.store.tables import InstallationRow

FILE: Final = "audit.heads"
"""In ``$PEERMATCH_HOME``."""
KEEPER: Final = "peermatch_heads"
"""Where a session has what keeps them."""
EVERY: Final = 3_600_000_000
"""µs between two heads that a process writes of one log by itself."""
PATIENCE: Final = 1.0
"""For so many seconds at most somebody waits for another who writes the file."""
AGAIN: Final = 60_000_000
"""µs until a request tries again that waited in vain: else each of them would wait."""
NONE: Final = "0" * 64
"""The signature before the first line."""
_WAITING: Final = "peermatch_heads_waiting"
_PAUSE: Final = 0.02
_TAIL: Final = 4096


class HeadsError(PeermatchError):
    """The second place of the audit log was changed, or disagrees with the log."""

    title = "The heads of the audit log are not as they were written"


class Head(NamedTuple):
    """Where a log ended at a moment."""

    programme: str
    store: str
    """Id of the database: after a restore it is another one, and logs may be shorter."""
    number: int
    mac: str
    at: str
    """UTC, to the second."""


class Line(NamedTuple):
    """One line of the file."""

    head: Head
    place: int
    """From 1."""
    sig: str


class Keeper:
    """Writes and reads the file.

    Parameters
    ----------
    path : Path
        Made, mode 0600, with the first line.
    chain_key : callable
        Returns the key of the logs' chains, from which that of the signatures is derived.
    """

    def __init__(self, path: Path, chain_key: Callable[[], bytes]) -> None:
        self.path = path
        self._chain_key = chain_key
        self._written: dict[str, int] = {}

    def due(self, programme_id: str, at: int) -> bool:
        """Whether this process wrote no head of a log within the hour before `at`, in µs."""
        last = self._written.get(programme_id)
        return last is None or abs(at - last) >= EVERY

    def append(self, programme_id: str, store_id: str, number: int, mac: str, at: int) -> Line:
        """Write a line, and return when it is on the disk. Processes take turns.

        Raises
        ------
        OSError
            If the file cannot be written; `TimeoutError` if another has been writing it for `PATIENCE`.
        """
        head = Head(programme_id, store_id, number, mac, second(at))
        with self._locked() as handle:
            end, sig = self._add(handle, head)
            place = os.pread(handle, end, 0).count(b"\n") + 1
        self._written[programme_id] = at
        return Line(head, place, sig)

    def note(self, programme_id: str, store_id: str, number: int, mac: str, at: int) -> None:
        """Write a line as `append` does, in a time that does not grow with the file: for requests.

        Raises
        ------
        OSError
            As `append` does. After a `TimeoutError` the next head is due in a minute.
        """
        try:
            with self._locked() as handle:
                self._add(handle, Head(programme_id, store_id, number, mac, second(at)))
        except TimeoutError:
            self._written[programme_id] = at - EVERY + AGAIN
            raise
        self._written[programme_id] = at

    def read(self) -> list[Line]:
        """Return every line.

        Raises
        ------
        HeadsError
            Naming the first line that is not as it was written.
        OSError
            If there is a file that cannot be read.
        """
        try:
            # Behind the last line end is what a power cut left of a line, or nothing.
            lines = self.path.read_bytes().split(b"\n")[:-1]
        except FileNotFoundError:
            return []
        found: list[Line] = []
        for place, line in enumerate(lines, 1):
            head, sig = _parsed(line)
            if head is None or sig != self._sig(found[-1].sig if found else NONE, head):
                raise HeadsError(
                    f"{self.path}: line {place} is not as it was written; put the file back from where it is kept. "
                    "Where there is no other, keep this one apart for whoever looks into it: the next "
                    "`peermatch refresh` begins another, and the log says so"
                )
            found.append(Line(head, place, sig))
        return found

    @cached_property
    def _key(self) -> bytes:
        return derive(self._chain_key(), "audit-heads/1")

    def _sig(self, before: str, head: Head) -> str:
        return hmac.digest(self._key, before.encode() + b"|" + orjson.dumps(tuple(head)), "sha256").hex()

    def _add(self, handle: int, head: Head) -> tuple[int, str]:
        """Write a line behind the last whole one; return where it begins, and its signature."""
        end, before = _last(handle)
        sig = self._sig(before, head)
        # What a power cut left of a line that nobody was told of goes.
        os.ftruncate(handle, end)
        os.pwrite(handle, orjson.dumps({**head._asdict(), "sig": sig}) + b"\n", end)
        os.fsync(handle)
        return end, sig

    @contextmanager
    def _locked(self) -> Iterator[int]:
        new = not self.path.exists()
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            _lock(handle)
            yield handle
        finally:
            os.close(handle)
        if new:
            _sync(self.path.parent)


def second(at: int) -> str:
    """Return a moment, in µs since 1970, as lines tell it."""
    return f"{moment(at):%Y-%m-%dT%H:%M:%SZ}"


def remember(session: Session, programme_id: str, number: int, mac: str, at: int) -> None:
    """Have the head of a log written once its entry is committed, if this process wrote none for an hour."""
    keeper: Keeper | None = session.info.get(KEEPER)
    if keeper is None or not keeper.due(programme_id, at):
        return
    if _WAITING not in session.info:
        session.info[_WAITING] = {}
        event.listen(session, "after_commit", _write, once=True)
    store_id = session.scalar(select(InstallationRow.store_id))
    session.info[_WAITING][programme_id] = (programme_id, store_id, number, mac, at)


def _write(session: Session) -> None:
    # What was done is done and in the log: that the second place is full or away is told, and harms nobody's request.
    keeper: Keeper = session.info[KEEPER]
    for waiting in session.info.pop(_WAITING).values():
        try:
            keeper.note(*waiting)
        except (OSError, PeermatchError) as problem:
            log_failure(problem)


def _lock(handle: int) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        try:
            return fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                raise TimeoutError(errno.ETIMEDOUT, f"another process has locked {FILE}") from None
        time.sleep(_PAUSE)


def _last(handle: int) -> tuple[int, str]:
    """Return where the last whole line ends, and its signature. Only the end of the file is read."""
    size, reach = os.fstat(handle).st_size, _TAIL
    while True:
        start = max(0, size - reach)
        text = os.pread(handle, size - start, start)
        end = text.rfind(b"\n")
        begin = text.rfind(b"\n", 0, max(end, 0))
        if start == 0 or begin >= 0:
            break
        reach *= 2
    return (0, NONE) if end < 0 else (start + end + 1, _parsed(text[begin + 1 : end])[1])


def _parsed(line: bytes) -> tuple[Head | None, str]:
    try:
        told: Any = orjson.loads(line)
        return Head(*(told[name] for name in Head._fields)), str(told["sig"])
    except (ValueError, KeyError, TypeError):
        return None, ""


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
