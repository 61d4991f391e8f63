"""The database: how it is opened, and the two kinds of transaction."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from weakref import WeakSet

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine import URL, Engine
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.orm import Session

from matcher.errors import PeermatchError
from service.sealing import Keyring, create_keyring, read_keyring
from service.security import read_secret_key
from service.settings import Settings, SettingsError
from service.store import installation, postgresql, tenancy
from service.store.audit_heads import FILE, KEEPER, Keeper
from service.store.database_file import OPTION, DatabaseFile
from service.store.derived_keys import DERIVED, DerivedKeys
from service.store.hot import OF_OTHERS, Hot, StoreError, UncertainError
from service.store.schema import check_schema, create_schema, has_schema
from service.store.sealed import KEYRING

BUSY_MS = 5000
_COMMITTING: Final = "peermatch_committing"


class Store:
    """A database with Peermatch's tables.

    Every function that reads or writes takes a `Session` from one of the two transactions, and a programme id.
    """

    def __init__(self, engine: Engine, keyring: Keyring, derived: DerivedKeys, heads: Keeper) -> None:
        self.engine = engine
        self.keyring = keyring
        """What it is sealed with."""
        self.derived = derived
        self.heads = heads
        """Where the ends of the audit logs are written a second time."""
        self._info = {KEYRING: keyring, DERIVED: derived, KEEPER: heads}
        self._writing = engine.execution_options(peermatch_writes=True)
        self._reading = engine
        if engine.dialect.name == "postgresql":
            # Told, because a database may have other defaults.
            writes = {"isolation_level": "READ COMMITTED", "postgresql_readonly": False}
            self._writing = self._writing.execution_options(**writes)
            self._reading = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        self._file: DatabaseFile | None = engine.get_execution_options().get(OPTION)
        self.hot = Hot(engine, keyring, self._file)
        """For the statements that every request runs."""
        _STORES.add(self)

    @contextmanager
    def transaction(self, patience_ms: int | None = None) -> Iterator[Session]:
        """Open a transaction that may write; committed at the end, rolled back by any exception.

        One at a time: it waits for others to have written, `patience_ms` at most; `BUSY_MS` unless told.

        Raises
        ------
        StoreError
            If the database is locked for too long, full, or away.
        UncertainError
            If it went away while the change was being committed.
        """
        writing = self._writing.execution_options(peermatch_patience_ms=BUSY_MS if patience_ms is None else patience_ms)
        with self._session(writing) as session, session.begin():
            session.connection()
            yield session
            session.info[_COMMITTING] = True
        if self._file is not None and not self._file.is_there():
            raise UncertainError("the database file was replaced while a change was written: it may be lost")

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Open a transaction that only reads: everything in it is seen as of one moment."""
        with self._session(self._reading) as session, session.begin():
            yield session

    @contextmanager
    def _session(self, engine: Engine) -> Iterator[Session]:
        try:
            with Session(engine, expire_on_commit=False, info=dict(self._info)) as session:
                yield session
        except DBAPIError as problem:
            # The driver's message may quote values: only its kind goes on.
            kind = type(problem.orig).__name__
            if problem.connection_invalidated and session.info.get(_COMMITTING):
                raise UncertainError(
                    f"the connection to the database was lost ({kind}) while a change was being kept; it may have been "
                    "made or not: look, and try again"
                ) from None
            raise StoreError(f"the database refused ({kind}); try again, and see `peermatch doctor`") from None

    def close(self) -> None:
        """Give every connection back."""
        self.hot.close()
        self.engine.dispose()

    def begin_again(self) -> None:
        """Open connections anew: for a process that was forked. Those there are belong to the one it was forked off."""
        self.hot.begin_again()
        OF_OTHERS.append(self.engine.pool)
        self.engine.dispose(close=False)


_STORES: Final[WeakSet[Store]] = WeakSet()


def _begin_again() -> None:
    for store in list(_STORES):
        store.begin_again()


