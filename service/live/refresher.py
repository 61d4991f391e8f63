"""Having bases built by another process, so that a worker neither stops for it nor keeps the memory it took.

``python -m service.live.refresher PROGRAMME`` is that process.
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing, suppress
from datetime import UTC, datetime
from multiprocessing import get_context
from time import monotonic
from typing import Final

from matcher.errors import ModelError
from matcher.model import artefact
from matcher.model.artefact import Model
from matcher.model.signing import signing_key
from matcher.programme import Programme
from service import logs
from service.live import base as bases
from service.live.base import Base
from service.live.building import Builder, alone
from service.live.held import MOST_FOLLOWED
from service.live.models import Models
from service.live.programmes import ProgrammeCache
from service.live.since import Since
from service.security import read_secret_key
from service.settings import Settings
from service.store import Store, groups, live, open_store, programmes, scene
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
        if folder is not None and _is_new(made, programme_id, now):
            return True
        return bool(renew(made, programme_id, now).name)


def renew(made: Builder, programme_id: str, now: datetime) -> Base:
    """Write down which consents have begun or ended, then build a base and publish it.

    Raises
    ------
    PeermatchError
        If it cannot be made.
    """
    with made.store.transaction() as session:
        live.let_time_pass(session, made.programmes.get(session, programme_id), now)
        groups.forget_weeks(session, programme_id, now)
    return made.build(programme_id, now)


def _is_new(made: Builder, programme_id: str, now: datetime) -> bool:
    folder = made.folder(programme_id)
    assert folder is not None
    with made.store.hot.reading() as reader:
        seen = scene.scene(reader, programme_id)
    name = bases.newest(folder)
    if seen is None or name is None:
        return False
    with made.store.reading() as session:
        programme = made.programmes.get(session, programme_id)
    best = made.models.best(programme, (seen.active, seen.previous), now)
    found = bases.load(folder, name, programme, {best.version: best})
    return found is not None and found.epoch == day(now) and seen.number - found.number <= MOST_FOLLOWED // 2


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
            if not ensure(builder(settings, store), sys.argv[1], datetime.now(UTC)):
                sys.exit(UNPUBLISHED)
        except Exception as problem:  # noqa: BLE001 - a traceback's words may quote a record
            logs.log_failure(problem)
            sys.exit(1)


if __name__ == "__main__":
    main()
