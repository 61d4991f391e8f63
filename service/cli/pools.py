"""Pools as the running service builds them, for the commands that look at the same things."""

from __future__ import annotations

from matcher.model.artefact import Model
from matcher.programme import Programme
from service.cli.publishing import load_model
from service.live.models import Models
from service.live.pool_cache import PoolCache
from service.settings import Settings
from service.store import Store


def pools(where: Settings, store: Store) -> PoolCache:
    """Return pools that are built as the service builds them, so that a command shows what a partner's app gets."""

    def load(programme: Programme, version: str) -> Model:
        return load_model(where, programme, version)

    return PoolCache(store, Models(load, where.model_folder))
