"""What is broken around the service: what was there serves on, or 503; the heartbeat says what is stale since when."""

from __future__ import annotations

import errno
import json
import logging
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from matcher.errors import ModelError
from matcher.matching import pool_file
from service import create_app
from service.live import base as bases
from service.live.building import Builder
from service.live.pool_cache import PATIENCE_MS, RETRY
from service.store import engine
from tests.service.databases import POSTGRESQL, SQLITE, locked, only
from tests.service.installation import NOON, Installation, consent, record
from tests.service.live.asking import Asking, ids, supporters

TOMORROW = NOON.replace(day=NOON.day + 1, hour=0, minute=0)


class Restarted:
    """The service after a restart, asked as before."""

    def __init__(self, asking: Asking) -> None:
        self.made = asking.made
        self.app: Flask = create_app(asking.made.settings, clock=asking.made.clock)
        self.headers = {"Authorization": f"Bearer {asking.key}"}

    def ask(self, seeker: str = "s-1", **more: Any) -> Any:
        return self.app.test_client().post("/match", json={"member_id": seeker, **more}, headers=self.headers)

    def health(self) -> Any:
        return self.app.test_client().get("/__heartbeat__").get_json()

    def close(self) -> None:
        self.app.extensions["peermatch"].store.close()


@contextmanager
def restarted(asking: Asking) -> Iterator[Restarted]:
    service = Restarted(asking)
    try:
        yield service
    finally:
        service.close()


def pools(made: Installation) -> Path:
    return made.settings.run / "pools" / "lantern"


def stored_bases(made: Installation) -> list[Path]:
    return [one for one in pools(made).iterdir() if one.is_dir()]


# Pool files


def cut(folder: Path) -> None:
    blob = folder / pool_file.BLOB
    blob.write_bytes(blob.read_bytes()[:-1])


