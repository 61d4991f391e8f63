"""The folders of models, into a backup and out of it."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Final

from service.backup.errors import RestoreError
from service.settings import Settings

CHUNK: Final = 3 << 16
"""Bytes of a line; a multiple of three, so that all but the last are written without padding."""
_WRITING: Final = re.compile(r"\..+\.restoring-\d+-[0-9a-f]{8}")
_BEFORE: Final = re.compile(r"\.(?P<version>.+)\.before-(?P<store>[0-9a-f]{32})")
_PART: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")


def written(where: Settings, programme_id: str, version: str) -> Iterator[Any]:
    """Yield the lines of the files of a model; none where its folder is missing."""
    folder = where.model_folder(programme_id, version)
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if not path.is_file() or path.is_symlink() or not _PART.fullmatch(path.name):
            continue
        yield {"file": [programme_id, version, path.name]}
        digest = hashlib.sha256()
        with path.open("rb") as file:
            while some := file.read(CHUNK):
                digest.update(some)
                yield base64.b64encode(some).decode("ascii")
        yield {"sha256": digest.hexdigest()}


def name_of(said: object) -> tuple[str, str, str]:
    """Return programme, version and name of a file; raise RestoreError where they are none of ours."""
    if not isinstance(said, list) or len(said) != 3 or not all(_PART.fullmatch(str(part)) for part in said):
        raise RestoreError("found a file of a name that no model has; install the release that wrote the backup")
    programme_id, version, name = said
    return programme_id, version, name


class Folders:
    """Puts the folders of models in their place: all or none.

    They are written beside it first. `place` puts them there, `undo` takes back whatever was done.
    """

    def __init__(self, where: Settings) -> None:
        self._where = where
        self._mark = f"restoring-{os.getpid()}-{secrets.token_hex(4)}"
        self._aside: dict[tuple[str, str], Path] = {}
        self._placed: list[tuple[Path, Path | None]] = []
        self._writing: IO[bytes] | None = None

    def begin(self, name: tuple[str, str, str]) -> None:
        """Begin a file."""
        programme_id, version, file_name = name
        folder = self._aside.get((programme_id, version))
        if folder is None:
            place = self._where.model_folder(programme_id, version)
            folder = self._aside[programme_id, version] = place.with_name(f".{version}.{self._mark}")
            folder.mkdir(parents=True, mode=0o700)
        handle = os.open(folder / file_name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._writing = os.fdopen(handle, "wb")

    def add(self, some: bytes) -> None:
        """Write some bytes to the file that was begun."""
        assert self._writing is not None
        self._writing.write(some)

    def end(self) -> None:
        """End the file, and return when it is on the disk."""
        if self._writing is not None:
            with self._writing as file:
                file.flush()
                os.fsync(file.fileno())
            self._writing = None

    def place(self, store_id: str) -> int:
        """Put every folder in its place, in that of the one that is there; return how many.

        `store_id` is the id that the database has once all is committed: `recover` tells by it.
        """
        for (programme_id, version), aside in self._aside.items():
            place, before = self._where.model_folder(programme_id, version), None
            if place.exists():
                before = place.with_name(f".{version}.before-{store_id}")
                place.rename(before)
            self._placed.append((place, before))
            aside.rename(place)
        return len(self._placed)

    def undo(self) -> None:
        """Have everything as it was."""
        if self._writing is not None:
            self._writing.close()
        for place, before in reversed(self._placed):
            shutil.rmtree(place, ignore_errors=True)
            if before is not None:
                before.rename(place)
        self._placed.clear()
        self._clear(self._aside.values())
        for aside in self._aside.values():
            with suppress(OSError):  # others are in it
                aside.parent.rmdir()
                aside.parent.parent.rmdir()

    def done(self) -> None:
        """Remove what was in the place of a folder before."""
        self._clear(before for _, before in self._placed if before is not None)

    def _clear(self, folders: Iterable[Path]) -> None:
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)


def recover(where: Settings, store_id: str | None) -> None:
    """Have the folders as they belong to the database, where a restore was killed while it put them in their place.

    Parameters
    ----------
    store_id : str or None
        Of the database as it is; None where there is none. No other restore may run.
    """
    for folder in sorted((where.home / "models").glob("*/.*")):
        if _WRITING.fullmatch(folder.name):
            shutil.rmtree(folder, ignore_errors=True)
        elif found := _BEFORE.fullmatch(folder.name):
            if found["store"] != store_id:  # it was never committed
                place = folder.with_name(found["version"])
                shutil.rmtree(place, ignore_errors=True)
                folder.rename(place)
            else:
                shutil.rmtree(folder, ignore_errors=True)
