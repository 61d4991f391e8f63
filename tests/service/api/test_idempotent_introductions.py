"""Idempotency-Key in introductions: what is sent twice is done once, and its reply says what the first one said."""

from __future__ import annotations

from typing import Any

import pytest

from tests.service.api.replies import problem
from tests.service.installation import Installation
from tests.service.introduced import ALL, act, heard, inbox, learned, live, people, propose, shown


def twice(made: Installation, path: str, body: Any) -> Any:
    """Send a request twice with one Idempotency-Key; return the reply, which is one and the same."""
    first, second = (made.call("POST", path, body, headers={"Idempotency-Key": "k-1"}) for _ in range(2))
    assert first.status_code < 300, first.get_data(as_text=True)
    assert (second.status_code, second.data) == (first.status_code, first.data)
    assert second.headers["Idempotency-Replayed"] == "true"
    return first.get_json()


def test_one_choice_is_one_introduction_and_takes_one_place(small: Installation) -> None:
    people(small)
    twice(small, "/v1/introductions", shown(small)["m-2"])
    assert len(inbox(small, "m-2")) == 1
    assert live(small, "m-2").free == 1
    assert [kind for _, kind in heard(small)] == ["introduction.offered"] * 2
    assert learned(small) == [("s-1", "accepted", "seeker")]


@pytest.mark.parametrize(
    ("what", "member", "state"),
    [
        ("accept", "m-1", "connected"),
        ("decline", "m-1", "declined"),
        ("withdraw", "s-1", "withdrawn"),
        ("end", "m-1", "ended"),
        ("rematch", "s-1", "ended"),
    ],
)
def test_an_act_that_is_sent_again_is_not_refused(small: Installation, what: str, member: str, state: str) -> None:
    people(small)
    one = propose(small)
    if what in {"end", "rematch"}:
        act(small, one, "accept", "m-1")
    before = len(heard(small))
    reply = twice(small, f"/v1/introductions/{one['introduction_id']}/{what}", {"member_id": member})
    assert reply["state"] == state
    assert len(heard(small)) == before + 2, "each side is told once"
    assert act(small, one, what, member, 409)["type"].endswith("not-allowed-now"), "without the key it is"


@pytest.mark.parametrize("what", ["approve", "reject"])
def test_a_decision_that_is_sent_again_is_made_once(small: Installation, what: str) -> None:
    people(small, ALL)
    one = propose(small)
    reply = twice(small, f"/v1/review/{one['introduction_id']}/{what}", {})
    assert len(reply["history"]) == 3
    assert len(small.call("GET", f"/v1/review/{one['introduction_id']}").get_json()["history"]) == 3


def test_two_are_introduced_by_hand_once(small: Installation) -> None:
    people(small)
    twice(small, "/v1/review", {"seeker": "s-1", "candidate": "m-2"})
    assert len(inbox(small, "s-1")) == 1


def test_a_report_that_is_sent_again_is_one(small: Installation) -> None:
    people(small)
    one = {"introduction_id": propose(small)["introduction_id"], "member_id": "m-1"}
    twice(small, "/v1/feedback", {**one, "event": "reported", "safety": True})
    assert [told for told in learned(small) if told[1] == "reported"] == [("s-1", "reported", "candidate")]


def test_a_reply_that_is_kept_has_nobodys_words(small: Installation) -> None:
    """They may be taken back within the day for which it is kept."""
    people(small)
    one = propose(small)
    for path, body in (
        (f"/v1/introductions/{one['introduction_id']}/accept", {"member_id": "m-1"}),
        ("/v1/review", {"seeker": "s-2", "candidate": "m-2"}),
    ):
        reply = small.call("POST", path, body, headers={"Idempotency-Key": f"k-{len(path)}"})
        assert reply.status_code < 300
        assert "Driving again" not in reply.get_data(as_text=True)
        assert "card" not in reply.get_data(as_text=True)


def test_whoever_is_erased_is_in_no_reply_of_the_other(small: Installation) -> None:
    people(small)
    one = propose(small)
    path, body = f"/v1/introductions/{one['introduction_id']}/accept", {"member_id": "m-1"}
    assert twice(small, path, body)["member_id"] == "s-1"
    assert small.call("DELETE", "/v1/members/s-1").status_code == 200
    reply = small.call("POST", path, body, headers={"Idempotency-Key": "k-1"})
    assert "s-1" not in reply.get_data(as_text=True)
    problem(reply, 404, "no-such-introduction")
