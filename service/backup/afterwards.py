"""What follows a restore, once it cannot be undone: what was made of the database that was, and is of it alone."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from functools import partial

from matcher.errors import PeermatchError
from service.settings import Settings
from service.store import audit_checkpoint, erasure, open_store, programmes, scrubbing
from service.store.erasure_ledger import Ledger


def follow(where: Settings, now: datetime, *, whole: bool) -> list[str]:
    """Remove the pools, write what the second places lack, and clear the files of what was deleted.

    Parameters
    ----------
    whole : bool
        Somebody was erased again: nothing of them may be left in any file.

    Returns
    -------
    list of str
        What could not be done, and why.
    """
    undone: list[str] = []
    pools = where.run / "pools"
    _attempt(undone, "remove the pools", lambda: shutil.rmtree(pools) if pools.exists() else None)
    _attempt(undone, "open the database", lambda: _in_database(where, now, undone, whole=whole))
    return undone


def _in_database(where: Settings, now: datetime, undone: list[str], *, whole: bool) -> None:
    with closing(open_store(where)) as store:
        _attempt(undone, "write the ledger of erasures", lambda: erasure.sync(store, Ledger.of(where)))
        _attempt(undone, "clear the files of the database", lambda: scrubbing.scrub(store, whole=whole))
        with store.reading() as session:
            known = programmes.identifiers(session)
        for programme_id in known:
            sign = partial(audit_checkpoint.checkpoint, store, programme_id, now)
            _attempt(undone, f"sign the audit log of {programme_id}", sign)


def _attempt(undone: list[str], what: str, do: Callable[[], object]) -> None:
    try:
        do()
    except (PeermatchError, OSError) as problem:
        said = problem.message if isinstance(problem, PeermatchError) else problem.strerror
        undone.append(f"{what}: {said}")
