"""Where this installation keeps things, read from the environment once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from matcher.errors import PeermatchError

DATABASES = ("sqlite", "postgresql")


class SettingsError(PeermatchError):
    """A ``PEERMATCH_…`` variable says something that cannot be."""

    title = "The settings are not valid"


@dataclass(frozen=True)
class Settings:
    """Paths and addresses of one installation. Its ``repr`` holds no password and no key."""

    home: Path
    """Holds ``secret.key`` (mode 0600) and ``models/<programme>/<version>/``."""
    run: Path
    """What can be rebuilt and must never be backed up."""
    secret_key_file: Path
    database_url: str = field(repr=False)
    secret_key_mounted: bool = False
    """The key file was named by the environment, so that its mode is the orchestrator's to choose."""
    metrics_open: bool = False
    """``/metrics`` answers without a key."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Read ``PEERMATCH_HOME``, ``_DATABASE_URL``, ``_SECRET_KEY_FILE``, ``_RUN``, ``_METRICS``; all have a default.

        Raises
        ------
        SettingsError
            Naming the variable, what was found and what was expected. A database address is never repeated.
        """
        home = _folder(environment, "PEERMATCH_HOME", Path("var"))
        key_file = environment.get("PEERMATCH_SECRET_KEY_FILE", "").strip()
        if key_file and Path(key_file).is_dir():
            raise SettingsError("PEERMATCH_SECRET_KEY_FILE: found a folder; expected the path of the key file")
        return cls(
            home=home,
            run=_folder(environment, "PEERMATCH_RUN", home / "run"),
            secret_key_file=Path(key_file) if key_file else home / "secret.key",
            database_url=_database(environment, home),
            secret_key_mounted=bool(key_file),
            metrics_open=_metrics(environment),
        )

    @property
    def url(self) -> URL:
        """The database address; prints without its password."""
        return make_url(self.database_url)

    @property
    def database_file(self) -> Path | None:
        """The SQLite file, or None on a server database."""
        url = self.url
        return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None

    def model_folder(self, programme_id: str, version: str) -> Path:
        """Where a published model of a programme lies."""
        return self.home / "models" / programme_id / version


def _folder(environment: Mapping[str, str], name: str, default: Path) -> Path:
    text = environment.get(name, "").strip()
    if "\x00" in text:
        raise SettingsError(f"{name}: found a NUL character; expected the path of a folder")
    folder = Path(text) if text else default
    if folder.exists() and not folder.is_dir():
        raise SettingsError(f"{name}: found a file; expected the path of a folder, which is made if it is missing")
    return folder


def _metrics(environment: Mapping[str, str]) -> bool:
    name = "PEERMATCH_METRICS"
    text = environment.get(name, "").strip()
    if text not in {"", "key", "open"}:
        raise SettingsError(f"{name}: found {text!r}; expected `key` (the default: an admin key is needed) or `open`")
    return text == "open"


def _database(environment: Mapping[str, str], home: Path) -> str:
    name = "PEERMATCH_DATABASE_URL"
    text = environment.get(name, "").strip()
    if not text:
        return f"sqlite:///{home / 'peermatch.db'}"
    expected = "expected an address like sqlite:///var/peermatch.db or postgresql+psycopg://user@host/name"
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise SettingsError(f"{name}: found no database address; {expected}") from None
    if url.get_backend_name() not in DATABASES:
        raise SettingsError(f"{name}: found the database {url.get_backend_name()!r}; {expected}")
    if url.get_backend_name() == "sqlite" and (url.database or ":memory:") == ":memory:":
        raise SettingsError(f"{name}: found SQLite without a file, which forgets everything; {expected}")
    return text
