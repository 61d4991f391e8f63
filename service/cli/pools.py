"""Pools as the running service builds them, for the commands that look at the same things."""

from __future__ import annotations

from service.live.building import Builder
from service.live.pool_cache import PoolCache
from service.live.refresher import builder
from service.settings import Settings
from service.store import Store


def pools(where: Settings, store: Store) -> PoolCache:
    """Return pools that are built as the service builds them, so that a command shows what a partner's app gets.

    They stay in this process: a command that only looks publishes nothing.
    """
    made = builder(where, store)
    return PoolCache(Builder(made.store, made.models, made.programmes, None))
