"""What every kind of list has: how it is computed and re-checked, and what becomes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol

from matcher.programme import Programme
from service.live.held import HeldPool
from service.live.recheck import Alive, Rechecked
from service.live.seeking import Seeking
from service.store import lists
from service.store.lists import StoredList

DEPTH: Final = 40
"""How many a list is stored deep: four times the longest that is returned."""


@dataclass(frozen=True)
class Computed:
    """What one computation came to."""

    outcome: str
    reason: str | None
    entries: tuple[lists.Entry, ...] = ()
    excluded: Mapping[str, int] = field(default_factory=dict)
    """Whom each gate left out, at the level of counts."""
    eligible: int = 0


class Kind(Protocol):
    """What is listed: peers, or groups."""

    name: str

    def compute(self, seeking: Seeking, held: HeldPool) -> Computed:
        """Rank everybody for a seeker, `DEPTH` deep."""

    def recheck(self, stored: StoredList, seeking: Seeking, held: HeldPool, limit: int, *, again: bool) -> Rechecked:
        """Return the first survivors of a stored list."""


@dataclass(frozen=True)
class LiveList:
    """A reply, before it is written."""

    programme: Programme
    kind: str
    match_id: str
    outcome: str
    reason: str | None
    model_version: str
    result: str
    """``new``, ``repeat``, ``over_budget`` or ``held``."""
    alive: tuple[Alive, ...] = ()
    fresh_at: datetime | None = None
    """When the seeker can have a new list again; None: this one is as new as it gets."""
    dropped: int = 0
    excluded: Mapping[str, int] = field(default_factory=dict)
