"""A trainer killed at any moment: the old model serves or the new one does, whole, and the next training goes."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Iterator

import pytest

from service.cli import publishing
from service.store import models, open_store, programmes
from tests.conftest import ROOT, examples
from tests.service.cli.conftest import Cli, cli, empty  # noqa: F401 - fixtures
from tests.service.installation import consent, record

POINTS = examples(10, 50)
LEARNING = [consent(purpose) for purpose in ("match_serve", "be_shown_as_peer", "train_model")]


@pytest.fixture
def trainer(cli: Cli) -> Iterator[subprocess.Popen[str]]:  # noqa: F811 - the fixture
    cli.add(*(record(f"s-{number}", "seeker", consents=LEARNING) for number in range(6)))
    cli.add(*(record(f"m-{number}", consents=LEARNING) for number in range(6)))
    command = [sys.executable, "-m", "tests.service.faults.trainer"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        yield running
        assert running.stdin is not None
        running.stdin.close()


def train(trainer: subprocess.Popen[str], last: int) -> str:
    assert trainer.stdin is not None
    assert trainer.stdout is not None
    trainer.stdin.write(f"{last}\n")
    trainer.stdin.flush()
    return trainer.stdout.readline().strip()


def active(made: Cli) -> str:
    """Return the version that serves, after it was verified as a worker does."""
    store = open_store(made.settings)
    with store.reading() as session:
        programme, found = programmes.load(session, "lantern"), models.active(session, "lantern")
        known = {model.version for model in models.list_models(session, "lantern")}
    store.close()
    assert found is not None
    for version in known:
        assert publishing.load_model(made.settings, programme, version).version == version
    return found.version


def test_it_leaves_the_old_model_or_the_new_one(cli: Cli, trainer: subprocess.Popen[str]) -> None:  # noqa: F811
    before = active(cli)
    passed = int(train(trainer, 0))
    assert passed > POINTS
    seen = [active(cli)]
    assert seen != [before]
    for number in range(POINTS):
        assert train(trainer, 1 + number * (passed - 1) // (POINTS - 1)) == "killed"
        seen.append(active(cli))
    changes = sum(one != other for one, other in itertools.pairwise(seen))
    assert changes < POINTS / 2, "most die before the one transaction that makes the new model serve"
    assert int(train(trainer, 0)) > 0, "the lock of the dead is not waited for"
    assert active(cli) != seen[-1]
    assert cli.json("match", "s-0")["model_version"] == active(cli)


def test_half_a_model_would_be_seen(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    """Positive control."""
    folder = cli.settings.model_folder("lantern", active(cli))
    (folder / "weights.json").unlink()
    with pytest.raises(Exception, match=r"weights\.json missing"):
        active(cli)
