"""Where this installation keeps things, read from the environment once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from matcher.errors import PeermatchError

DATABASES = ("sqlite", "postgresql")
PSYCOPG = "postgresql+psycopg"
"""The one driver of PostgreSQL that is used."""
PER_MINUTE = 6000
"""What an API key may send unless told otherwise: a hundred requests a second."""
MOST_PER_MINUTE = 10_000_000


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
    data_key_named: Path | None = None
    """The file of the data keys, where the environment names one."""
    per_minute: int | None = None
    """Requests a minute for each API key that has no bound of its own; None: no bound."""
    console: bool = True
    """The coordinator's pages are there."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Read the variables ``PEERMATCH_…``; all have a default.

        They are ``HOME``, ``DATABASE_URL``, ``SECRET_KEY_FILE``, ``DATA_KEY_FILE``, ``RUN``, ``METRICS``,
        ``RATE_LIMIT`` and ``CONSOLE``.

        Raises
        ------
        SettingsError
            Naming the variable, what was found and what was expected. A database address is never repeated.
        """
        home = _folder(environment, "PEERMATCH_HOME", Path("var"))
        key_file = _file(environment, "PEERMATCH_SECRET_KEY_FILE")
        return cls(
            home=home,
            run=_folder(environment, "PEERMATCH_RUN", home / "run"),
            secret_key_file=key_file or home / "secret.key",
            database_url=_database(environment, home),
            secret_key_mounted=key_file is not None,
            metrics_open=_metrics(environment),
            data_key_named=_file(environment, "PEERMATCH_DATA_KEY_FILE"),
            per_minute=_rate_limit(environment),
            console=_console(environment),
        )

    @property
    def url(self) -> URL:
        """The database address; prints without its password."""
        url = make_url(self.database_url)
        return url.set(drivername=PSYCOPG) if url.drivername == "postgresql" else url

    @property
    def database_file(self) -> Path | None:
        """The SQLite file, or None on a server database."""
        url = self.url
        return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None

    @property
    def data_key_file(self) -> Path:
        """The file of the data keys, with which what is stored is sealed."""
        return self.data_key_named or self.home / "data.keys"

    @property
    def data_key_mounted(self) -> bool:
        """Whether the environment names that file, so that its mode is the orchestrator's to choose."""
        return self.data_key_named is not None

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


def _file(environment: Mapping[str, str], name: str) -> Path | None:
    text = environment.get(name, "").strip()
    if "\x00" in text:
        raise SettingsError(f"{name}: found a NUL character; expected the path of the key file")
    if text and Path(text).is_dir():
        raise SettingsError(f"{name}: found a folder; expected the path of the key file")
    return Path(text) if text else None


def _rate_limit(environment: Mapping[str, str]) -> int | None:
    name = "PEERMATCH_RATE_LIMIT"
    text = environment.get(name, "").strip() or str(PER_MINUTE)
    if text == "none":
        return None
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= MOST_PER_MINUTE):
        raise SettingsError(
            f"{name}: found {text!r}; expected the requests a minute that an API key may send, 1 to {MOST_PER_MINUTE}, "
            "or `none`"
        )
    return int(text)


def _metrics(environment: Mapping[str, str]) -> bool:
    name = "PEERMATCH_METRICS"
    text = environment.get(name, "").strip()
    if text not in {"", "key", "open"}:
        raise SettingsError(f"{name}: found {text!r}; expected `key` (the default: an admin key is needed) or `open`")
    return text == "open"


def _console(environment: Mapping[str, str]) -> bool:
    name = "PEERMATCH_CONSOLE"
    text = environment.get(name, "").strip()
    if text not in {"", "on", "off"}:
        raise SettingsError(f"{name}: found {text!r}; expected `on` (the default: /console is there) or `off`")
    return text != "off"


def _database(environment: Mapping[str, str], home: Path) -> str:
    name = "PEERMATCH_DATABASE_URL"
    text = environment.get(name, "").strip()
    if not text:
        return f"sqlite:///{home / 'peermatch.db'}"
    expected = "expected an address like sqlite:///var/peermatch.db or postgresql://user@host/name"
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise SettingsError(f"{name}: found no database address; {expected}") from None
    if url.get_backend_name() not in DATABASES:
        raise SettingsError(f"{name}: found the database {url.get_backend_name()!r}; {expected}")
    if url.get_backend_name() == "postgresql" and url.drivername not in {"postgresql", PSYCOPG}:
        raise SettingsError(f"{name}: found the driver {url.get_driver_name()!r}; {expected}")
    if url.get_backend_name() == "sqlite" and (url.database or ":memory:") == ":memory:":
        raise SettingsError(f"{name}: found SQLite without a file, which forgets everything; {expected}")
    return text
