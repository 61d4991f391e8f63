"""How a backup is to be restored, and opening the database that it goes into, which may not be there yet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from sqlalchemy import Connection, inspect, select
from sqlalchemy.orm import Session

from service.sealing import Keyring, create_keyring, new_key, read_keyring
from service.security import read_secret_key
from service.settings import Settings
from service.store.derived_keys import DERIVED, DerivedKeys
from service.store.schema import revision_of
from service.store.sealed import KEYRING
from service.store.tables import InstallationRow


@dataclass(frozen=True)
class Asked:
    """How a backup is to be restored."""

    replace: bool
    """In the place of what is in the database; else that must be empty."""
    dry_run: bool
    """All is taken back."""
    no_ledger: bool
    """Into an empty database though nothing says who was erased since."""


@contextmanager
def session_in(where: Settings, connection: Connection, *, dry_run: bool) -> Iterator[Session]:
    """Open a session in the transaction of a connection."""
    if revision_of(connection) is not None:
        ring = read_keyring(where)
    elif dry_run and not where.data_key_file.exists():
        ring = Keyring([new_key()])
    else:
        ring = create_keyring(where)
    derived = DerivedKeys(lambda: read_secret_key(where))
    with Session(connection, expire_on_commit=False, info={KEYRING: ring, DERIVED: derived}) as session:
        yield session


@contextmanager
def no_new_file(where: Settings) -> Iterator[Callable[[], None]]:
    """Remove an SQLite file that was not there before, unless what is yielded is called."""
    file = where.database_file
    new, kept = file is not None and not file.exists(), []
    try:
        yield lambda: kept.append(True)
    finally:
        if new and not kept and file is not None:
            for name in (file, *(file.with_name(f"{file.name}-{more}") for more in ("wal", "shm"))):
                with suppress(OSError):
                    name.unlink()


def identity(session: Session) -> str | None:
    """Return the id of this database unchecked; None where it has none, or no such table."""
    if not inspect(session.connection()).has_table(InstallationRow.__tablename__):
        return None
    return session.scalar(select(InstallationRow.store_id))
