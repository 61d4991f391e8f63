"""Which database this is, and whether the data keys at hand are its own."""

from __future__ import annotations

import secrets
from typing import Final

from sqlalchemy.orm import Session

from service.sealing import SealError
from service.store import sealed
from service.store.tables import InstallationRow

_ROW: Final = 1
_TABLE: Final = InstallationRow.__tablename__


def check(session: Session, *, create: bool = False) -> str:
    """Return the id of this database; with `create`, give it one if it has none.

    Raises
    ------
    SealError
        If it was sealed with other data keys, or has no id.
    """
    row = session.get(InstallationRow, _ROW)
    if row is None and create:
        return renew(session)
    if row is None:
        raise SealError("the database has not been set up whole; `peermatch init FILE.toml` sets it up")
    if sealed.opened(session, "", _TABLE, str(_ROW), row.sealed) != row.store_id:
        raise SealError("installation: found a row that was changed outside Peermatch; restore it from a backup")
    return row.store_id


def renew(session: Session) -> str:
    """Give the database a new id, so that nothing derived from it before is taken for its own."""
    store_id = secrets.token_hex(16)
    row = session.get(InstallationRow, _ROW)
    if row is None:
        row = InstallationRow(id=_ROW)
        session.add(row)
    row.store_id = store_id
    _seal(session, row)
    return store_id


def reseal(session: Session) -> None:
    """Seal the row of this database with the key that seals now; it says which that is once all else is sealed so."""
    check(session)
    _seal(session, session.get_one(InstallationRow, _ROW))


def _seal(session: Session, row: InstallationRow) -> None:
    row.sealed = sealed.seal(session, "", _TABLE, str(_ROW), row.store_id)
    session.flush()
