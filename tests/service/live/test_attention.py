"""Exposure in the pools of two workers is, after whatever happens, what a naive count over all lists says."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from matcher.matching.exposure import crowding_odds
from service.live import attention, looks
from service.live.held import HeldPool
from service.live.pool_cache import PoolCache
from service.live.refresher import builder
from service.store import scene
from tests.service.databases import sampled
from tests.service.installation import record
from tests.service.live import attention_oracle
from tests.service.live.asking import Asking

SEEKERS = ("s-1", "s-2", "s-3")


class Workers:
    """The worker that answers, and another one that only looks."""

    def __init__(self, asking: Asking) -> None:
        self.asking, self.made = asking, asking.made
        self.made.add(record("s-2", "seeker"), record("s-3", "seeker", "supporter"))
        self.pools = [PoolCache(builder(self.made.settings, self.made.store))]
        self.pools.append(self.made.app.extensions["peermatch"].pools)

    def held(self, worker: int) -> HeldPool:
        """Return the pool of a worker, which has heard of everything."""
        now = self.made.clock()
        with self.made.store.hot.reading() as reader:
            seen = scene.scene(reader, "lantern")
            assert seen is not None
            held = self.pools[worker].current(reader, seen, now)
            held.attend(reader)
        return held

    def exposure(self, worker: int) -> dict[str, float]:
        """Return who has any, and check that the pools' own arithmetic follows."""
        found = {}
        for pool in self.held(worker).pools:
            if pool.crowding is not None:
                assert (pool.crowding == crowding_odds(pool.exposure, pool.free)).all()
            found |= {name: e for name, e in zip(pool.ids, pool.exposure.tolist(), strict=True) if e}
        return {name: e for name, e in found.items() if e}

    def check(self) -> dict[str, float]:
        """Compare both workers with the count, and return it."""
        with self.made.store.reading() as session:
            lists = attention_oracle.stored(session, "lantern")
        there = {name for pool in self.held(0).pools for name in pool.ids if pool.find(name) is not None}
        count = attention_oracle.exposure(lists, "", self.made.clock().toordinal())
        expected = {name: e for name, e in count.items() if name in there}
        one, other = ({n: e for n, e in self.exposure(worker).items() if n in there} for worker in (0, 1))
        assert one == other, "two workers rank alike, to the bit"
        assert one == pytest.approx(expected, abs=1e-9)
        return one


@pytest.fixture
def workers(asking: Asking) -> Workers:
    return Workers(asking)


def test_nobody_has_any_before_the_first_list(workers: Workers) -> None:
    assert workers.check() == {}
    assert all(pool.crowding is None for pool in workers.held(0).pools)


def test_each_seekers_newest_list_counts_once(workers: Workers) -> None:
    workers.check()
    first = workers.asking.ids("s-1", limit=3)
    assert workers.check() == pytest.approx({first[0]: 1.0, first[1]: 0.6309297, first[2]: 0.5})
    workers.asking.ids("s-1", limit=3)
    workers.asking.ids("s-1", limit=5)  # whom a repeat shows besides is not counted: no worker would hear of it
    assert sum(workers.check().values()) == pytest.approx(2.1309297)
    workers.asking.ids("s-2", limit=2)
    assert sum(workers.check().values()) == pytest.approx(3.7618594)
    workers.made.clock.turn(days=1)
    assert sum(workers.check().values()) == pytest.approx(3.7618594)
    workers.asking.ids("s-1", limit=1)
    assert sum(workers.check().values()) == pytest.approx(1 + 1.6309297)


def test_it_counts_for_fourteen_days(workers: Workers) -> None:
    workers.asking.ids("s-1", limit=1)
    workers.made.clock.turn(days=13)
    assert list(workers.check().values()) == [1.0]
    workers.made.clock.turn(days=1)
    assert workers.check() == {}
    workers.made.clock.turn(days=-14)  # a clock that was set back
    assert list(workers.check().values()) == [1.0]
    workers.made.clock.turn(days=-1)
    assert workers.check() == {}, "a list of tomorrow"


def test_of_whom_the_record_changes_it_stays(workers: Workers) -> None:
    first, second = workers.asking.ids("s-1", limit=2)
    workers.check()
    workers.asking.edit(first, profile={"journey": "new"})
    assert len(workers.held(0).pools) == 2
    assert workers.check() == pytest.approx({first: 1.0, second: 0.6309297})
    for other in sorted({f"p-{number:02}" for number in range(12)} - {first, second})[:4]:
        workers.asking.hold(other)
    assert first in workers.asking.ids("s-2", limit=10)
    found = workers.check()
    assert found[first] > 1.0
    workers.asking.edit(second, profile={"journey": "long"})
    assert workers.check() == found
    workers.asking.edit(first, profile={"journey": "later"})
    workers.made.clock.turn(days=1)  # in the base again
    assert len(workers.held(0).pools) == 1
    assert workers.check() == found


