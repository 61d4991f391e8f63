"""Encryption at rest: the keyring, and how a text is sealed so that it opens only where it was put.

AES-256-GCM (NIST SP 800-38D) with a random nonce. What a text belongs to (programme, table, row) is authenticated with
it: moved to another row or programme it does not open.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from matcher.errors import PeermatchError
from service.settings import Settings, SettingsError

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
_ID_BYTES: Final = 4
_FORM: Final = b"\x01"
_HEAD: Final = len(_FORM) + _ID_BYTES
_LINE: Final = re.compile(rf"([0-9a-f]{{{2 * _ID_BYTES}}}) ([0-9a-f]{{{2 * KEY_BYTES}}})")
_SEPARATOR: Final = "\x00"
# No part of an associated text can hold a NUL, so parts cannot run into each other.


class SealError(PeermatchError):
    """What is stored was sealed with a key that is not here, or was changed or moved since."""

    title = "What is stored cannot be opened"


class MissingKeyError(SealError):
    """What is stored was sealed with a key that is not here: it is sound, and nothing may be put in its place."""

    title = "A data key is missing"


@dataclass(frozen=True)
class DataKey:
    """One key of the ring. `key_id` is public: it stands before everything the key sealed."""

    key_id: bytes
    secret: bytes

    def __repr__(self) -> str:
        """Name the key without its secret."""
        return f"DataKey({self.key_id.hex()})"


@dataclass(frozen=True)
class _Ring:
    """What a ring works with; replaced as a whole, so that no thread sees half of a rotation."""

    keys: tuple[DataKey, ...]
    ciphers: Mapping[bytes, AESGCM]

    @classmethod
    def of(cls, keys: Sequence[DataKey]) -> _Ring:
        return cls(tuple(keys), {key.key_id: AESGCM(key.secret) for key in keys})

    @property
    def head(self) -> bytes:
        return _FORM + self.keys[0].key_id


class Keyring:
    """The data keys of an installation: the first seals, all of them open.

    Parameters
    ----------
    keys : sequence of DataKey
        At least one.
    file : Path, optional
        Where they were read from; looked at again before anything is sealed.
    seen : tuple of int, optional
        What `status_of` said of the file before it was read.
    """

    def __init__(self, keys: Sequence[DataKey], file: Path | None = None, seen: tuple[int, int] | None = None) -> None:
        self._file = file
        self._seen = seen
        self._ring = _Ring.of(keys)
        self._looking = Lock()

    def _look(self) -> None:
        """Take the keys of the file, if it has others by now: a rotation is heard of without a restart."""
        if self._file is None or (status := status_of(self._file)) is None or status == self._seen:
            return
        with self._looking:
            # The status first: what replaces the file while it is read is found at the next look.
            self._ring = _Ring.of(_read(self._file))
            self._seen = status

    @property
    def keys(self) -> tuple[DataKey, ...]:
        """The first seals, all of them open."""
        return self._ring.keys

    @property
    def current(self) -> str:
        """Id of the key that seals, in hex."""
        return self.keys[0].key_id.hex()

    @property
    def head(self) -> bytes:
        """What everything begins with that was sealed with the key that seals."""
        return self._ring.head

    def seal(self, programme_id: str, table: str, row: str, text: bytes) -> bytes:
        """Return `text` sealed for a row of a table of a programme."""
        self._look()
        ring, nonce = self._ring, os.urandom(NONCE_BYTES)
        sealed = ring.ciphers[ring.keys[0].key_id].encrypt(nonce, text, _bound(programme_id, table, row))
        return ring.head + nonce + sealed

    def open(self, programme_id: str, table: str, row: str, sealed: bytes | str) -> bytes:
        """Return the text that `seal` was given.

        Raises
        ------
        MissingKeyError
            If its key is not in the ring.
        SealError
            If it was changed, cut, or moved from another row.
        """
        if not isinstance(sealed, bytes):  # written by hand: SQLite keeps what it is given
            sealed = str(sealed).encode()
        name = sealed[len(_FORM) : _HEAD]
        cipher = self._ring.ciphers.get(name)
        if cipher is None:
            self._look()
            cipher = self._ring.ciphers.get(name)
        if sealed[:1] != _FORM or len(sealed) < _HEAD + NONCE_BYTES:
            raise SealError(f"{table}: found a row that was changed outside Peermatch; restore it from a backup")
        if cipher is None:
            raise MissingKeyError(
                f"{table}: found a row sealed with a key that is not in the data key file; expected one of "
                f"{', '.join(key.key_id.hex() for key in self.keys)}; put the file back that belongs to this database"
            )
        nonce, rest = sealed[_HEAD : _HEAD + NONCE_BYTES], sealed[_HEAD + NONCE_BYTES :]
        try:
            return cipher.decrypt(nonce, rest, _bound(programme_id, table, row))
        except (InvalidTag, ValueError):
            raise SealError(
                f"{table}: found a row that was changed outside Peermatch; restore it from a backup"
            ) from None

    def is_current(self, sealed: bytes) -> bool:
        """Whether a text is sealed with the key that seals now."""
        return bytes(sealed[:_HEAD]) == self.head


def key_of(sealed: bytes) -> str:
    """Return the id, in hex, of the key that a text was sealed with."""
    return bytes(sealed[len(_FORM) : _HEAD]).hex()


def new_key() -> DataKey:
    """Draw a key."""
    return DataKey(secrets.token_bytes(_ID_BYTES), secrets.token_bytes(KEY_BYTES))


def create_keyring(settings: Settings) -> Keyring:
    """Write a new keyring, mode 0600, unless there is one; return it."""
    if not settings.data_key_file.exists():
        write_keyring(settings, [new_key()], replace=False)
    return read_keyring(settings)


def read_keyring(settings: Settings) -> Keyring:
    """Return the keyring of an installation.

    Raises
    ------
    SettingsError
        If the file is missing, malformed, or may be read by others.
    """
    path = settings.data_key_file
    seen = status_of(path)
    keys = _read(path)
    mode = path.stat().st_mode
    if mode & 0o077 and not settings.data_key_mounted:
        raise SettingsError(f"{path}: found mode {mode & 0o777:04o}; expected 0600, so that nobody else reads it")
    return Keyring(keys, path, seen)


def status_of(path: Path) -> tuple[int, int] | None:
    """Return what changes whenever the file does; None where there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino


