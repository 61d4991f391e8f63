"""Building the base of a pool from the store, one process at a time."""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from time import monotonic, sleep
from typing import Any, Final

import numpy as np

from matcher.consent import ConsentedProfile, consented
from matcher.errors import ModelError, UnknownMemberError
from matcher.matching.circumstances import Circumstances
from matcher.matching.pool import Pool
from matcher.model.artefact import Model
from matcher.programme import Programme
from service.garbage import uncollected
from service.live import base as bases
from service.live import forgetting
from service.live.base import Base
from service.live.models import Models
from service.live.programmes import ProgrammeCache
from service.live.showing import Shown, Table
from service.logs import log_event, log_failure
from service.store import Store, installation, scene, stored, valid_lists
from service.store.moments import day, micros
from service.store.scene import Live, Scene

POLL_SECONDS: Final = 0.02


def tie_key(programme: Programme) -> bytes:
    """Return the key that orders those who are exactly equal: the one of the library's default seed."""
    return f"{programme.id}:0".encode()


@dataclass
class _People:
    """What the rows of the store come to."""

    profiles: list[ConsentedProfile]
    """Of those who consent to be shown, and perhaps of others."""
    hidden: list[str]
    """Ids of the rest."""
    rows: dict[str, Live]
    load: dict[str, int]
    held: set[str]
    skipped: int = 0

    def __len__(self) -> int:
        return len(self.profiles) + len(self.hidden)


class Builder:
    """Builds bases and puts them where all workers find them.

    Parameters
    ----------
    store : Store
    models : Models
    programmes : ProgrammeCache
    run : Path or None
        The folder of what can be rebuilt; None: bases stay in memory.
    """

    def __init__(self, store: Store, models: Models, programmes: ProgrammeCache, run: Path | None) -> None:
        self.store = store
        self.models = models
        self.programmes = programmes
        self.run = run

    @cached_property
    def store_id(self) -> str:
        """Id of the database, of which alone bases are taken."""
        with self.store.reading() as session:
            return installation.check(session)

    def folder(self, programme_id: str) -> Path | None:
        """Return where the bases of a programme lie."""
        return None if self.run is None else self.run / "pools" / programme_id

    def build(self, programme_id: str, now: datetime) -> Base:
        """Build a base of today's members and the best model, and publish it where that can be done.

        Where it cannot, the base that was there is removed if it has somebody who was erased.

        Raises
        ------
        ModelError
            If no model can be loaded.
        UnknownMemberError
            If the programme is gone.
        """
        published = None
        try:
            built, programme = self._built(programme_id, now)
            published = self._published(built, programme)
        finally:
            folder = self.folder(programme_id)
            if folder is not None and (published is None or not published.name):
                forgetting.remove(self.store, programme_id, folder)
        return published

    def _built(self, programme_id: str, now: datetime) -> tuple[Base, Programme]:
        programme, model, seen, people, shown = self._read(programme_id, now)
        with uncollected():
            facts = Circumstances(held=frozenset(people.held), load=people.load)
            key, hidden = tie_key(programme), people.hidden
            pool = Pool.build(programme, model.encoder, people.profiles, now, facts, key, hidden)
        rows = [people.rows[member_id] for member_id in pool.ids]
        numbers = np.fromiter((row.id for row in rows), np.int64, len(rows))
        built = Base(
            name="",
            pool=pool,
            numbers=numbers,
            revisions=np.fromiter((row.revision for row in rows), np.int64, len(rows)),
            edges=np.fromiter((row.edge for row in rows), np.int64, len(rows)),
            hidden=np.array([people.rows[member_id].id for member_id in pool.hidden.ids], dtype=np.int64),
            digest=programme.digest,
            model=model,
            epoch=day(now),
            number=seen.number,
            built_at=now,
            skipped=people.skipped,
            store=self.store_id,
            order=np.argsort(numbers),
            shown=shown,
        )
        log_event("pool", programme=programme_id, members=len(people), skipped=people.skipped, model=model.version)
        return built, programme

    def _read(self, programme_id: str, now: datetime) -> tuple[Programme, Model, Scene, _People, Table]:
        with self.store.reading() as session:
            programme = self.programmes.get(session, programme_id)
        with self.store.hot.reading() as reader:
            # Read in one transaction: whatever is committed later has a higher number.
            seen = scene.scene(reader, programme_id)
            if seen is None:
                raise UnknownMemberError("the programme is gone")
            if seen.digest != programme.digest:
                return self._read(programme_id, now)  # changed between the two
            model = self.models.best(programme, (seen.active, seen.previous), now)
            with uncollected():
                people = _people(scene.everybody(reader, programme_id, day(now), micros(now)), programme, now)
                shown = Shown.of(valid_lists.valid(reader, programme_id, day(now))).table
        return programme, model, seen, people, shown

    def _published(self, built: Base, programme: Programme) -> Base:
        """Return the base as all workers map it; itself where it cannot be written."""
        folder = self.folder(programme.id)
        if folder is None:
            return built
        name = f"{built.epoch}-{built.number}-{secrets.token_hex(4)}"
        try:
            bases.save(built, folder, name)
            bases.prune(folder)
        except OSError as problem:
            log_failure(problem)  # a full disk: this process serves from memory
            return built
        mapped = bases.load(folder, name, programme, {built.model.version: built.model}, self.store_id)
        return built if mapped is None else replace(mapped, name=name)


@contextmanager
def alone(folder: Path | None, patience: float | None = None) -> Iterator[None]:
    """Wait until no other process builds in `folder`; the lock goes with the process.

    Raises
    ------
    ModelError
        If another one still does after `patience` seconds.
    """
    if folder is None:
        yield
        return
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        yield  # nothing can be written there: nothing is shared either
        return
    try:
        _lock(handle, patience)
        yield
    finally:
        os.close(handle)


def _lock(handle: int, patience: float | None) -> None:
    if patience is None:
        fcntl.flock(handle, fcntl.LOCK_EX)
        return
    deadline = monotonic() + patience
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if monotonic() >= deadline:
                raise ModelError("the programme's pool is still being made") from None
            sleep(POLL_SECONDS)


def _people(rows: Iterator[tuple[Live, dict[str, Any] | None]], programme: Programme, now: datetime) -> _People:
    found = _People([], [], {}, {}, set())
    moment = micros(now)
    for row, record in rows:
        if record is None and row.accepted:
            found.hidden.append(row.member_id)
            found.rows[row.member_id] = row
            continue
        # What the programme no longer accepts can be read back all the same, and would fail where it is encoded.
        member = stored.member(record, programme) if record is not None and row.accepted else None
        if member is None:
            found.skipped += 1
            continue
        profile = consented(member, programme, now)
        found.profiles.append(profile)
        found.rows[row.member_id] = row
        if (load := profile.capacity - row.places(moment)) != 0:
            found.load[row.member_id] = load
        if row.held_until > moment:
            found.held.add(row.member_id)
    return found
