"""The databases that the tests run on: SQLite and PostgreSQL, the same tests on both.

A test that uses an installation runs twice, as ``[sqlite]`` and as ``[postgresql]``. What is about one of them says so
with `only`, what is about neither and takes long with `sampled`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Connection, NullPool, create_engine

from service.settings import Settings
from service.store.postgresql import WRITERS
from tests.postgresql import Cluster

SQLITE, POSTGRESQL = "sqlite", "postgresql"
SAMPLED = (SQLITE, pytest.param(POSTGRESQL, marks=pytest.mark.deep))
"""Both, but PostgreSQL under ``make test-deep`` only."""
ADDRESS = "database.url"
"""File in the folder of an installation on PostgreSQL: its PEERMATCH_DATABASE_URL."""


@dataclass(frozen=True)
class Database:
    """One of the two."""

    name: str
    cluster: Cluster | None = None
    """Where databases of PostgreSQL are made."""

    def __str__(self) -> str:
        return self.name

    def prepare(self, folder: Path) -> None:
        """Let what will be installed in `folder` be on this database, which is new and empty."""
        if self.cluster is not None:
            folder.mkdir(parents=True, exist_ok=True)
            self._write(folder, self.cluster.create())

    def copy(self, source: Path, folder: Path) -> None:
        """Let the installation in `folder`, whose files are copies of those in `source`, have a copy of its data."""
        if self.cluster is not None:
            self._write(folder, self.cluster.create(name_in(source)))

    def keep(self, folder: Path) -> None:
        """Let the database of an installation be there for later tests too."""
        if self.cluster is not None:
            self.cluster.keep(name_in(folder))

    def remove(self, folder: Path) -> None:
        """Delete the database of an installation, as an administrator may who takes it for another."""
        if self.cluster is None:
            (folder / "home" / "peermatch.db").unlink()
        else:
            self.cluster.run(f"DROP DATABASE {name_in(folder)} WITH (FORCE)")

    def _write(self, folder: Path, name: str) -> None:
        assert self.cluster is not None
        (folder / ADDRESS).write_text(self.cluster.address(name), "utf-8")


def environment_in(folder: Path) -> dict[str, str]:
    """Return the variables of an installation in `folder`."""
    file = folder / ADDRESS
    address = {"PEERMATCH_DATABASE_URL": file.read_text("utf-8")} if file.exists() else {}
    # Tests ask more often than any app does; those about limits set their own.
    return {"PEERMATCH_HOME": str(folder / "home"), "PEERMATCH_RATE_LIMIT": "none", **address}


def name_in(folder: Path) -> str:
    """Return the name of the database of an installation on PostgreSQL."""
    return (folder / ADDRESS).read_text("utf-8").rpartition("?")[0].rpartition("/")[2]


@contextmanager
def behind(settings: Settings) -> Iterator[Connection]:
    """Open a transaction of a program that is not Peermatch; committed at the end."""
    engine = create_engine(settings.url, poolclass=NullPool)
    with engine.begin() as connection:
        yield connection


@contextmanager
def locked(settings: Settings) -> Iterator[None]:
    """Let another program hold the right to write."""
    with behind(settings) as connection:
        sqlite = connection.dialect.name == SQLITE
        connection.exec_driver_sql("BEGIN IMMEDIATE" if sqlite else f"SELECT pg_advisory_xact_lock({WRITERS})").close()
        yield
        connection.rollback()


def only(name: str, reason: str) -> pytest.MarkDecorator:
    """Run a test on one database alone, because of `reason`."""
    assert reason.endswith("."), "a sentence"
    return pytest.mark.parametrize("database", [name], indirect=True)


def sampled(reason: str) -> pytest.MarkDecorator:
    """Run a test that takes long on SQLite, and on PostgreSQL under ``make test-deep``, because of `reason`."""
    assert reason.endswith("."), "a sentence"
    return pytest.mark.parametrize("database", SAMPLED, indirect=True)
