"""A copy of an SQLite database as it is, beside it."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Final

from sqlalchemy import Connection

from service.store.hot import StoreError

BEFORE: Final = ".before-"


def copies(file: Path) -> list[Path]:
    """Return the copies that migrations made of a database's file."""
    return sorted(file.parent.glob(f"{file.name}{BEFORE}*"))


def copied_aside(connection: Connection, file: Path, revision: str) -> Path:
    """Copy the database of a connection, which has it alone, to ``<file>.before-<revision>``, mode 0600.

    A copy of this name that is there is replaced, once the new one is whole.

    Raises
    ------
    StoreError
        If it cannot be written.
    """
    place = file.with_name(f"{file.name}{BEFORE}{revision}")
    aside = place.with_name(f"{place.name}.{os.getpid()}")
    try:
        os.close(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600))
        _copy(connection, aside)
        aside.replace(place)
    except (OSError, sqlite3.Error) as problem:
        said = problem.strerror if isinstance(problem, OSError) else type(problem).__name__
        raise StoreError(
            f"{place}: the copy cannot be written ({said}); make room for a second file of the same size, or keep a "
            "copy elsewhere and use --no-copy"
        ) from None
    finally:
        aside.unlink(missing_ok=True)
    return place


def _copy(connection: Connection, aside: Path) -> None:
    source = connection.connection.driver_connection
    assert isinstance(source, sqlite3.Connection)
    target = sqlite3.connect(aside)
    try:
        source.backup(target)
    finally:
        target.close()
    handle = os.open(aside, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
