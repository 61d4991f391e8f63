"""The event feed: everything that members may be told, at least once, in the order in which it happened."""

from __future__ import annotations

from typing import Any

import pytest

from service.store import events
from tests.service.api.replies import problem
from tests.service.installation import Installation, another_programme
from tests.service.introduced import act, inbox, people, propose


@pytest.fixture
def busy(small: Installation) -> Installation:
    """Somebody who was asked and declined, and somebody who was asked and accepted: eight events."""
    people(small)
    act(small, propose(small), "decline", "m-1")
    small.clock.turn(minutes=1)
    act(small, propose(small, "s-1", "m-2"), "accept", "m-2")
    return small


def feed(made: Installation, query: str = "", key: str | None = None) -> Any:
    reply = made.call("GET", f"/v1/events{query}", key=key)
    assert reply.status_code == 200, reply.get_data(as_text=True)
    return reply.get_json()


def test_everything_is_told_in_the_order_in_which_it_happened(busy: Installation) -> None:
    found = feed(busy)
    assert [(one["number"], one["member_id"], one["kind"]) for one in found["events"]] == [
        (1, "s-1", "introduction.offered"),
        (2, "m-1", "introduction.offered"),
        (3, "s-1", "introduction.closed"),
        (4, "m-1", "introduction.declined"),
        (5, "s-1", "introduction.offered"),
        (6, "m-2", "introduction.offered"),
        (7, "s-1", "introduction.connected"),
        (8, "m-2", "introduction.connected"),
    ]
    assert (found["next"], found["more"]) == (8, False)
    assert [one["at"] for one in found["events"]] == ["2026-03-04T12:00:00Z"] * 4 + ["2026-03-04T12:01:00Z"] * 4
    ids = {one["introduction_id"] for one in found["events"]}
    assert ids == {one["introduction_id"] for one in inbox(busy, "s-1")}


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8, 9])
def test_page_by_page_everything_comes_once_and_none_is_missed(busy: Installation, limit: int) -> None:
    whole, after, found = feed(busy)["events"], 0, []
    while True:
        page = feed(busy, f"?after={after}&limit={limit}")
        found += page["events"]
        assert len(page["events"]) <= limit
        assert page["more"] == (len(found) < len(whole))
        after = page["next"]
        if not page["more"]:
            break
    assert found == whole
    assert feed(busy, f"?after={after}") == {"events": [], "next": 8, "more": False}


def test_whoever_asks_again_gets_the_same_again(busy: Installation) -> None:
    """At least once: a reply that was lost is had anew."""
    assert feed(busy, "?after=3&limit=2") == feed(busy, "?after=3&limit=2")
    last = feed(busy)["next"]
    act(busy, {"introduction_id": inbox(busy, "s-1")[0]["introduction_id"]}, "end", "s-1")
    later = feed(busy, f"?after={last}")
    assert [(one["number"], one["kind"]) for one in later["events"]] == [
        (9, "introduction.ended"),
        (10, "introduction.ended"),
    ]


def test_a_cursor_beyond_the_end_comes_back_to_it(busy: Installation) -> None:
    """It is of a database that was put back from a backup: whoever waited there would miss what happens now."""
    assert feed(busy, "?after=5000") == {"events": [], "next": 8, "more": False}
    assert feed(busy, f"?after={2**31 - 1}")["next"] == 8


def test_what_lapsed_by_itself_is_told_when_somebody_asks(small: Installation) -> None:
    people(small)
    propose(small)
    small.clock.turn(days=7)
    assert [(one["member_id"], one["kind"]) for one in feed(small, "?after=2")["events"]] == [
        ("s-1", "introduction.closed"),
        ("m-1", "introduction.closed"),
    ]


def test_another_programme_hears_nothing_of_it(busy: Installation) -> None:
    key = another_programme(busy, "beacon")
    assert feed(busy, key=key) == {"events": [], "next": 0, "more": False}
    assert feed(busy, "?after=4", key=key) == {"events": [], "next": 0, "more": False}


def test_whoever_is_erased_is_in_no_event_and_others_keep_their_numbers(busy: Installation) -> None:
    before = [one["number"] for one in feed(busy)["events"] if one["member_id"] == "s-1"]
    assert busy.call("DELETE", "/v1/members/m-2").status_code == 200
    found = feed(busy)["events"]
    assert {one["member_id"] for one in found} == {"s-1", "m-1"}
    assert [one["number"] for one in found if one["member_id"] == "s-1"][: len(before)] == before
    assert len({one["number"] for one in found}) == len(found)


def test_an_event_that_nobody_is_told_of_is_refused(busy: Installation) -> None:
    with busy.store.transaction() as session, pytest.raises(ValueError, match="expected one of"):
        events.add(session, "lantern", "s-1", "introduction.rejected", None, busy.clock())


@pytest.mark.parametrize(
    "query", ["?after=-1", "?after=x", "?after=1.5", f"?after={2**31}", "?limit=0", "?limit=1001", "?from=1", "?after="]
)
def test_what_is_no_cursor_is_told(busy: Installation, query: str) -> None:
    problem(busy.call("GET", f"/v1/events{query}"), 422, "invalid")


def test_a_key_with_match_alone_cannot_join_the_two_sides(busy: Installation) -> None:
    """By its one id for both sides the feed would tell who is behind a handle, and that a no was one."""
    other = busy.new_key("match", "members", "consents", "feedback", "groups", "admin", "audit")
    problem(busy.call("GET", "/v1/events", key=other), 403, "scope-missing")
    for scope in ("match:ids", "coordinator"):
        assert busy.call("GET", "/v1/events", key=busy.new_key(scope)).status_code == 200
