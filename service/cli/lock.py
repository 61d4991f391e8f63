"""One at a time on a machine: a lock file that says who holds it, and that a dead process cannot hold."""

from __future__ import annotations

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from service.store.locks import LockedError


@contextmanager
def exclusive(path: Path, purpose: str, now: datetime) -> Iterator[None]:
    """Hold the lock `path` while the block runs.

    The lock is the kernel's (flock): it ends with the process that took it, however that ended, so there is no stale
    lock to clear away. What stands in the file is only for the message.

    Parameters
    ----------
    path : Path
        The lock file; made, with its folder, where it is missing. It stays, because removing it would let two
        processes lock two different files of one name.
    purpose : str
        What the holder does, e.g. ``"training lantern"``.
    now : datetime
        Since when it is held.

    Raises
    ------
    LockedError
        At once, if another process holds it: its purpose, process, host and since when.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "r+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LockedError(
                f"{_holder(file.read())} holds the lock {path}; wait until it has ended, or end it, and run this again"
            ) from None
        _write(file.fileno(), {"purpose": purpose, "pid": os.getpid(), "host": _host(), "since": now.isoformat()})
        try:
            yield
        finally:
            _write(file.fileno(), None)


def _write(descriptor: int, holder: dict[str, object] | None) -> None:
    text = "" if holder is None else json.dumps(holder)
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, text.encode("utf-8"), 0)


def _holder(text: str) -> str:
    try:
        holder = json.loads(text)
        since = datetime.fromisoformat(holder["since"])
        return f"{holder['purpose']} (process {holder['pid']} on {holder['host']}, since {since:%Y-%m-%d %H:%M:%S} UTC)"
    except (ValueError, KeyError, TypeError):  # it has the lock and has not written its name yet
        return "another process"


def _host() -> str:
    return socket.gethostname()
