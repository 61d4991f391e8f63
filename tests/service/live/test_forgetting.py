"""Whoever was erased is soon out of the files of pools too, in one go for many, and nobody waits for it."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from matcher.errors import ModelError
from service import create_app
from service.live import base as bases
from service.live import building, forgetting, pool_cache, refresher
from service.live.base import Base
from service.live.building import Builder
from service.live.held import HeldPool
from service.live.pool_cache import GRACE, RETRY, Inline, PoolCache
from service.live.refresher import Elsewhere, builder
from service.store import audit, erasure, scene
from tests.service.databases import environment_in
from tests.service.installation import NOON, Clock, Installation, consent, record
from tests.service.live.processes import Process

LOOKING = "p-looking-0123456789"
HIDDEN = "h-hidden-0123456789"


class Counting(Inline):
    """Builds as the service does, and counts."""

    def __init__(self, made: Builder) -> None:
        super().__init__(made)
        self.built = 0

    def refresh(self, programme_id: str, now: datetime, *, wait: bool) -> Base | None:
        self.built += 1
        return super().refresh(programme_id, now, wait=wait)


class Later(Counting):
    """As another process that is done when it is told to be."""

    elsewhere = True
    done = False
    forgotten = 0

    def refresh(self, programme_id: str, now: datetime, *, wait: bool) -> Base | None:
        if wait or self.done:
            super().refresh(programme_id, now, wait=wait)
        else:
            self.built += 1
        return None

    def forget(self, programme_id: str, now: datetime) -> None:
        self.forgotten += 1


class Worker:
    """The pools of one process."""

    def __init__(self, made: Installation, kind: type[Counting] = Counting) -> None:
        self.made = made
        made_ones: list[Counting] = []
        self.pools = PoolCache(builder(made.settings, made.store), lambda one: _kept(made_ones, kind(one)))
        (self.refresher,) = made_ones

    def current(self, now: datetime | None = None) -> HeldPool:
        with self.made.store.hot.reading() as reader:
            seen = scene.scene(reader, "lantern")
            assert seen is not None
            return self.pools.current(reader, seen, now or self.made.clock())

    def who(self, now: datetime | None = None) -> set[str]:
        pools = self.current(now).pools
        return {name for pool in pools for row, name in enumerate(pool.ids) if pool.find(name) == row}


def _kept(made: list[Counting], one: Counting) -> Counting:
    made.append(one)
    return one


@pytest.fixture
def peopled(made: Installation) -> Installation:
    made.add(
        record("s-1", "seeker"),
        record("p-1"),
        record(LOOKING),
        record(HIDDEN, consents=[consent("match_serve")]),
    )
    return made


@pytest.fixture(autouse=True)
def looking(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every request look for a newer base."""
    monkeypatch.setattr(pool_cache, "LOOK_SECONDS", -1.0)


def folder(made: Installation) -> Path:
    return made.settings.run / "pools" / "lantern"


def in_files(made: Installation, name: str) -> bool:
    return any(name.encode() in path.read_bytes() for path in folder(made).rglob("*") if path.is_file())


def erase(made: Installation, *names: str) -> None:
    """Erase as a command does: nothing follows."""
    for name in names:
        with made.store.transaction() as session:
            assert erasure.erase(session, "lantern", name, now=made.clock(), by=audit.COMMAND) is not None


# Where it is built in the requests ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [LOOKING, HIDDEN])
def test_the_file_is_without_them_when_the_receipt_is_told(peopled: Installation, name: str) -> None:
    worker = Worker(peopled)
    worker.current()
    assert in_files(peopled, name), "control: shown or hidden, ids are in the file as they are"
    before = bases.newest(folder(peopled))
    assert peopled.call("DELETE", f"/v1/members/{name}").status_code == 200
    assert not in_files(peopled, name)
    assert in_files(peopled, "p-1")
    assert bases.newest(folder(peopled)) != before
    assert before is not None
    assert not (folder(peopled) / before).exists()


