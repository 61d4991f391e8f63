"""Feedback of an introduction: from either side, on two scales, and reports."""

from __future__ import annotations

from typing import Any

import pytest

from service.store import feedback
from tests.service.api.replies import problem
from tests.service.installation import Installation
from tests.service.introduced import ALL, act, inbox, people, propose


@pytest.fixture
def met(small: Installation) -> tuple[Installation, dict[str, str]]:
    """Two who are connected, and what names their introduction."""
    people(small)
    one = propose(small)
    act(small, one, "accept", "m-1")
    small.clock.turn(minutes=1)
    return small, {"introduction_id": one["introduction_id"]}


def tell(made: Installation, **body: Any) -> None:
    reply = made.call("POST", "/v1/feedback", body)
    assert (reply.status_code, reply.get_json()) == (202, {"event": body["event"]}), reply.get_data(as_text=True)


def stored(made: Installation, *events: str) -> list[dict[str, Any]]:
    with made.store.reading() as session:
        return [one for one in feedback.all_feedback(session, "lantern") if one["event"] in events]


@pytest.mark.parametrize(("who", "side"), [("s-1", "seeker"), ("m-1", "candidate")])
@pytest.mark.parametrize("scale", ["felt_understood", "free"])
def test_either_side_rates_on_either_scale(
    met: tuple[Installation, dict[str, str]], who: str, side: str, scale: str
) -> None:
    made, one = met
    tell(made, **one, member_id=who, event="rated", scale=scale, rating=7)
    (kept,) = stored(made, "rated")
    assert (kept["seeker"], kept["candidate"], kept["rating"], kept.get("scale", "free")) == ("s-1", "m-1", 7, scale)
    assert kept.get("by", "seeker") == side
    assert kept["at"] == "2026-03-04T12:01:00Z"


def test_both_sides_tell_of_the_same_meetings(met: tuple[Installation, dict[str, str]]) -> None:
    made, one = met
    for _ in range(3):
        for who in ("s-1", "m-1"):
            tell(made, **one, member_id=who, event="session")
        made.clock.turn(days=7)
    sides = [told.get("by", "seeker") for told in stored(made, "session")]
    assert (sides.count("seeker"), sides.count("candidate")) == (3, 3)


@pytest.mark.parametrize("event", ["session", "rated"])
def test_nobody_meets_before_both_have_accepted(small: Installation, event: str) -> None:
    people(small)
    one = {"introduction_id": propose(small)["introduction_id"]}
    body = {**one, "event": event, **({"rating": 7} if event == "rated" else {})}
    for who in ("s-1", "m-1"):
        problem(small.call("POST", "/v1/feedback", {**body, "member_id": who}), 409, "not-allowed-now")
    act(small, one, "decline", "m-1")
    problem(small.call("POST", "/v1/feedback", {**body, "member_id": "s-1"}), 409, "not-allowed-now")
    assert stored(small, event) == []


def test_after_the_end_it_may_still_be_told(met: tuple[Installation, dict[str, str]]) -> None:
    made, one = met
    act(made, one, "end", "s-1", reason="finished")
    tell(made, **one, member_id="s-1", event="rated", rating=5)
    tell(made, **one, member_id="m-1", event="reported", safety=True)
    assert [mine["state"] for mine in inbox(made, "m-1")] == ["ended"]
    (waits,) = made.call("GET", "/v1/review").get_json()["introductions"]
    assert (waits["state"], waits["suspended"], waits["allowed"]) == ("ended", True, ["end", "resume"])
    assert len(stored(made, "rated", "reported")) == 2


def test_the_other_side_is_told_nothing_of_it(met: tuple[Installation, dict[str, str]]) -> None:
    made, one = met
    before = (inbox(made, "s-1"), made.call("GET", "/v1/events").get_json())
    tell(made, **one, member_id="m-1", event="rated", scale="felt_understood", rating=0)
    tell(made, **one, member_id="m-1", event="reported")
    tell(made, **one, member_id="m-1", event="session")
    assert (inbox(made, "s-1"), made.call("GET", "/v1/events").get_json()) == before


def test_others_unknown_ids_and_what_was_never_offered_are_one_404(small: Installation) -> None:
    people(small, ALL)
    one = propose(small)["introduction_id"]
    asked = [(one, "m-1"), (one, "s-2"), (one, "nobody"), ("none", "s-1"), ("é" * 300, "s-1")]
    replies = []
    for introduction_id, who in asked:
        body = {"introduction_id": introduction_id, "member_id": who, "event": "reported", "safety": True}
        replies.append(problem(small.call("POST", "/v1/feedback", body), 404, "no-such-introduction"))
    assert all(reply == replies[0] for reply in replies)
    assert stored(small, "reported") == []
    assert [mine["state"] for mine in inbox(small, "s-1")] == ["in_review"], "nothing was suspended"


BOTH_WAYS = {"match_id": "x", "handle": "y", "introduction_id": "x", "member_id": "s-1", "event": "session"}
OF_ONE = {"introduction_id": "x", "member_id": "s-1"}


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        (BOTH_WAYS, {"introduction_id"}),
        ({"introduction_id": "x", "event": "session"}, {"member_id"}),
        ({"member_id": "s-1", "event": "session"}, {"introduction_id"}),
        ({"introduction_id": "x", "handle": "y", "event": "session"}, {"introduction_id"}),
        ({**OF_ONE, "event": "viewed"}, {"event"}),
        ({**OF_ONE, "event": "ended"}, {"event"}),
        ({**OF_ONE, "event": "rated"}, {"rating"}),
        ({**OF_ONE, "event": "rated", "rating": 8}, {"rating"}),
        ({**OF_ONE, "event": "rated", "rating": 5, "scale": "stars"}, {"scale"}),
        ({**OF_ONE, "event": "session", "scale": "free"}, {"scale"}),
        ({**OF_ONE, "event": "session", "safety": True}, {"safety"}),
        ({**OF_ONE, "event": "reported", "safety": "yes"}, {"safety"}),
        ({**OF_ONE, "event": "reported", "safety": 1}, {"safety"}),
        ({**OF_ONE, "event": "reported", "safety": None}, {"safety"}),
        ({"introduction_id": 1, "member_id": "a b", "event": "session"}, {"introduction_id", "member_id"}),
        ({"match_id": "x", "handle": "y", "event": "reported", "safety": True}, {"safety"}),
    ],
)
def test_what_is_no_feedback_is_refused(small: Installation, body: dict[str, Any], paths: set[str]) -> None:
    assert set(problem(small.call("POST", "/v1/feedback", body), 422, "invalid")["errors"]) == paths
