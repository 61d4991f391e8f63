"""What one application holds: its store, its clock, its keys and its pools."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

from flask import Flask

from service.live.handles import Handles
from service.live.pool_cache import PoolCache
from service.live.shortlists import Shortlists
from service.settings import Settings
from service.store import Store

if TYPE_CHECKING:
    from service.limits import Limits

EXTENSION = "peermatch"


def utc_now() -> datetime:
    """Return the present moment: the only clock of the service, and tests replace it."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class State:
    """Held by the application, read by its routes."""

    store: Store
    pools: PoolCache
    handles: Handles
    shortlists: Shortlists
    clock: Callable[[], datetime]
    limits: Limits
    settings: Settings


def state(app: Flask) -> State:
    """Return what `app` holds."""
    return cast("State", app.extensions[EXTENSION])
