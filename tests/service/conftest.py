"""One installation a test, copied from one that the session sets up; each test on each database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import postgresql
from tests.postgresql import Cluster
from tests.service.databases import POSTGRESQL, SQLITE, Database
from tests.service.installation import Installation, close, copied, install


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A PostgreSQL server of this session's own."""
    running = postgresql.started(postgresql.needed())
    yield running
    running.close()


@pytest.fixture(scope="session", params=[SQLITE, POSTGRESQL])
def database(request: pytest.FixtureRequest) -> Database:
    """The database that a test runs on."""
    return database_of(request)


def database_of(request: pytest.FixtureRequest) -> Database:
    """Return the database that a parameter names."""
    return Database(request.param, request.getfixturevalue("cluster") if request.param == POSTGRESQL else None)


@pytest.fixture(scope="session")
def known_templates() -> dict[tuple[str, str], Installation]:
    """Return what was set up in this session, by database and size."""
    return {}


@pytest.fixture(scope="session")
def template(
    tmp_path_factory: pytest.TempPathFactory, database: Database, known_templates: dict[tuple[str, str], Installation]
) -> Callable[[str], Installation]:
    """Return what sets up a closed installation of a size, once."""

    def of_size(size: str) -> Installation:
        if (database.name, size) not in known_templates:
            made = install(tmp_path_factory.mktemp(f"{database}-{size}"), database=database, size=size)
            close(made)
            database.keep(made.folder)
            known_templates[database.name, size] = made
        return known_templates[database.name, size]

    return of_size


@pytest.fixture(autouse=True)
def passing(request: pytest.FixtureRequest) -> Iterator[None]:
    """Drop the databases that a test makes; those of a module or a session stay until the server ends."""
    if "database" not in request.fixturenames or request.getfixturevalue("database").cluster is None:
        yield
        return
    with request.getfixturevalue("cluster").passing():
        yield


@pytest.fixture
def made(template: Callable[[str], Installation], tmp_path: Path) -> Iterator[Installation]:
    """An installation with the programme `lantern` (standard), its prior model, and nobody in it."""
    copy = copied(template("standard"), tmp_path)
    yield copy
    close(copy)


@pytest.fixture
def small(template: Callable[[str], Installation], tmp_path: Path) -> Iterator[Installation]:
    """The same of size `small`: members added over HTTP are visible at once."""
    copy = copied(template("small"), tmp_path)
    yield copy
    close(copy)
