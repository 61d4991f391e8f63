"""A lock in the database that is held while a command works, and kept alive meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from sqlalchemy.orm import Session

from matcher.errors import PeermatchError
from service.cli import context
from service.cli.lock import exclusive
from service.store import Store, locks
from service.store.locks import LEASE, Holder

RENEWED_EVERY: Final = LEASE / 5


@dataclass(frozen=True)
class Lease:
    """A lock that this process holds."""

    programme_id: str
    name: str
    token: str

    def confirm(self, session: Session, now: datetime) -> None:
        """Keep the lock in the transaction that publishes what was done.

        Raises
        ------
        OvertakenError
            If another process has taken over.
        """
        locks.confirm(session, self.programme_id, self.name, self.token, now)


@contextmanager
def leased(
    store: Store,
    home: Path,
    programme_id: str,
    name: str,
    purpose: str,
    now: datetime,
    every: timedelta = RENEWED_EVERY,
) -> Iterator[Lease]:
    """Hold the lock `name` of a programme while the block runs.

    A process of this machine that has died is not waited for: it held a lock file too, which the kernel has freed.

    Parameters
    ----------
    home : Path
        Where that file lies.
    every : timedelta
        How often the lease is renewed.

    Raises
    ------
    LockedError
        At once, if another process holds it.
    StoreError
        If the database is away.
    """
    me = Holder.here(purpose)
    with exclusive(home / f"{name}-{programme_id}.lock", purpose, now):
        with store.transaction() as session:
            token = locks.take(session, programme_id, name, me, now, is_dead=lambda one: one.host == me.host)
        lease = Lease(programme_id, name, token)
        over = threading.Event()
        keeper = threading.Thread(target=_keep, args=(store, lease, over, every), name=f"lease-{name}", daemon=True)
        keeper.start()
        try:
            yield lease
        finally:
            over.set()
            keeper.join()
            with suppress(PeermatchError), store.transaction() as session:  # else it ends by itself
                locks.give_back(session, programme_id, name, token)


def _keep(store: Store, lease: Lease, over: threading.Event, every: timedelta) -> None:
    while not over.wait(every.total_seconds()):
        # A database that is away for a moment is asked again; who was overtaken learns of it when they publish.
        with suppress(PeermatchError), store.transaction() as session:
            lease.confirm(session, context.now())
