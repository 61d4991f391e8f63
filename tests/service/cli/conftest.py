"""An empty folder with a programme file, and a way to run ``peermatch`` in it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from matcher.people import Member
from service.cli import context, main
from service.settings import Settings
from service.store import members, open_store, programmes
from tests.service.databases import POSTGRESQL, Database, environment_in
from tests.service.installation import NOON, Clock, record, settings_in, write_programme

BOTH = {
    "test_backup",
    "test_doctor",
    "test_import",
    "test_init",
    "test_migrate",
    "test_restore",
    "test_retention",
    "test_train",
}
"""Modules whose commands depend on what a database is. The others run on PostgreSQL under ``make test-deep``: what they
ask of the database the tests of the store ask of both."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave what need not run on both databases each time to ``make test-deep``."""
    here = Path(__file__).parent
    for item in items:
        asked = getattr(item, "callspec", None)
        name = str(asked.params.get("database", "")) if asked is not None else ""
        if item.path.parent == here and name == POSTGRESQL and item.path.stem not in BOTH:
            item.add_marker(pytest.mark.deep)


@dataclass
class Cli:
    """Runs commands against the installation in `folder`."""

    folder: Path
    clock: Clock

    @property
    def settings(self) -> Settings:
        return settings_in(self.folder)

    @property
    def file(self) -> Path:
        """The programme file that `init` and `apply` are given."""
        return self.folder / "files" / "programme.toml"

    def run(self, *arguments: object, code: int = 0) -> Result:
        """Run one command, which must end with `code`."""
        result = CliRunner().invoke(main, [str(argument) for argument in arguments])
        assert result.exit_code == code, result.output
        assert "Traceback" not in result.output
        return result

    def json(self, *arguments: object, code: int = 0) -> Any:
        """Run one command with ``--json`` and return its document, which must be all that is on stdout."""
        return json.loads(self.run(*arguments, "--json", code=code).stdout)

    def add(self, *records: dict[str, Any], later: bool = False) -> None:
        """Store members, visible at once or from tomorrow on."""
        day = NOON.date().replace(day=NOON.day + 1) if later else NOON.date()
        store = open_store(self.settings)
        with store.transaction() as session:
            programme = programmes.load(session, "lantern")
            people = [Member.from_dict(one, programme) for one in records]
            members.upsert_many(session, programme, people, now=NOON, visible_from=day)
        store.close()

    def write(self, **changes: str) -> None:
        """Write the programme file anew; see `tests.service.installation.write_programme`."""
        write_programme(self.folder / "files", **changes)


@pytest.fixture
def empty(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """A programme file, and nothing else; on PostgreSQL an empty database too."""
    for name in ("PEERMATCH_DATABASE_URL", "PEERMATCH_SECRET_KEY_FILE", "PEERMATCH_RUN", "PEERMATCH_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    database.prepare(tmp_path)
    for name, value in environment_in(tmp_path).items():
        monkeypatch.setenv(name, value)
    clock = Clock()
    monkeypatch.setattr(context, "now", clock)
    cli = Cli(tmp_path, clock)
    cli.write()
    return cli


@pytest.fixture
def cli(empty: Cli) -> Cli:
    """An installation with the programme `lantern`, as `peermatch init` makes it."""
    empty.run("init", empty.file)
    return empty


@pytest.fixture
def people(cli: Cli) -> Callable[[int], Cli]:
    """Return a function that adds one seeker, `seeker`, and so many supporters."""

    def add(count: int) -> Cli:
        cli.add(record("seeker", "seeker"), *(record(f"m-{number}") for number in range(count)))
        return cli

    return add
