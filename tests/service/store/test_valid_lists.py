"""Lists that still count: which, in which order, and that none of it is found by looking at everything."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from service.store import valid_lists
from service.store.hot import Statement
from service.store.lists import Entry, StoredList, add
from service.store.moments import day, micros, start_of
from service.store.valid_lists import Showing
from tests.service.databases import SQLITE, only
from tests.service.installation import NOON, Installation, another_programme

TODAY = day(NOON)
DAY = start_of(1) - start_of(0)


def listed(seeker: int, epoch: int, match_id: str, people: list[int], **more: object) -> StoredList:
    """Return a list that showed everybody in it when it was made, last in the list first."""
    made_at = start_of(epoch) + 7
    shown = {place: (len(people) - place, made_at) for place in range(len(people))}
    values = {
        "seeker_id": seeker, "kind": "buddy", "epoch": epoch, "match_id": match_id, "made_at": made_at,
        "returned_at": made_at, "number": 1, "profile": "p", "revision": 1, "good_until": 1, "digest": "d",
        "model_version": "m", "outcome": "matched", "reason": None, "cut": False, "shown": shown,
        "entries": [Entry(number, 1, 0.5, "good", ()) for number in people],
    }  # fmt: skip
    return StoredList(**(values | more))  # type: ignore[arg-type]


@pytest.fixture
def store(made: Installation) -> Installation:
    """Lists 1 to 9 of two seekers: of too long ago, of each end of what counts, and of tomorrow."""
    another_programme(made, "beacon")
    late = {0: (1, start_of(TODAY) + 7), 1: (2, start_of(TODAY) + 8)}
    some = [
        listed(1, TODAY - 14, "a", [4, 5]),
        listed(1, TODAY - 13, "b", [4, 5]),
        listed(2, TODAY - 13, "c", [6]),
        listed(1, TODAY, "d", [4, 0, 5]),
        listed(1, TODAY + 1, "e", [4]),
        listed(2, TODAY, "f", [4], outcome="no_match"),
        listed(2, TODAY, "g", [4], kind="group"),
        listed(2, TODAY - 1, "h", [5, 4]),
        listed(2, TODAY, "i", [5, 4], shown=late),
    ]
    with made.store.hot.writing() as writer:
        for one in some:
            add(writer, "lantern", one)
        add(writer, "beacon", listed(1, TODAY, "j", [9]))
    return made


def test_those_that_count(store: Installation) -> None:
    with store.store.hot.reading() as reader:
        everything = valid_lists.newer(reader, "lantern", TODAY, 0)
        assert [(one.seeker_id, one.epoch - TODAY, one.people) for one in everything] == [
            (1, -13, (5, 4)), (2, -13, (6,)), (1, 0, (5, 0, 4)), (2, -1, (4, 5)), (2, 0, (5,)),
        ]  # fmt: skip
        assert valid_lists.newer(reader, "lantern", TODAY, everything[2].id) == everything[3:]
        assert valid_lists.newer(reader, "lantern", TODAY, everything[-1].id) == []
        assert sorted(valid_lists.valid(reader, "lantern", TODAY)) == everything
        assert len(valid_lists.newer(reader, "lantern", TODAY + 1, 0)) == 4
        assert valid_lists.newer(reader, "lantern", TODAY + 40, 0) == []


@pytest.mark.parametrize("chunk", [1, 2, 3])
def test_a_few_at_a_time(store: Installation, chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with store.store.hot.reading() as reader:
        everything = valid_lists.newer(reader, "lantern", TODAY, 0)
        monkeypatch.setattr(valid_lists, "CHUNK", chunk)
        assert valid_lists.newer(reader, "lantern", TODAY, 0) == everything[:chunk]
        assert sorted(valid_lists.valid(reader, "lantern", TODAY)) == everything


def test_those_of_a_seeker_of_earlier_days(store: Installation) -> None:
    def earlier(seeker: int, today: int) -> list[Showing]:
        with store.store.hot.reading() as reader:
            return valid_lists.earlier(reader, "lantern", seeker, today)

    assert [one.epoch - TODAY for one in earlier(1, TODAY)] == [-13]
    assert [one.epoch - TODAY for one in earlier(2, TODAY)] == [-13, -1]
    assert [one.epoch - TODAY for one in earlier(1, TODAY + 2)] == [0, 1]
    assert earlier(3, TODAY) == []


def test_a_day_begins_at_midnight() -> None:
    assert start_of(TODAY) == micros(NOON.replace(hour=0))
    assert start_of(TODAY + 1) - start_of(TODAY) == DAY


@only(SQLITE, "PostgreSQL plans by what it has counted.")
@pytest.mark.parametrize(
    ("statement", "index"),
    [
        (valid_lists._NEWER, "lists_epoch (programme_id=? AND epoch=? AND id>?)"),
        (valid_lists._OF_DAY, "lists_epoch (programme_id=? AND epoch=? AND id>?)"),
        (valid_lists._EARLIER, "lists_seeker (programme_id=? AND seeker_id=? AND kind=? AND made_at>?)"),
    ],
)
def test_an_index_finds_them(made: Installation, statement: Statement, index: str) -> None:
    sql = str(statement.clause.compile(made.store.engine, compile_kwargs={"render_postcompile": True}))
    explained = text("EXPLAIN QUERY PLAN " + sql.replace("?", "1")).execution_options(every_programme=True)
    with made.store.engine.connect() as connection:
        plan = connection.execute(explained)
        assert index in " ".join(row[3] for row in plan)
