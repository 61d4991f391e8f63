"""The pools of a worker: mapped from the newest base, and kept true by the change feed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock
from time import monotonic
from typing import Final

from matcher.errors import ModelError, PeermatchError
from matcher.programme import Programme
from service import metrics
from service.live import base as bases
from service.live.base import Base
from service.live.building import Builder
from service.live.held import HeldPool
from service.live.models import Models
from service.live.programmes import ProgrammeCache
from service.live.refreshing import Inline, Refresher
from service.live.since import Since
from service.logs import log_failure
from service.store import Store, StoreError, closing, scene
from service.store.hot import Transaction
from service.store.moments import day, micros
from service.store.scene import Scene

__all__ = ["GRACE", "RETRY", "Inline", "PoolCache", "Refresher"]

LOOK_SECONDS: Final = 0.25
"""How often a worker that waits for a new base looks for it, while the one it has serves on."""
PATIENCE_MS: Final = 50
"""How long a request waits for others to have written only to let time pass: it can answer without."""
RETRY: Final = timedelta(seconds=30)
"""After a base could not be built, how long until it is tried again."""
GRACE: Final = timedelta(seconds=60)
"""How long a worker leaves it to the one by which somebody was erased to have a base made without them."""


class PoolCache:
    """One pool a programme. Another base is taken when the model, the configuration or the day change.

    Parameters
    ----------
    builder : Builder
    refresher : callable
        Makes a `Refresher` of the builder; `Inline` unless told otherwise.
    """

    def __init__(self, builder: Builder, refresher: Callable[[Builder], Refresher] = Inline) -> None:
        self.builder = builder
        self._refresher = refresher(builder)
        self._held: dict[str, HeldPool] = {}
        self._looked: dict[str, float] = {}
        self._since = Since(builder.run)
        self._failed: dict[str, datetime] = {}
        """Since when no new base can be made, by programme."""
        self._tried: dict[str, datetime] = {}
        self._noticed: dict[str, tuple[str, datetime]] = {}
        """Which base was first seen to have somebody erased, and when, by programme."""
        self._locks: dict[str, Lock] = {}
        self._guard = Lock()

    @property
    def store(self) -> Store:
        """The store that bases are built from."""
        return self.builder.store

    @property
    def models(self) -> Models:
        """The models that lists are made with."""
        return self.builder.models

    @property
    def programmes(self) -> ProgrammeCache:
        """The programmes as they are stored."""
        return self.builder.programmes

    def current(self, reader: Transaction, seen: Scene, now: datetime) -> HeldPool:
        """Return a pool to rank over: of this configuration, and of today and the active model as soon as can be.

        Every change of a member that `seen` knows of is in it, but for additions while a new base is being made.

        Raises
        ------
        ModelError, ProgrammeError
            If there is none: no model can be loaded, or the stored programme cannot be read.
        """
        held = self._held.get(seen.programme_id)
        if held is None or not self._serves(held, seen, now):
            held = self._replaced(seen, now)
        elif self._failed:
            self._forget_failure(seen.programme_id)
        held.follow(reader, seen, now)
        return held

    def let_time_pass(self, programme_id: str, now: datetime, *, heard: bool = True) -> None:
        """Have everybody hear of what began or ended by itself since this worker looked.

        Parameters
        ----------
        heard : bool
            Whether what this worker has heard of is enough, as it is for lists, which look at all that changed anyway.
        """
        held = self._held.get(programme_id)
        due = held.due if held is not None and heard else None
        if due is None:  # no base yet, or a new one
            with self.store.hot.reading() as reader:
                due = scene.first_due(reader, programme_id)
        if held is not None:
            held.due = due
        if micros(now) < due:
            return
        try:
            with self.store.transaction(PATIENCE_MS) as session:
                closing.pass_time(session, self.programmes.get(session, programme_id), now)
        except StoreError as problem:  # whoever may be shown from now on waits a little longer
            log_failure(problem)
            due = micros(now + RETRY)
        else:
            due = None
        if held is not None:
            held.due = due

    def forget(self, programme_id: str, now: datetime) -> None:
        """Have whoever was erased out of the file of a programme's pool too, soon; nobody waits for it.

        The other workers take the new base when it is there. If it cannot be made, a later request tries again.
        """
        folder, lock = self.builder.folder(programme_id), self._lock(programme_id)
        if folder is None or bases.newest(folder) is None or not lock.acquire(blocking=False):
            return  # whoever has the lock is having a base made
        try:
            self._refresher.forget(programme_id, now)
        except PeermatchError as problem:
            self._note(programme_id, problem, now)
        finally:
            lock.release()

    def held(self) -> dict[str, HeldPool]:
        """Return the pools of this worker, by programme."""
        return dict(self._held)

    def stale_since(self, programme_id: str) -> datetime | None:
        """Return since when no new base could be made for a programme, or None."""
        return self._failed.get(programme_id)

    def stale(self) -> dict[str, datetime]:
        """Return since when no new base could be made, by programme."""
        return dict(self._failed)

    def _serves(self, held: HeldPool, seen: Scene, now: datetime) -> bool:
        """Whether no other base is due; one is, too, for whoever was erased and is in the file of this one."""
        return self._is_true(held, seen, now) and not (held.base.erased and held.base.name)

    def _is_true(self, held: HeldPool, seen: Scene, now: datetime) -> bool:
        self.models.retry(held.programme, now)
        version = held.base.model.version
        best = version == seen.active or (seen.programme_id in self.models.stale and version == seen.previous)
        return best and held.base.digest == seen.digest and held.is_of(now) and not held.behind

    def _is_left_to_others(self, held: HeldPool | None, seen: Scene, now: datetime) -> bool:
        """Whether another base is due only because of somebody whom another worker erased a moment ago."""
        if held is None or not self._refresher.elsewhere or not self._is_true(held, seen, now):
            return False
        name, since = self._noticed.get(seen.programme_id, ("", now))
        if name != held.base.name:
            since = now
            self._noticed[seen.programme_id] = held.base.name, since
        return abs(now - since) < GRACE

    def _replaced(self, seen: Scene, now: datetime) -> HeldPool:
        """Return the pool over a newer base, or the one there is while that is being made."""
        programme_id = seen.programme_id
        with self._lock(programme_id):
            held = self._held.get(programme_id)
            if held is not None and self._serves(held, seen, now):
                return held  # whoever waited here finds what the first one got
            usable = held is not None and held.base.digest == seen.digest
            if held is not None and usable and self._waits(programme_id, now):
                return held
            try:
                found = self._newer(held, seen, now, wait=not usable)
            except PeermatchError as problem:
                self._note(programme_id, problem, now)
                if held is None or not usable:
                    raise
                return held
            if found is None:
                if held is None or not usable:
                    raise ModelError("the programme's pool is being made")
                return held
            self._forget_failure(programme_id)
            held = self._held[programme_id] = found
            base = found.base
            metrics.pool(programme_id, len(base.pool), base.built_at, base.model.version)
            return held

    def _newer(self, held: HeldPool | None, seen: Scene, now: datetime, *, wait: bool) -> HeldPool | None:
        with self.store.reading() as session:
            programme = self.programmes.get(session, seen.programme_id)
        found = self._published(programme, held, seen, now)
        if found is None and not self._is_left_to_others(held, seen, now):
            found = self._refresher.refresh(seen.programme_id, now, wait=wait)
        if found is None:
            found = self._published(programme, held, seen, now)
        if found is None and wait:  # made elsewhere, but nothing can be written where it would be found
            found = Inline(self.builder).refresh(seen.programme_id, now, wait=True)
        return None if found is None else HeldPool(programme, found)

    def _published(self, programme: Programme, held: HeldPool | None, seen: Scene, now: datetime) -> Base | None:
        """Return the newest base on the disk, if it is newer than the one held and of today."""
        folder = self.builder.folder(programme.id)
        name = None if folder is None else bases.newest(folder)
        if folder is None or name is None or (held is not None and held.base.name == name):
            return None
        best = self.models.best(programme, (seen.active, seen.previous), now)
        found = bases.load(folder, name, programme, {best.version: best}, self.builder.store_id)
        return found if found is not None and found.epoch == day(now) else None

    def _waits(self, programme_id: str, now: datetime) -> bool:
        """Whether to serve on without looking: it was looked a moment ago, or it failed not long ago."""
        tried = self._tried.get(programme_id)
        if programme_id in self._failed and tried is not None and abs(now - tried) < RETRY:
            return True
        before, self._looked[programme_id] = self._looked.get(programme_id, 0.0), monotonic()
        return self._refresher.elsewhere and self._looked[programme_id] - before < LOOK_SECONDS

    def _note(self, programme_id: str, problem: PeermatchError, now: datetime) -> None:
        self._tried[programme_id] = now
        if programme_id not in self._failed:
            log_failure(problem)
            self._failed[programme_id] = self._since.note("pool", programme_id, "", now)

    def _forget_failure(self, programme_id: str) -> None:
        if self._failed.pop(programme_id, None) is not None:
            self._since.forget("pool", programme_id)

    def _lock(self, programme_id: str) -> Lock:
        with self._guard:
            return self._locks.setdefault(programme_id, Lock())
