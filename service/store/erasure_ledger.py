"""The file of erasures, ``$PEERMATCH_HOME/erasures.ledger``: it is there when the database comes from a backup.

One line for each erasure, with a keyed hash in place of the member, and a code that only this installation can make.
The table `erasures` is what counts; the file is written after it, and whatever it lacks is written again.
"""

from __future__ import annotations

import fcntl
import hmac
import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from matcher.errors import PeermatchError
from matcher.model.signing import derive
from matcher.records import written
from service.security import read_secret_key
from service.settings import Settings
from service.store.moments import micros, moment

NAME: Final = "erasures.ledger"
_FIELDS: Final = ("programme", "digest", "erased_at", "receipt")
_MODE: Final = 0o600


class LedgerError(PeermatchError):
    """The file of erasures cannot be read or written; the database has them all the same."""

    title = "The file of erasures cannot be used"


class Entry(NamedTuple):
    """One erasure."""

    programme: str
    digest: str
    """`DerivedKeys.erasure` of the member's id."""
    erased_at: int
    """µs since 1970."""
    receipt: str


class Read(NamedTuple):
    """What a ledger says."""

    entries: list[Entry]
    damaged: int
    """Lines that this installation did not write, or not so: cut off, changed, or of another secret key."""
    there: bool = True
    """Whether there is a file at all; without one it is not known that nobody was erased."""


class Ledger:
    """The file, and the key of its codes.

    Parameters
    ----------
    path : Path
    key : callable
        Returns the key; asked only when the file is read or written.
    """

    def __init__(self, path: Path, key: Callable[[], bytes]) -> None:
        self.path = path
        self._key = key

    @classmethod
    def of(cls, settings: Settings) -> Ledger:
        """Return the ledger of an installation."""
        return cls(settings.home / NAME, lambda: derive(read_secret_key(settings), "erasure-ledger/1"))

    def read(self) -> Read:
        """Return what the file says; nothing where there is none.

        Raises
        ------
        LedgerError, SettingsError
            If the file or the secret key cannot be read.
        """
        try:
            raw = self.path.read_bytes()
        except FileNotFoundError:
            return Read([], 0, there=False)
        except OSError as problem:
            raise self._refused(problem) from None
        return self._parsed(raw)

    def sync(self, known: Callable[[], Iterable[Entry]]) -> int:
        """Write what is known and is not in the file, and return once it is on the disk; return how many lines.

        Parameters
        ----------
        known : callable
            Returns the erasures of the table; asked while no other process writes.

        Raises
        ------
        LedgerError, SettingsError
            If the file or the secret key cannot be used.
        """
        try:
            with self._locked() as handle:
                raw = _all(handle)
                there = set(self._parsed(raw).entries)
                missing = [entry for entry in known() if entry not in there]
                if missing:
                    self._append(handle, missing, torn=bool(raw) and not raw.endswith(b"\n"))
                return len(missing)
        except OSError as problem:
            raise self._refused(problem) from None

    def _append(self, handle: int, entries: Iterable[Entry], *, torn: bool) -> None:
        key = self._key()
        text = ("\n" if torn else "") + "".join(_line(entry, key) for entry in entries)
        left = text.encode("ascii")
        while left:
            left = left[os.write(handle, left) :]
        os.fsync(handle)

    def _parsed(self, raw: bytes) -> Read:
        if not raw:
            return Read([], 0)
        key = self._key()
        lines = [line for line in raw.split(b"\n") if line]
        entries = [entry for line in lines if (entry := _entry(line, key)) is not None]
        return Read(entries, len(lines) - len(entries))

    @contextmanager
    def _locked(self) -> Iterator[int]:
        new = not self.path.exists()
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        handle = os.open(self.path, flags, _MODE)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            os.fchmod(handle, _MODE)
            if new:
                _flush_folder(self.path.parent)
            yield handle
        finally:
            os.close(handle)

    def _refused(self, problem: OSError) -> LedgerError:
        return LedgerError(
            f"{self.path.name}: found that it cannot be used ({type(problem).__name__}); expected a file that can be "
            "read and written. Make room, or put it right; what it lacks is written with the next erasure"
        )


def _all(handle: int) -> bytes:
    return os.pread(handle, os.fstat(handle).st_size, 0)


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _line(entry: Entry, key: bytes) -> str:
    said = {**entry._asdict(), "erased_at": written(moment(entry.erased_at))}
    return json.dumps({**said, "mac": _mac(said, key)}, separators=(",", ":")) + "\n"


def _mac(said: dict[str, Any], key: bytes) -> str:
    text = json.dumps([said[name] for name in _FIELDS], separators=(",", ":"))
    return hmac.digest(key, text.encode(), "sha256").hex()


def _entry(line: bytes, key: bytes) -> Entry | None:
    """Return what a line says; None where it is not as this installation wrote it."""
    try:
        said = json.loads(line)
        if not hmac.compare_digest(_mac(said, key), said["mac"]):
            return None
        erased_at = micros(datetime.fromisoformat(said["erased_at"]))
        return Entry(said["programme"], said["digest"], erased_at, said["receipt"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
