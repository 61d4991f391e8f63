"""The queue of coordinators: what comes into it, what they decide, and what the two are told of that."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.service.api.replies import problem
from tests.service.installation import Installation, record
from tests.service.introduced import ALL, FIRST, act, heard, inbox, live, people, propose, shown, told
from tests.service.store.audited import rows


@pytest.fixture
def reviewed(small: Installation) -> Installation:
    """People of a programme in which a coordinator looks at everything."""
    return people(small, ALL)


def queue(made: Installation, query: str = "") -> Any:
    reply = made.call("GET", f"/v1/review{query}")
    assert reply.status_code == 200, reply.get_data(as_text=True)
    return reply.get_json()


def named(made: Installation) -> list[str]:
    return [one["introduction_id"] for one in queue(made)["introductions"]]


def look(made: Installation, one: Any) -> Any:
    reply = made.call("GET", f"/v1/review/{one['introduction_id']}")
    assert reply.status_code == 200, reply.get_data(as_text=True)
    return reply.get_json()


def decide(made: Installation, one: Any, what: str, status: int = 200, **body: Any) -> Any:
    reply = made.call("POST", f"/v1/review/{one['introduction_id']}/{what}", body)
    assert reply.status_code == status, reply.get_data(as_text=True)
    return reply.get_json()


def logged(made: Installation) -> list[tuple[str, Any]]:
    """Return the decisions that the audit log has, with their details."""
    return [(row.action, json.loads(row.details)) for row in rows(made) if row.action.startswith("introduction.")]


# Who looks at it first.


def test_where_all_is_reviewed_nobody_is_asked_before_a_coordinator_said_so(reviewed: Installation) -> None:
    one = propose(reviewed)
    assert (one["state"], one["allowed"]) == ("in_review", ["withdraw"])
    assert inbox(reviewed, "m-1") == []
    assert heard(reviewed) == [("s-1", "introduction.in_review")]
    assert live(reviewed, "m-1").free == 1, "no place is taken yet"
    assert decide(reviewed, one, "approve")["state"] == "offered"
    assert [mine["state"] for mine in inbox(reviewed, "m-1")] == ["offered"]
    assert heard(reviewed)[1:] == [("s-1", "introduction.offered"), ("m-1", "introduction.offered")]
    assert live(reviewed, "m-1").free == 0
    assert act(reviewed, one, "accept", "m-1")["state"] == "connected"
    reviewed.clock.turn(days=1)
    assert propose(reviewed, "s-1", "m-2")["state"] == "in_review", "the second one too"


def test_where_the_first_is_reviewed_later_ones_are_not(small: Installation) -> None:
    people(small, FIRST)
    small.add(record("m-2", capacity=3))
    first = propose(small, "s-1", "m-2")
    assert first["state"] == "in_review"
    assert propose(small, "s-2", "m-2")["state"] == "in_review", "the supporter was asked by nobody so far"
    decide(small, first, "approve")
    act(small, first, "decline", "m-2")
    assert propose(small, "s-1", "m-1")["state"] == "in_review", "the first of m-1"
    assert queue(small)["waiting"] == 2
    for one in queue(small)["introductions"]:
        decide(small, one, "approve")
    act(small, {"introduction_id": inbox(small, "m-1")[0]["introduction_id"]}, "accept", "m-1")
    small.clock.turn(days=8)
    small.add(record("m-1", capacity=2))
    assert propose(small, "s-2", "m-1")["state"] == "offered", "both were offered to somebody before"


def test_where_none_is_reviewed_there_is_no_queue(small: Installation) -> None:
    people(small)
    assert propose(small)["state"] == "offered"
    assert queue(small) == {"introductions": [], "waiting": 0, "next": None}


# What coordinators see.


def test_a_coordinator_sees_both_cards_and_every_step(reviewed: Installation) -> None:
    one = propose(reviewed)
    seen = look(reviewed, one)
    assert (seen["seeker"], seen["candidate"], seen["proposed_by"]) == ("s-1", "m-1", "seeker")
    assert (seen["state"], seen["yes"], seen["allowed"]) == ("in_review", ["seeker"], ["approve", "reject", "suspend"])
    assert seen["cards"]["candidate"]["statement"] == "Driving again is what I think of."
    assert seen["cards"]["seeker"]["statement"] is None
    assert {reason["facet"] for side in ("seeker", "candidate") for reason in seen["cards"][side]["reasons"]}
    assert [(step["act"], step["by"], step["from"], step["to"]) for step in seen["history"]] == [
        ("propose", "seeker", None, "proposed"),
        ("review", "service", "proposed", "in_review"),
    ]
    assert seen == queue(reviewed)["introductions"][0]


def test_a_script_in_a_statement_comes_back_as_the_text_that_it_is(reviewed: Installation) -> None:
    script = "<script>alert('&amp;')</script> \"><img src=x onerror=alert(1)>"
    reviewed.add(record("s-1", "seeker", profile=told(script)))
    one = propose(reviewed)
    reply = reviewed.call("GET", f"/v1/review/{one['introduction_id']}")
    assert reply.get_json()["cards"]["candidate"]["statement"] == script
    decide(reviewed, one, "approve")
    asked = reviewed.call("GET", "/v1/members/m-1/introductions")
    assert asked.get_json()["introductions"][0]["card"]["statement"] == script
    for each in (reply, asked):
        assert each.mimetype == "application/json"
        assert each.headers["X-Content-Type-Options"] == "nosniff"


def test_who_has_waited_longest_comes_first_but_for_what_was_reported(reviewed: Installation) -> None:
    ids = []
    for seeker in ("s-1", "s-2", "x-0", "x-1"):
        ids.append(propose(reviewed, seeker, "m-2")["introduction_id"])
        reviewed.clock.turn(minutes=1)
    assert named(reviewed) == ids
    assert queue(reviewed)["waiting"] == 4
    decide(reviewed, {"introduction_id": ids[3]}, "approve")
    assert named(reviewed) == ids[:3]
    report = {"introduction_id": ids[3], "member_id": "x-1", "event": "reported", "safety": True}
    assert reviewed.call("POST", "/v1/feedback", report).status_code == 202
    assert named(reviewed) == [ids[3], *ids[:3]]


@pytest.mark.parametrize("limit", [1, 2, 3, 5])
def test_page_by_page_everything_comes_once(reviewed: Installation, limit: int) -> None:
    ids = [propose(reviewed, seeker, "m-2")["introduction_id"] for seeker in ("s-1", "s-2", "x-0", "x-1", "x-2")]
    found: list[str] = []
    page = queue(reviewed, f"?limit={limit}")
    while True:
        assert page["waiting"] == 5
        assert len(page["introductions"]) <= limit
        found += [one["introduction_id"] for one in page["introductions"]]
        if page["next"] is None:
            break
        page = queue(reviewed, f"?limit={limit}&after={page['next']}")
    assert sorted(found) == sorted(ids)
    assert len(found) == len(ids)


def test_an_id_that_waits_no_more_starts_anew(reviewed: Installation) -> None:
    one = propose(reviewed, "s-1", "m-2")
    other = propose(reviewed, "s-2", "m-2")
    decide(reviewed, one, "reject")
    page = queue(reviewed, f"?after={one['introduction_id']}")
    assert [each["introduction_id"] for each in page["introductions"]] == [other["introduction_id"]]


@pytest.mark.parametrize("query", ["?limit=0", "?limit=201", "?limit=x", "?limit=1.5", "?page=2", "?limit="])
def test_what_is_no_query_is_told(reviewed: Installation, query: str) -> None:
    problem(reviewed.call("GET", f"/v1/review{query}"), 422, "invalid")


def test_what_nobody_looked_at_lapses(reviewed: Installation) -> None:
    one = propose(reviewed)
    reviewed.clock.turn(days=14)
    assert queue(reviewed)["waiting"] == 0
    assert [mine["state"] for mine in inbox(reviewed, "s-1")] == ["closed"]
    assert inbox(reviewed, "m-1") == []
    assert decide(reviewed, one, "approve", 409)["type"].endswith("not-allowed-now")


# What they decide of what a seeker proposed.


def test_to_approve_asks_again_whether_a_place_is_free(reviewed: Installation) -> None:
    one, other = propose(reviewed, "s-1", "m-1"), propose(reviewed, "s-2", "m-1")
    decide(reviewed, one, "approve")
    assert decide(reviewed, other, "approve", 409)["type"].endswith("no-place")
    assert decide(reviewed, other, "approve", 409, override=True)["type"].endswith("no-place")
    assert look(reviewed, other)["state"] == "in_review", "it waits on"
    assert live(reviewed, "m-1").free == 0
    assert [action for action, _ in logged(reviewed)] == ["introduction.approved"]


def test_to_approve_asks_again_whether_they_may_be_introduced(reviewed: Installation) -> None:
    one = propose(reviewed)
    reviewed.add(record("m-1", capacity=1, vetted=False))
    reply = decide(reviewed, one, "approve", 409, override=True)
    assert reply["type"].endswith("not-available")
    assert "vetted" in reply["detail"]
    assert "m-1" not in json.dumps(reply)
    assert logged(reviewed) == []


def test_a_rejection_is_kept_and_the_seeker_reads_that_it_is_closed(reviewed: Installation) -> None:
    one = propose(reviewed)
    assert decide(reviewed, one, "reject", reason="not_a_fit")["reason"] == "not_a_fit"
    (mine,) = inbox(reviewed, "s-1")
    assert (mine["state"], mine["allowed"], mine["card"]) == ("closed", [], None)
    assert "fit" not in json.dumps(mine)
    assert inbox(reviewed, "m-1") == []
    assert heard(reviewed) == [("s-1", "introduction.in_review"), ("s-1", "introduction.closed")]
    assert logged(reviewed) == [("introduction.rejected", {"reason": "not_a_fit"})]
    reviewed.clock.turn(days=400)
    assert set(shown(reviewed)) == {"m-2"}, "they are kept apart for good"


@pytest.mark.parametrize("body", [{"reason": "finished"}, {"reason": "because"}, {"reason": None}, {"why": "x"}, []])
def test_a_rejection_for_another_reason_is_none(reviewed: Installation, body: Any) -> None:
    one = propose(reviewed)
    reply = reviewed.call("POST", f"/v1/review/{one['introduction_id']}/reject", body)
    assert reply.status_code in {400, 422}
    assert look(reviewed, one)["state"] == "in_review"
