"""The few statements that every request runs, without the cost of the layers above the driver.

They are written once as SQLAlchemy clauses, compiled once for the database at hand, and run on one connection a thread.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final, Protocol

from sqlalchemy import ClauseElement
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError

from matcher.errors import PeermatchError
from service.sealing import Keyring
from service.store import postgresql, tenancy

if TYPE_CHECKING:
    from service.store.database_file import DatabaseFile

PATIENCE_MS: Final = 1000
"""How long a list waits to be stored while others write."""
OF_OTHERS: Final[list[Any]] = []
"""Connections of the process that this one was forked off: kept, for to forget one is to close it."""


class StoreError(PeermatchError):
    """The database cannot be used right now; nothing was changed."""

    title = "The database cannot be used right now"


class UncertainError(StoreError):
    """The connection was lost while a change was being committed: it may have been made, or not."""

    title = "The connection to the database was lost"


class Cursor(Protocol):
    """What is used of a driver's cursor (PEP 249)."""

    rowcount: int

    def execute(self, sql: str, values: Any = ...) -> Any: ...  # noqa: D102
    def fetchone(self) -> Any: ...  # noqa: D102
    def fetchall(self) -> Any: ...  # noqa: D102


class Statement:
    """A clause whose parameters have names.

    Raises
    ------
    TenancyError
        If it is not bound to one programme.
    """

    def __init__(self, clause: ClauseElement) -> None:
        tenancy.check(clause)
        self.clause = clause
        self._compiled: dict[str, _Compiled] = {}

    def compiled(self, engine: Engine) -> _Compiled:
        """Return the statement as the driver of this kind of database takes it."""
        driver = f"{engine.dialect.name}+{engine.dialect.driver}"
        known = self._compiled.get(driver)
        if known is None:
            known = self._compiled[driver] = _Compiled(self.clause, engine)
        return known


class _Compiled:
    """A statement as the driver takes it."""

    def __init__(self, clause: ClauseElement, engine: Engine) -> None:
        compiled = clause.compile(dialect=engine.dialect)
        self.sql = str(compiled)
        # The names in their order where the driver wants positions, None where it wants names.
        self.order: Sequence[str] | None = compiled.positiontup  # type: ignore[attr-defined]
        self.constants = {name: value for name, value in compiled.params.items() if value is not None}

    def bound(self, values: dict[str, Any]) -> Any:
        values = {**self.constants, **values}
        return values if self.order is None else [values[name] for name in self.order]


class Transaction:
    """One transaction on the thread's connection."""

    def __init__(self, hot: Hot, cursor: Cursor) -> None:
        self._hot = hot
        self._cursor = cursor

    @property
    def keyring(self) -> Keyring:
        """What the database is sealed with."""
        return self._hot.keyring

    def one(self, statement: Statement, **values: Any) -> Sequence[Any] | None:
        """Return the first row, or None."""
        self.run(statement, **values)
        row: Sequence[Any] | None = self._cursor.fetchone()
        return row

    def all(self, statement: Statement, **values: Any) -> Sequence[Sequence[Any]]:
        """Return all rows."""
        self.run(statement, **values)
        rows: Sequence[Sequence[Any]] = self._cursor.fetchall()
        return rows

    def run(self, statement: Statement, **values: Any) -> int:
        """Run a statement and return how many rows it changed, as far as the driver knows."""
        compiled = statement.compiled(self._hot.engine)
        self._cursor.execute(compiled.sql, compiled.bound(values))
        return self._cursor.rowcount


