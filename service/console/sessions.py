"""Sessions of the console: who signed in with which key, kept in ``$PEERMATCH_RUN`` for the workers of a machine.

A session is a file that names the key, when it began, and nothing else; that it is still used is the time of the file.
Its name and what it says follow from a token that only the browser has, by a key of the installation. So whoever reads
the folder cannot use a session, whoever can write to it cannot make one, and signing out is deleting a file.
"""

from __future__ import annotations

import hmac
import os
import re
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from matcher.model.signing import derive
from service.store.moments import micros, moment

LONGEST: Final = timedelta(hours=8)
"""After so long a session ends, whatever is done in it."""
IDLE: Final = timedelta(minutes=30)
"""After so long without a request it ends."""
TOKEN_BYTES: Final = 32
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
_MICROSECOND: Final = 1000
"""Nanoseconds."""


@dataclass(frozen=True)
class Session:
    """Somebody is signed in."""

    key_id: str
    issued_at: datetime
    token: str = field(repr=False)


class Sessions:
    """The sessions of an installation.

    Parameters
    ----------
    secret : bytes
        The installation's secret.
    run : Path
        ``$PEERMATCH_RUN``.
    """

    def __init__(self, secret: bytes, run: Path) -> None:
        self._key = derive(secret, "console-sessions/1")
        self._folder = run / "sessions"

    def begin(self, key_id: str, now: datetime) -> str:
        """Begin a session of a key; return its token. Sessions that are over are deleted.

        Raises
        ------
        OSError
            If it cannot be written.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._forget(now)
        token, issued = new_token(), micros(now)
        path = self._path(token)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(f"{key_id} {issued} {self._sign(token, key_id, issued)}")
        _touch(path, now)
        return token

    def find(self, token: str, now: datetime, *, use: bool = True) -> Session | None:
        """Return the session of a token, if it goes on; with `use` it is used now.

        Whether its key still opens anything is for whoever asks to find out.
        """
        if not is_token(token):
            return None
        path = self._path(token)
        try:
            told = path.read_text("ascii").split(" ")
            used = moment(path.stat().st_mtime_ns // _MICROSECOND)
        except (OSError, ValueError):
            return None
        # Either way: a clock that was set back makes nobody's session longer by much, and ends none by a millisecond.
        if len(told) != 3 or not told[1].isdigit() or abs(now - used) >= IDLE:
            return None
        key_id, issued, signature = told
        if not hmac.compare_digest(signature, self._sign(token, key_id, int(issued))):
            return None
        found = Session(key_id, moment(int(issued)), token)
        if abs(now - found.issued_at) >= LONGEST:
            return None
        if use:
            with suppress(OSError):  # it was ended this very moment: the next request sees it
                _touch(path, now)
        return found

    def end(self, token: str) -> None:
        """End a session at once."""
        if is_token(token):
            self._path(token).unlink(missing_ok=True)

    def form_token(self, token: str) -> str:
        """Return what every form that is sent with a token must tell."""
        return self._of("form", token)

    def is_form_token(self, token: str, told: str) -> bool:
        """Whether a form tells it; compared in a time that does not depend on where it differs."""
        return told.isascii() and hmac.compare_digest(self.form_token(token), told)

    def _forget(self, now: datetime) -> None:
        for path in self._folder.iterdir():
            with suppress(OSError):  # another worker was quicker
                if abs(now - moment(path.stat().st_mtime_ns // _MICROSECOND)) >= IDLE:
                    path.unlink()

    def _path(self, token: str) -> Path:
        return self._folder / self._of("name", token)

    def _sign(self, token: str, key_id: str, issued: int) -> str:
        return self._of("session", f"{token} {key_id} {issued}")

    def _of(self, use: str, told: str) -> str:
        return hmac.digest(self._key, f"{use} {told}".encode(), "sha256").hex()


def new_token() -> str:
    """Return 256 random bits."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def is_token(text: str) -> bool:
    """Whether a text may be a token."""
    return _TOKEN.fullmatch(text) is not None


def _touch(path: Path, now: datetime) -> None:
    used = micros(now) * _MICROSECOND
    os.utime(path, ns=(used, used))