def one_byte(folder: Path) -> None:
    blob = folder / pool_file.BLOB
    raw = bytearray(blob.read_bytes())
    raw[len(raw) // 2] ^= 1
    blob.write_bytes(raw)


def no_head(folder: Path) -> None:
    (folder / pool_file.HEAD).unlink()


def no_arrays(folder: Path) -> None:
    (folder / pool_file.BLOB).unlink()


def half_a_head(folder: Path) -> None:
    head = folder / pool_file.HEAD
    head.write_bytes(head.read_bytes()[: head.stat().st_size // 2])


def gone(folder: Path) -> None:
    shutil.rmtree(folder)


def told_otherwise(**changes: Any) -> Callable[[Path], None]:
    """Return what rewrites the head, with a check that is right."""

    def rewrite(folder: Path) -> None:
        head = folder / pool_file.HEAD
        document = json.loads(head.read_bytes())
        del document["check"]
        for name, value in changes.items():
            (document if name in document else document["body"]["head"])[name] = value
        head.write_text(json.dumps({**document, "check": pool_file.check(document)}), "utf-8")

    return rewrite


def a_pointer_to(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder.parent / bases.POINTER).write_text(name, "utf-8") and None


DAMAGE = {
    "cut": cut,
    "one byte": one_byte,
    "no head": no_head,
    "no arrays": no_arrays,
    "half a head": half_a_head,
    "gone": gone,
    "another format": told_otherwise(format=0),
    "another release": told_otherwise(release="0.0.1"),
    "another programme": told_otherwise(programme="0" * 64),
    "an unknown model": told_otherwise(model_version="nobody's"),
    "an epoch that is none": told_otherwise(epoch="today"),
    "yesterday": told_otherwise(epoch=NOON.toordinal() - 1),
    "a pointer to nothing": a_pointer_to("nothing"),
    "a pointer out of the folder": a_pointer_to("../../../secret.key"),
    "an empty pointer": a_pointer_to(""),
    "a pointer of other bytes": a_pointer_to("\u20ac"),
}


@pytest.mark.parametrize("how", DAMAGE)
def test_a_damaged_pool_file_is_built_again(asking: Asking, how: str) -> None:
    before = asking.data()
    (folder,) = stored_bases(asking.made)
    DAMAGE[how](folder)
    asking.made.add(record("s-2", "seeker"))
    with restarted(asking) as service:
        assert service.ask().data == before
        assert service.ask("s-2").get_json()["outcome"] == "matched"
        assert service.health()["status"] == "ok"
        held = service.app.extensions["peermatch"].pools.held()["lantern"]
        assert held.base.name != folder.name
        assert bases.newest(pools(asking.made)) == held.base.name


def test_a_sound_pool_file_is_mapped(asking: Asking) -> None:
    """Control: without damage a restart builds nothing."""
    before = asking.data()
    (folder,) = stored_bases(asking.made)
    with restarted(asking) as service:
        assert service.ask().data == before
        assert service.app.extensions["peermatch"].pools.held()["lantern"].base.name == folder.name
    assert stored_bases(asking.made) == [folder]


def test_a_pool_file_damaged_while_it_is_mapped_does_not_matter(asking: Asking) -> None:
    asking.reply()
    (folder,) = stored_bases(asking.made)
    gone(folder)
    asking.made.add(record("s-2", "seeker"))
    assert asking.reply("s-2")["outcome"] == "matched"


def test_pool_files_are_nobody_elses_to_read_and_old_ones_go(asking: Asking) -> None:
    for _ in range(4):
        asking.reply()
        asking.made.clock.turn(days=1)
    left = pools(asking.made) / ".739000-1-0123abcd"  # of a builder that was killed
    left.mkdir()
    (left / "arrays").write_bytes(b"m-1")
    asking.reply()
    assert len(stored_bases(asking.made)) == 1
    assert not left.exists()
    for path in [pools(asking.made), *stored_bases(asking.made)]:
        assert path.stat().st_mode & 0o077 == 0
    for file in (file for folder in stored_bases(asking.made) for file in folder.iterdir()):
        assert file.stat().st_mode & 0o777 == 0o600


# The folder of pools


def full(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("step", ["save", "mkdir", "rename", "pointer"])
def test_with_a_full_disk_the_worker_serves_from_memory(
    asking: Asking, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, step: str
) -> None:
    caplog.set_level(logging.ERROR)
    asking.made.add(record("s-2", "seeker"))
    asking.reply("s-2")
    asking.made.clock.now = TOMORROW
    with monkeypatch.context() as patch:
        if step == "save":
            patch.setattr(pool_file, "save", full)
        elif step == "pointer":
            patch.setattr(Path, "write_text", full)
        else:
            patch.setattr(Path, step, full)
        first = asking.reply()
        assert first["outcome"] == "matched"
        assert asking.made.client.get("/__heartbeat__").get_json()["status"] == "ok"
    assert "OSError" in caplog.text
    if pools(asking.made).is_dir():
        assert [one.name for one in stored_bases(asking.made) if one.name.startswith(".")] == [], "nothing half written"
    with restarted(asking) as service:
        assert service.ask().get_json() == first


def test_with_a_full_disk_a_worker_that_starts_answers_503(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    before = asking.data()
    with restarted(asking) as service:
        with monkeypatch.context() as patch:
            patch.setattr(Path, "write_text", full)  # not even the programme can be laid out to be read
            reply = service.ask()
            assert (reply.status_code, bool(reply.headers["Retry-After"])) == (503, True)
        assert service.ask().data == before


def test_where_the_folder_cannot_be_made_the_worker_serves_from_memory(asking: Asking) -> None:
    asking.made.settings.run.mkdir(parents=True)
    (asking.made.settings.run / "pools").write_text("a file in the way")
    first = asking.data()
    assert asking.data() == first
    asking.made.clock.now = TOMORROW
    assert asking.data() != first


def test_a_worker_in_memory_honours_changes_too(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_file, "save", full)
    first = asking.ids()[0]
    asking.erase(first)
    asking.made.add(record("s-2", "seeker"))
    assert first not in asking.ids() + asking.ids("s-2")


# The database


@pytest.fixture
def busy(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> Iterator[Restarted]:
    """A service that waits a moment for other writers, and no longer."""
    monkeypatch.setattr(engine, "BUSY_MS", 20)
    with restarted(asking) as service:
        yield service


def test_with_a_locked_database_repeats_are_answered_and_new_lists_are_503(asking: Asking, busy: Restarted) -> None:
    asking.made.add(record("s-2", "seeker"))
    before = busy.ask().data
    with locked(asking.made.settings):
        for _ in range(3):
            assert busy.ask().data == before
        longer = busy.ask(limit=10)
        assert len(longer.get_json()["matches"]) == 10, "what cannot be logged is shown all the same"
        reply = busy.ask("s-2")
        assert (reply.status_code, reply.mimetype) == (503, "application/problem+json")
        assert int(reply.headers["Retry-After"]) > 0
        assert busy.health()["database"] == "ok", "it can be read"
    assert busy.ask("s-2").status_code == 200
    assert busy.ask().data == before


def test_with_a_locked_database_an_edit_is_503_and_changes_nothing(asking: Asking, busy: Restarted) -> None:
    client, headers = busy.app.test_client(), {"Authorization": f"Bearer {asking.made.key}"}
    before = client.get("/v1/members/p-00", headers=headers).data
    with locked(asking.made.settings):
        reply = client.put("/v1/members/p-00", json=record("p-00", capacity=0), headers=headers)
        assert reply.status_code == 503
        assert reply.headers["Retry-After"]
    assert client.get("/v1/members/p-00", headers=headers).data == before


def test_with_a_locked_database_consents_and_holds_end_at_their_second(
    made: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody can be told of it, and the re-check looks at the clock."""
    monkeypatch.setattr(engine, "BUSY_MS", 20)
    ends = f"{NOON + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"
    shown = [consent("be_shown_as_peer", valid_until=ends), consent("show_reasons")]
    told = [consent("be_shown_as_peer"), consent("show_reasons", valid_until=ends)]
    made.add(record("s-1", "seeker"), *supporters(10), record("shown", consents=shown), record("told", consents=told))
    asking = Asking(made)
    for number in range(2):
        asking.block("s-1", f"p-{number:02}")
    with restarted(asking) as service:
        before = service.ask(limit=10).get_json()
        assert {"shown", "told"} <= set(ids(before))
        made.clock.turn(hours=1)
        with locked(made.settings):
            after = service.ask(limit=10)
            assert after.status_code == 200
            body = after.get_json()
            assert set(ids(body)) == set(ids(before)) - {"shown"}
            assert [match["reasons"] for match in body["matches"] if match["member_id"] == "told"] == [[]]
            assert all(match["reasons"] for match in body["matches"] if match["member_id"] != "told")
        made.clock.turn(minutes=1)
        assert service.ask(limit=10).get_json() == body


@only(SQLITE, "A server has no file: it is stopped in the next test.")
def test_a_database_that_cannot_be_read_is_503_and_told(asking: Asking) -> None:
    asking.reply()
    with restarted(asking) as service:
        file = asking.made.settings.database_file
        assert file is not None
        asking.made.store.close()
        asking.made.app.extensions["peermatch"].store.close()
        service.close()
        for path in file.parent.glob("peermatch.db*"):
            path.unlink()
        file.write_bytes(b"no database at all" * 500)
        reply = service.ask()
        assert (reply.status_code, bool(reply.headers["Retry-After"])) == (503, True)
        health = service.health()
        assert (health["status"], health["database"]) == ("error", "error")


@only(POSTGRESQL, "A file cannot be away for a while.")
def test_a_server_that_is_away_is_503_and_told_and_asked_again_when_it_is_back(asking: Asking) -> None:
    before = asking.data()
    cluster = asking.made.database.cluster
    assert cluster is not None
    with restarted(asking) as service:
        assert service.ask().data == before
        cluster.stop()
        try:
            for method, path, body in (
                ("POST", "/match", {"member_id": "s-1"}),
                ("PUT", "/v1/members/p-00", record("p-00")),
                ("GET", "/v1/members/p-00", None),
            ):
                headers = {**service.headers, "Authorization": f"Bearer {asking.made.key}"}
                reply = service.app.test_client().open(path, method=method, json=body, headers=headers)
                assert (reply.status_code, bool(reply.headers["Retry-After"])) == (503, True), path
            health = service.health()
            assert (health["status"], health["database"]) == ("error", "error")
        finally:
            cluster.start()
        assert service.ask().data == before, "the very next request is answered"
        assert service.health()["status"] == "ok"


# Models and bases that cannot be made


def damage(made: Installation, version: str) -> Callable[[], None]:
    """Damage a model's files; return what repairs them."""
    weights = made.settings.model_folder("lantern", version) / "weights.json"
    sound = weights.read_bytes()
    weights.write_bytes(sound[:-1])

    def repair() -> None:
        weights.write_bytes(sound)

    return repair


def test_since_when_a_model_is_stale_is_known_after_a_restart(asking: Asking) -> None:
    first = asking.data()
    asking.made.publish("2")
    repair = damage(asking.made, "2")
    stale = asking.made.client.get("/__heartbeat__").get_json()
    assert (stale["status"], stale["models"]["stale_since"]) == ("degraded", NOON.isoformat())
    asking.made.clock.turn(hours=5)
    with restarted(asking) as service:
        assert service.ask().data == first
        assert service.health()["models"]["stale_since"] == NOON.isoformat()
        repair()
        asking.made.clock.now += RETRY
        assert service.health()["models"] == {"served": 1, "missing": 0, "stale": 0, "stale_since": None}
    damage(asking.made, "2")
    asking.made.clock.turn(hours=1)
    with restarted(asking) as service:
        assert service.health()["models"]["stale_since"] == asking.made.clock().isoformat(), "that is another time"


def test_a_base_that_cannot_be_made_is_told_with_since_when(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    first = asking.ids()

    def fails(*_: object) -> None:
        raise ModelError("a test says no")

    asking.made.clock.now = TOMORROW
    asking.made.add(record("s-2", "seeker"))
    with monkeypatch.context() as patch:
        patch.setattr(Builder, "build", fails)
        for minutes in (0, 1, 2):
            asking.made.clock.now = TOMORROW + timedelta(minutes=minutes)
            assert asking.ids() == first
            assert asking.reply("s-2")["outcome"] == "matched"
        told = asking.made.client.get("/__heartbeat__").get_json()
        assert told["status"] == "degraded"
        assert (told["pools"]["stale"], told["pools"]["stale_since"]) == (1, TOMORROW.isoformat())
        with restarted(asking) as service:  # it has no base of today, and may not make one
            assert service.ask().status_code == 503
            assert service.health()["pools"]["stale_since"] == TOMORROW.isoformat()
    asking.made.clock.turn(minutes=1)
    assert asking.reply()["fresh"]
    told = asking.made.client.get("/__heartbeat__").get_json()
    assert (told["status"], told["pools"]["stale"], told["pools"]["stale_since"]) == ("ok", 0, None)


def test_a_request_does_not_wait_for_a_writer_to_let_time_pass(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    ends = consent("be_shown_as_peer", valid_until=f"{NOON + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}")
    asking.made.add(record("p-99", consents=[ends]))
    asking.reply()
    asking.made.clock.turn(hours=2)
    store, waited = asking.made.app.extensions["peermatch"].store, []
    transaction = store.transaction

    def spied(patience_ms: int | None = None) -> Any:
        waited.append(patience_ms)
        return transaction(patience_ms)

    monkeypatch.setattr(store, "transaction", spied)
    assert asking.reply()["matches"]
    assert waited == [PATIENCE_MS]