class Hot:
    """Statements on one connection a thread.

    What is written here may be lost when the machine loses power, not when the process ends: lists can be made again.
    What must survive is written through `Store.transaction`.
    """

    def __init__(self, engine: Engine, keyring: Keyring, file: DatabaseFile | None = None) -> None:
        self.keyring = keyring
        self._file = file
        self.engine = engine
        self._sqlite = engine.dialect.name == "sqlite"
        self._mine = threading.local()
        self._open: list[Any] = []

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """Open a transaction that only reads: everything in it is seen as of one moment.

        Raises
        ------
        StoreError
            If the database is away, damaged, or busy for too long.
        """
        with self._transaction("BEGIN" if self._sqlite else postgresql.READING) as own:
            yield own

    @contextmanager
    def writing(self, patience_ms: int = PATIENCE_MS) -> Iterator[Transaction]:
        """Open a transaction that may write; committed at the end, rolled back by any exception.

        `patience_ms` is how long it waits for others to have written. A worker does nothing else meanwhile, so it is
        short: whoever asks is told to ask again.

        Raises
        ------
        StoreError
            If the database is locked for too long, full, or away.
        """
        if self._sqlite:
            begin = (f"PRAGMA busy_timeout = {patience_ms}", "BEGIN IMMEDIATE")
        else:
            begin = (postgresql.WRITING, postgresql.locking(patience_ms))
        with self._transaction(*begin) as own:
            yield own

    def close(self) -> None:
        """Close every thread's connection."""
        while self._open:
            with suppress(Exception):  # closing must not fail for what was broken before
                self._open.pop().close()
        self._mine = threading.local()

    def begin_again(self) -> None:
        """Forget every connection without closing it: in a process that was forked they are the other one's."""
        OF_OTHERS.extend(self._open)
        self._open = []
        self._mine = threading.local()

    @contextmanager
    def _transaction(self, *begin: str) -> Iterator[Transaction]:
        connection = None
        if self._file is not None:
            self._file.check()
        try:
            connection, cursor = self._begun(begin)
            yield Transaction(self, cursor)
            if self._file is not None:
                self._file.check()
            cursor.execute("COMMIT")
            self._spare.append(connection)
        except (self.engine.dialect.loaded_dbapi.Error, DBAPIError) as problem:
            self._drop(connection)
            # The driver's message may quote values: only its kind goes on.
            kind = type(problem.orig if isinstance(problem, DBAPIError) else problem).__name__
            raise StoreError(f"the database refused ({kind}); try again, and see `peermatch doctor`") from None
        except BaseException:
            self._roll_back(connection)
            raise

    def _begun(self, begin: Sequence[str]) -> tuple[Any, Cursor]:
        """Begin on a connection of the thread's; on a new one where the server has ended those there were."""
        while True:
            known = bool(self._spare)
            connection = self._take()
            try:
                cursor: Cursor = connection.cursor()
                for statement in begin:
                    cursor.execute(statement)
            except BaseException:
                self._drop(connection)
                if not (known and getattr(connection, "closed", False)):
                    raise
            else:
                return connection, cursor

    @property
    def _spare(self) -> list[Any]:
        """The thread's connections that are in no transaction: one, unless a transaction was opened within another."""
        spare: list[Any] | None = getattr(self._mine, "spare", None)
        if spare is None:
            spare = self._mine.spare = []
        return spare

    def _take(self) -> Any:
        if self._spare:
            return self._spare.pop()
        proxy = self.engine.raw_connection()
        connection: Any = proxy.driver_connection
        proxy.detach()
        if self._sqlite:
            connection.execute("PRAGMA synchronous = NORMAL").close()
        else:
            connection.autocommit = True
            connection.execute("SET synchronous_commit = off").close()
        self._open.append(connection)
        return connection

    def _roll_back(self, connection: Any) -> None:
        try:
            connection.cursor().execute("ROLLBACK")
            self._spare.append(connection)
        except Exception:  # noqa: BLE001 - whatever it was in the middle of ends with it
            self._drop(connection)

    def _drop(self, connection: Any) -> None:
        """Close a connection: the next transaction opens another one."""
        if connection is not None:
            with suppress(ValueError):  # it was closed with all others
                self._open.remove(connection)
            with suppress(Exception):  # as above
                connection.close()
