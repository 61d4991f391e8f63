"""Pools that another process builds, as a server has it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from werkzeug.test import TestResponse

from service import create_app
from service.live import refresher
from service.live.refresher import Elsewhere, builder
from tests.service.databases import environment_in
from tests.service.installation import Installation, record
from tests.service.live.processes import Process

Ask = Callable[[], TestResponse]


@pytest.fixture
def ask(made: Installation, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ask]:
    """Ask a service whose pools are built elsewhere for a list; nothing is built yet."""
    made.add(record("s-1", "seeker"), record("p-1"))
    for name, value in environment_in(made.folder).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(refresher, "PATIENCE_SECONDS", 60.0)
    app = create_app(made.settings, elsewhere=True)
    headers = {"Authorization": f"Bearer {made.key}"}
    yield lambda: app.test_client().post("/match", json={"member_id": "s-1"}, headers=headers)
    app.extensions["peermatch"].store.close()


def pools(app_of: Installation) -> Any:
    return app_of.settings.run / "pools"


@pytest.mark.slow
def test_another_process_builds_and_the_worker_maps(ask: Ask, made: Installation) -> None:
    assert ask().get_json()["outcome"] == "matched"
    assert (pools(made) / "lantern" / "current").is_file()


@pytest.mark.slow
def test_where_nothing_can_be_written_the_worker_serves_from_memory(ask: Ask, made: Installation) -> None:
    pools(made).parent.mkdir(parents=True, exist_ok=True)
    pools(made).write_text("no folder")
    for _ in range(2):
        reply = ask()
        assert (reply.status_code, reply.get_json()["outcome"]) == (200, "matched")


def test_a_builder_that_never_ends_is_not_waited_for(
    ask: Ask, made: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refresher, "PATIENCE_SECONDS", 0.1)
    folder = pools(made) / "lantern"
    folder.mkdir(parents=True)
    handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(handle, fcntl.LOCK_EX)
    for _ in range(2):
        reply = ask()
        assert (reply.status_code, reply.headers["Retry-After"]) == (503, "5")
    os.close(handle)


def test_a_process_that_takes_too_long_is_ended(made: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Process] = []
    monkeypatch.setattr(refresher, "_start", lambda _: started.append(Process()) or started[-1])
    elsewhere, now = Elsewhere(builder(made.settings, made.store)), datetime.now(UTC)
    for _ in range(3):
        assert elsewhere.refresh("lantern", now, wait=False) is None
    assert len(started) == 1
    monkeypatch.setattr(refresher, "LONGEST_SECONDS", -1.0)
    with pytest.raises(refresher.ModelError, match="could not be made"):
        elsewhere.refresh("lantern", now, wait=False)
    assert started[0].code == -9
