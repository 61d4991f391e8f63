"""Locks that hold on every machine, end with whoever died, and tell who was overtaken."""

from __future__ import annotations

from datetime import timedelta

import pytest

from service.store import locks
from service.store.locks import LEASE, Holder, LockedError, OvertakenError
from service.store.training_tables import LockRow
from tests.service.installation import NOON, Installation, another_programme

HERE, THERE = Holder("training lantern", 11, "here"), Holder("training lantern", 22, "there")
TICK = timedelta(microseconds=1)


def take(made: Installation, holder: Holder = HERE, programme_id: str = "lantern", dead: str | None = None) -> str:
    with made.store.transaction() as session:
        return locks.take(
            session, programme_id, "train", holder, made.clock(), is_dead=lambda other: other.host == dead
        )


def confirm(made: Installation, token: str) -> None:
    with made.store.transaction() as session:
        locks.confirm(session, "lantern", "train", token, made.clock())


def give_back(made: Installation, token: str) -> None:
    with made.store.transaction() as session:
        locks.give_back(session, "lantern", "train", token)


def test_the_second_is_told_who_holds_it_since_when_and_how_long_at_most(made: Installation) -> None:
    take(made)
    made.clock.turn(minutes=1)
    with pytest.raises(LockedError) as refused:
        take(made, THERE)
    assert "training lantern (process 11 on here, since 2026-03-04 12:00:00 UTC)" in refused.value.message
    assert "the lock ends by itself at 12:05:00 UTC" in refused.value.message


def test_it_is_free_once_it_was_given_back(made: Installation) -> None:
    give_back(made, take(made))
    give_back(made, take(made, THERE))
    take(made)


def test_programmes_do_not_wait_for_each_other(made: Installation) -> None:
    another_programme(made, "beacon")
    take(made)
    take(made, THERE, "beacon")
    with pytest.raises(LockedError):
        take(made, THERE)


def test_one_who_is_no_longer_heard_of_is_overtaken_to_the_instant(made: Installation) -> None:
    token = take(made)
    made.clock.now = NOON + LEASE - TICK
    with pytest.raises(LockedError):
        take(made, THERE)
    made.clock.now = NOON + LEASE
    other = take(made, THERE)
    with pytest.raises(OvertakenError, match="in the hands of another process"):
        confirm(made, token)
    give_back(made, token)
    confirm(made, other)
    with pytest.raises(LockedError):
        take(made)


def test_whoever_says_that_they_are_alive_keeps_it(made: Installation) -> None:
    token = take(made)
    for _ in range(5):
        made.clock.turn(minutes=4)
        confirm(made, token)
        with pytest.raises(LockedError):
            take(made, THERE)


def test_the_dead_of_this_machine_are_not_waited_for(made: Installation) -> None:
    take(made)
    with pytest.raises(LockedError):
        take(made, THERE, dead="elsewhere")
    take(made, THERE, dead="here")


def test_a_clock_that_was_set_back_locks_nobody_out(made: Installation) -> None:
    take(made)
    made.clock.now = NOON - timedelta(days=1)
    take(made, THERE)


def test_a_clock_that_jumped_ahead_lets_two_in_and_one_publish(made: Installation) -> None:
    first = take(made)
    made.clock.now = NOON + timedelta(days=1)
    second = take(made, THERE)
    made.clock.now = NOON
    with pytest.raises(OvertakenError):
        confirm(made, first)
    confirm(made, second)


@pytest.mark.parametrize("said", ["", "[]", '{"purpose": "x"}', "no JSON"])
def test_a_holder_that_cannot_be_read_holds_it_all_the_same(made: Installation, said: str) -> None:
    take(made)
    with made.store.transaction() as session:
        row = session.get(LockRow, ("lantern", "train"))
        assert row is not None
        row.holder = said
    with pytest.raises(LockedError, match=r"^another process holds the lock"):
        take(made, THERE, dead="here")
