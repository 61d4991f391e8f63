"""Not a byte of somebody erased is left anywhere in an installation: the whole way, from storing to the receipt."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from service import logs
from service.cli import context, main
from service.store import members
from tests.service.databases import SQLITE, environment_in, only
from tests.service.installation import Installation, consent, record
from tests.service.store.whole_person import OTHERS, X, found_in, populate, texts_of, word

pytestmark = only(SQLITE, "The files of PostgreSQL are looked into by test_scrubbing.py.")

LEARNERS = tuple(f"learner-{number:02}" for number in range(16))


@dataclass
class Everywhere:
    """An installation, and all that came out of it."""

    made: Installation
    log: BytesIO
    replies: dict[str, bytes] = field(default_factory=dict)
    """What the service told since somebody was erased, by what was asked for."""

    def ask(self, method: str, path: str, body: Any = None) -> bytes:
        reply = self.made.call(method, path, body)
        assert reply.status_code == 200, reply.get_data(as_text=True)
        self.replies[f"{method} {path}"] = bytes(reply.get_data())
        return self.replies[f"{method} {path}"]

    def texts(self) -> Iterator[tuple[str, bytes]]:
        """Yield everything that is kept, by where: every file of the installation, its log, what it tells."""
        for path in sorted(self.made.folder.rglob("*")):
            if path.is_file():
                yield path.relative_to(self.made.folder).as_posix(), path.read_bytes()
        yield "log", self.log.getvalue()
        yield from self.replies.items()

    def where(self, text: str) -> set[str]:
        """Return where a text is."""
        return {name for name, raw in self.texts() if text.encode() in raw}


@pytest.fixture
def everywhere(small: Installation, monkeypatch: pytest.MonkeyPatch) -> Everywhere:
    """An installation in which everything happened with `X`; a model learned from them; requests failed too."""
    log = BytesIO()
    monkeypatch.setattr(logs._LINES, "stream", log)
    for name, value in environment_in(small.folder).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(context, "now", small.clock)
    populate(small)
    train(small)
    fail(small, monkeypatch)
    for name in (X, *OTHERS):
        small.match(name)
    return Everywhere(small, log)


def train(made: Installation) -> None:
    """Have a model learn from X among others."""
    purposes = ("match_serve", "be_shown_as_peer", "train_model")
    made.add(*(record(name, "seeker", "supporter", consents=[consent(p) for p in purposes]) for name in LEARNERS))
    told = []
    for number, seeker in enumerate(LEARNERS):
        for rank, candidate in enumerate((LEARNERS[number - 1], X, LEARNERS[number - 2]), 1):
            pair = {"seeker": seeker, "candidate": candidate, "at": "2026-02-20T10:00:00Z"}
            told.append({**pair, "event": "shown", "rank": rank, "propensity": 1.0})
            told.append({**pair, "event": "accepted" if rank == 2 else "declined", "by": "seeker"})
    made.tell(*told)
    made.clock.turn(hours=1)
    trained = CliRunner().invoke(main, ["train"])
    assert trained.exit_code == 0, trained.output
    assert any(one["included"] for one in made.call("GET", f"/v1/members/{X}/models").get_json()["models"])


def fail(made: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let requests about X fail in every way, so that the log has something to keep quiet about."""
    assert made.call("PUT", f"/v1/members/{X}", record(X, capacity=-1)).status_code == 422
    assert made.call("GET", f"/v1/members/{X}/nothing").status_code == 404
    assert made.call("POST", "/match", {"member_id": X, "limit": 99}).status_code == 422

    def broken(*_: object) -> None:
        raise ValueError(f"{X}: {word(X)}")

    with monkeypatch.context() as patched:
        patched.setattr(members, "get", broken)
        assert made.call("GET", f"/v1/members/{X}").status_code == 500


def test_not_a_byte_is_left(everywhere: Everywhere) -> None:
    made = everywhere.made
    # Control: they are where they are expected, and what is sealed is found only by opening it.
    database = {"home/peermatch.db", "home/peermatch.db-wal"}
    assert everywhere.where(X) & database
    pools = {name for name in everywhere.where(X) if name.startswith("home/run/pools/")}
    assert pools
    assert everywhere.where(word(X)) == set()
    with made.store.reading() as session:
        assert found_in(session, word(X)) == {"members"}
        assert found_in(session, f"{X}-method") == {"members", "consent_events"}
    assert any(name.endswith("manifest.json") for name, _ in everywhere.texts())
    assert b"/v1/members/<member_id>" in everywhere.log.getvalue()

    receipt = made.call("DELETE", f"/v1/members/{X}").get_json()

    for name in OTHERS:
        everywhere.ask("GET", f"/v1/members/{name}/export")
        everywhere.ask("POST", "/v1/match", {"member_id": name})
    everywhere.ask("GET", "/metrics")
    everywhere.ask("GET", "/v1/groups/canary-group")
    everywhere.ask("GET", "/v1/audit-log")
    left = {text: found for text in texts_of(X) if (found := everywhere.where(text))}
    assert left == {}
    assert everywhere.where(receipt["receipt"]) >= {"home/erasures.ledger", "GET /v1/audit-log"}
    for name in OTHERS:
        assert everywhere.where(name), "control: the others are there yet"


@pytest.mark.parametrize("where", ["ledger", "pool", "log", "database"])
def test_a_byte_that_is_left_is_found(everywhere: Everywhere, where: str) -> None:
    made = everywhere.made
    made.call("DELETE", f"/v1/members/{X}")
    assert everywhere.where(X) == set()
    if where == "ledger":
        with (made.settings.home / "erasures.ledger").open("ab") as file:
            file.write(X.encode())
    elif where == "pool":
        (next((made.settings.run / "pools" / "lantern").glob("*-*")) / "left").write_bytes(b"\0" + X.encode() + b"\0")
    elif where == "log":
        logs.log_event("failure", said=f"nothing of {X}")
    else:
        made.add(record(X))
    assert everywhere.where(X)


@pytest.mark.parametrize("step", ["pools.forget", "empty_log"])
def test_each_step_is_needed(everywhere: Everywhere, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """Control: without it something is left, so the test of all bytes would fail."""
    if step == "pools.forget":
        monkeypatch.setattr("service.live.pool_cache.PoolCache.forget", lambda *_: None)
    else:
        monkeypatch.setattr("service.store.scrubbing.empty_log", lambda *_: True)
    everywhere.made.call("DELETE", f"/v1/members/{X}")
    kept = {Path(name).name for name in everywhere.where(X)}
    assert kept == ({"arrays", "head.json"} if step == "pools.forget" else {"peermatch.db-wal"})
