"""Models as a worker holds them: verified when they are loaded, and again when their files change."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeAlias

from matcher.errors import ArtefactError, ModelError
from matcher.model.artefact import Model
from matcher.programme import Programme
from service.live.since import Since
from service.logs import log_failure

RETRY = timedelta(seconds=30)
KEPT = 4

Fingerprint: TypeAlias = tuple[tuple[str, int, int], ...]
Load: TypeAlias = Callable[[Programme, str], Model]
"""Loads and verifies the model of a version, or raises `ModelError`."""


@dataclass(frozen=True)
class Stale:
    """The active model cannot be loaded; another one serves."""

    version: str
    since: datetime
    looked: datetime


class Models:
    """Loads models of all programmes and remembers which of them could not be.

    Parameters
    ----------
    load : callable
        Loads and verifies one version.
    folder : callable
        Where the files of a version of a programme lie.
    since : Since, optional
        Remembers since when a model cannot be loaded.
    """

    def __init__(self, load: Load, folder: Callable[[str, str], Path], since: Since | None = None) -> None:
        self._load = load
        self._folder = folder
        self._since = since or Since(None)
        self._held: dict[tuple[str, str, str], tuple[Fingerprint, Model]] = {}
        self.stale: dict[str, Stale] = {}
        """By programme id."""

    def get(self, programme: Programme, version: str) -> Model:
        """Return a verified model; its files are read again if they changed since.

        Raises
        ------
        ModelError
            If it is missing, damaged, unsigned, or does not fit the programme.
        """
        key = programme.id, programme.digest, version
        folder = self._folder(programme.id, version)
        fingerprint = _fingerprint(folder)
        held = self._held.get(key)
        if held is None or held[0] != fingerprint:
            try:
                held = fingerprint, self._load(programme, version)
            except OSError as problem:
                raise ArtefactError(f"the model's files cannot be read ({type(problem).__name__})") from None
            self._held[key] = held
            for old in [known for known in list(self._held) if known[0] == programme.id][:-KEPT]:
                self._held.pop(old, None)
        return held[1]

    def best(self, programme: Programme, versions: Iterable[str | None], now: datetime) -> Model:
        """Return the first of `versions` that can be loaded; the first of all is the active one.

        That the active one cannot be loaded is remembered in `stale`, with the moment of the first failure.

        Raises
        ------
        ModelError
            The active one's, if none can.
        """
        failure: ModelError | None = None
        wanted = [version for version in dict.fromkeys(versions) if version is not None]
        for version in wanted:
            try:
                model = self.get(programme, version)
            except ModelError as problem:
                failure = failure or problem
                held = self._held.get((programme.id, programme.digest, version))
                if held is None:
                    continue
                model = held[1]  # its files are damaged, what was verified when it was loaded is not
            self._note(programme.id, wanted[0], failure, now)
            return model
        failure = failure or ModelError("the programme has no model; `peermatch train` makes one")
        self._note(programme.id, wanted[0] if wanted else "", failure, now)
        raise failure

    def retry(self, programme: Programme, now: datetime) -> None:
        """Try the active model again, if it could not be loaded and `RETRY` has passed since it was tried."""
        stale = self.stale.get(programme.id)
        if stale is None or abs(now - stale.looked) < RETRY:
            return
        failure: ModelError | None = None
        try:
            self.get(programme, stale.version)
        except ModelError as problem:
            failure = problem
        self._note(programme.id, stale.version, failure, now)

    def _note(self, programme_id: str, version: str, failure: ModelError | None, now: datetime) -> None:
        known = self.stale.get(programme_id)
        if failure is None:
            self.stale.pop(programme_id, None)
            self._since.forget("model", programme_id)
        elif known is not None and known.version == version:
            self.stale[programme_id] = Stale(version, known.since, now)
        else:
            log_failure(failure)
            self.stale[programme_id] = Stale(version, self._since.note("model", programme_id, version, now), now)


def _fingerprint(folder: Path) -> Fingerprint:
    try:
        files = [(path.name, path.stat()) for path in sorted(folder.iterdir())]
    except OSError:
        return ()
    return tuple((name, status.st_size, status.st_mtime_ns) for name, status in files)
