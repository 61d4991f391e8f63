from __future__ import annotations

from contextlib import ExitStack

import pytest

from service import places as module
from service.places import SLOW_SECONDS, Places
from service.problems import Problem


class Time:
    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    made = Time()
    monkeypatch.setattr(module.time, "monotonic", made.monotonic)
    return made


def refused(places: Places, sender: str) -> bool:
    with ExitStack() as inside:
        try:
            inside.enter_context(places.taken(sender))
        except Problem as problem:
            return problem.kind.status == 503 and "Retry-After" in problem.headers
    return False


def test_a_burst_of_one_sender_is_no_fault(time: Time) -> None:
    places = Places(10, 5, 2)
    with ExitStack() as burst:
        for _ in range(10):
            burst.enter_context(places.taken("a"))
        assert refused(places, "a"), "all places are taken"
        assert refused(places, "b")
    assert not refused(places, "a")


def test_one_sender_gets_no_more_than_its_share_of_slow_ones(time: Time) -> None:
    places = Places(10, 5, 2)
    with ExitStack() as slow:
        for _ in range(2):
            slow.enter_context(places.taken("a"))
        time.now += SLOW_SECONDS
        assert not refused(places, "a")
        time.now += SLOW_SECONDS
        assert refused(places, "a")
        assert not refused(places, "b")
        for _ in range(3):
            slow.enter_context(places.taken("b"))
        time.now += 2 * SLOW_SECONDS
        assert refused(places, "c"), "five are slow"
    assert not refused(places, "a")


def test_a_place_is_given_back_when_reading_fails(time: Time) -> None:
    places = Places(1, 1, 1)
    for _ in range(3):
        with pytest.raises(OSError, match="gone"), places.taken("a"):
            raise OSError("gone")
    assert not refused(places, "a")
