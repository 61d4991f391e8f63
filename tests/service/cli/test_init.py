"""``peermatch init``: wholly or not at all, and never over what is there."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from service.cli import init as init_module
from service.cli import publishing
from service.security import SCOPES, split_token
from service.store import keys, models, open_store, programmes
from tests.service.cli.conftest import Cli


def test_it_makes_key_database_programme_model_and_api_key(empty: Cli, root: Path) -> None:
    document = empty.json("init", empty.file)
    jsonschema.validate(document, json.loads((root / "docs/schemas/init.schema.json").read_text("utf-8")))
    assert document["programme"] == "lantern"
    store = open_store(empty.settings)
    with store.reading() as session:
        parts = split_token(document["api_key"])
        assert parts is not None
        key = keys.find(session, parts[0])
        active = models.active(session, "lantern")
        assert programmes.identifiers(session) == ["lantern"]
    store.close()
    assert key is not None
    assert key.scopes == frozenset(SCOPES)
    assert active is not None
    assert active.version.startswith("20260304T120000Z-prior-")
    assert empty.json("models", "show")["problem"] is None


def test_nobody_else_can_read_what_it_makes(empty: Cli) -> None:
    before = os.umask(0o022)
    try:
        empty.run("init", empty.file)
        assert os.umask(0o022) == 0o022, "the umask of the process is as before"
    finally:
        os.umask(before)
    home = empty.settings.home
    for path in [home, *home.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_the_key_is_printed_this_once(empty: Cli) -> None:
    shown = empty.run("init", empty.file).stdout
    secret = shown.split("API key")[1].split()[0]
    assert secret.startswith("pm_")
    for path in empty.settings.home.rglob("*"):
        if path.is_file():
            assert secret.split("_", 2)[2].encode() not in path.read_bytes()


def test_a_second_time_is_refused_with_the_way_out(cli: Cli) -> None:
    key = cli.settings.secret_key_file.read_bytes()
    result = cli.run("init", cli.file, code=1)
    assert "already there" in result.stderr
    assert "programme apply" in result.stderr
    assert cli.settings.secret_key_file.read_bytes() == key
    assert len(list((cli.settings.home / "models" / "lantern").iterdir())) == 1


def test_a_second_programme_shares_database_and_secret_key(cli: Cli) -> None:
    key = cli.settings.secret_key_file.read_bytes()
    cli.write(id="harbour")
    assert cli.json("init", cli.file)["programme"] == "harbour"
    assert cli.settings.secret_key_file.read_bytes() == key
    assert "--programme is needed" in cli.run("models", "list", code=1).stderr
    assert cli.json("models", "list", "--programme", "harbour")["programme"] == "harbour"


def test_a_lost_secret_key_is_not_replaced_by_another(cli: Cli) -> None:
    cli.settings.secret_key_file.unlink()
    cli.write(id="harbour")
    assert "restore the file from a backup" in cli.run("init", cli.file, code=1).stderr
    assert not cli.settings.secret_key_file.exists()


def test_a_file_with_an_error_makes_nothing(empty: Cli) -> None:
    empty.file.write_text(empty.file.read_text("utf-8").replace('pairing = "mentor"', 'pairing = "mentr"'), "utf-8")
    result = empty.run("init", empty.file, code=1)
    assert "pairing: found 'mentr'" in result.stderr
    assert "did you mean 'mentor'" in result.stderr
    assert not empty.settings.home.exists()


STEPS = [
    (init_module, "create_secret_key"),
    (init_module, "open_store"),
    (init_module, "prior_model"),
    (publishing.artefact, "save"),
    (programmes, "save"),
    (models, "add"),
    (models, "activate"),
    (keys, "create"),
]


@pytest.mark.parametrize(("place", "step"), STEPS, ids=[step for _, step in STEPS])
def test_a_step_that_fails_leaves_no_half_programme(
    empty: Cli, monkeypatch: pytest.MonkeyPatch, place: Any, step: str
) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(place, step, fail)
        assert "No space left" in empty.run("init", empty.file, code=1).stderr
    folder = empty.settings.home / "models" / "lantern"
    assert not folder.exists() or not list(folder.iterdir())
    if empty.settings.database_file is not None and empty.settings.database_file.exists():
        assert "no programme yet" in empty.run("models", "list", code=1).stderr
    assert empty.json("init", empty.file)["programme"] == "lantern"
    assert len(empty.json("models", "list")["models"]) == 1


KILL = """
import os, sys
from service.cli import init, main, publishing
from service.store import keys, models, programmes
place, step = sys.argv[1].split(".")
def kill(*args, **kwargs):
    os.kill(os.getpid(), 9)
setattr({"init": init, "artefact": publishing.artefact, "keys": keys, "programmes": programmes}[place], step, kill)
main(["init", sys.argv[2]])
"""


@pytest.mark.parametrize("step", ["init.open_store", "artefact.save", "programmes.save", "keys.create"])
def test_killed_between_steps_it_can_be_run_again(empty: Cli, step: str) -> None:
    done = subprocess.run([sys.executable, "-c", KILL, step, str(empty.file)], check=False)
    assert done.returncode == -9
    assert empty.json("init", empty.file)["programme"] == "lantern"
    assert empty.json("models", "show")["problem"] is None


@pytest.mark.parametrize("arguments", [["init"], ["init", "nowhere.toml"], ["init", "."]])
def test_without_a_file_it_is_a_usage_error(empty: Cli, arguments: list[str]) -> None:
    assert empty.run(*arguments, code=2).stdout == ""


def test_a_home_that_cannot_be_is_told_plainly(empty: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PEERMATCH_HOME", str(empty.file))
    assert "PEERMATCH_HOME: found a file" in empty.run("init", empty.file, code=1).stderr
