"""The database: how it is opened, and the two kinds of transaction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine import Engine
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.orm import Session

from matcher.errors import PeermatchError
from service.settings import Settings, SettingsError
from service.store.hot import Hot, StoreError
from service.store.schema import check_schema, create_schema

BUSY_MS = 5000


class Store:
    """A database with Peermatch's tables.

    Every function that reads or writes takes a `Session` from one of the two transactions, and a programme id.
    """

    def __init__(self, settings: Settings) -> None:
        if settings.database_file is not None:
            settings.database_file.parent.mkdir(parents=True, exist_ok=True)
        self.engine = _engine(settings)
        self._writing = self.engine.execution_options(peermatch_writes=True)
        self.hot = Hot(self.engine)
        """For the statements that every request runs."""

    @contextmanager
    def transaction(self, patience_ms: int | None = None) -> Iterator[Session]:
        """Open a transaction that may write; committed at the end, rolled back by any exception.

        `patience_ms` is how long it waits, in SQLite, for others to have written; `BUSY_MS` unless told.

        Raises
        ------
        StoreError
            If the database is locked for too long, full, or away.
        """
        # The lock is taken at BEGIN: a transaction that reads first and writes later fails at once in SQLite
        # when somebody wrote in between, whatever the busy timeout.
        writing = self._writing.execution_options(peermatch_patience_ms=BUSY_MS if patience_ms is None else patience_ms)
        with self._session(writing) as session, session.begin():
            session.connection()
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Open a transaction that only reads: everything in it is seen as of one moment."""
        with self._session(self.engine) as session, session.begin():
            yield session

    @contextmanager
    def _session(self, engine: Engine) -> Iterator[Session]:
        try:
            with Session(engine, expire_on_commit=False) as session:
                yield session
        except DBAPIError as problem:
            # The driver's message may quote values: only its kind goes on.
            kind = type(problem.orig).__name__
            raise StoreError(f"the database refused ({kind}); try again, and see `peermatch doctor`") from None

    def close(self) -> None:
        """Give every connection back."""
        self.hot.close()
        self.engine.dispose()


def open_store(settings: Settings, *, create: bool = False) -> Store:
    """Open the database; with `create`, make its tables where there are none.

    Raises
    ------
    StoreError, SchemaError, SettingsError
        If it cannot be reached, has no tables, or has those of another version.
    """
    store = Store(settings)
    try:
        if create:
            create_schema(store.engine)
        check_schema(store.engine)
    except DBAPIError as problem:
        store.close()
        kind = type(problem.orig).__name__
        raise StoreError(f"the database cannot be opened ({kind}); see PEERMATCH_DATABASE_URL") from None
    except PeermatchError:
        store.close()
        raise
    return store


def _engine(settings: Settings) -> Engine:
    name = "PEERMATCH_DATABASE_URL"
    try:
        # Parameters may be a member's data: hidden from every message SQLAlchemy makes.
        engine = create_engine(settings.url, hide_parameters=True, pool_pre_ping=settings.database_file is None)
    except (ArgumentError, NoSuchModuleError, ImportError) as problem:
        raise SettingsError(f"{name}: the driver of this address is not installed ({type(problem).__name__})") from None
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _on_connect)
        event.listen(engine, "begin", _on_begin)
    return engine


def _on_connect(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver's own BEGIN is a deferred one; see _on_begin
    for pragma in (
        f"busy_timeout = {BUSY_MS}",
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        "secure_delete = ON",  # what was erased is overwritten
    ):
        connection.execute(f"PRAGMA {pragma}").close()


def _on_begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    if options.get("peermatch_writes", False):
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {options.get('peermatch_patience_ms', BUSY_MS)}")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.exec_driver_sql("BEGIN")
