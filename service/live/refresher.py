"""Having bases built by another process, so that a worker neither stops for it nor keeps the memory it took.

``python -m service.live.refresher PROGRAMME`` is that process.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import UTC, datetime
from multiprocessing import get_context
from time import monotonic, sleep
from typing import Final

from matcher.errors import ModelError, PeermatchError
from matcher.model import artefact
from matcher.model.artefact import Model
from matcher.model.signing import signing_key
from matcher.programme import Programme
from service import logs
from service.live import base as bases
from service.live import forgetting
from service.live.base import Base
from service.live.building import Builder, alone
from service.live.held import MOST_FOLLOWED
from service.live.models import Models
from service.live.programmes import ProgrammeCache
from service.live.since import Since
from service.security import read_secret_key
from service.settings import Settings
from service.store import Store, groups, open_store, programmes, scene
from service.store.closing import pass_time
from service.store.moments import day

PATIENCE_SECONDS: Final = 5.0
"""How long the first request waits for a base where there is none to serve on with, and its worker with it."""
BRIEF_SECONDS: Final = 0.1
"""How long those wait that come after one that waited in vain: they are told when to ask again."""
LONGEST_SECONDS: Final = 600.0
"""No base takes so long to build: the process is ended."""
UNPUBLISHED: Final = 3
"""Exit code: a base can be built, and cannot be written where workers would find it."""


class Elsewhere:
    """Starts a process that builds, one a programme at a time."""

    elsewhere = True

    def __init__(self, builder: Builder) -> None:
        self._builder = builder
        self._running: dict[str, tuple[subprocess.Popen[bytes], float]] = {}
        self._in_vain: set[str] = set()
        """Programmes for whose base a request has waited in vain."""

    def refresh(self, programme_id: str, now: datetime, *, wait: bool) -> Base | None:
        """Have a base made; with `wait`, return when it is there. Where none can be published, it is made here.

        Raises
        ------
        ModelError
            If it is not there yet, or the process said that it cannot be made; the log has its words.
        """
        patience = 0.0
        if wait:
            patience = BRIEF_SECONDS if programme_id in self._in_vain else PATIENCE_SECONDS
            self._in_vain.add(programme_id)
        code = self._code(programme_id, patience, wait=wait)
        if code == UNPUBLISHED:
            return self._builder.build(programme_id, now)
        if code:
            raise ModelError("the programme's pool could not be made; the log says why")
        if wait and code is None:
            raise ModelError("the programme's pool is still being made")
        self._in_vain.discard(programme_id)
        return None

    def forget(self, programme_id: str, now: datetime) -> None:
        """Have a base made, soon, without those who were erased; the process that makes it waits for more of them.

        Raises
        ------
        ModelError
            If one that was begun before could not be made.
        """
        if self._code(programme_id, 0.0, wait=False) not in (None, 0, UNPUBLISHED):
            raise ModelError("the programme's pool could not be made; the log says why")

    def _code(self, programme_id: str, patience: float, *, wait: bool) -> int | None:
        """Return the exit code of the process that builds; 0 too where another has just built, None while one does."""
        folder = self._builder.folder(programme_id)
        if programme_id not in self._running:
            before = None if folder is None else bases.newest(folder)
            if wait and folder is not None:
                with alone(folder, patience):  # one that is being built, by a server that starts, is waited for
                    pass
                if bases.newest(folder) != before:
                    return 0
            self._running[programme_id] = _start(programme_id), monotonic()
        process, since = self._running[programme_id]
        with suppress(subprocess.TimeoutExpired):
            process.wait(patience)
        if process.poll() is None and monotonic() - since > LONGEST_SECONDS:
            process.kill()
            process.wait()
        if process.poll() is not None:
            del self._running[programme_id]
        return process.poll()


def _start(programme_id: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "service.live.refresher", programme_id]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)  # noqa: S603 - our own module


def builder(settings: Settings, store: Store) -> Builder:
    """Return what builds the bases of an installation."""
    public_key = signing_key(read_secret_key(settings)).public_key()

    def load(programme: Programme, version: str) -> Model:
        return artefact.load(settings.model_folder(programme.id, version), programme, public_key)

    models = Models(load, settings.model_folder, Since(settings.run))
    return Builder(store, models, ProgrammeCache(), settings.run)


def ensure(made: Builder, programme_id: str, now: datetime) -> bool:
    """Build and publish a base, unless another process has just done so; return whether there is one to be mapped.

    Raises
    ------
    PeermatchError
        If it cannot be made.
    """
    folder = made.folder(programme_id)
    with alone(folder):
        try:
            found = _new(made, programme_id, now)
            if found is not None and not forgetting.in_base(made.store, programme_id, found):
                return True
            return bool(renew(made, programme_id, now).name)
        except PeermatchError:
            if folder is not None:
                forgetting.remove(made.store, programme_id, folder)
            raise


def renew(made: Builder, programme_id: str, now: datetime) -> Base:
    """Write down which consents have begun or ended, then build a base and publish it.

    Raises
    ------
    PeermatchError
        If it cannot be made.
    """
    with made.store.transaction() as session:
        pass_time(session, made.programmes.get(session, programme_id), now)
        groups.forget_weeks(session, programme_id, now)
    return made.build(programme_id, now)


def forget(made: Builder, programme_id: str, clock: Callable[[], datetime]) -> bool:
    """As `ensure`, when nobody has been erased for a moment, and again if somebody is meanwhile."""
    end = monotonic() + 2 * forgetting.LONGEST.total_seconds()
    while True:
        while (seconds := forgetting.wait(_erased(made, programme_id, clock()), clock())) > 0 and monotonic() < end:
            sleep(seconds)
        if not ensure(made, programme_id, clock()):
            return False
        if monotonic() >= end or not _erased(made, programme_id, clock()):
            return True


def _erased(made: Builder, programme_id: str, now: datetime) -> list[datetime]:
    """Return when those were erased for whom alone another base is due."""
    try:
        found = _new(made, programme_id, now)
    except PeermatchError:  # whoever builds is told
        return []
    return [] if found is None else forgetting.in_base(made.store, programme_id, found)


def _new(made: Builder, programme_id: str, now: datetime) -> Base | None:
    """Return the newest base, if another would not be much newer; whoever was erased since may be in it."""
    folder = made.folder(programme_id)
    if folder is None:
        return None
    with made.store.hot.reading() as reader:
        seen = scene.scene(reader, programme_id)
    name = bases.newest(folder)
    if seen is None or name is None:
        return None
    with made.store.reading() as session:
        programme = made.programmes.get(session, programme_id)
    best = made.models.best(programme, (seen.active, seen.previous), now)
    found = bases.load(folder, name, programme, {best.version: best}, made.store_id)
    if found is None or found.epoch != day(now) or seen.number - found.number > MOST_FOLLOWED // 2:
        return None
    return found


def begin(settings: Settings) -> None:
    """Have the bases of all programmes built by a fork of this process, which must have no threads yet.

    A server that starts does so: by the time its workers listen, they are there or nearly so.
    """
    get_context("fork").Process(target=_ensure_all, args=(settings,), daemon=True).start()


def _ensure_all(settings: Settings) -> None:
    logs.configure()
    with closing(open_store(settings)) as store:
        with store.reading() as session:
            known = programmes.identifiers(session)
        made = builder(settings, store)
        for programme_id in known:
            try:
                ensure(made, programme_id, datetime.now(UTC))
            except Exception as problem:  # noqa: BLE001 - as in `main`; the others' are built all the same
                logs.log_failure(problem)


def main() -> None:
    """Build the base of the programme that is named."""
    logs.configure()
    settings = Settings.from_environment(os.environ)
    with closing(open_store(settings)) as store:
        try:
            if not forget(builder(settings, store), sys.argv[1], lambda: datetime.now(UTC)):
                sys.exit(UNPUBLISHED)
        except Exception as problem:  # noqa: BLE001 - a traceback's words may quote a record
            logs.log_failure(problem)
            sys.exit(1)


if __name__ == "__main__":
    main()
