from __future__ import annotations

import threading

import pytest

from service import deadlines
from service.deadlines import Deadlines, Pending


class Time:
    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    made = Time()
    monkeypatch.setattr(deadlines.time, "monotonic", made.monotonic)
    return made


def test_what_nobody_claimed_in_time_is_given_up_once(time: Time) -> None:
    given_up: list[Pending] = []
    watched = Deadlines(30)
    early, late = watched.begin(given_up.append), None
    time.now += 10
    late = watched.begin(given_up.append)
    time.now += 19.9
    watched.look()
    assert given_up == []
    time.now += 0.1
    watched.look()
    watched.look()
    assert given_up == [early]
    assert not watched.claim(early)
    assert not watched.waits(early)
    assert watched.claim(late)


def test_what_was_claimed_is_never_given_up(time: Time) -> None:
    given_up: list[Pending] = []
    watched = Deadlines(30)
    one = watched.begin(given_up.append)
    assert watched.waits(one)
    assert watched.claim(one)
    assert not watched.claim(one)
    time.now += 1000
    watched.look()
    assert given_up == []


def test_one_that_cannot_be_given_up_does_not_keep_the_others(time: Time) -> None:
    given_up: list[Pending] = []
    watched = Deadlines(30)

    def fail(_: Pending) -> None:
        raise RuntimeError

    watched.begin(fail)
    second = watched.begin(given_up.append)
    time.now += 31
    watched.look()
    assert given_up == [second]


def test_the_thread_gives_up_by_itself() -> None:
    done = threading.Event()
    watched = Deadlines(0.05)
    watched.start()
    watched.begin(lambda _: done.set())
    assert done.wait(30)
