"""What waits for a coordinator, and what they decide, as pages."""

from __future__ import annotations

import re
from typing import Any

import pytest

from service.store import audit
from tests.service.console.visiting import Visitor, signed_in, words
from tests.service.installation import Installation, another_programme, record
from tests.service.introduced import ALL, act, inbox, people, propose, told


@pytest.fixture
def visitor(small: Installation) -> Visitor:
    people(small, ALL)
    return signed_in(small)


def decide(visitor: Visitor, one: Any, what: str, **more: str) -> Any:
    return visitor.post("/review/decide", {"introduction_id": one["introduction_id"], "act": what, **more})


def actions(made: Installation) -> list[str]:
    with made.store.reading() as session:
        return [entry.action for entry in audit.entries(session, "lantern")]


def test_nothing_waits(visitor: Visitor) -> None:
    assert "Nothing waits for you." in words(visitor.get("/review"))


def test_the_queue_has_both_cards_and_why(small: Installation, visitor: Visitor) -> None:
    propose(small)
    said = words(visitor.get("/review"))
    assert "1 wait for you" in said
    assert "What the supporter reads of the seeker" in said
    assert "Driving again is what I think of." in said
    assert "Experiences in common: Lumpectomy" in said
    assert "review.read" in actions(small)


def test_a_script_in_a_statement_is_text(small: Installation, visitor: Visitor) -> None:
    small.add(record("s-1", "seeker", profile=told('<script>alert("x")</script>')))
    propose(small)
    page = visitor.get("/review").get_data(as_text=True)
    assert "&lt;script&gt;alert(" in page
    assert "<script>alert(" not in page


def test_approving_offers_it(small: Installation, visitor: Visitor) -> None:
    one = propose(small)
    visitor.get("/review")
    assert decide(visitor, one, "approve").status_code == 303
    assert "Approved: the supporter is asked now." in words(visitor.get("/review"))
    assert [mine["state"] for mine in inbox(small, "m-1")] == ["offered"]
    assert "introduction.approved" in actions(small)
    act(small, one, "accept", "m-1")
    assert "connected" in words(visitor.get("/members?member_id=s-1"))


def test_rejecting_is_silent(small: Installation, visitor: Visitor) -> None:
    one = propose(small)
    visitor.get("/review")
    assert decide(visitor, one, "reject", reason="not_a_fit").status_code == 303
    assert [mine["state"] for mine in inbox(small, "s-1")] == ["closed"]
    assert inbox(small, "m-1") == []
    said = words(visitor.get(f"/introduction?introduction_id={one['introduction_id']}"))
    assert "They are no fit" in said


def test_what_is_refused_is_told_in_place(small: Installation, visitor: Visitor) -> None:
    first, second = propose(small), propose(small, "s-2")
    visitor.get("/review")
    decide(visitor, first, "approve")
    reply = decide(visitor, second, "approve")
    assert reply.status_code == 409
    assert "Found no free place" in words(reply)
    assert "introduction.approved" in actions(small)
    assert actions(small).count("introduction.approved") == 1, "what was refused was not done"


def test_a_safety_flag_is_first_and_can_be_resumed_or_ended(small: Installation, visitor: Visitor) -> None:
    one = propose(small)
    visitor.get("/review")
    decide(visitor, one, "approve")
    act(small, one, "accept", "m-1")
    propose(small, "s-2", "m-2")
    body = {"introduction_id": one["introduction_id"], "member_id": "m-1", "event": "reported", "safety": True}
    small.call("POST", "/v1/feedback", body)
    page = visitor.get("/review").get_data(as_text=True)
    order = re.findall(r'<h2 id="i-([^"]+)">', page)
    assert order[0] == one["introduction_id"]
    assert "Suspended" in page
    assert decide(visitor, one, "resume").status_code == 303
    assert [mine["state"] for mine in inbox(small, "s-1")] == ["connected"]
    assert decide(visitor, one, "end", reason="safety").status_code == 303
    assert [mine["state"] for mine in inbox(small, "s-1")] == ["ended"]


def test_two_are_introduced_by_hand(small: Installation, visitor: Visitor) -> None:
    visitor.get("/review")
    reply = visitor.post("/review/by-hand", {"seeker": " s-2 ", "candidate": "m-2"})
    assert reply.status_code == 303
    assert "Both are asked now." in words(visitor.get(reply.headers["Location"].removeprefix("/console")))
    assert "introduction.made" in actions(small)


@pytest.mark.parametrize(
    ("seeker", "candidate", "status", "said"),
    [
        ("s-1", "nobody", 422, "no member of one of these ids"),
        ("s-1", "", 422, "no member of one of these ids"),
        ("m-1", "m-2", 409, "role forbid it"),
        ("s-1", "s-1", 409, "expected another member"),
    ],
)
def test_by_hand_what_cannot_be_is_told(visitor: Visitor, seeker: str, candidate: str, status: int, said: str) -> None:
    visitor.get("/review")
    reply = visitor.post("/review/by-hand", {"seeker": seeker, "candidate": candidate})
    assert (reply.status_code, said in words(reply)) == (status, True), words(reply)


@pytest.mark.parametrize("what", ["accept", "", "<b>"])
def test_unknown_acts_and_others_introductions_are_no_page(small: Installation, visitor: Visitor, what: str) -> None:
    one = propose(small)
    visitor.get("/review")
    assert decide(visitor, one, what).status_code == 404
    assert decide(visitor, {"introduction_id": "a\x00b"}, "approve").status_code == 404
    other = Visitor(small)
    other.sign_in(another_programme(small, "beacon"))
    other.get("/review")
    assert decide(other, one, "approve").status_code == 404
    assert other.get(f"/introduction?introduction_id={one['introduction_id']}").status_code == 404
    assert [mine["state"] for mine in inbox(small, "s-1")] == ["in_review"]
