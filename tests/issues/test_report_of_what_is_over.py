"""Whoever left what was reported erased the report, and a report after the end reached nobody (our own review)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.service.api.test_review import decide, look, queue
from tests.service.api.test_suspended import report
from tests.service.console.visiting import signed_in, words
from tests.service.installation import Installation
from tests.service.introduced import act, heard, inbox, live, people, propose, shown

RESTS = "[introductions]\ncool_down_days = 0\nper_week = 9\n"


@pytest.fixture
def met(small: Installation) -> tuple[Installation, Any]:
    made = people(small, more=RESTS)
    act(made, one := propose(made), "accept", "m-1")
    return made, one


def may_meet(made: Installation) -> bool:
    return "m-1" in shown(made)


@pytest.mark.parametrize("who", ["s-1", "m-1"])
@pytest.mark.parametrize("first", ["reports", "leaves"])
def test_it_waits_until_a_coordinator_has_looked(met: tuple[Installation, Any], who: str, first: str) -> None:
    made, one = met
    if first == "leaves":
        act(made, one, "end", who)
    told = len(heard(made))
    report(made, one, "s-1")
    if first == "reports":
        act(made, one, "end", who, reason="finished")
    else:
        assert len(heard(made)) == told, "it is over, and was so before: nobody is told anything"
    made.clock.turn(days=100)
    (waits,) = queue(made)["introductions"]
    assert (waits["state"], waits["suspended"], waits["allowed"]) == ("ended", True, ["end", "resume"])
    assert not may_meet(made)
    assert live(made, "m-1").free == 1, "the place is free all the same"
    assert {mine["state"] for member in ("s-1", "m-1") for mine in inbox(made, member)} == {"ended"}


@pytest.mark.parametrize(("what", "again"), [("resume", True), ("end", False)])
def test_a_coordinator_says_whether_they_may_meet_again(met: tuple[Installation, Any], what: str, again: bool) -> None:
    made, one = met
    act(made, one, "end", "m-1")
    report(made, one, "s-1")
    made.clock.turn(days=8)
    seen = decide(made, one, what)
    assert (seen["state"], seen["suspended"], queue(made)["waiting"]) == ("ended", False, 0)
    made.clock.turn(days=100)
    assert may_meet(made) is again


@pytest.mark.parametrize("how", ["lapsed", "declined", "withdrawn"])
def test_of_what_never_came_about_too(small: Installation, how: str) -> None:
    made = people(small, more=RESTS)
    one = propose(made)
    if how == "lapsed":
        made.clock.turn(days=7)
    elif how == "declined":
        act(made, one, "decline", "m-1")
    else:
        act(made, one, "withdraw", "s-1")
    before = [mine["state"] for member in ("s-1", "m-1") for mine in inbox(made, member)]
    report(made, one, "m-1")
    assert queue(made)["introductions"][0]["suspended"] is True
    assert [mine["state"] for member in ("s-1", "m-1") for mine in inbox(made, member)] == before
    made.clock.turn(days=100)
    assert not may_meet(made)


def test_a_report_of_the_last_time_stops_what_goes_on_now(met: tuple[Installation, Any]) -> None:
    made, one = met
    act(made, one, "end", "m-1")
    made.clock.turn(days=8)
    act(made, again := propose(made), "accept", "m-1")
    report(made, one, "s-1")
    assert [waits["suspended"] for waits in queue(made)["introductions"]] == [True, True]
    assert inbox(made, "s-1")[0]["state"] == "paused"
    assert live(made, "m-1").free == 0, "what goes on keeps its place, whatever becomes of what is over"
    decide(made, one, "resume")
    assert (look(made, again)["suspended"], live(made, "m-1").free) == (True, 0)
    assert not may_meet(made)
    decide(made, again, "resume")
    assert inbox(made, "s-1")[0]["state"] == "connected"


def test_the_console_says_what_is_to_be_decided(met: tuple[Installation, Any]) -> None:
    made, one = met
    act(made, one, "end", "m-1")
    report(made, one, "s-1")
    visitor = signed_in(made)
    page = words(visitor.get("/review"))
    assert "A report about what is over." in page
    assert "Approve" not in page
    form = {"introduction_id": one["introduction_id"], "act": "end", "reason": "safety"}
    assert visitor.post("/review/decide", form).status_code == 303
    page = words(visitor.get("/review"))
    assert "Nothing waits for you." in page
    assert "The report is closed: the two are kept apart." in page
