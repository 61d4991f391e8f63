"""``peermatch train``: a new model serves wholly or not at all, and one training runs at a time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from sqlalchemy import update

from matcher.model.feedback import Feedback
from matcher.release import ReleaseRefused, TrainResult
from service.cli import train
from service.cli.lock import exclusive
from service.store import feedback, models, open_store, programmes, sealed
from service.store.tables import MemberRow
from tests.service.cli.conftest import Cli
from tests.service.installation import NOON, consent, record

LEARNING = [consent(purpose) for purpose in ("match_serve", "be_shown_as_peer", "train_model")]


def active(cli: Cli) -> str:
    (version,) = (model["version"] for model in cli.json("models", "list")["models"] if model["active"])
    return str(version)


def folders(cli: Cli) -> set[str]:
    return {path.name for path in (cli.settings.home / "models" / "lantern").iterdir()}


@pytest.fixture
def taught(cli: Cli) -> Cli:
    """An installation where seekers accepted whoever shared their experience."""
    seekers = [record(f"s-{number}", "seeker", consents=LEARNING) for number in range(12)]
    supporters = [record(f"m-{number}", consents=LEARNING) for number in range(12)]
    for supporter in supporters[6:]:
        supporter["profile"] = {"experiences": ["travel"], "channel": ["phone"], "journey": "new"}
    cli.add(*seekers, *supporters)
    events: list[dict[str, Any]] = []
    for number, seeker in enumerate(seekers):
        for rank in (1, 2):
            candidate = (number + 5 * rank) % 12
            pair = {"seeker": seeker["member_id"], "candidate": f"m-{candidate}", "at": "2026-02-20T10:00:00Z"}
            events.append({**pair, "event": "shown", "rank": rank, "propensity": 1.0})
            events.append({**pair, "event": "accepted" if candidate < 6 else "declined", "by": "seeker"})
    store = open_store(cli.settings)
    with store.transaction() as session:
        programme = programmes.load(session, "lantern")
        feedback.add(session, programme, [Feedback.from_dict(event, programme) for event in events])
    store.close()
    return cli


def test_a_training_is_published_and_serves(taught: Cli, root: Path) -> None:
    prior = active(taught)
    taught.clock.turn(hours=1)
    document = taught.json("train", "--programme", "lantern")
    schema = json.loads((root / "docs/schemas/train.schema.json").read_text("utf-8"))
    jsonschema.validate(document, schema)
    assert document["published"] is True
    assert document["version"].startswith("20260304T130000Z-")
    assert active(taught) == document["version"]
    assert folders(taught) == {prior, document["version"]}
    shown = taught.json("models", "show")
    assert shown["problem"] is None
    assert shown["manifest"]["consents"]["members"] == 24
    assert taught.json("match", "s-0")["model_version"] == document["version"]


def test_without_feedback_it_trains_the_prior(cli: Cli) -> None:
    cli.clock.turn(seconds=1)
    shown = cli.run("train").stdout
    assert "is published and serves" in shown
    assert "Not differentially private." in shown
    assert cli.json("doctor")["status"] == "ok"


def test_members_whom_others_do_not_see_yet_are_not_learned_from(cli: Cli) -> None:
    cli.add(record("m-1", consents=LEARNING))
    cli.add(record("m-2", consents=LEARNING), later=True)
    cli.run("train")
    assert cli.json("models", "show")["manifest"]["consents"]["members"] == 1


def test_a_refused_model_changes_nothing_and_says_why(taught: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, version: str, **kwargs: object) -> None:
        result = TrainResult(version, False, {"utility": "FAIL"}, {"answers": {}}, {"release": None, "year": None})
        raise ReleaseRefused("the learned model is worse\nseeker: 24 answers", result)

    before = active(taught)
    monkeypatch.setattr(train, "release", refuse)
    document = taught.json("train", code=1)
    assert (document["published"], document["verdicts"]) == (False, {"utility": "FAIL"})
    stderr = taught.run("train", code=1).stderr
    assert stderr.splitlines() == ["peermatch: the learned model is worse", "  seeker: 24 answers", "  utility: FAIL"]
    assert active(taught) == before
    assert folders(taught) == {before}


@pytest.mark.parametrize("step", ["add", "activate"])
def test_a_failure_after_publishing_leaves_the_active_model(
    taught: Cli, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    before = active(taught)
    with monkeypatch.context() as patch:
        patch.setattr(models, step, fail)
        assert "No space left" in taught.run("train", code=1).stderr
    assert active(taught) == before
    assert folders(taught) == {before}
    taught.run("train")


def test_a_programme_that_changes_meanwhile_is_not_given_an_old_model(
    taught: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, before = train.release, active(taught)

    def slow(*args: Any, **kwargs: Any) -> TrainResult:
        taught.write(size="open")
        taught.run("programme", "apply", taught.file)
        return real(*args, **kwargs)

    monkeypatch.setattr(train, "release", slow)
    assert "was changed during the training" in taught.run("train", code=1).stderr
    assert active(taught) == before


def test_of_two_at_once_one_runs_and_the_other_names_it(cli: Cli) -> None:
    with exclusive(cli.settings.home / "train-lantern.lock", "training lantern", NOON):
        result = cli.run("train", "--json", code=1)
    assert "training lantern (process " in result.stderr
    assert "since 2026-03-04 12:00:00 UTC" in result.stderr
    assert "training lantern" in json.loads(result.stdout)["error"]["message"]
    cli.run("train")


def test_the_lock_of_a_training_that_was_killed_is_taken_over(cli: Cli) -> None:
    script = (
        "import os, sys; from service.cli import main, train\n"
        "train.release = lambda *args, **kwargs: os.kill(os.getpid(), 9)\n"
        "main(['train'])\n"
    )
    done = subprocess.run([sys.executable, "-c", script], check=False)
    assert done.returncode == -9
    assert "training lantern" in (cli.settings.home / "train-lantern.lock").read_text("utf-8")
    cli.clock.turn(seconds=1)
    cli.run("train")


def test_records_that_do_not_fit_are_left_out_and_counted(cli: Cli) -> None:
    cli.add(record("m-1"))
    store = open_store(cli.settings)
    with store.transaction() as session:
        said = '{"member_id": "m-1", "roles": ["pilot"]}'
        kept = sealed.seal(session, "lantern", sealed.MEMBERS, "m-1", said)
        session.execute(update(MemberRow).where(MemberRow.programme_id == "lantern").values(record=kept))
    store.close()
    result = cli.run("train")
    assert "1 stored records do not fit" in result.stderr
    assert "m-1" not in result.output


def test_which_programme_must_be_said_where_there_are_two(cli: Cli) -> None:
    cli.write(id="harbour")
    cli.run("init", cli.file)
    assert "--programme is needed: this database has harbour, lantern" in cli.run("train", code=1).stderr
    cli.run("train", "--programme", "harbour")
    assert len(cli.json("models", "list", "--programme", "lantern")["models"]) == 1


def test_before_init(empty: Cli) -> None:
    assert "peermatch init" in empty.run("train", code=1).stderr
    assert not empty.settings.home.exists()
