"""Keys: the installation's secret (`matcher.model.signing` derives others from it) and the programmes' API keys."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from service.settings import Settings, SettingsError

SCOPES = (
    "members",
    "consents",
    "match",
    "match:ids",
    "feedback",
    "groups",
    "coordinator",
    "admin",
    "audit",
)
SECRET_BYTES = 32
_TOKEN = re.compile(r"pm_([a-z0-9]{16})_([A-Za-z0-9_-]{43})")


@dataclass(frozen=True)
class Token:
    """A new API key. `text` exists only here: it is printed once and never stored."""

    key_id: str
    text: str
    digest: str
    """SHA-256 of the secret, as 64 hex digits; 256 random bits need no slow hash."""

    def __repr__(self) -> str:
        """Name the key without its secret."""
        return f"Token(key_id={self.key_id!r})"


def new_token() -> Token:
    """Draw an API key ``pm_<id>_<secret>`` with a 256-bit secret."""
    key_id = "".join(secrets.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(16))
    secret = secrets.token_urlsafe(SECRET_BYTES)
    return Token(key_id, f"pm_{key_id}_{secret}", digest_of(secret))


def split_token(text: str) -> tuple[str, str] | None:
    """Return the id and the secret of an API key, or None if `text` is not one."""
    found = _TOKEN.fullmatch(text)
    return (found[1], found[2]) if found else None


def digest_of(secret: str) -> str:
    """Return what is stored of an API key's secret."""
    return hashlib.sha256(secret.encode("ascii")).hexdigest()


def same_digest(stored: str, given: str) -> bool:
    """Compare two digests in a time that does not depend on where they differ."""
    return hmac.compare_digest(stored, given)


def create_secret_key(settings: Settings) -> bytes:
    """Write a new installation secret, mode 0600, unless there is one; return it.

    The file appears whole or not at all: it is written aside and linked into place, so that two processes
    starting at once agree on one key.
    """
    path = settings.secret_key_file
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        aside = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(secrets.token_hex(SECRET_BYTES) + "\n")
                file.flush()
                os.fsync(file.fileno())
            _link(aside, path)
        finally:
            aside.unlink(missing_ok=True)
    return read_secret_key(settings)


def _link(aside: Path, path: Path) -> None:
    # Where another process was first, its key is read.
    with suppress(FileExistsError):
        os.link(aside, path)


def read_secret_key(settings: Settings) -> bytes:
    """Return the installation's secret, 32 bytes.

    Raises
    ------
    SettingsError
        If the file is missing, malformed, or may be read by others.
    """
    path = settings.secret_key_file
    try:
        text = path.read_text("ascii").strip()
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise SettingsError(f"{path}: found no secret key; expected the file that `peermatch init` writes") from None
    except (OSError, UnicodeDecodeError) as problem:
        raise SettingsError(f"{path}: the secret key cannot be read ({type(problem).__name__})") from None
    if mode & 0o077 and not settings.secret_key_mounted:
        raise SettingsError(
            f"{path}: found mode {mode & 0o777:04o}; expected 0600, so that nobody else reads it (chmod 600)"
        )
    if not re.fullmatch(rf"[0-9a-f]{{{2 * SECRET_BYTES}}}", text):
        raise SettingsError(f"{path}: expected {2 * SECRET_BYTES} hex digits, as `peermatch init` writes them")
    return bytes.fromhex(text)
