"""Making a backup: everything of one moment, in a file that is there whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Final

from sqlalchemy import Table, func, select
from sqlalchemy.orm import Session

from matcher import __version__
from service.backup import models as model_files
from service.backup import sequences
from service.backup.content import LineWriter
from service.backup.errors import BackupError, said
from service.backup.header import Header, file_key, key_id, new_salt
from service.backup.tables import Shape, tables
from service.security import read_secret_key
from service.settings import Settings
from service.store import Store, audit, programmes, sealed
from service.store.schema import HEAD
from service.store.tables import MemberRow, ModelRow

ROWS: Final = 1000
_EVERY: Final = {"every_programme": True}


@dataclass(frozen=True)
class Made:
    """A backup that was made."""

    file: Path
    header: Header
    bytes: int
    models: int
    missing: list[str]
    """Models whose files are not where they should be."""


def make(
    where: Settings,
    store: Store,
    file: Path,
    *,
    now: datetime,
    advance: Callable[[int], None] = lambda _: None,
) -> Made:
    """Write everything to a new file, mode 0600, and to each programme's audit log that this was done.

    Raises
    ------
    BackupError, StoreError, SettingsError, SealError
        If it cannot be done; then there is no such file.
    """
    if file.exists() or file.is_symlink():
        raise BackupError(f"{file}: found a file; expected a new name, so that no backup is lost")
    secret = read_secret_key(where)
    try:
        with _aside(file) as (aside, writing):
            with store.reading() as session:
                header = _header(session, secret, now)
                models, missing = _write(where, session, writing, header, secret, advance)
            writing.flush()
            os.fsync(writing.fileno())
            size = writing.tell()
            _publish(store, header, aside, file, now)
    except OSError as problem:
        raise BackupError(f"{file}: it cannot be written ({said(problem)})") from None
    return Made(file, header, size, models, missing)


def _header(session: Session, secret: bytes, now: datetime) -> Header:
    counts = {table.name: _count(session, table) for table in tables()}
    return Header(
        revision=HEAD,
        created=now,
        release=__version__,
        key=key_id(secret),
        salt=new_salt(),
        programmes=counts["programmes"],
        members=counts[MemberRow.__tablename__],
        rows=sum(counts.values()),
    )


def _count(session: Session, table: Table) -> int:
    query = select(func.count()).select_from(table)
    return session.scalar(query, execution_options=_EVERY) or 0


def _write(
    where: Settings, session: Session, file: IO[bytes], header: Header, secret: bytes, advance: Callable[[int], None]
) -> tuple[int, list[str]]:
    """Write the whole file; return how many models there are, and which of them have no files."""
    line = header.line()
    file.write(line)
    writer = LineWriter(file, file_key(secret, header.salt), line)
    for one in _lines(session, advance):
        writer.write(one)
    query = select(ModelRow.programme_id, ModelRow.version).order_by(ModelRow.programme_id, ModelRow.version)
    count, missing = 0, []
    for programme_id, version in session.execute(query, execution_options=_EVERY):
        found = False
        for one in model_files.written(where, programme_id, version):
            writer.write(one)
            found = True
        count += found
        if not found:
            missing.append(f"{programme_id} {version}")
    writer.write({"end": "backup"})
    writer.close()
    return count, missing


def _lines(session: Session, advance: Callable[[int], None]) -> Iterator[Any]:
    """Yield the lines of all tables."""
    ring = sealed.keyring(session)
    for table in tables():
        shape, count = Shape(table, ring), 0
        yield {"table": table.name, "columns": shape.names}
        query = select(table).order_by(*table.primary_key)
        result = session.execute(query, execution_options={**_EVERY, "yield_per": ROWS})
        for rows in result.partitions():
            yield from map(shape.values, rows)
            count += len(rows)
            advance(len(rows))
        yield {"end": table.name, "rows": count}
    yield {"sequences": sequences.read(session)}


def _publish(store: Store, header: Header, aside: Path, file: Path, now: datetime) -> None:
    """Put the file in its place and say so in the audit logs, both or neither."""
    placed = False
    try:
        with store.transaction() as session:
            for programme_id in programmes.identifiers(session):
                audit.record(session, programme_id, "backup.made", now=now, by=audit.COMMAND, rows=header.rows)
            _place(aside, file)
            placed = True
    except BaseException:
        if placed:
            file.unlink(missing_ok=True)
        raise


@contextmanager
def _aside(file: Path) -> Iterator[tuple[Path, IO[bytes]]]:
    """Open a file beside the one that is to be; it is removed in the end, unless it was put in its place."""
    aside = file.with_name(f".{file.name}.{os.getpid()}")
    handle = os.open(aside, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(handle, "r+b") as writing:
            yield aside, writing
    finally:
        aside.unlink(missing_ok=True)


def _place(aside: Path, file: Path) -> None:
    aside.rename(file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