def test_other_workers_take_the_new_base_and_build_none(peopled: Installation) -> None:
    one, other = Worker(peopled), Worker(peopled)
    first, _ = one.current(), other.current()
    assert (one.refresher.built, other.refresher.built) == (1, 0)
    peopled.call("DELETE", f"/v1/members/{LOOKING}")
    for worker in (one, other):
        assert worker.who() == {"s-1", "p-1"}, "at once"
        assert worker.current().base.name == bases.newest(folder(peopled)), (
            "and from the next request on of the new file"
        )
    assert (one.refresher.built, other.refresher.built) == (1, 0)
    assert first.base.erased


def test_a_worker_builds_for_whoever_was_erased_by_a_command(peopled: Installation) -> None:
    worker = Worker(peopled)
    worker.current()
    erase(peopled, LOOKING, HIDDEN)
    assert worker.who() == {"s-1", "p-1"}
    worker.current()
    assert worker.refresher.built == 2
    assert not in_files(peopled, LOOKING)
    assert not in_files(peopled, HIDDEN)


def test_for_somebody_who_is_in_no_file_none_is_built(peopled: Installation) -> None:
    worker = Worker(peopled)
    worker.current()
    peopled.call("PUT", "/v1/members/later", record("later"))  # others see them tomorrow
    erase(peopled, "later")
    for _ in range(3):
        worker.current()
    assert worker.refresher.built == 1
    made, now = worker.pools.builder, peopled.clock()
    name = bases.newest(folder(peopled))
    assert refresher.ensure(made, "lantern", now)
    assert bases.newest(folder(peopled)) == name
    erase(peopled, LOOKING)
    assert refresher.ensure(made, "lantern", now)
    assert bases.newest(folder(peopled)) != name, "control"


def test_without_a_file_nothing_is_built(peopled: Installation) -> None:
    assert peopled.call("DELETE", f"/v1/members/{LOOKING}").status_code == 200
    assert bases.newest(folder(peopled)) is None


# Where none can be built -------------------------------------------------------------------------------------------


def full(*_: Any, **__: Any) -> None:
    raise OSError(errno.ENOSPC, "full")


def no_model(*_: Any, **__: Any) -> None:
    raise ModelError("a test says no")


@pytest.mark.parametrize(
    ("where", "name", "fault"),
    [(bases, "save", full), (building.Builder, "_read", no_model)],
    ids=["disk full", "no model"],
)
def test_where_no_base_can_be_made_the_file_is_removed_and_the_workers_serve_on(
    peopled: Installation, monkeypatch: pytest.MonkeyPatch, where: Any, name: str, fault: Callable[..., None]
) -> None:
    worker = Worker(peopled)
    worker.current()
    seeker = peopled.match("s-1", key=peopled.new_key("match", "match:ids"))
    assert len(seeker["matches"]) == 2
    with monkeypatch.context() as patched:
        patched.setattr(where, name, fault)
        assert peopled.call("DELETE", f"/v1/members/{LOOKING}").status_code == 200
        assert not in_files(peopled, LOOKING)
        assert worker.who() == {"s-1", "p-1"}
        assert len(peopled.match("s-1")["matches"]) == 1
    later = peopled.clock() + RETRY
    assert worker.who(later) == {"s-1", "p-1"}
    peopled.clock.turn(seconds=RETRY.total_seconds())
    assert len(peopled.match("s-1")["matches"]) == 1
    assert not in_files(peopled, LOOKING)


