from __future__ import annotations

import itertools
import logging
import shutil
from pathlib import Path

import pytest

from service.live.models import RETRY
from service.store import models
from tests.service.installation import NOON, Installation, record

NUMBERS = itertools.count()


@pytest.fixture
def served(made: Installation) -> Installation:
    """An installation that has answered with model 1."""
    made.add(record("s-1", "seeker"), record("p-1"))
    assert version(made) == "1"
    return made


def version(made: Installation) -> str:
    """Return the model that a list computed now is made with: that of a seeker who never asked."""
    name = f"asks-{next(NUMBERS)}"
    made.add(record(name, "seeker"))
    found: str = made.match(name)["model_version"]
    return found


def health(made: Installation) -> dict[str, object]:
    reply = made.client.get("/__heartbeat__")
    body = reply.get_json()
    assert reply.status_code == (503 if body["status"] == "error" else 200)
    return {"status": body["status"], **body["models"]}


def damage(folder: Path, how: str) -> None:
    files = sorted(path for path in folder.iterdir() if path.is_file())
    match how:
        case "missing":
            shutil.rmtree(folder)
        case "truncated":
            files[-1].write_bytes(files[-1].read_bytes()[:-1])
        case "empty":
            for path in files:
                path.write_bytes(b"")
        case "one byte":
            raw = bytearray((folder / "weights.json").read_bytes())
            raw[len(raw) // 2] ^= 1
            (folder / "weights.json").write_bytes(raw)
        case "signature of another":
            for path in folder.glob("*sig*"):
                path.write_bytes(bytes(len(path.read_bytes())))


HOW = ["missing", "truncated", "empty", "one byte", "signature of another"]


def test_a_new_model_serves_from_the_next_request_on(served: Installation) -> None:
    served.publish("2")
    assert version(served) == "2"
    with served.store.transaction() as session:
        models.rollback(session, "lantern", now=NOON)
    assert version(served) == "1"
    assert health(served) == {"status": "ok", "served": 1, "missing": 0, "stale": 0, "stale_since": None}


@pytest.mark.parametrize("how", HOW)
def test_a_damaged_new_model_leaves_the_old_one_serving(served: Installation, how: str) -> None:
    copy = served.folder / "copy"
    shutil.copytree(served.publish("2"), copy)
    folder = served.settings.model_folder("lantern", "2")
    damage(folder, how)
    assert version(served) == "1"
    served.clock.turn(minutes=5)
    assert version(served) == "1"
    assert health(served)["status"] == "degraded"
    assert health(served)["stale_since"] == NOON.isoformat()
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(copy, folder)
    served.clock.now += RETRY
    assert version(served) == "2"
    assert health(served)["status"] == "ok"


@pytest.mark.parametrize("how", HOW)
def test_a_model_damaged_after_it_was_loaded_serves_on(served: Installation, how: str) -> None:
    damage(served.settings.model_folder("lantern", "1"), how)
    assert version(served) == "1"
    assert health(served)["status"] == "degraded"
    served.call("DELETE", "/v1/members/p-1")  # the pool is made anew, with the model in memory
    assert served.match("s-1")["outcome"] == "no_match"
    served.clock.turn(days=1)
    assert version(served) == "1"
    assert health(served)["stale_since"] == NOON.isoformat()


@pytest.mark.parametrize("how", HOW)
def test_a_worker_that_starts_with_a_damaged_model_takes_the_one_before(made: Installation, how: str) -> None:
    made.add(record("s-1", "seeker"), record("p-1"))
    made.publish("2")
    damage(made.settings.model_folder("lantern", "2"), how)
    assert version(made) == "1"
    assert health(made)["status"] == "degraded"


@pytest.mark.parametrize("how", HOW)
def test_when_no_model_can_be_loaded_it_is_503(made: Installation, how: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    made.add(record("s-1", "seeker"), record("p-1"))
    damage(made.settings.model_folder("lantern", "1"), how)
    for _ in range(2):
        reply = made.call("POST", "/v1/match", {"member_id": "s-1"})
        assert (reply.status_code, reply.headers["Retry-After"]) == (503, "5")
        assert str(made.settings.home) not in reply.get_data(as_text=True)
    assert health(made) == {"status": "error", "served": 0, "missing": 1, "stale": 1, "stale_since": NOON.isoformat()}
    assert "ArtefactError" in caplog.text
    assert made.call("GET", "/v1/members/s-1").status_code == 200  # what needs no model still works


def test_a_damaged_model_is_not_read_again_by_every_request(
    served: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    damage(served.publish("2"), "one byte")
    assert version(served) == "1"
    cache = served.app.extensions["peermatch"].pools.models
    asked: list[str] = []
    load = cache._load
    monkeypatch.setattr(cache, "_load", lambda programme, which: asked.append(which) or load(programme, which))
    for _ in range(5):
        assert version(served) == "1"
    assert asked == []
    served.clock.now += RETRY
    for _ in range(5):
        assert version(served) == "1"
    assert asked == ["2"]
