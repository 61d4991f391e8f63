"""Having the database to oneself, to change what all others rely on: its tables, or everything in them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import Connection, event, text
from sqlalchemy.exc import DBAPIError

from service.settings import Settings
from service.store.engine import open_engine
from service.store.hot import StoreError
from service.store.tenancy import EVERY_PROGRAMME

_WAY_OUT: Final = "stop the service and wait for other commands to end, then run this again"
LEAVING_SECONDS: Final = 0.5
"""For so long PostgreSQL may still tell of a connection that somebody has just closed."""
_LOOK_AGAIN: Final = text("SELECT pg_stat_clear_snapshot()")
_OTHERS: Final = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = current_user "
    "AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
)


@contextmanager
def alone(settings: Settings) -> Iterator[Connection]:
    """Open the one connection to a database, for one transaction that its user begins; references are not enforced.

    On SQLite nobody else can open the file meanwhile. On PostgreSQL nobody else may be connected as the same user when
    it is opened, and no other writes.

    Raises
    ------
    StoreError
        If the database is in use, full or away. What was begun is rolled back.
    """
    engine = open_engine(settings)
    sqlite = engine.dialect.name == "sqlite"
    if sqlite:
        event.listen(engine, "connect", _to_itself)
    try:
        with engine.execution_options(peermatch_writes=True, **{EVERY_PROGRAMME: True}).connect() as connection:
            with connection.begin():  # SQLite gives the file in the first of them, and leaves it to this connection
                if not sqlite:
                    _refuse_others(connection)
            yield connection
    except DBAPIError as problem:
        # The driver's message may quote values: only its kind goes on.
        kind, said = type(problem.orig).__name__, str(problem.orig)
        if "locked" in said or kind == "LockNotAvailable":
            raise StoreError(f"the database is in use: {_WAY_OUT}") from None
        if "full" in said or kind == "DiskFull":
            raise StoreError(
                "the disk of the database is full; nothing was changed: make room and run it again"
            ) from None
        raise StoreError(f"the database refused ({kind}); nothing was changed: see PEERMATCH_DATABASE_URL") from None
    finally:
        engine.dispose()


def _to_itself(connection: Any, _record: Any) -> None:
    # In this mode SQLite takes the file for itself when it is first written, and refuses if anybody else has it open.
    for pragma in ("locking_mode = EXCLUSIVE", "foreign_keys = OFF", "temp_store = MEMORY"):
        connection.execute(f"PRAGMA {pragma}").close()


def _refuse_others(connection: Connection) -> None:
    end = time.monotonic() + LEAVING_SECONDS
    while (others := connection.scalar(_OTHERS)) and time.monotonic() < end:
        time.sleep(LEAVING_SECONDS / 20)
        connection.execute(_LOOK_AGAIN)
    if others:
        raise StoreError(f"{others} other connections to the database are open: {_WAY_OUT}")
