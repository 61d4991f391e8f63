"""The examples as a newcomer runs them: the commands of their README, from the top folder of the repository."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from matcher.people import Member
from matcher.programme import Programme
from service.cli import context, main
from service.settings import Settings
from service.store import members, open_store, programmes

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
SHELL = re.compile(r"```sh\n(.*?)```", re.DOTALL)


@dataclass
class Example:
    """One folder of `examples/`, and an empty installation to run it in."""

    folder: Path
    home: Path

    def commands(self) -> list[list[str]]:
        """Return the `peermatch` commands of the README, in order, as arguments."""
        readme = (self.folder / "README.md").read_text(encoding="utf-8")
        lines = [line for block in SHELL.findall(readme) for line in block.splitlines()]
        assert lines[0].startswith("export PEERMATCH_HOME=var/")
        assert all(line.startswith("peermatch ") for line in lines[1:])
        return [shlex.split(line)[1:] for line in lines[1:]]

    def run(self, arguments: list[str], code: int = 0) -> Result:
        """Run one command, which must end with `code`."""
        result = CliRunner().invoke(main, arguments)
        assert "Traceback" not in result.output
        assert result.exit_code == code, result.output
        return result

    def json(self, arguments: list[str], code: int = 0) -> Any:
        """Run one command with ``--json`` and return its document."""
        return json.loads(self.run([*arguments, "--json"], code).stdout)

    def stored(self) -> tuple[Programme, dict[str, Member]]:
        """Return the only programme of the installation, and its members."""
        store = open_store(Settings.from_environment({"PEERMATCH_HOME": str(self.home)}))
        with store.reading() as session:
            (programme_id,) = programmes.identifiers(session)
            programme = programmes.load(session, programme_id)
            found = [Member.from_dict(row.record, programme) for row in members.all_members(session, programme_id)]
        store.close()
        return programme, {member.member_id: member for member in found}


@pytest.fixture
def example(request: pytest.FixtureRequest, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Example:
    """The example that the test module names as EXAMPLE."""
    for name in ("PEERMATCH_DATABASE_URL", "PEERMATCH_SECRET_KEY_FILE", "PEERMATCH_RUN", "PEERMATCH_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PEERMATCH_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(context, "now", lambda: NOW)
    monkeypatch.chdir(root)
    return Example(root / "examples" / request.module.EXAMPLE, tmp_path / "home")
