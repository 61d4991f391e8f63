"""Restoring a backup: all of it, in one transaction, or nothing; and whoever was erased since stays erased."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, Final

from sqlalchemy import Table, insert, text
from sqlalchemy.orm import Session

from service.backup import afterwards, kept_introductions, merging, present, reading, sequences
from service.backup.errors import RestoreError, said
from service.backup.header import Header
from service.backup.merging import Merged
from service.backup.models import Folders, recover
from service.backup.opening import Asked, identity, no_new_file, session_in
from service.backup.present import Present
from service.backup.reading import Contents, Piece, Row
from service.backup.tables import Shape
from service.sealing import Keyring
from service.security import read_secret_key
from service.settings import Settings
from service.store import audit, erasure, installation
from service.store.alone import alone
from service.store.erasure_ledger import NAME, Entry, Ledger, Read
from service.store.schema import HEAD, create_tables, drop_tables, revision_of
from service.store.sealed import KEYRING

ROWS: Final = 1000
Advance = Callable[[int], None]


@dataclass
class Restored:
    """What was done, or with `dry_run` would have been."""

    header: Header
    replaced: bool = False
    """There was something in the database."""
    dropped: list[str] = field(default_factory=list)
    """Programmes that were there and are not in the backup."""
    erased: int = 0
    """Members of the backup who had been erased since."""
    damaged: int = 0
    """Lines of the ledger that could not be read."""
    ledger_missing: bool = False
    """There is no file that says who was erased."""
    merged: Merged = field(default_factory=Merged)
    broken_off: list[str] = field(default_factory=list)
    """Programmes whose audit log did not go on where the backup's ends: it is lost."""
    models: int = 0
    undone: list[str] = field(default_factory=list)
    """What is left to do, since it failed after the restore."""


def restore(
    where: Settings,
    file: Path,
    *,
    replace: bool,
    dry_run: bool,
    now: datetime,
    no_ledger: bool = False,
    advance: Advance = lambda _: None,
) -> Restored:
    """Put a backup into the database; without `replace` it must be empty.

    Without a file of erasures that needs `no_ledger`: whoever was erased since comes back.

    Raises
    ------
    RestoreError, StoreError, SchemaError, SettingsError, SealError
        If it cannot be done; then nothing was changed.
    """
    try:
        with file.open("rb") as opened:
            return _restore(where, opened, Asked(replace, dry_run, no_ledger), now, advance)
    except RestoreError as problem:
        raise RestoreError(f"{file}: {problem.message}; nothing was changed") from None
    except OSError as problem:
        raise RestoreError(f"{problem.filename or file}: {said(problem)}; nothing was changed") from None


def _restore(where: Settings, file: IO[bytes], asked: Asked, now: datetime, advance: Advance) -> Restored:
    secret = read_secret_key(where)
    contents = reading.survey(file, secret, advance)
    if contents.header.revision != HEAD:
        raise RestoreError(
            f"it has schema {contents.header.revision}, and this release reads {HEAD}: restore it with the release "
            "that wrote it, then `peermatch migrate`"
        )
    done, folders, committed = Restored(contents.header), Folders(where), False
    with no_new_file(where) as keep_file, alone(where) as connection:
        try:
            with connection.begin() as transaction, session_in(where, connection, dry_run=asked.dry_run) as session:
                if not asked.dry_run:
                    recover(where, identity(session))
                store_id = _Restoring(where, session, contents, done, now).run(file, secret, asked, folders, advance)
                if asked.dry_run:
                    done.models = len(contents.models)
                    transaction.rollback()
                else:
                    done.models = folders.place(store_id)
                    keep_file()
            committed = not asked.dry_run
        finally:
            if not committed:
                folders.undo()
    if committed:
        folders.done()
        done.undone = afterwards.follow(where, now, whole=done.erased > 0)
    return done


