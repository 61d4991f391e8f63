"""Rotating the data key: a new key first, then everything sealed with it, then away with the old ones.

Interrupted anywhere it can be run again: old keys open what they sealed for as long as they are in the file.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from matcher.errors import PeermatchError
from service.sealing import Keyring, new_key, read_keyring, write_keyring
from service.settings import Settings
from service.store import audit, programmes
from service.store.engine import Store
from service.store.moments import micros
from service.store.record_tables import AuditRow
from service.store.resealing import Resealed, finish, is_finished, left_over, reseal

HEARD: Final = timedelta(minutes=10)
"""After so long no worker is in the middle of something that it began with the old keys alone."""
ROTATED: Final = "data_key.rotated"


class DataKeyError(PeermatchError):
    """The data keys cannot be rotated, or old ones not dropped."""

    title = "The data keys were not changed"


@dataclass(frozen=True)
class RotatedData:
    """What a rotation did."""

    key_id: str
    """Of the key that seals now, in hex."""
    is_new: bool
    """Made now; else a rotation that was interrupted was ended."""
    resealed: Resealed


def rotate(
    store: Store, settings: Settings, clock: Callable[[], datetime], *, advance: Callable[[int], None] = lambda _: None
) -> RotatedData:
    """Make a new data key, or take up a rotation that was interrupted, and seal everything with it.

    Parameters
    ----------
    clock : callable
        Returns what time it is, asked at the end: `HEARD` counts from there.
    advance : callable, optional
        Told how many rows were sealed since.

    Raises
    ------
    DataKeyError
        If some rows cannot be opened: they stay as they are, and so do the keys. Or if others sealed some with an old
        key meanwhile: running it again seals these too.
    OSError
        If the key file cannot be written; nothing was changed.
    """
    ring = read_keyring(settings)
    with store.reading() as session:
        is_new = is_finished(session, ring)
    if is_new:
        write_keyring(settings, [new_key(), *ring.keys])
        ring = read_keyring(settings)
    done = reseal(store, ring, advance)
    if done.unreadable:
        raise DataKeyError(
            f"{done.unreadable:,} rows cannot be opened with the keys in {settings.data_key_file}, and stay as they "
            "are; put the missing key back into the file, or restore these rows from a backup, and run this again"
        )
    with store.transaction() as session:
        finish(session)
        _check_sealed(session, ring)
        now = clock()
        for programme_id in programmes.identifiers(session):
            audit.record(session, programme_id, ROTATED, now=now, by=audit.COMMAND, key=ring.current)
    return RotatedData(ring.current, is_new, done)


def drop_old(store: Store, settings: Settings, now: datetime) -> list[str]:
    """Take out of the file every key but the one that seals now; return their ids, in hex.

    Raises
    ------
    DataKeyError
        If anything is still sealed with one of them, or a rotation ended only just now.
    OSError
        If the key file cannot be written; nothing was changed.
    """
    # Nobody else writes meanwhile, so that nothing is sealed with an old key between the look and the deed.
    with store.transaction() as session:
        ring = read_keyring(settings)
        _check_sealed(session, ring)
        _check_heard(session, now)
        old = [key.key_id.hex() for key in ring.keys[1:]]
        if old:
            write_keyring(settings, ring.keys[:1])
    return old


def _check_sealed(session: Session, ring: Keyring) -> None:
    if left := left_over(session, ring):
        told = ", ".join(f"{rows:,} of {table}" for table, rows in sorted(left.items()))
        raise DataKeyError(f"rows are still sealed with old keys ({told}); run `peermatch keys rotate --data` again")


def _check_heard(session: Session, now: datetime) -> None:
    query = select(func.max(AuditRow.at)).where(AuditRow.action == ROTATED).execution_options(every_programme=True)
    last = session.scalar(query)
    # Not where it is told to have been later than now: the clock was set back, and nobody waits for that.
    if last is not None and micros(now - HEARD) < last <= micros(now):
        raise DataKeyError(
            f"the data key was rotated less than {HEARD.seconds // 60} minutes ago, and workers may still be in the "
            "middle of what they began with the old keys; run this again later"
        )