os.register_at_fork(after_in_child=_begin_again)


def open_store(settings: Settings, *, create: bool = False) -> Store:
    """Open the database; with `create`, make its tables and its data keys where there are none.

    Raises
    ------
    StoreError, SchemaError, SettingsError, SealError
        If it cannot be reached, has no tables or those of another version, or was sealed with other keys.
    """
    engine = open_engine(settings)
    try:
        if engine.dialect.name == "postgresql":
            postgresql.check_encoding(engine)
        new = create and not has_schema(engine)
        if not new:
            check_schema(engine)
        # Where there is a database its keys must be there too: new ones would open nothing in it.
        keyring = create_keyring(settings) if new else read_keyring(settings)
        derived = DerivedKeys(lambda: read_secret_key(settings))
        store = Store(engine, keyring, derived, Keeper(settings.home / FILE, lambda: derived.chain))
        if new:
            create_schema(engine)
        with store.transaction() if create else store.reading() as session:
            installation.check(session, create=create)
    except DBAPIError as problem:
        engine.dispose()
        kind = type(problem.orig).__name__
        raise StoreError(f"the database cannot be opened ({kind}); see PEERMATCH_DATABASE_URL") from None
    except PeermatchError:
        engine.dispose()
        raise
    return store


def open_engine(settings: Settings) -> Engine:
    """Return what connects to the database; nothing is read yet.

    Raises
    ------
    SettingsError
        If the driver of its address is not installed.
    """
    if settings.database_file is not None:
        settings.database_file.parent.mkdir(parents=True, exist_ok=True)
    try:
        engine = _engine(settings.url)
    except (ArgumentError, NoSuchModuleError, ImportError) as problem:
        kind = type(problem).__name__
        raise SettingsError(
            f"PEERMATCH_DATABASE_URL: the driver of this address is not installed ({kind}); "
            "`pip install 'peermatch[postgresql]'` brings PostgreSQL's"
        ) from None
    tenancy.guard(engine)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _on_connect)
        event.listen(engine, "begin", _begin_sqlite)
        if settings.database_file is not None:
            file = DatabaseFile(settings.database_file)
            engine.update_execution_options(**{OPTION: file})
            event.listen(engine, "connect", lambda *_: file.opened())
            event.listen(engine, "commit", lambda _: file.check())
    else:
        event.listen(engine, "connect", postgresql.on_connect)
        event.listen(engine, "begin", _begin_postgresql)
    return engine


def _engine(url: URL) -> Engine:
    # Parameters may be a member's data: hidden from every message SQLAlchemy makes.
    if url.get_backend_name() == "sqlite":
        return create_engine(url, hide_parameters=True)
    # Connections without a bound: a thread has no more than two, and nobody waits for another's. How many rows an
    # INSERT made is known here only if it is asked for.
    more: dict[str, Any] = {
        "pool_pre_ping": True,
        "max_overflow": -1,
        "execution_options": {"preserve_rowcount": True},
    }
    return create_engine(url, hide_parameters=True, connect_args=postgresql.arguments(url), **more)


def _on_connect(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver's own BEGIN is a deferred one; see _begin_sqlite
    for pragma in (
        f"busy_timeout = {BUSY_MS}",
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        "secure_delete = ON",  # what was erased is overwritten
    ):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: Connection) -> None:
    # The lock is taken at BEGIN: a transaction that reads first and writes later fails at once in SQLite when somebody
    # wrote in between, whatever the busy timeout.
    options = connection.get_execution_options()
    if OPTION in options:
        options[OPTION].check()
    if options.get("peermatch_writes", False):
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {options.get('peermatch_patience_ms', BUSY_MS)}")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.exec_driver_sql("BEGIN")


def _begin_postgresql(connection: Connection) -> None:
    options = connection.get_execution_options()
    if options.get("peermatch_writes", False):
        connection.exec_driver_sql(postgresql.locking(int(options.get("peermatch_patience_ms", BUSY_MS))))