class _Restoring:
    """One restore, in a session that is in a transaction of its own."""

    def __init__(self, where: Settings, session: Session, contents: Contents, done: Restored, now: datetime) -> None:
        self.where, self.session, self.contents, self.done, self.now = where, session, contents, done, now

    def run(self, file: IO[bytes], secret: bytes, asked: Asked, folders: Folders, advance: Advance) -> str:
        """Do it all; return the id that the database has then."""
        session, contents, done = self.session, self.contents, self.done
        before, ledger = self._before(asked.replace), self._ledger(asked)
        create_tables(session.connection())
        self._fill(file, secret, before, folders, advance)
        merging.put_back_logs(session, before)
        sequences.write(session, contents.sequences, before.sequences)
        self._number(before)
        done.erased = self._erase_again([*before.erasures, *ledger.entries])
        if done.replaced:
            done.merged = merging.merge(session, contents, before, self.now)
            merging.forget_replies(session)
        done.dropped = sorted(set(before.programmes) - set(contents.programmes))
        done.broken_off = before.broken_off
        store_id = installation.renew(session)
        self._record()
        session.flush()
        self._check()
        return store_id

    def _before(self, replace: bool) -> Present:
        """Return what is kept of the database as it is, and empty it."""
        session = self.session
        found = revision_of(session.connection())
        if found is None:
            return Present()
        if found != HEAD:
            raise RestoreError(f"the database has schema {found}: `peermatch migrate` it first, or name an empty one")
        installation.check(session)
        before = present.put_aside(session, self.contents)
        if before.programmes and not replace:
            raise RestoreError(
                f"the database has programmes already ({', '.join(before.programmes)}); name an empty one with "
                "PEERMATCH_DATABASE_URL, or let the backup take its place with --replace"
            )
        self.done.replaced = bool(before.programmes)
        drop_tables(session.connection())
        return before

    def _fill(self, file: IO[bytes], secret: bytes, before: Present, folders: Folders, advance: Advance) -> None:
        """Write every row and every file."""
        ring: Keyring = self.session.info[KEYRING]
        connection, shapes = self.session.connection(), dict[str, Shape]()
        waiting: list[dict[str, object]] = []
        last: Table | None = None
        name = None
        for item in reading.opened(file, secret)[1]:
            if isinstance(item, Row):
                if waiting and (item.table is not last or len(waiting) == ROWS):
                    connection.execute(insert(last), waiting)  # type: ignore[arg-type]
                    advance(len(waiting))
                    waiting = []
                last = item.table
                shape = shapes.setdefault(last.name, Shape(last, ring))
                if last.name != "audit" or item.values[0] not in before.logs:
                    waiting.append(shape.row(item.values))
            elif isinstance(item, Piece):
                name = _copy(folders, item, name)
        if waiting:
            connection.execute(insert(last), waiting)  # type: ignore[arg-type]

    def _number(self, before: Present) -> None:
        """Have changes go on after the last that there was, so that whoever follows them sees that all is another."""
        for programme_id, number in before.numbers.items():
            self.session.execute(
                text(
                    "UPDATE pools SET number = CASE WHEN number > :number THEN number ELSE :number END + 1, "
                    "additions = CASE WHEN number > :number THEN number ELSE :number END + 1 "
                    "WHERE programme_id = :programme"
                ),
                {"number": number, "programme": programme_id},
            )
        for programme_id in self.contents.programmes:
            kept_introductions.number(self.session, programme_id, before.events.get(programme_id, 0))

    def _ledger(self, asked: Asked) -> Read:
        """Return what the file of erasures says."""
        ledger = Ledger.of(self.where).read()
        self.done.damaged, self.done.ledger_missing = ledger.damaged, not ledger.there
        if not (ledger.there or self.done.replaced or asked.no_ledger):
            raise RestoreError(
                f"{self.where.home / NAME}: not found, so it is not known who was erased since; copy erasures.ledger "
                "from the old home, or say with --no-ledger that there is none: whoever was erased since is back then"
            )
        return ledger

    def _erase_again(self, known: list[Entry]) -> int:
        """Erase whoever was erased since; return how many."""
        entries = [*known, *erasure.entries(self.session)]
        return sum(
            len(erasure.replay(self.session, programme_id, entries, now=self.now))
            for programme_id in self.contents.programmes
        )

    def _record(self) -> None:
        made = f"{self.contents.header.created:%Y-%m-%dT%H:%M:%SZ}"
        replaced, erased = int(self.done.replaced), self.done.erased
        for programme_id in self.contents.programmes:
            audit.record(
                self.session, programme_id, "backup.restored",
                now=self.now, by=audit.COMMAND, made=made, replaced=replaced, erased=erased,
            )  # fmt: skip

    def _check(self) -> None:
        connection = self.session.connection()
        if connection.dialect.name == "sqlite" and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
            raise RestoreError("it has rows that refer to none; take another copy of it")


def _copy(folders: Folders, item: Piece, name: reading.FileName | None) -> reading.FileName | None:
    """Write a piece of a model's file; return which file is open."""
    if item.content is None:
        if item.name != name:
            folders.begin(item.name)
        folders.end()
        return None
    if item.name != name:
        folders.begin(item.name)
    folders.add(item.content)
    return item.name
