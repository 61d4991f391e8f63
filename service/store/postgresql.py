"""PostgreSQL: how a connection to it is opened, and how a transaction on it begins."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from sqlalchemy.engine import URL, Engine

from service.settings import SettingsError

WRITERS: Final = 7_239_180_551
"""The advisory lock that whoever writes holds."""
READING: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
WRITING: Final = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
LOCKED_MS: Final = 5000
"""How long one who reads waits for tables that are being changed."""

# Of a server that is not there, and of one that vanishes without a word, one is told in seconds and not in hours.
_CONNECTING: Final = {
    "application_name": "peermatch",
    "client_encoding": "utf8",
    "connect_timeout": 5,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
# The other way about: a writer that vanishes holds up all others until the server finds that it is gone. And what was
# committed is kept, also where an administrator has set that it need not be.
_CONNECTED: Final = f"""
SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3;
SET lock_timeout = {LOCKED_MS};
SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'
"""
ENCODING: Final = "UTF8"


def arguments(url: URL) -> dict[str, Any]:
    """Return what the driver is told besides an address; what the address says itself stands."""
    return {name: value for name, value in _CONNECTING.items() if name not in url.query}


def on_connect(connection: Any, _record: Any) -> None:
    """Prepare a new connection of the driver's."""
    connection.autocommit = True
    connection.execute(_CONNECTED).close()
    connection.autocommit = False
    connection.server_cursor_factory = _ending_with_its_transaction(connection.server_cursor_factory)


@cache
def _ending_with_its_transaction(cursor: type[Any]) -> type[Any]:
    """Return the driver's cursor for many rows without its warning when somebody does not read all of them."""
    return type(cursor.__name__, (cursor,), {"__del__": lambda _: None})


def locking(patience_ms: int) -> str:
    """Return what a transaction that writes says first: one at a time, as SQLite does by itself.

    So change numbers, audit entries and places come in the order in which they are committed, and what was read before
    a write is still so.
    """
    # 0 would be: for ever.
    return f"SET LOCAL lock_timeout = {max(1, patience_ms)}; SELECT pg_advisory_xact_lock({WRITERS})"


def check_encoding(engine: Engine) -> None:
    """Refuse a database that cannot keep every character.

    Raises
    ------
    SettingsError
        Naming the encoding found, and the way out.
    """
    with engine.connect() as connection:
        found = connection.exec_driver_sql("SHOW server_encoding").scalar()
    if found != ENCODING:
        raise SettingsError(
            f"PEERMATCH_DATABASE_URL: found a database of the encoding {found}; expected {ENCODING}: "
            "`createdb --encoding=UTF8 --template=template0 NAME` makes one"
        )