def _read(path: Path) -> list[DataKey]:
    try:
        lines = path.read_text("ascii").splitlines()
    except FileNotFoundError:
        raise SettingsError(
            f"{path}: found no data keys; expected the file that `peermatch init` writes: put it back from where it is "
            "kept, or name it with PEERMATCH_DATA_KEY_FILE"
        ) from None
    except (OSError, UnicodeDecodeError) as problem:
        raise SettingsError(f"{path}: the data keys cannot be read ({type(problem).__name__})") from None
    found = [_LINE.fullmatch(line.strip()) for line in lines if line.strip()]
    keys = [DataKey(bytes.fromhex(one[1]), bytes.fromhex(one[2])) for one in found if one is not None]
    if not keys or len(keys) < len(found) or len({key.key_id for key in keys}) < len(keys):
        raise SettingsError(
            f"{path}: expected one key a line, its id and 64 hex digits, as `peermatch init` writes "
            "them; put the file back from where it is kept"
        )
    return keys


def write_keyring(settings: Settings, keys: Sequence[DataKey], *, replace: bool = True) -> None:
    """Write the keyring's file, whole or not at all; without `replace`, one that is there stays."""
    path = settings.data_key_file.resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.writelines(f"{key.key_id.hex()} {key.secret.hex()}\n" for key in keys)
            file.flush()
            os.fsync(file.fileno())
            if path.exists():  # whoever the service runs as goes on reading it
                before = path.stat()
                os.fchown(file.fileno(), before.st_uid, before.st_gid)
        _place(aside, path, replace=replace)
    finally:
        aside.unlink(missing_ok=True)


def _place(aside: Path, path: Path, *, replace: bool) -> None:
    if replace:
        aside.replace(path)
    else:
        try:
            os.link(aside, path)
        except FileExistsError:
            return  # another process was first, and its keys are read
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _bound(programme_id: str, table: str, row: str) -> bytes:
    return _SEPARATOR.join((programme_id, table, row)).encode()
