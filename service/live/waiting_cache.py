"""Who waits, as a worker last saw it: looked up anew at most once a minute, and more rarely where that takes long."""

from __future__ import annotations

from bisect import bisect_left
from datetime import datetime, timedelta
from time import perf_counter
from typing import Final

from matcher.waiting import order_of
from service.garbage import uncollected
from service.live.pool_cache import PoolCache
from service.live.waiting import Snapshot, snapshot, waiter

SHORTEST: Final = timedelta(seconds=60)
TIMES: Final = 30
"""It is kept for so many times as long as it took, so that a worker looks for a thirtieth of its time at most."""
QUICK: Final = timedelta(milliseconds=50)
"""What takes longer is left to others by a request that has something else to do: for `OLD` times as long."""
OLD: Final = 10


class WaitingCache:
    """The waiting lists of all programmes of an installation.

    Parameters
    ----------
    pools : PoolCache
        Has the store, and the programmes.
    """

    def __init__(self, pools: PoolCache) -> None:
        self._pools = pools
        self._kept: dict[str, tuple[Snapshot, timedelta]] = {}

    def fresh(self, programme_id: str, now: datetime) -> Snapshot:
        """Return where everybody stands now, and keep it.

        Raises
        ------
        UnknownMemberError
            If the programme is gone.
        StoreError
        """
        began = perf_counter()
        store = self._pools.store
        with store.reading() as session:
            programme = self._pools.programmes.get(session, programme_id)
        with store.hot.reading() as reader, uncollected():
            found = snapshot(reader, programme, now)
        self._kept[programme_id] = found, timedelta(seconds=perf_counter() - began)
        return found

    def recent(self, programme_id: str, now: datetime, *, busy: bool = False) -> Snapshot:
        """Return where everybody stood a moment ago.

        Parameters
        ----------
        busy : bool
            Whether it is asked in passing: then it may be older where a look takes long.

        Raises
        ------
        UnknownMemberError, StoreError
            As `fresh`.
        """
        kept = self._kept.get(programme_id)
        if kept is not None:
            found, took = kept
            life = max(SHORTEST, TIMES * took) * (OLD if busy and took > QUICK else 1)
            if timedelta(0) <= now - found.as_of < life:
                return found
        return self.fresh(programme_id, now)

    def place(self, programme_id: str, member_id: str, now: datetime) -> tuple[int, datetime] | None:
        """Return the place of somebody for whom no list has anybody, and since when they wait; None: they do not wait.

        Whether and since when they wait is true now; who is before them may be a minute old.

        Raises
        ------
        UnknownMemberError, StoreError
            As `fresh`.
        """
        store = self._pools.store
        with store.reading() as session:
            programme = self._pools.programmes.get(session, programme_id)
        with store.hot.reading() as reader:
            mine = waiter(reader, programme, member_id, now)
        if mine is None:
            return None
        key = order_of(programme.waiting)
        rows = self.recent(programme_id, now).waiting
        return 1 + bisect_left(rows, key(mine), key=lambda row: key(row.waiter)), mine.since
