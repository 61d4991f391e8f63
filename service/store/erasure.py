"""Erasing a member: everything that names them goes at once, and a keyed hash stays so that nothing brings them back.

What follows outside the database, when the transaction has been committed, is in `service.live.erasing`.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from matcher.records import written
from service.store import audit, deletion
from service.store.derived_keys import derived
from service.store.engine import Store
from service.store.erasure_ledger import Entry, Ledger
from service.store.moments import micros, moment
from service.store.record_tables import ErasureRow
from service.store.tables import MemberRow

RECEIPT_BYTES: Final = 16


@dataclass(frozen=True)
class Erasure:
    """Somebody was erased. Names nobody: who asked for it knows of whom it is."""

    receipt: str
    """128 random bits in hex; the audit log and the ledger have it too."""
    erased_at: datetime
    what: Mapping[str, int]
    """How many things were erased, by kind, of those that an export has."""
    number: int
    """What stood for the member in the lists of others."""

    def to_dict(self) -> dict[str, object]:
        """Return the receipt as whoever asked gets it."""
        return {"receipt": self.receipt, "erased_at": written(self.erased_at), "what": dict(self.what)}


def erase(
    session: Session, programme_id: str, member_id: str, *, now: datetime, by: str, before: Entry | None = None
) -> Erasure | None:
    """Erase a member; return the receipt, or None if there is no such member.

    Parameters
    ----------
    now : datetime
        When it is done.
    by : str
        For the audit log: id of the API key, ``command`` or ``service``.
    before : Entry, optional
        An erasure of the same member that is carried out again, after a backup had brought them back: the moment and
        the receipt stay those of the first.
    """
    gone = deletion.delete(session, programme_id, member_id, now=now)
    if gone is None:
        return None
    receipt = secrets.token_hex(RECEIPT_BYTES) if before is None else before.receipt
    erased = now if before is None else moment(before.erased_at)
    audit.record(session, programme_id, "member.erased", now=now, by=by, subject=member_id, receipt=receipt)
    digest = derived(session).erasure(programme_id, member_id)
    _keep(session, Entry(programme_id, digest, micros(erased), receipt))
    return Erasure(receipt, erased, gone.what, gone.number)


def erased_at(session: Session, programme_id: str, member_id: str) -> datetime | None:
    """Return when the member of an id was last erased; None: never, as far as is known."""
    digest = derived(session).erasure(programme_id, member_id)
    row = session.get(ErasureRow, (programme_id, digest))
    return None if row is None else moment(row.erased_at)


def moments(session: Session, programme_id: str) -> dict[str, datetime]:
    """Return when members of a programme were last erased, by `DerivedKeys.erasure` of their ids."""
    query = select(ErasureRow.digest, ErasureRow.erased_at).where(ErasureRow.programme_id == programme_id)
    return {row[0]: moment(row[1]) for row in session.execute(query)}


def sync(store: Store, ledger: Ledger) -> int:
    """Write to the ledger what it lacks of the erasures of all programmes; return how many lines.

    Raises
    ------
    LedgerError, SettingsError, StoreError
        If it cannot be written; the erasures stand.
    """

    def known() -> list[Entry]:
        with store.reading() as session:
            return entries(session)

    return ledger.sync(known)


def entries(session: Session) -> list[Entry]:
    """Return the erasures of all programmes, as the ledger has them."""
    query = select(ErasureRow.programme_id, ErasureRow.digest, ErasureRow.erased_at, ErasureRow.receipt)
    ordered = query.order_by(ErasureRow.erased_at, ErasureRow.receipt)
    return [Entry(*row) for row in session.execute(ordered, execution_options={"every_programme": True})]


def note(session: Session, entry: Entry) -> bool:
    """Keep that somebody was erased, unless a later erasure of theirs is known; return whether it was news."""
    row = session.get(ErasureRow, (entry.programme, entry.digest))
    if row is not None and row.erased_at >= entry.erased_at:
        return False
    _keep(session, entry)
    return True


def _keep(session: Session, entry: Entry) -> None:
    """Keep an erasure as the last of its member, also where a clock was set back since the one before."""
    row = session.get(ErasureRow, (entry.programme, entry.digest))
    if row is None:
        row = ErasureRow(programme_id=entry.programme, digest=entry.digest)
        session.add(row)
    row.erased_at, row.receipt = entry.erased_at, entry.receipt
    session.flush()


def replay(
    session: Session, programme_id: str, ledger: list[Entry], *, now: datetime, by: str = audit.COMMAND
) -> list[Erasure]:
    """Erase again whom a backup has brought back, and know again of everybody who was erased; return the receipts.

    Whoever was stored after they were erased, with new consent, stays.

    Parameters
    ----------
    ledger : list of Entry
        Of all programmes; those of others are passed over.
    """
    latest = _latest(programme_id, ledger)
    again = [
        erase(session, programme_id, member_id, now=now, by=by, before=latest[digest])
        for member_id, digest in list(_revived(session, programme_id, latest))
    ]
    for entry in latest.values():
        note(session, entry)
    return [one for one in again if one is not None]


def revived(session: Session, programme_id: str, ledger: Iterable[Entry]) -> int:
    """Return how many are stored who were erased since, as when an old copy of the database was put in its place."""
    return sum(1 for _ in _revived(session, programme_id, _latest(programme_id, ledger)))


def _latest(programme_id: str, ledger: Iterable[Entry]) -> dict[str, Entry]:
    """Return of each member of a programme, by what stands for them, the last erasure that a ledger tells of."""
    mine = (entry for entry in ledger if entry.programme == programme_id)
    return {entry.digest: entry for entry in sorted(mine, key=lambda one: one.erased_at)}


def _revived(session: Session, programme_id: str, latest: Mapping[str, Entry]) -> Iterator[tuple[str, str]]:
    for member_id, digest, stored in _stored(session, programme_id):
        if digest in latest and micros(stored) <= latest[digest].erased_at:
            yield member_id, digest


def _stored(session: Session, programme_id: str) -> Iterator[tuple[str, str, datetime]]:
    """Yield of every member the id, what stands for it in the ledger, and when it was first stored."""
    keys = derived(session)
    query = select(MemberRow.member_id, MemberRow.created_at).where(MemberRow.programme_id == programme_id)
    for member_id, created in session.execute(query):
        yield member_id, keys.erasure(programme_id, member_id), created
