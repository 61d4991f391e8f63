"""Introductions that somebody has to look at: suspended by a report or a coordinator, resumed, or ended."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from tests.service.api.test_review import decide, logged, look, queue
from tests.service.installation import Installation
from tests.service.introduced import act, heard, inbox, learned, live, people, propose, shown


@pytest.fixture
def offered(small: Installation) -> tuple[Installation, Any]:
    """Somebody who was asked, in a programme that reviews nothing."""
    people(small)
    return small, propose(small)


def report(made: Installation, one: Any, member: str, *, safety: bool = True) -> None:
    body = {"introduction_id": one["introduction_id"], "member_id": member, "event": "reported", "safety": safety}
    assert made.call("POST", "/v1/feedback", body).status_code == 202


def days_left(made: Installation, one: Any) -> float:
    until = datetime.fromisoformat(look(made, one)["until"])
    return (until - made.clock()).total_seconds() / 86400


def test_no_time_to_answer_runs_while_it_is_suspended(offered: tuple[Installation, Any]) -> None:
    made, one = offered
    made.clock.turn(days=5)
    assert days_left(made, one) == 2
    seen = decide(made, one, "suspend")
    assert (seen["suspended"], seen["until"], seen["allowed"]) == (True, None, ["end", "resume"])
    made.clock.turn(days=30)
    assert [mine["state"] for mine in inbox(made, "m-1")] == ["paused"], "it has not lapsed"
    assert live(made, "m-1").free == 0
    assert act(made, one, "accept", "m-1", 409)["type"].endswith("not-allowed-now")
    decide(made, one, "resume")
    assert days_left(made, one) == 2
    assert act(made, one, "accept", "m-1")["state"] == "connected"
    assert logged(made) == [("introduction.suspended", {}), ("introduction.resumed", {})]


@pytest.mark.parametrize("what", ["suspend", "resume", "approve", "reject"])
def test_what_is_not_allowed_now_is_told_with_what_is(offered: tuple[Installation, Any], what: str) -> None:
    made, one = offered
    if what == "suspend":
        decide(made, one, "suspend")
    reply = decide(made, one, what, 409)
    assert reply["type"].endswith("not-allowed-now")
    assert "allowed now for the coordinator: " in reply["detail"]
    assert [action for action, _ in logged(made)] == (["introduction.suspended"] if what == "suspend" else [])


@pytest.mark.parametrize("who", ["s-1", "m-1"])
def test_a_report_about_safety_is_at_the_head_of_the_queue_at_once(offered: tuple[Installation, Any], who: str) -> None:
    made, one = offered
    act(made, one, "accept", "m-1")
    report(made, one, who)
    (seen,) = queue(made)["introductions"]
    assert (seen["introduction_id"], seen["state"], seen["suspended"]) == (one["introduction_id"], "connected", True)
    assert (seen["history"][-1]["act"], seen["history"][-1]["by"]) == ("suspend", "service")
    assert {mine["state"] for member in ("s-1", "m-1") for mine in inbox(made, member)} == {"paused"}
    assert heard(made)[-2:] == [("s-1", "introduction.paused"), ("m-1", "introduction.paused")], "both read the same"
    side = "seeker" if who == "s-1" else "candidate"
    assert learned(made)[-1] == ("s-1", "reported", side)


def test_a_report_that_is_not_about_safety_suspends_nothing(offered: tuple[Installation, Any]) -> None:
    made, one = offered
    act(made, one, "accept", "m-1")
    report(made, one, "s-1", safety=False)
    assert queue(made)["waiting"] == 0
    assert [mine["state"] for mine in inbox(made, "s-1")] == ["connected"]
    assert learned(made)[-1] == ("s-1", "reported", "seeker")


def test_a_second_report_changes_nothing_and_is_kept(offered: tuple[Installation, Any]) -> None:
    made, one = offered
    report(made, one, "m-1")
    made.clock.turn(minutes=1)
    report(made, one, "m-1")
    assert len(look(made, one)["history"]) == 3
    assert [told for told in learned(made) if told[1] == "reported"] == [("s-1", "reported", "candidate")] * 2


def test_a_coordinator_ends_it_and_the_two_are_kept_apart(offered: tuple[Installation, Any]) -> None:
    made, one = offered
    act(made, one, "accept", "m-1")
    report(made, one, "m-1")
    seen = decide(made, one, "end", reason="safety")
    assert (seen["state"], seen["reason"], seen["suspended"], seen["allowed"]) == (
        "ended",
        "safety",
        False,
        ["suspend"],
    )
    for member in ("s-1", "m-1"):
        (mine,) = inbox(made, member)
        assert (mine["state"], mine["member_id"]) == ("ended", None)
        assert "safety" not in str(mine)
    assert queue(made)["waiting"] == 0
    assert live(made, "m-1").free == 1
    assert logged(made) == [("introduction.ended", {"reason": "safety"})]
    made.clock.turn(days=400)
    assert set(shown(made)) == {"m-2"}


def test_whoever_leaves_what_is_suspended_lifts_no_report(offered: tuple[Installation, Any]) -> None:
    made, one = offered
    act(made, one, "accept", "m-1")
    report(made, one, "s-1")
    assert act(made, one, "end", "s-1")["state"] == "ended"
    assert look(made, one)["suspended"] is True
