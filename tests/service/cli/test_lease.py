"""A lock of the database around a command: kept alive, given back, and of use on every machine."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest

from service.cli import context, lease
from service.cli.lease import leased
from service.store import Store, locks, models, open_store
from service.store.locks import LEASE, Holder, OvertakenError
from service.store.training_tables import LockRow
from tests.service.cli.conftest import Cli
from tests.service.installation import NOON

ELSEWHERE = Holder("training lantern", 7, "another-machine")
SOON = timedelta(milliseconds=1)


@pytest.fixture
def store(cli: Cli) -> Iterator[Store]:
    opened = open_store(cli.settings)
    yield opened
    opened.close()


def rows(store: Store) -> list[tuple[str, int]]:
    with store.reading() as session:
        return [(row.holder, row.until) for row in session.query(LockRow).filter_by(programme_id="lantern")]


def test_it_is_given_back_after_success_and_after_failure(cli: Cli, store: Store) -> None:
    with leased(store, cli.settings.home, "lantern", "train", "training lantern", NOON):
        assert len(rows(store)) == 1
    assert rows(store) == []
    with pytest.raises(KeyError), leased(store, cli.settings.home, "lantern", "train", "training", NOON):
        raise KeyError
    assert rows(store) == []


def test_it_is_kept_alive_while_the_block_runs(cli: Cli, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    renewed = threading.Semaphore(0)
    real = locks.confirm

    def confirm(*asked: object) -> None:
        real(*asked)  # type: ignore[arg-type]
        renewed.release()

    monkeypatch.setattr(locks, "confirm", confirm)
    with leased(store, cli.settings.home, "lantern", "train", "training lantern", NOON, SOON):
        ((_, first),) = rows(store)
        cli.clock.turn(minutes=3)
        while renewed.acquire(blocking=False):
            pass
        # The first of these may have begun before; the third begins when the second is committed.
        assert all(renewed.acquire(timeout=30) for _ in range(3))
        ((_, later),) = rows(store)
    assert later - first == 180_000_000


def test_a_database_that_is_away_for_a_moment_ends_nothing(
    cli: Cli, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = threading.Semaphore(0)

    def away(*_: object) -> None:
        tried.release()
        raise OvertakenError("on purpose")

    with leased(store, cli.settings.home, "lantern", "train", "training lantern", NOON, SOON):
        monkeypatch.setattr(locks, "confirm", away)
        assert all(tried.acquire(timeout=30) for _ in range(2)), "it tried again"


def test_a_training_on_another_machine_is_waited_for(cli: Cli, store: Store) -> None:
    with store.transaction() as session:
        token = locks.take(session, "lantern", "train", ELSEWHERE, cli.clock())
    said = cli.run("train", code=1).stderr
    assert "training lantern (process 7 on another-machine, since " in said
    with store.transaction() as session:
        locks.give_back(session, "lantern", "train", token)
    cli.run("train")


def test_a_training_that_was_overtaken_publishes_nothing(
    cli: Cli, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    from service.cli import train

    with store.reading() as session:
        before = models.active(session, "lantern")
    folder = cli.settings.home / "models" / "lantern"
    files = {path.name for path in folder.iterdir()}
    real = train.release

    def slow(*asked: object, **named: object) -> object:
        cli.clock.turn(seconds=LEASE.total_seconds() + 1)
        with store.transaction() as session:
            locks.take(session, "lantern", "train", ELSEWHERE, cli.clock())
        return real(*asked, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(train, "release", slow)
    assert "which has taken over since this one was last heard of" in cli.run("train", code=1).stderr
    with store.reading() as session:
        assert models.active(session, "lantern") == before
    assert {path.name for path in folder.iterdir()} == files
    assert len(rows(store)) == 1, "the lock of whoever took over is theirs"


def test_the_clock_of_the_lease_is_that_of_the_command(cli: Cli) -> None:
    assert lease.context is context
    assert context.now() == cli.clock()
