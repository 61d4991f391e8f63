"""Whoever was erased is taken out of others' lists, and these go on saying the same of everybody else."""

from __future__ import annotations

import secrets
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.store import list_forgetting, lists, shown
from service.store.list_forgetting import NOBODY, forget_in_lists, gone, lists_naming, strip
from service.store.lists import Entry, StoredList
from service.store.moments import micros
from tests.service.databases import sampled
from tests.service.installation import NOON, Installation, record

REASONS = (("experiences", "Experiences in common: Lumpectomy"),)


def entry(number: int) -> Entry:
    return Entry(number, number * 10, 0.5, "strong", REASONS)


def stored(match_id: str, *numbers: int, seeker: int = 900, kind: str = "buddy", days: float = 0) -> StoredList:
    at = micros(NOON - timedelta(days=days))
    return StoredList(
        match_id=match_id, seeker_id=seeker, kind=kind, epoch=1, made_at=at, returned_at=at, number=5, profile="x",
        revision=1, good_until=0, digest="d", model_version="1", outcome="matched", reason=None, cut=False,
        entries=tuple(entry(number) for number in numbers), shown={0: (1, at)} if numbers else {},
    )  # fmt: skip


def add(made: Installation, *some: StoredList, programme: str = "lantern") -> None:
    with made.store.hot.writing() as writer:
        for one in some:
            lists.add(writer, programme, one)


def entries(made: Installation, match_id: str, programme: str = "lantern") -> list[Entry]:
    with made.store.hot.reading() as reader:
        found = lists.by_match_id(reader, programme, match_id)
    assert found is not None
    return list(found.entries)


def test_the_places_of_all_others_stay_as_they_are(made: Installation) -> None:
    add(made, stored("a", 1, 2, 3), stored("b", 3, 4), stored("c"))
    with made.store.transaction() as session:
        assert forget_in_lists(session, "lantern", {2, 4, 77}) == 2
    assert entries(made, "a") == [entry(1), Entry(*NOBODY), entry(3)]
    assert entries(made, "b") == [entry(3), Entry(*NOBODY)]
    assert entries(made, "c") == []


def test_nobody_is_like_somebody_else(made: Installation) -> None:
    """A number within another, in a revision or in a text is no name."""
    one = stored("a", 12, 121)
    said = Entry(7, 2, 0.5, "good", (("statement", "[2, I am number 2]"),))
    add(made, one, StoredList(**{**stored("b").__dict__, "entries": (said,)}))
    with made.store.transaction() as session:
        assert forget_in_lists(session, "lantern", {2, 1, 21}) == 0
    assert entries(made, "b") == [said]


def test_groups_and_other_programmes_are_left_alone(made: Installation) -> None:
    add(made, stored("a", 1), stored("g", 1, kind="group"))
    with made.store.transaction() as session:
        assert forget_in_lists(session, "beacon", {1}) == 0
        assert forget_in_lists(session, "lantern", {1}) == 1
    assert entries(made, "g") == [entry(1)]


def test_only_lists_returned_since_a_day_are_looked_at(made: Installation) -> None:
    add(made, *(stored(f"a{days}", 1, days=days) for days in range(4)))
    with made.store.transaction() as session:
        # By the day: the moment that a list has is of the first time on it.
        assert (
            forget_in_lists(session, "lantern", {1}, returned_since=NOON + timedelta(hours=6) - timedelta(days=2)) == 3
        )
        assert forget_in_lists(session, "lantern", {1}) == 1


def test_looking_takes_no_longer_than_it_may(made: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    add(made, *(stored(f"a{number}", 1) for number in range(10)))
    ticks = iter(range(100))
    monkeypatch.setattr(list_forgetting, "monotonic", lambda: float(next(ticks)))
    with made.store.reading() as session:
        some = lists_naming(session, "lantern", {1}, seconds=4)
        assert len(some) == 4
        assert some == sorted(some, reverse=True)
        assert len(lists_naming(session, "lantern", {1})) == 10


def test_without_numbers_it_is_whoever_was_ever_erased(small: Installation) -> None:
    small.add(record("s-1", "seeker"), record("p-1"), record("p-2"), record("p-3"))
    small.match("s-1")
    with small.store.reading() as session:
        assert gone(session, "lantern") == set()
    small.clock.turn(days=1)
    small.call("DELETE", "/v1/members/p-1")
    small.clock.turn(days=1)
    small.call("DELETE", "/v1/members/p-2")
    with small.store.reading() as session:
        everybody = gone(session, "lantern")
        (late,) = gone(session, "lantern", since=small.clock())
        assert len(everybody) == 2
        assert late in everybody
        assert gone(session, "lantern", since=NOON + timedelta(days=1)) == everybody
        assert gone(session, "beacon") == set()


def test_a_reply_is_the_same_and_so_is_what_training_is_told(small: Installation) -> None:
    small.add(record("s-1", "seeker"), *(record(f"p-{number}") for number in range(4)))
    before = small.match("s-1")
    with small.store.reading() as session:
        told = list(shown.events(session, "lantern"))
    gone_id = told[1]["candidate"]
    small.call("DELETE", f"/v1/members/{gone_id}")
    with small.store.reading() as session:
        # Ranks are told by place, and nobody has moved up.
        assert list(shown.events(session, "lantern")) == [one for one in told if one["candidate"] != gone_id]
    (kept,) = [one for one in entries(small, before["match_id"]) if one.id == 0]
    assert kept == Entry(*NOBODY)
    for match in before["matches"]:
        body = {"match_id": before["match_id"], "handle": match["handle"], "event": "viewed"}
        status = small.call("POST", "/v1/feedback", body).status_code
        assert status == (404 if match["rank"] == 2 else 202)


@sampled("The statements are those of the other tests.")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    some=st.lists(st.lists(st.integers(1, 60), unique=True, max_size=8), max_size=6),
    numbers=st.sets(st.integers(1, 60), max_size=40),
)
def test_it_is_as_if_each_list_were_gone_through(made: Installation, some: list[list[int]], numbers: set[int]) -> None:
    names = [secrets.token_hex(8) for _ in some]
    add(made, *(stored(name, *one) for name, one in zip(names, some, strict=True)))
    with made.store.transaction() as session:
        mine = lists_naming(session, "lantern", numbers)
        strip(session, "lantern", mine, numbers)
        assert lists_naming(session, "lantern", numbers) == []
    for name, one in zip(names, some, strict=True):
        right = [Entry(*NOBODY) if number in numbers else entry(number) for number in one]
        assert entries(made, name) == right
