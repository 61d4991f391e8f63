"""``peermatch models``: what serves, and going back."""

from __future__ import annotations

import pytest

from matcher.model.artefact import prior_model, save
from matcher.model.signing import signing_key
from service.security import read_secret_key
from service.store import audit, models, open_store, programmes
from tests.service.cli.conftest import Cli


@pytest.fixture
def two(cli: Cli) -> tuple[Cli, str]:
    """An installation with a second model, "b", that is not active; and the version of the first."""
    cli.clock.turn(hours=1)
    store = open_store(cli.settings)
    with store.transaction() as session:
        model = prior_model(programmes.load(session, "lantern"), "b")
        save(model, cli.settings.model_folder("lantern", "b"), signing_key(read_secret_key(cli.settings)))
        models.add(session, "lantern", "b", {"safety": "PASS"}, now=cli.clock())
    store.close()
    first = cli.json("models", "list")["models"][0]["version"]
    return cli, first


def active(cli: Cli) -> list[str]:
    return [model["version"] for model in cli.json("models", "list")["models"] if model["active"]]


def test_list_is_oldest_first_and_marks_the_active_one(two: tuple[Cli, str]) -> None:
    cli, first = two
    assert [model["version"] for model in cli.json("models", "list")["models"]] == [first, "b"]
    assert active(cli) == [first]
    lines = cli.run("models", "list").stdout.splitlines()
    assert lines[2].split() == [first, "2026-03-04", "12:00:00", "active"]
    assert lines[3].split() == ["b", "2026-03-04", "13:00:00", "kept"]


def test_activate_and_back(two: tuple[Cli, str]) -> None:
    cli, first = two
    assert cli.json("models", "activate", "b") == {"programme": "lantern", "version": "b", "previous": first}
    assert active(cli) == ["b"]
    cli.run("models", "rollback")
    assert active(cli) == [first]
    cli.run("models", "rollback")
    assert active(cli) == ["b"]


def test_a_damaged_model_is_not_activated(two: tuple[Cli, str]) -> None:
    cli, first = two
    weights = cli.settings.model_folder("lantern", "b") / "weights.json"
    weights.write_bytes(weights.read_bytes() + b" ")
    assert "weights.json" in cli.run("models", "activate", "b", code=1).stderr
    assert active(cli) == [first]
    shown = cli.json("models", "show", "b", code=1)
    assert "weights.json" in shown["problem"]
    assert "cannot serve" in cli.run("models", "show", "b", code=1).stdout


def test_show_tells_what_a_model_was_made_from(two: tuple[Cli, str]) -> None:
    cli, first = two
    document = cli.json("models", "show")
    assert document["version"] == first
    assert document["active"] is True
    assert document["manifest"]["features"] == ["experiences", "journey"]
    assert "features: experiences, journey" in cli.run("models", "show", "b").stdout


def test_no_way_back_before_the_second_model(cli: Cli) -> None:
    assert "no model was active before" in cli.run("models", "rollback", code=1).stderr


@pytest.mark.parametrize("command", ["show", "activate"])
def test_an_unknown_version_names_those_there_are(two: tuple[Cli, str], command: str) -> None:
    cli, first = two
    assert f"this programme has: {first}, b" in cli.run("models", command, "c", code=1).stderr


def test_without_an_installation_the_way_out_is_named(empty: Cli) -> None:
    assert "peermatch init FILE.toml" in empty.run("models", "list", code=1).stderr
    assert not empty.settings.home.exists(), "looking creates nothing"


def test_an_unknown_programme_names_those_there_are(cli: Cli) -> None:
    stderr = cli.run("models", "list", "--programme", "harbour", code=1).stderr
    assert "lantern" in stderr


def test_show_tells_whether_it_learned_from_somebody(cli: Cli) -> None:
    version = cli.json("models", "list")["models"][0]["version"]
    shown = cli.json("models", "show", version, "--member", "m-1")
    assert shown["included"] is False
    assert "included" not in cli.json("models", "show", version)
    assert cli.run("models", "show", version, "--member", "m-1").stdout.endswith("It did not learn from this member.\n")
    (cli.settings.model_folder("lantern", version) / "manifest.sig").write_bytes(b"")
    told = cli.run("models", "show", version, "--member", "m-1", code=1).stdout
    assert "Nobody can tell whether it learned from this member" in told
    assert "expected 1 to 64 of" in cli.run("models", "show", version, "--member", "m 1", code=2).stderr
    store = open_store(cli.settings)
    with store.reading() as session:
        told = [(entry.action, entry.by) for entry in audit.entries(session, "lantern", member_id="m-1")]
    store.close()
    assert told == [("member.exported", "command")] * 3
