"""Every difference between introductions and what should follow from them is found; a true database has none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import delete, insert, update

from service.store import consent_check, introduction_check, introduction_rows
from service.store.introduction_tables import IntroductionRow
from service.store.live_tables import ApartRow, LiveRow
from tests.service.api.test_review import decide
from tests.service.api.test_suspended import report
from tests.service.installation import Installation, another_programme
from tests.service.introduced import ALL, NONE, act, people, propose

MINE = IntroductionRow.programme_id == "lantern"
OF_PAIR = (ApartRow.programme_id == "lantern", ApartRow.kind == "introduced")


def wrong(made: Installation) -> dict[str, int]:
    with made.store.reading() as session:
        return introduction_check.verify(session, made.programme).wrong


def consents(made: Installation) -> list[str]:
    with made.store.reading() as session:
        return consent_check.verify(session, made.programme, made.clock())


def change(made: Installation, statement: Any) -> None:
    with made.store.transaction() as session:
        session.execute(statement)


@pytest.fixture
def met(small: Installation) -> Installation:
    """An installation with a connection, an offer, and one that was declined."""
    made = people(small, NONE)
    act(made, propose(made), "accept", "m-1")
    act(made, propose(made, "s-2", "m-2"), "decline", "m-2")

    propose(made, "x-0", "m-2")
    return made


def test_of_every_way_it_goes_nothing_is_wrong(small: Installation) -> None:
    made = people(small, ALL)
    one = propose(made)
    for step in (
        lambda: decide(made, one, "approve"),
        lambda: act(made, one, "accept", "m-1"),
        lambda: report(made, one, "s-1"),
        lambda: act(made, one, "end", "m-1", reason="bereavement"),
        lambda: decide(made, one, "resume"),
        lambda: made.clock.turn(days=100),
        lambda: decide(made, propose(made, "s-2", "m-2"), "reject"),
        lambda: made.call("DELETE", "/v1/members/s-1"),
        lambda: made.clock.turn(days=100),
    ):
        assert wrong(made) == {}
        assert consents(made) == []
        step()
    assert wrong(made) == {}


def test_how_many_there_are(met: Installation) -> None:
    another_programme(met, "beacon")
    with met.store.reading() as session:
        assert introduction_check.verify(session, met.programme).introductions == 3


@pytest.mark.parametrize(
    ("plant", "expected"),
    [
        (update(IntroductionRow).where(MINE).values(details=b"\x01nothing"), {"unreadable": 3}),
        (update(IntroductionRow).where(MINE).values(state="offered"), {"columns": 2}),
        (update(IntroductionRow).where(MINE).values(suspended=1), {"columns": 3}),
        (update(IntroductionRow).where(MINE).values(since=1), {"columns": 3}),
        (update(IntroductionRow).where(MINE).values(made_at=1), {"columns": 3}),
        (update(IntroductionRow).where(MINE).values(offered_at=None), {"columns": 3}),
        (update(IntroductionRow).where(MINE).values(connected_at=5), {"columns": 3}),
        (update(IntroductionRow).where(MINE, IntroductionRow.state == "offered").values(due=2**62), {"columns": 1}),
        (delete(ApartRow).where(*OF_PAIR), {"pairs": 3, "places": 1}),
        (delete(ApartRow).where(*OF_PAIR, ApartRow.member_id == "m-2"), {"pairs": 2, "places": 1}),
        (update(ApartRow).where(*OF_PAIR).values(takes=0), {"pairs": 2, "places": 1}),
        (update(LiveRow).where(LiveRow.programme_id == "lantern", LiveRow.member_id == "m-1").values(free=1),
         {"places": 1}),
    ],
    ids=["damaged", "state", "suspended", "since", "made", "offered", "connected", "due", "apart", "one way", "takes",
         "free"],
)  # fmt: skip
def test_a_fault_is_found(met: Installation, plant: Any, expected: dict[str, int]) -> None:
    assert wrong(met) == {}
    change(met, plant)
    assert wrong(met) == expected


def test_a_place_that_nobody_gave_is_found(met: Installation) -> None:
    row = {"programme_id": "lantern", "kind": "introduced", "takes": 1}
    pair = [{**row, "member_id": "m-2", "other_id": "x-1"}, {**row, "member_id": "x-1", "other_id": "m-2"}]
    change(met, insert(ApartRow).values(pair))
    found = wrong(met)
    assert found["pairs"] == 1
    assert found["places"] == 2


def test_whoever_is_kept_apart_by_what_is_deleted_stays_so(met: Installation) -> None:
    change(met, delete(IntroductionRow).where(MINE, IntroductionRow.state == "declined"))
    assert wrong(met) == {}


def test_where_no_history_can_be_read_that_alone_is_told(met: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(introduction_rows, "read", _unread)
    assert wrong(met) == {"unreadable": 3}


def _unread(*_: object) -> None:
    raise ValueError


@pytest.mark.parametrize(
    "fault",
    [
        lambda: update(LiveRow).where(LiveRow.programme_id == "lantern", LiveRow.member_id == "s-1").values(seeker=0),
        lambda: update(LiveRow).where(LiveRow.programme_id == "lantern", LiveRow.member_id == "s-1").values(
            seeks_since=0
        ),
        lambda: update(LiveRow).where(LiveRow.programme_id == "lantern", LiveRow.member_id == "s-1").values(
            seeks_since=7
        ),
    ],
    ids=["seeks", "does not", "since"],
)  # fmt: skip
def test_who_seeks_since_when_is_compared_too(met: Installation, fault: Callable[[], Any]) -> None:
    assert consents(met) == []
    change(met, fault())
    assert consents(met) == ["s-1"]
