"""What ``/__heartbeat__`` reports: counts and moments, never the name of a programme."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from matcher.errors import PeermatchError
from service.live.pool_cache import PoolCache
from service.logs import log_failure
from service.store import StoreError, models, programmes


@dataclass
class _Count:
    served: int = 0
    missing: int = 0


def health(pools: PoolCache, now: datetime) -> dict[str, Any]:
    """Look at the database, verify the active model of every programme, and say how old the pools are.

    Returns
    -------
    dict
        ``status`` is ``ok``; ``degraded`` where an older model answers, or a programme has none;
        ``error`` where nothing can be answered.
    """
    count = _Count()
    try:
        _verify(pools, now, count)
    except StoreError as problem:
        log_failure(problem)
        return {"status": "error", "database": "error", "models": None, "pools": _pools(pools, now)}
    stale = list(pools.models.stale.values())
    old = _pools(pools, now)
    status = "ok" if not stale and not count.missing and not old["stale"] else "degraded"
    if count.missing and not count.served:
        status = "error"
    since = min((one.since for one in stale), default=None)
    return {
        "status": status,
        "database": "ok",
        "models": {
            "served": count.served,
            "missing": count.missing,
            "stale": len(stale),
            "stale_since": since.isoformat() if since else None,
        },
        "pools": old,
    }


def _verify(pools: PoolCache, now: datetime, count: _Count) -> None:
    with pools.store.reading() as session:
        for programme_id in programmes.identifiers(session):
            try:
                programme = pools.programmes.get(session, programme_id)
                active = models.active(session, programme_id)
                versions = (active.version, active.previous) if active else ()
                pools.models.best(programme, versions, now)
                count.served += 1
            except StoreError:
                raise
            except PeermatchError:
                count.missing += 1


def _pools(pools: PoolCache, now: datetime) -> dict[str, Any]:
    held, stale = pools.held().values(), pools.stale().values()
    return {
        "held": len(held),
        "oldest_seconds": max((round((now - pool.base.built_at).total_seconds()) for pool in held), default=None),
        "skipped_records": sum(pool.base.skipped for pool in held),
        "stale": len(stale),
        "stale_since": min(stale).isoformat() if stale else None,
    }
