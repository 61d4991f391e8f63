"""What tables keep sealed, read and written within a session."""

from __future__ import annotations

from typing import Any, Final

import orjson
from sqlalchemy.orm import Session

from service.sealing import Keyring, MissingKeyError, SealError
from service.store.tables import MemberRow

MEMBERS: Final = MemberRow.__tablename__
KEYRING: Final = "peermatch_keyring"
"""Where a session has the keyring."""


def seal(session: Session, programme_id: str, table: str, row: str, text: str) -> bytes:
    """Return a text sealed for a row of a table of a programme."""
    return keyring(session).seal(programme_id, table, row, text.encode())


def opened(session: Session, programme_id: str, table: str, row: str, sealed: bytes) -> str:
    """Return the text that was sealed for a row.

    Raises
    ------
    SealError
        If its key is not at hand, or it was changed or moved.
    """
    return keyring(session).open(programme_id, table, row, sealed).decode()


def record(session: Session, programme_id: str, member_id: str, kept: bytes) -> dict[str, Any]:
    """Return a record as the table keeps it; an empty one where it is damaged: one is missing, not all.

    Raises
    ------
    MissingKeyError
        If its key is not at hand: it is sound, and must not be taken for damaged.
    """
    try:
        found = orjson.loads(keyring(session).open(programme_id, MEMBERS, member_id, kept))
    except MissingKeyError:
        raise
    except (SealError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def keyring(session: Session) -> Keyring:
    """Return the keyring of a session."""
    ring: Keyring = session.info[KEYRING]
    return ring
