"""Supporters who rest: in nobody's list, in no re-check, and back when the rest is over."""

from __future__ import annotations

from datetime import timedelta

import pytest

from service.store import live, scene
from service.store.moments import FOREVER, micros
from tests.service.installation import Installation, record
from tests.service.live.asking import Asking


def rest(made: Installation, member_id: str, **length: float) -> None:
    """Let somebody rest from now on, as an introduction that ended does."""
    until = micros(made.clock() + timedelta(**length))
    with made.store.transaction() as session:
        live.touch(session, "lantern", member_id, adds=False, rests_until=until)


def first_due(made: Installation) -> int:
    with made.store.hot.reading() as reader:
        return scene.first_due(reader, "lantern")


@pytest.mark.parametrize("edited", [False, True])
def test_whoever_rests_is_in_no_list_and_comes_back(asking: Asking, edited: bool) -> None:
    made = asking.made
    made.add(*(record(f"s-{number}", "seeker") for number in range(2, 6)))
    before = asking.ids("s-1", limit=3)
    if edited:  # they are in the pool beside the base
        asking.edit(before[0], profile={"statement": "Other words."})
    rest(made, before[0], minutes=30)
    assert asking.ids("s-1", limit=3)[:2] == before[1:], "the re-check"
    assert before[0] not in asking.ids("s-2", limit=10), "a new list"
    made.clock.turn(minutes=29, seconds=59)
    assert before[0] not in asking.ids("s-3", limit=10)
    assert first_due(made) == micros(made.clock() + timedelta(seconds=1))
    made.clock.turn(seconds=1)
    assert asking.ids("s-1", limit=3) == before
    assert first_due(made) == FOREVER
    assert before[0] in {*asking.ids("s-4", limit=10), *asking.ids("s-5", limit=10)}


def test_whoever_rests_when_the_pool_is_built_comes_back_too(asking: Asking) -> None:
    made = asking.made
    made.add(record("s-2", "seeker"))
    for number in range(11):
        rest(made, f"p-{number:02}", minutes=30)
    assert asking.ids("s-1", limit=10) == ["p-11"]
    made.clock.turn(minutes=30)
    assert len(asking.ids("s-2", limit=10)) == 10


def test_a_change_while_they_rest_wakes_nobody(asking: Asking) -> None:
    """Neither a hold that is lifted nor more capacity makes a place."""
    first = asking.ids(limit=1)[0]
    rest(asking.made, first, minutes=30)
    asking.edit(first, capacity=9)
    asking.lift(first, asking.hold(first))
    asking.made.clock.turn(minutes=1)
    assert first not in asking.ids(limit=10)


def test_whoever_rests_may_seek(asking: Asking) -> None:
    rest(asking.made, "s-1", minutes=30)
    assert len(asking.ids("s-1", limit=3)) == 3
