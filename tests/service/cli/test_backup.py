from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from service.settings import Settings
from service.store import open_store
from service.store.erasure import erase
from tests.service.cli.conftest import Cli
from tests.service.databases import SQLITE, environment_in, only
from tests.service.installation import record


@pytest.fixture
def filled(cli: Cli) -> Cli:
    """An installation with two members."""
    cli.add(record("m-1", "seeker"), record("m-2"))
    return cli


def elsewhere(cli: Cli, monkeypatch: pytest.MonkeyPatch, database: str | None = None) -> Settings:
    """Have commands work in an empty home that has the secret key alone."""
    home = cli.folder / "elsewhere"
    home.mkdir()
    shutil.copy(cli.settings.secret_key_file, home / "secret.key")
    monkeypatch.setenv("PEERMATCH_HOME", str(home))
    monkeypatch.delenv("PEERMATCH_DATABASE_URL", raising=False)
    names = environment_in(cli.folder)
    if database is not None:
        names["PEERMATCH_DATABASE_URL"] = database
        monkeypatch.setenv("PEERMATCH_DATABASE_URL", database)
    else:
        names.pop("PEERMATCH_DATABASE_URL", None)
    return Settings.from_environment({**names, "PEERMATCH_HOME": str(home)})


def test_a_backup_and_its_restore(filled: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    file = filled.folder / "all.backup"
    made = filled.json("backup", file)
    assert (made["members"], made["models"], made["missing_models"]) == (2, 1, [])
    assert made["bytes"] == file.stat().st_size
    where = elsewhere(filled, monkeypatch)
    would = filled.json("restore", file, "--no-ledger", "--dry-run")
    assert (would["restored"], would["members"], would["replaced"]) == (False, 2, False)
    assert [path.name for path in where.home.iterdir()] == ["secret.key"]
    done = filled.json("restore", file, "--no-ledger")
    assert done == {**would, "restored": True, "models": 1, "left_to_do": []}
    assert filled.json("doctor")["status"] in {"ok", "warn"}
    assert all(path.stat().st_mode & 0o077 == 0 for path in where.home.rglob("*"))


def test_a_restore_in_place_says_what_was_kept(filled: Cli) -> None:
    file = filled.folder / "all.backup"
    assert "secret.key, which alone opens it" in filled.run("backup", file).stdout
    filled.add(record("m-3"))
    assert "--replace" in filled.run("restore", file, code=1).stderr
    store = open_store(filled.settings)
    with store.transaction() as session:
        erase(session, "lantern", "m-2", now=filled.clock(), by="command")
    store.close()
    said = filled.run("restore", file, "--replace").stdout
    assert "1 members who had been erased since are erased again" in said
    assert "1 members who were added since are lost" in said
    assert "is not known here" not in said


def test_a_restore_into_nothing_warns_of_what_is_not_known(filled: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    file = filled.folder / "all.backup"
    filled.run("backup", file)
    elsewhere(filled, monkeypatch)
    said = filled.run("restore", file, "--no-ledger").stdout
    assert f"decided after {filled.clock():%Y-%m-%d %H:%M} UTC is not known here: consents withdrawn" in said


def test_what_is_refused_is_one_message(filled: Cli) -> None:
    file = filled.folder / "all.backup"
    filled.run("backup", file)
    assert "expected a new name" in filled.run("backup", file, code=1).stderr
    raw = file.read_bytes()
    file.write_bytes(raw[:-1])
    message = filled.run("restore", file, "--replace", code=1).stderr
    assert "was changed or cut off" in message
    assert "nothing was changed" in message
    assert filled.run("backup", filled.folder / "no folder" / "x", code=1).stderr.count("\n") == 1
    filled.run("restore", filled.folder / "nowhere", code=2)


@only(SQLITE, "It is about an installation that is not there.")
def test_without_an_installation_there_is_nothing_to_back_up(empty: Cli, tmp_path: Path) -> None:
    assert "there is no database" in empty.run("backup", tmp_path / "x.backup", code=1).stderr
    assert not (tmp_path / "x.backup").exists()