def test_of_who_came_since_it_counts(workers: Workers) -> None:
    workers.check()
    for name in ("p-20", "p-21"):
        workers.made.add(record(name, profile={**record("x")["profile"], "journey": "new"}))
    workers.asking.edit("s-1", profile={"journey": "new"})
    assert set(workers.asking.ids("s-1", limit=2)) == {"p-20", "p-21"}
    assert set(workers.check()) == {"p-20", "p-21"}
    workers.made.clock.turn(days=1)
    assert set(workers.check()) == {"p-20", "p-21"}


@pytest.mark.parametrize("seeker", SEEKERS)
def test_what_a_seeker_gave_who_is_erased_goes(workers: Workers, seeker: str) -> None:
    for one in SEEKERS:
        workers.asking.ids(one, limit=2)
    before = workers.check()
    workers.asking.erase(seeker)
    assert sum(workers.check().values()) == pytest.approx(sum(before.values()) - 1.6309297)
    for one in SEEKERS:  # the database may give the number of a list that is gone to the next one
        if one != seeker:
            workers.asking.edit(one, profile={"journey": "new"})
            workers.asking.ids(one, limit=3)
    assert sum(workers.check().values()) == pytest.approx(2 * 2.1309297)


def test_numbers_of_lists_that_are_gone_are_used_again_within_the_life_of_one_base(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a new base is made for whoever was erased only later."""
    monkeypatch.setattr(PoolCache, "_serves", lambda *_: True)
    for one in ("s-1", "s-2"):
        workers.asking.ids(one, limit=2)
    workers.check()
    workers.asking.erase("s-2")
    workers.asking.ids("s-3", limit=1)
    assert sum(workers.check().values()) == pytest.approx(1.6309297 + 1.0)


def test_whoever_is_erased_and_comes_back_is_somebody_else(workers: Workers) -> None:
    first = workers.asking.ids("s-1", limit=1)[0]
    assert workers.check() == {first: 1.0}
    workers.asking.erase(first)
    workers.made.clock.turn(seconds=1)
    assert workers.check() == {}


def test_a_new_base_and_one_that_was_followed_say_the_same(workers: Workers) -> None:
    workers.check()
    for number in range(6):
        workers.asking.ids(SEEKERS[number % 3], limit=3 + number % 2)
        workers.made.clock.turn(hours=9)
    followed = workers.check()
    workers.pools[0] = PoolCache(builder(workers.made.settings, workers.made.store))
    assert workers.check() == followed


@pytest.mark.parametrize("chunk", [1, 2])
def test_many_lists_are_taken_in_a_few_at_a_time(workers: Workers, chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.store.valid_lists.CHUNK", chunk)
    workers.held(0)
    for seeker in SEEKERS:
        workers.asking.ids(seeker, limit=2)
    assert sum(workers.check().values()) == pytest.approx(3 * 1.6309297)
    workers.pools[0] = PoolCache(builder(workers.made.settings, workers.made.store))
    workers.check()


def test_the_own_list_does_not_count_and_that_of_others_takes_the_place(workers: Workers) -> None:
    """All supporters are alike, so that exposure alone decides whom the next seeker is shown first."""
    first = workers.asking.ids("s-1", limit=5)
    assert not set(first) & set(workers.asking.ids("s-2", limit=5))
    workers.asking.edit("s-1", profile={"statement": "Other words."})
    workers.asking.edit("s-2", profile={"statement": "Other words."})
    assert workers.asking.ids("s-1", limit=5) == first


def test_whom_a_seeker_looked_at_on_another_day_comes_later_and_on_the_same_day_does_not(workers: Workers) -> None:
    first = workers.asking.ids("s-1", limit=5)
    assert workers.asking.ids("s-1", limit=5) == first
    workers.made.clock.turn(days=1)
    second = workers.asking.ids("s-1", limit=5)
    assert not set(first) & set(second)
    workers.made.clock.turn(days=1)
    third = workers.asking.ids("s-1", limit=5)
    assert not {*first, *second} & set(third[:2])
    workers.made.clock.turn(days=13)
    assert workers.asking.ids("s-1", limit=5) != first  # the looks of the third day still count
    workers.made.clock.turn(days=14)
    assert workers.asking.ids("s-1", limit=5) == first


@sampled("It counts statements.")
def test_a_repeat_reads_no_other_lists_and_a_new_one_reads_them_twice(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    for module, name in ((attention.valid_lists, "newer"), (looks.valid_lists, "earlier")):
        true: Callable[..., object] = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *a, _t=true, _n=name: (read.append(_n), _t(*a))[1])
    workers.asking.ids("s-1")
    assert read == ["newer", "earlier"]
    workers.asking.ids("s-1")
    assert read == ["newer", "earlier"]