def test_a_file_is_kept_where_nobody_in_it_was_erased(peopled: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk is no reason to take the workers' base away."""
    worker = Worker(peopled)
    worker.current()
    name = bases.newest(folder(peopled))
    monkeypatch.setattr(bases, "save", full)
    assert not worker.pools.builder.build("lantern", peopled.clock()).name
    assert bases.newest(folder(peopled)) == name
    assert name is not None
    assert (folder(peopled) / name).is_dir()


def test_another_process_that_cannot_build_removes_the_file_too(
    peopled: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = Worker(peopled)
    worker.current()
    erase(peopled, LOOKING)
    made = worker.pools.builder
    monkeypatch.setattr(refresher, "renew", no_model)
    with pytest.raises(ModelError, match="a test says no"):
        refresher.ensure(made, "lantern", peopled.clock())
    assert not in_files(peopled, LOOKING)


# Where another process builds --------------------------------------------------------------------------------------


class Sleeping:
    """Turns the clock in place of waiting, and lets something happen meanwhile."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.slept: list[float] = []
        self.meanwhile: list[Callable[[], None]] = []

    def __call__(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.clock.turn(seconds=seconds)
        if self.meanwhile:
            self.meanwhile.pop(0)()


@pytest.fixture
def sleeping(peopled: Installation, monkeypatch: pytest.MonkeyPatch) -> Sleeping:
    asleep = Sleeping(peopled.clock)
    monkeypatch.setattr(refresher, "sleep", asleep)
    return asleep


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Count the bases that are built."""
    count = [0]
    real = Builder.build

    def build(self: Builder, programme_id: str, now: datetime) -> Base:
        count[0] += 1
        return real(self, programme_id, now)

    monkeypatch.setattr(Builder, "build", build)
    return count


def test_many_erasures_in_a_row_make_one_base(peopled: Installation, sleeping: Sleeping, counted: list[int]) -> None:
    peopled.add(*(record(f"m-{number}") for number in range(6)))
    made = Worker(peopled).pools.builder
    assert refresher.ensure(made, "lantern", peopled.clock())
    erase(peopled, LOOKING)
    sleeping.meanwhile = [lambda at=number: erase(peopled, f"m-{at}") for number in range(5)]  # type: ignore[misc]
    assert refresher.forget(made, "lantern", peopled.clock)
    assert counted == [2]
    assert len(sleeping.slept) == 6, "after each it waited to see whether there was another"
    assert not in_files(peopled, LOOKING)
    assert in_files(peopled, "m-5")
    assert not in_files(peopled, "m-4")


def test_without_an_end_of_erasures_it_is_built_all_the_same(
    peopled: Installation, sleeping: Sleeping, counted: list[int]
) -> None:
    peopled.add(*(record(f"m-{number}") for number in range(40)))
    made = Worker(peopled).pools.builder
    assert refresher.ensure(made, "lantern", peopled.clock())
    erase(peopled, LOOKING)
    sleeping.meanwhile = [lambda at=number: erase(peopled, f"m-{at}") for number in range(20)]  # type: ignore[misc]
    assert refresher.forget(made, "lantern", peopled.clock)
    assert counted == [2]
    assert sum(sleeping.slept) == forgetting.LONGEST.total_seconds()
    assert sleeping.meanwhile, "control: more were to come"
    assert not in_files(peopled, LOOKING)


def test_somebody_erased_while_it_is_built_has_it_built_again(
    peopled: Installation, sleeping: Sleeping, counted: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Worker(peopled).pools.builder
    assert refresher.ensure(made, "lantern", peopled.clock())
    erase(peopled, LOOKING)
    real, meanwhile = bases.save, [HIDDEN]

    def save(*arguments: Any) -> None:
        if meanwhile:
            erase(peopled, meanwhile.pop())
        real(*arguments)

    monkeypatch.setattr(bases, "save", save)
    assert refresher.forget(made, "lantern", peopled.clock)
    assert counted == [3]
    assert not in_files(peopled, HIDDEN)
    assert sleeping.slept


def test_nobody_waits_for_a_base_that_is_due_anyway(
    peopled: Installation, sleeping: Sleeping, counted: list[int]
) -> None:
    made = Worker(peopled).pools.builder
    assert refresher.forget(made, "lantern", peopled.clock)
    erase(peopled, LOOKING)
    peopled.clock.turn(days=1)
    assert refresher.forget(made, "lantern", peopled.clock)
    assert (counted, sleeping.slept) == ([2], [])


@pytest.mark.parametrize(
    ("erased", "waits"),
    [([], 0), ([0], 2), ([-1], 1), ([-2], 0), ([-1, 0], 2), ([-29, 0], 1), ([-30, 0], 0), ([3600], 2)],
)
def test_how_long_it_is_waited(erased: list[int], waits: float) -> None:
    assert forgetting.wait([NOON + timedelta(seconds=one) for one in erased], NOON) == waits


def test_the_old_base_serves_until_the_new_one_is_there(peopled: Installation) -> None:
    worker = Worker(peopled, Later)
    first = worker.current()
    erase(peopled, LOOKING)
    for seconds in (0, 1, GRACE.total_seconds() - 1):
        assert worker.who(NOON + timedelta(seconds=seconds)) == {"s-1", "p-1"}
        assert worker.current(NOON + timedelta(seconds=seconds)) is first
    assert worker.refresher.built == 1, "it is left to the worker by which they were erased"
    assert worker.current(NOON + GRACE) is first
    assert worker.refresher.built == 2, "which may have ended"
    worker.refresher.done = True  # type: ignore[attr-defined]
    assert worker.current(NOON + GRACE).base.name != first.base.name
    assert not in_files(peopled, LOOKING)


def test_a_base_that_another_worker_had_built_is_taken_at_once(peopled: Installation) -> None:
    worker = Worker(peopled, Later)
    first = worker.current()
    erase(peopled, LOOKING)
    worker.current()
    refresher.ensure(worker.pools.builder, "lantern", NOON)
    assert worker.current().base.name not in ("", first.base.name)
    assert worker.refresher.built == 1


def test_a_new_day_is_not_left_to_others(peopled: Installation) -> None:
    worker = Worker(peopled, Later)
    worker.current()
    erase(peopled, LOOKING)
    worker.current()
    worker.current(NOON + timedelta(days=1))
    assert worker.refresher.built == 2


def test_one_process_is_started_for_many(peopled: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Process] = []
    monkeypatch.setattr(refresher, "_start", lambda _: started.append(Process()) or started[-1])
    elsewhere = Elsewhere(builder(peopled.settings, peopled.store))
    for _ in range(5):
        elsewhere.forget("lantern", NOON)
    assert len(started) == 1
    started[0].code = 0
    elsewhere.forget("lantern", NOON)  # hears that it is done
    elsewhere.forget("lantern", NOON)
    assert len(started) == 2
    started[1].code = 1
    with pytest.raises(ModelError, match="could not be made"):
        elsewhere.forget("lantern", NOON)


def test_whoever_erases_does_not_wait_for_one_who_builds(peopled: Installation) -> None:
    worker = Worker(peopled, Later)
    worker.current()
    with worker.pools._lock("lantern"):
        worker.pools.forget("lantern", NOON)
    assert worker.refresher.forgotten == 0  # type: ignore[attr-defined]
    worker.pools.forget("lantern", NOON)
    assert worker.refresher.forgotten == 1  # type: ignore[attr-defined]


@pytest.fixture
def served(peopled: Installation, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A service as a server runs it."""
    for name, value in environment_in(peopled.folder).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(refresher, "PATIENCE_SECONDS", 60.0)
    app = create_app(peopled.settings, elsewhere=True)
    yield app
    app.extensions["peermatch"].store.close()


@pytest.mark.slow
def test_another_process_takes_them_out_of_the_file(peopled: Installation, served: Any) -> None:
    client, headers = served.test_client(), {"Authorization": f"Bearer {peopled.key}"}
    assert client.post("/match", json={"member_id": "s-1"}, headers=headers).status_code == 200
    assert in_files(peopled, LOOKING)
    assert client.delete(f"/v1/members/{LOOKING}", headers=headers).status_code == 200
    ((process, _),) = served.extensions["peermatch"].pools._refresher._running.values()
    assert client.post("/match", json={"member_id": "s-1"}, headers=headers).status_code == 200
    assert process.wait(60) == 0
    assert not in_files(peopled, LOOKING)
    assert in_files(peopled, "p-1")
    assert len(client.post("/match", json={"member_id": "s-1"}, headers=headers).get_json()["matches"]) == 1
