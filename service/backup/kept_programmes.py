"""Programme files that have changed since a backup was made: what people are asked and told now goes on."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from matcher.errors import PeermatchError
from service.backup.present import kept
from service.store import programmes
from service.store.tables import ProgrammeRow


def put_back(session: Session, programme_id: str) -> bool:
    """Put the file of a programme back where it is another than the backup's; return whether it is."""
    was = kept("programmes").c
    query = select(was.toml, was.files, was.digest, was.updated_at).where(was.id == programme_id)
    before = session.execute(query).one()
    row = session.get_one(ProgrammeRow, programme_id)
    if (row.toml, row.files, row.digest) == tuple(before)[:3]:
        return False
    row.toml, row.files, row.digest, row.updated_at = before
    session.flush()
    return True


def follow(session: Session, programme_id: str, now: datetime) -> None:
    """Have everybody's consents follow from a file that was put back."""
    with suppress(PeermatchError):  # one that this release does not read has no lists either
        programmes.refold(session, programmes.load(session, programme_id), now)
