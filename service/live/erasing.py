"""What follows an erasure once it is committed: nothing of the person stays where the transaction did not reach.

None of it is asked for by whoever is told that the member is erased: what fails here is logged, and made up for by the
next erasure, by `peermatch refresh` and by `peermatch retention`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from matcher.errors import PeermatchError
from service.live.pool_cache import PoolCache
from service.logs import log_failure
from service.store import Store, erasure, list_forgetting, scrubbing
from service.store.erasure import Erasure
from service.store.erasure_ledger import Ledger

RETURNED: Final = timedelta(days=15)
"""Lists that were returned so long ago at most may name somebody to whoever asks again: their handles are valid."""
SECONDS: Final = 0.3
"""How long others' lists are gone through at once; the rest is left to `peermatch retention`."""


def finish(store: Store, ledger: Ledger, pools: PoolCache, programme_id: str, done: Erasure, now: datetime) -> None:
    """Write the ledger, and take somebody who was erased out of lists, pools and the database's log."""
    for step in (
        lambda: erasure.sync(store, ledger),
        lambda: _forget_in_lists(store, programme_id, done.number, now),
        lambda: pools.forget(programme_id, now),
        lambda: scrubbing.empty_log(store),
    ):
        _try(step)


def _forget_in_lists(store: Store, programme_id: str, number: int, now: datetime) -> None:
    """Look while others write, and write only what was found."""
    with store.reading() as session:
        found = list_forgetting.lists_naming(
            session, programme_id, [number], returned_since=now - RETURNED, seconds=SECONDS
        )
    if found:
        with store.transaction() as session:
            list_forgetting.strip(session, programme_id, found, [number])


def _try(step: Callable[[], object]) -> None:
    try:
        step()
    except (PeermatchError, OSError) as problem:
        log_failure(problem)
