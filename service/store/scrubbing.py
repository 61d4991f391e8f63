"""Getting what was deleted out of the files of the database too.

Deleting a row leaves its bytes behind for a while. SQLite overwrites them at once (``secure_delete``), yet its
write-ahead log has them until it is emptied. PostgreSQL keeps them until a table is written anew.
"""

from __future__ import annotations

from contextlib import closing
from typing import Final

from sqlalchemy.exc import DBAPIError

from service.store.engine import BUSY_MS, Store
from service.store.hot import StoreError
from service.store.introduction_tables import EventRow, IntroductionRow
from service.store.live_tables import (
    ApartRow,
    GroupPersonRow,
    GroupRow,
    GroupWeekRow,
    HoldRow,
    ListRow,
    LiveRow,
)
from service.store.record_tables import ConsentEventRow
from service.store.tables import FeedbackRow, IdempotencyRow, MemberRow

PERSONAL: Final = (
    MemberRow, ConsentEventRow, LiveRow, HoldRow, ApartRow, FeedbackRow, ListRow, GroupRow, GroupPersonRow,
    GroupWeekRow, IdempotencyRow, IntroductionRow, EventRow,
)  # fmt: skip
"""The tables that have anything of members."""
PATIENCE_MS: Final = 250
"""How long it waits for others to have read and written."""


def empty_log(store: Store, patience_ms: int = PATIENCE_MS) -> bool:
    """Write SQLite's write-ahead log into the database and empty it; return whether that is done.

    It is not where somebody reads or writes for longer than it waits; the next time does it. On PostgreSQL there is
    nothing to do at once.

    Raises
    ------
    StoreError
        If the database is away, or its disk is full.
    """
    if store.engine.dialect.name != "sqlite":
        return True
    row = _run_on_sqlite(store, f"PRAGMA busy_timeout = {patience_ms}", "PRAGMA wal_checkpoint(TRUNCATE)")
    return row is not None and row[0] == 0


def scrub(store: Store, *, whole: bool = False, patience_ms: int = 5000) -> bool:
    """Leave nothing in the files of the database of what was deleted; return whether that is done.

    SQLite: the write-ahead log is emptied; with `whole` the database is written anew, which takes as much room again.
    PostgreSQL: the tables that have anything of members are written anew (``VACUUM (FULL)``); each is locked meanwhile,
    and requests wait. Not in a transaction.

    Raises
    ------
    StoreError
        If the database is away, busy for too long, or its disk is full.
    """
    if store.engine.dialect.name == "sqlite":
        if whole:
            _run_on_sqlite(store, f"PRAGMA busy_timeout = {patience_ms}", "VACUUM")
        return empty_log(store, patience_ms)
    engine = store.engine.execution_options(isolation_level="AUTOCOMMIT", every_programme=True)
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql(f"SET lock_timeout = {patience_ms}")
            try:
                for table in PERSONAL:
                    connection.exec_driver_sql(f"VACUUM (FULL) {table.__tablename__}")
            finally:
                connection.exec_driver_sql("RESET lock_timeout")
    except DBAPIError as problem:
        raise _refused(problem.orig) from None
    return True


def _run_on_sqlite(store: Store, *statements: str) -> tuple[int, ...] | None:
    """Run statements outside any transaction; return the first row of the last."""
    try:
        with closing(store.engine.raw_connection()) as borrowed:
            row = None
            for statement in statements:
                row = borrowed.cursor().execute(statement).fetchone()
            borrowed.cursor().execute(f"PRAGMA busy_timeout = {BUSY_MS}")
        return row
    except store.engine.dialect.loaded_dbapi.Error as problem:
        raise _refused(problem) from None


def _refused(problem: BaseException | None) -> StoreError:
    # The driver's message may quote values: only its kind goes on.
    return StoreError(f"the database refused ({type(problem).__name__}); try again, and see `peermatch doctor`")
