"""The pools of a worker: when another base is taken, and that nothing is done twice."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest

from matcher.errors import ModelError, UnknownMemberError
from service.live import pool_cache
from service.live.base import Base
from service.live.building import Builder
from service.live.held import MOST_FOLLOWED, HeldPool
from service.live.pool_cache import RETRY, Inline, PoolCache
from service.live.refresher import builder
from service.store import deletion, scene
from tests.service.installation import NOON, Installation, close, consent, install, record


class Counting(Inline):
    """Builds as the service does, and counts."""

    def __init__(self, made: Builder) -> None:
        super().__init__(made)
        self.built = 0
        self.fails = False

    def refresh(self, programme_id: str, now: datetime, *, wait: bool) -> Base | None:
        self.built += 1
        if self.fails:
            raise ModelError("a test says no")
        return super().refresh(programme_id, now, wait=wait)


class Worker:
    """The pools of one process."""

    def __init__(self, made: Installation) -> None:
        self.made = made
        self.counting: Counting | None = None
        self.pools = PoolCache(builder(made.settings, made.store), self._counted)

    def _counted(self, made: Builder) -> Counting:
        self.counting = Counting(made)
        return self.counting

    @property
    def built(self) -> int:
        assert self.counting is not None
        return self.counting.built

    def fail(self, fails: bool = True) -> None:
        assert self.counting is not None
        self.counting.fails = fails

    def current(self, now: datetime = NOON, programme_id: str = "lantern") -> HeldPool:
        with self.made.store.hot.reading() as reader:
            seen = scene.scene(reader, programme_id)
            if seen is None:
                seen = scene.Scene(programme_id, "", 0, 0, None, None)
            return self.pools.current(reader, seen, now)


def who(held: HeldPool) -> set[str]:
    """Return who is in a pool."""
    return {member_id for pool in held.pools for row, member_id in enumerate(pool.ids) if pool.find(member_id) == row}


@pytest.fixture
def worker(made: Installation) -> Worker:
    made.add(record("s-1", "seeker"), record("p-1"))
    return Worker(made)


def test_a_base_is_built_once_and_kept(worker: Worker) -> None:
    assert worker.pools.held() == {}
    first = worker.current()
    assert worker.current(NOON + timedelta(hours=11)) is first
    assert worker.pools.held() == {"lantern": first}
    assert worker.built == 1
    assert who(first) == {"s-1", "p-1"}


def test_changes_of_members_are_followed_and_build_nothing(made: Installation, worker: Worker) -> None:
    first = worker.current()
    made.call("PUT", "/v1/members/later", record("later"))
    made.call("PUT", "/v1/members/p-1", record("p-1", capacity=2))
    made.add(record("p-2"))
    assert worker.current() is first
    assert who(first) == {"s-1", "p-1", "p-2"}
    made.call("DELETE", "/v1/members/p-1")
    assert who(worker.current()) == {"s-1", "p-2"}
    assert worker.built == 1


def test_the_next_day_has_another_base_and_so_has_the_day_before(worker: Worker) -> None:
    first = worker.current()
    last = NOON.replace(hour=23, minute=59, second=59)
    assert worker.current(last) is first
    second = worker.current(last + timedelta(seconds=1))
    assert second is not first
    assert second.base.epoch == first.base.epoch + 1
    assert worker.current(NOON).base.epoch == first.base.epoch


def test_a_changed_programme_has_another_base(made: Installation, worker: Worker) -> None:
    first = worker.current()
    made.change_programme(more="limit = 2")
    assert worker.current().programme.limit == 2
    assert first.programme.limit == 5
    assert worker.built == 2


def test_another_model_has_another_base(made: Installation, worker: Worker) -> None:
    assert worker.current().base.model.version == "1"
    made.publish("2")
    assert worker.current().base.model.version == "2"
    assert worker.built == 2


def test_more_changes_than_are_followed_have_another_base(made: Installation, worker: Worker) -> None:
    first = worker.current()
    made.add(*(record(f"m-{number}") for number in range(MOST_FOLLOWED)))
    assert worker.current() is first
    assert not first.behind
    made.add(record("one-more"))
    worker.current()
    assert not first.behind
    made.add(*(record(f"n-{number}") for number in range(MOST_FOLLOWED + 1)))
    assert worker.current() is first
    assert first.behind
    second = worker.current()
    assert second is not first
    assert len(who(second)) == 2 * MOST_FOLLOWED + 4
    assert worker.built == 2


def test_a_programme_that_is_gone_is_not_there(worker: Worker) -> None:
    with pytest.raises((UnknownMemberError, ModelError)):
        worker.current(programme_id="beacon")


def test_many_requests_at_once_build_one_base(worker: Worker) -> None:
    start = threading.Barrier(8)

    def ask(_: int) -> HeldPool:
        start.wait()
        return worker.current()

    with ThreadPoolExecutor(8) as executor:
        found = list(executor.map(ask, range(8)))
    assert len({id(pool) for pool in found}) == 1
    assert worker.built == 1


@contextmanager
def during_build(monkeypatch: pytest.MonkeyPatch, happen: Callable[[], None]) -> Iterator[None]:
    """Let something happen after the store was read and before the base is there."""
    real = Builder._published

    with monkeypatch.context() as patch:

        def published(itself: Builder, *args: object) -> Base:
            patch.setattr(Builder, "_published", real)
            happen()
            return real(itself, *args)  # type: ignore[arg-type]

        patch.setattr(Builder, "_published", published)
        yield


def test_a_change_during_the_building_is_followed(
    made: Installation, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    with during_build(monkeypatch, lambda: made.call("DELETE", "/v1/members/p-1") and None):
        held = worker.current()
    assert who(held) == {"s-1", "p-1"}, "what the request knows of is in it"
    assert who(worker.current()) == {"s-1"}
    assert worker.built == 1


def test_a_worker_maps_what_another_one_built(made: Installation, worker: Worker) -> None:
    other = Worker(made)
    assert worker.current().base.name
    assert other.current().base.name == worker.current().base.name
    assert (worker.built, other.built) == (1, 0)
    made.call("DELETE", "/v1/members/p-1")
    assert who(other.current()) == who(worker.current()) == {"s-1"}


def test_what_one_worker_takes_out_of_the_shared_base_stays_in_that_of_others(
    made: Installation, worker: Worker
) -> None:
    other = Worker(made)
    worker.current()
    other.current()
    with made.store.transaction() as session:
        deletion.delete(session, "lantern", "p-1", now=NOON)
    assert who(worker.current()) == {"s-1"}
    late = Worker(made)
    with made.store.hot.reading() as reader:
        seen = scene.scene(reader, "lantern")
        assert seen is not None
        base = late.pools.current(reader, seen._replace(number=0), NOON)
    assert who(base) == {"s-1", "p-1"}, "the file itself has not changed"
    assert who(late.current()) == {"s-1"}


def test_a_worker_takes_the_newer_base_that_refresh_made(made: Installation, worker: Worker) -> None:
    worker.current()
    other = Worker(made)
    other.current()
    made.add(*(record(f"m-{number}") for number in range(MOST_FOLLOWED + 1)))
    for one in (worker, other):
        one.current()
        one.current()
    assert worker.current().base.name == other.current().base.name
    assert (worker.built, other.built) == (2, 0)


def test_a_record_that_is_no_longer_accepted_is_left_out_also_when_a_consent_of_its_ends(made: Installation) -> None:
    ends = (NOON + timedelta(hours=1)).isoformat()
    shown = [consent("be_shown_as_peer", valid_until=ends)]
    made.add(record("s-1", "seeker"), record("p-1"), record("p-2", profile={"journey": "new"}, consents=shown))
    levels = 'levels = ["new", "later", "long"]'
    made.programme = made.apply(made.programme.source.replace(levels, 'levels = ["later", "long"]'))
    made.publish("2")
    later = Worker(made).current(NOON + timedelta(hours=2))  # and nobody has let time pass yet
    assert (who(later), later.base.skipped) == ({"s-1", "p-1"}, 1)


# When none can be made ------------------------------------------------------------------------------------------------


def test_where_no_new_base_can_be_made_the_old_one_serves_on_and_it_is_told_since_when(
    made: Installation, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures: list[BaseException] = []
    monkeypatch.setattr(pool_cache, "log_failure", failures.append)
    first = worker.current()
    worker.fail()
    tomorrow = NOON + timedelta(days=1)
    for seconds in (0, 1, 29):
        assert worker.current(tomorrow + timedelta(seconds=seconds)) is first
    assert worker.built == 2, "it is not tried again by every request"
    assert worker.pools.stale_since("lantern") == tomorrow
    assert worker.current(tomorrow + RETRY) is first
    assert worker.built == 3
    assert worker.pools.stale_since("lantern") == tomorrow, "the first failure counts"
    assert len(failures) == 1, "and is logged, the others are not"
    made.call("DELETE", "/v1/members/p-1")
    assert who(worker.current(tomorrow + RETRY)) == {"s-1"}, "what must not be shown is taken out all the same"
    worker.fail(False)
    assert worker.current(tomorrow + 3 * RETRY).base.epoch == first.base.epoch + 1
    assert worker.pools.stale_since("lantern") is None


def test_an_old_base_does_not_serve_another_configuration(made: Installation, worker: Worker) -> None:
    worker.current()
    worker.fail()
    made.change_programme(more="limit = 2")
    with pytest.raises(ModelError, match="a test says no"):
        worker.current()
    worker.fail(False)
    assert worker.current(NOON + RETRY).programme.limit == 2


def test_without_any_base_it_fails_and_is_tried_again(worker: Worker) -> None:
    worker.fail()
    for _ in range(2):
        with pytest.raises(ModelError, match="a test says no"):
            worker.current()
    worker.fail(False)
    assert who(worker.current()) == {"s-1", "p-1"}


def test_without_any_model_there_is_no_pool(made: Installation) -> None:
    bare = install(made.folder / "bare", database=made.database, model=False)
    try:
        bare.add(record("m-1", "seeker"))
        reply = bare.call("POST", "/v1/match", {"member_id": "m-1"})
        assert reply.status_code == 503
        assert reply.headers["Retry-After"]
        assert bare.client.get("/__heartbeat__").status_code == 503
    finally:
        close(bare)


# Built elsewhere -----------------------------------------------------------------------------------------------------


class Slowly:
    """Another process that builds: it is started by the first who asks, and is done when it is told to be."""

    elsewhere = True

    def __init__(self, made: Builder) -> None:
        self.made = made
        self.asked = 0
        self.waited = 0
        self.done = False

    def refresh(self, programme_id: str, now: datetime, *, wait: bool) -> Base | None:
        self.asked += 1
        self.waited += wait
        if wait or self.done:
            self.made.build(programme_id, now)
        return None


@pytest.fixture
def slow(made: Installation, monkeypatch: pytest.MonkeyPatch) -> tuple[Worker, Slowly]:
    made.add(record("s-1", "seeker"), record("p-1"))
    worker = Worker(made)
    slowly: list[Slowly] = []
    worker.pools = PoolCache(builder(made.settings, made.store), lambda one: slowly.append(Slowly(one)) or slowly[0])
    monkeypatch.setattr(pool_cache, "LOOK_SECONDS", -1.0)
    return worker, slowly[0]


def test_while_another_process_builds_the_base_there_is_serves_on(slow: tuple[Worker, Slowly]) -> None:
    worker, slowly = slow
    first = worker.current()
    assert slowly.waited == 1, "without one there is nothing else to do"
    tomorrow = NOON + timedelta(days=1)
    assert worker.current(tomorrow) is first
    assert worker.current(tomorrow) is first
    assert (slowly.asked, slowly.waited) == (3, 1)
    slowly.done = True
    assert worker.current(tomorrow).base.epoch == first.base.epoch + 1
    assert worker.pools.stale_since("lantern") is None


def test_it_is_not_looked_for_by_every_request(slow: tuple[Worker, Slowly], monkeypatch: pytest.MonkeyPatch) -> None:
    worker, slowly = slow
    worker.current()
    monkeypatch.setattr(pool_cache, "LOOK_SECONDS", 3600.0)
    slowly.done = True
    tomorrow = NOON + timedelta(days=1)
    worker.current(tomorrow)
    asked = slowly.asked
    for _ in range(5):
        worker.current(tomorrow)
    assert slowly.asked == asked


def test_another_configuration_is_waited_for(made: Installation, slow: tuple[Worker, Slowly]) -> None:
    worker, slowly = slow
    worker.current()
    made.change_programme(more="limit = 2")
    assert worker.current().programme.limit == 2
    assert slowly.waited == 2


def test_whoever_is_erased_is_counted_by_no_gate_whether_they_were_shown_or_not(worker: Worker) -> None:
    made = worker.made
    made.add(record("h-1", consents=[consent("match_serve")]))
    held = worker.current()
    assert list(held.base.pool.hidden) == ["h-1"]
    with made.store.transaction() as session:
        deletion.delete(session, "lantern", "h-1", now=NOON)
        deletion.delete(session, "lantern", "p-1", now=NOON)
    again = worker.current()
    assert again is held
    assert list(again.base.pool.hidden) == []
    assert "p-1" not in {
        member_id for pool in again.pools for member_id in pool.ids if pool.find(member_id) is not None
    }
