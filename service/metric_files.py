"""The files in which the workers of one server keep their numbers for Prometheus: ``$PEERMATCH_RUN/metrics/<pid>/``."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from service.logs import log_failure

VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"
"""Names the folder; inherited by workers."""
FILES: Final = ("counter", "histogram", "gauge_livemin", "gauge_livemax")
BYTES: Final = 256 * 1024
"""Of each file: some thousand series."""


def prepare(run: Path) -> None:
    """Make the folder of the server that starts, and remove those of servers that run no more.

    Where it cannot be made the workers count in their memory, each for itself, and the log says so.
    """
    os.environ.pop(VARIABLE, None)
    folder = run / "metrics" / str(os.getpid())
    try:
        folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        for other in folder.parent.iterdir():
            if other == folder or not _runs(other.name):
                shutil.rmtree(other, ignore_errors=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        _reserve(folder / "probe.db")
        (folder / "probe.db").unlink()
    except OSError as error:
        log_failure(error)
        return
    os.environ[VARIABLE] = str(folder)


def folder() -> Path | None:
    """Return the folder of the present server, if there is one."""
    name = os.environ.get(VARIABLE)
    return Path(name) if name else None


def remove() -> None:
    """Remove the folder of the present server; called when it has stopped."""
    here = folder()
    if here is not None:
        shutil.rmtree(here, ignore_errors=True)


def reserve(pid: int) -> bool:
    """Take the room on the disk that the files of a process need, before they are written by way of the memory.

    A write that the disk has no room for would otherwise end the process (SIGBUS), not fail. Returns False where there
    is no folder, or no room now: the process then counts in its memory.
    """
    here = folder()
    if here is None:
        return False
    try:
        for name in FILES:
            _reserve(here / f"{name}_{pid}.db")
    except OSError as error:
        log_failure(error)
        forget(here, pid)
        os.environ.pop(VARIABLE, None)
        return False
    return True


def forget_the_dead(here: Path) -> None:
    """Remove what workers that have ended said of the present; what they counted stays."""
    for path in here.glob("gauge_live*.db"):
        if not _runs(path.stem.rpartition("_")[2]):
            path.unlink(missing_ok=True)


def forget(here: Path, pid: int) -> None:
    """Remove everything that a process said."""
    for path in _of(here, pid):
        with suppress(OSError):
            path.unlink()


def _of(here: Path, pid: int) -> Iterator[Path]:
    yield from here.glob(f"*_{pid}.db")


def _reserve(path: Path) -> None:
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        os.posix_fallocate(handle, 0, BYTES)
    finally:
        os.close(handle)


def _runs(name: str) -> bool:
    if not name.isdigit():
        return False
    try:
        os.kill(int(name), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
