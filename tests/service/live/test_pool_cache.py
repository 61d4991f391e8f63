from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest

from matcher.errors import ModelError, UnknownMemberError
from matcher.facade import Matcher
from matcher.matching.pool import Circumstances
from matcher.model.artefact import Model
from matcher.people import Member
from matcher.programme import Programme
from service.live.pool_cache import HeldPool, PoolCache, build_matcher
from service.store import members
from tests.service.installation import NOON, Installation, install, record, write_programme


class Counting:
    """Builds as the service does, and counts."""

    def __init__(self) -> None:
        self.built = 0

    def __call__(
        self, programme: Programme, model: Model, people: Sequence[Member], at: datetime, known: Circumstances
    ) -> Matcher:
        self.built += 1
        return build_matcher(programme, model, people, at, known)


@pytest.fixture
def counting() -> Counting:
    return Counting()


@pytest.fixture
def pools(made: Installation, counting: Counting) -> PoolCache:
    made.add(record("s-1", "seeker"), record("p-1"))
    return PoolCache(made.store, made.app.extensions["peermatch"].pools.models, counting)


def test_a_pool_is_built_once_and_kept(pools: PoolCache, counting: Counting) -> None:
    assert pools.held() == {}
    first = pools.current("lantern", NOON)
    assert pools.current("lantern", NOON + timedelta(hours=11)) is first
    assert pools.held() == {"lantern": first}
    assert counting.built == 1
    assert set(first.revisions) == {"s-1", "p-1"}


def test_only_what_it_shows_makes_it_new(made: Installation, pools: PoolCache, counting: Counting) -> None:
    first = pools.current("lantern", NOON)
    made.call("PUT", "/v1/members/later", record("later"))
    assert pools.current("lantern", NOON) is first
    made.call("PUT", "/v1/members/p-1", record("p-1", capacity=2))
    second = pools.current("lantern", NOON)
    assert second.revisions["p-1"] != first.revisions["p-1"]
    made.call("DELETE", "/v1/members/p-1")
    assert set(pools.current("lantern", NOON).revisions) == {"s-1"}
    assert counting.built == 3


def test_the_next_day_makes_it_new_and_so_does_the_day_before(pools: PoolCache) -> None:
    first = pools.current("lantern", NOON)
    last = NOON.replace(hour=23, minute=59, second=59)
    assert pools.current("lantern", last) is first
    second = pools.current("lantern", last + timedelta(seconds=1))
    assert second is not first
    assert second.epoch == first.epoch + timedelta(days=1)
    assert pools.current("lantern", NOON) is not second


def test_a_changed_programme_makes_it_new(made: Installation, pools: PoolCache) -> None:
    from service.store import programmes

    first = pools.current("lantern", NOON)
    changed = write_programme(made.folder / "files", more="limit = 2")
    with made.store.transaction() as session:
        programmes.save(session, changed, made.folder / "files", now=NOON)
    assert pools.current("lantern", NOON).programme.limit == 2
    assert first.programme.limit == 5


def test_a_programme_that_is_gone_is_not_there(pools: PoolCache) -> None:
    with pytest.raises((UnknownMemberError, ModelError)):
        pools.current("beacon", NOON)


def test_many_requests_at_once_build_one_pool(pools: PoolCache, counting: Counting) -> None:
    start = threading.Barrier(8)

    def ask(_: int) -> HeldPool:
        start.wait()
        return pools.current("lantern", NOON)

    with ThreadPoolExecutor(8) as executor:
        found = list(executor.map(ask, range(8)))
    assert len({id(pool) for pool in found}) == 1
    assert counting.built == 1


def test_a_change_during_the_building_makes_the_next_one_build_again(made: Installation) -> None:
    made.add(record("p-1"))

    def build(
        programme: Programme, model: Model, people: Sequence[Member], at: datetime, known: Circumstances
    ) -> Matcher:
        with made.store.transaction() as session:
            members.delete(session, "lantern", "p-1", now=NOON)
        return build_matcher(programme, model, people, at, known)

    pools = PoolCache(made.store, made.app.extensions["peermatch"].pools.models, build)
    assert set(pools.current("lantern", NOON).revisions) == {"p-1"}
    assert set(pools.current("lantern", NOON).revisions) == set()


def test_without_any_model_there_is_no_pool(tmp_path: object, made: Installation) -> None:
    bare = install(made.folder / "bare", model=False)
    try:
        reply = bare.call("POST", "/v1/match", {"member_id": "m-1"})
        assert reply.status_code == 503
        assert reply.headers["Retry-After"]
        assert bare.client.get("/__heartbeat__").status_code == 503
    finally:
        bare.store.close()
        bare.app.extensions["peermatch"].store.close()
