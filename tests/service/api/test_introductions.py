"""Introductions through the partner's app: from a handle to a connection, and every way that does not lead there."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from service.store import introductions
from tests.service.api.replies import problem
from tests.service.installation import Installation, another_programme, consent, record
from tests.service.introduced import act, heard, inbox, learned, live, people, propose, shown


@pytest.fixture
def peopled(small: Installation) -> Installation:
    return people(small)


def test_two_are_connected_when_both_have_chosen(peopled: Installation) -> None:
    one = propose(peopled)
    assert (one["state"], one["side"], one["member_id"], one["allowed"]) == ("offered", "seeker", None, ["withdraw"])
    (offer,) = inbox(peopled, "m-1")
    assert (offer["state"], offer["member_id"], offer["allowed"]) == ("offered", None, ["accept", "decline"])
    assert offer["card"]["statement"] == "Driving again is what I think of."
    assert {reason["facet"] for reason in offer["card"]["reasons"]} <= {"experiences", "journey"}
    assert offer["card"]["reasons"]
    met = act(peopled, one, "accept", "m-1")
    assert (met["state"], met["member_id"]) == ("connected", "s-1")
    assert [(mine["state"], mine["member_id"]) for mine in inbox(peopled, "s-1")] == [("connected", "m-1")]
    assert learned(peopled) == [("s-1", "accepted", "seeker"), ("s-1", "accepted", "candidate")]
    assert heard(peopled) == [
        ("s-1", "introduction.offered"),
        ("m-1", "introduction.offered"),
        ("s-1", "introduction.connected"),
        ("m-1", "introduction.connected"),
    ]


def test_a_place_is_held_from_the_offer_on_and_free_again_after_the_end_and_a_rest(peopled: Installation) -> None:
    one = propose(peopled)
    assert live(peopled, "m-1").free == 0
    assert set(shown(peopled, "s-2")) == {"m-2"}
    act(peopled, one, "accept", "m-1")
    assert live(peopled, "m-1").free == 0
    act(peopled, one, "end", "s-1", reason="finished")
    assert live(peopled, "m-1").free == 1
    assert live(peopled, "m-1").rests_until > 0
    assert set(shown(peopled, "s-2")) == {"m-2"}, "they rest"
    peopled.clock.turn(days=8)
    assert set(shown(peopled, "s-2")) == {"m-1", "m-2"}
    assert live(peopled, "m-1").rests_until == 0


def test_whoever_is_full_gets_no_more_offers_though_a_list_still_names_them(peopled: Installation) -> None:
    handle = shown(peopled, "s-2")["m-1"]
    propose(peopled)
    reply = peopled.call("POST", "/v1/introductions", handle)
    problem(reply, 409, "no-place")


def test_a_decline_is_silent_and_for_good(peopled: Installation) -> None:
    one = propose(peopled)
    assert act(peopled, one, "decline", "m-1")["state"] == "declined"
    (mine,) = inbox(peopled, "s-1")
    assert (mine["state"], mine["card"], mine["allowed"]) == ("closed", None, [])
    assert live(peopled, "m-1").free == 1
    peopled.clock.turn(days=400)
    assert set(shown(peopled)) == {"m-2"}
    assert "m-1" in shown(peopled, "s-2")


def test_what_nobody_answers_lapses_and_the_next_best_is_asked(peopled: Installation) -> None:
    propose(peopled)
    peopled.clock.turn(days=7)
    assert [mine["state"] for mine in inbox(peopled, "s-1")] == ["closed"]
    assert heard(peopled)[-2:] == [("s-1", "introduction.closed"), ("m-1", "introduction.closed")]
    assert live(peopled, "m-1").free == 1
    assert set(shown(peopled)) == {"m-2"}
    peopled.clock.turn(days=31)
    assert set(shown(peopled)) == {"m-1", "m-2"}


def test_an_answer_after_the_end_is_refused_with_what_to_do(peopled: Installation) -> None:
    one = propose(peopled)
    peopled.clock.turn(days=7)
    reply = act(peopled, one, "accept", "m-1", 409)
    assert reply["type"].endswith("not-allowed-now")
    assert "closed" in reply["detail"]


def test_twice_is_refused(peopled: Installation) -> None:
    one = propose(peopled)
    act(peopled, one, "accept", "m-1")
    assert "connected" in act(peopled, one, "accept", "m-1", 409)["detail"]
    assert act(peopled, one, "accept", "s-1", 409)["type"].endswith("not-allowed-now")


def test_one_at_a_time(peopled: Installation) -> None:
    other = shown(peopled)["m-2"]
    one = propose(peopled)
    reply = peopled.call("POST", "/v1/introductions", other)
    problem(reply, 409, "too-many-open")
    assert act(peopled, one, "withdraw", "s-1")["state"] == "withdrawn"
    assert peopled.call("POST", "/v1/introductions", other).status_code == 201


def test_the_same_two_are_not_proposed_twice(peopled: Installation) -> None:
    handle = shown(peopled)["m-1"]
    propose(peopled)
    problem(peopled.call("POST", "/v1/introductions", handle), 409, "not-available")


@pytest.mark.parametrize("purpose", ["match_serve", "be_shown_as_peer"])
def test_whoever_withdrew_is_out_of_every_inbox_at_once(peopled: Installation, purpose: str) -> None:
    one = propose(peopled)
    name = "s-1" if purpose == "match_serve" else "m-1"
    peopled.call("POST", f"/v1/members/{name}/consents", {"purpose": purpose, "decision": "withdrawn"})
    for member in ("s-1", "m-1"):
        (mine,) = inbox(peopled, member)
        assert (mine["state"], mine["card"]) == ("closed", None)
    assert live(peopled, "m-1").free == 1
    assert act(peopled, one, "accept", "m-1", 409)["type"].endswith("not-allowed-now")


def test_whoever_withdrew_between_list_and_choice_is_not_there(peopled: Installation) -> None:
    handle = shown(peopled)["m-1"]
    peopled.call("POST", "/v1/members/m-1/consents", {"purpose": "be_shown_as_peer", "decision": "withdrawn"})
    reply = problem(peopled.call("POST", "/v1/introductions", handle), 409, "not-available")
    assert "consent" not in reply["detail"]


def test_a_hold_or_a_block_closes_what_is_offered(peopled: Installation) -> None:
    propose(peopled)
    peopled.call("POST", "/v1/members/m-1/holds", {"kind": "pause"})
    assert [mine["state"] for mine in inbox(peopled, "s-1")] == ["closed"]
    propose(peopled, candidate="m-2")
    peopled.call("POST", "/v1/blocks", {"a": "m-2", "b": "s-1"})
    assert [mine["state"] for mine in inbox(peopled, "s-1")] == ["closed", "closed"]


def test_a_block_ends_a_connection(peopled: Installation) -> None:
    one = propose(peopled)
    act(peopled, one, "accept", "m-1")
    peopled.call("POST", "/v1/blocks", {"a": "m-1", "b": "s-1"})
    assert [mine["state"] for mine in inbox(peopled, "s-1")] == ["ended"]
    assert live(peopled, "m-1").free == 1


def test_safety_forbids_by_now_what_was_offered(peopled: Installation) -> None:
    one = propose(peopled)
    changed = record("m-1", capacity=1, vetted=False)
    assert (
        peopled.call("PUT", "/v1/members/m-1", {k: v for k, v in changed.items() if k != "member_id"}).status_code < 300
    )
    for member in ("s-1", "m-1"):
        assert [(mine["state"], mine["card"]) for mine in inbox(peopled, member)] == [("offered", None)]
    assert act(peopled, one, "accept", "m-1", 409)["type"].endswith("not-available")
    assert [mine["state"] for mine in inbox(peopled, "s-1")] == ["closed"]


def test_those_who_are_connected_read_each_others_cards(peopled: Installation) -> None:
    act(peopled, propose(peopled), "accept", "m-1")
    assert all(inbox(peopled, member)[0]["card"] for member in ("s-1", "m-1"))
    changed = record("m-1", capacity=1, vetted=False)
    peopled.call("PUT", "/v1/members/m-1", {k: v for k, v in changed.items() if k != "member_id"})
    assert [inbox(peopled, member)[0]["card"] for member in ("s-1", "m-1")] == [None, None]
    assert inbox(peopled, "s-1")[0]["member_id"] == "m-1", "they know each other, and end it themselves"


def declined(made: Installation) -> None:
    act(made, propose(made), "decline", "m-1")


def lapsed(made: Installation) -> None:
    propose(made)
    made.clock.turn(days=7)


def taken_back(made: Installation) -> None:
    act(made, propose(made), "withdraw", "s-1")


def rematched(made: Installation) -> None:
    one = propose(made)
    act(made, one, "accept", "m-1")
    act(made, one, "rematch", "m-1")


def blocked(made: Installation) -> None:
    made.call("POST", "/v1/blocks", {"a": "m-1", "b": "s-1"})


def avoided(made: Installation) -> None:
    made.add(record("m-1", capacity=1, wants={"experiences": {"avoid": ["lumpectomy"]}}))


def proposed_by_the_other(made: Installation) -> None:
    """As in a mutual programme: it is in review, of which this side has never heard."""
    with made.store.transaction() as session:
        pair = ("m-1", "s-1")
        introductions.begin(session, made.programme, pair, by="seeker", now=made.clock(), reviewed=True)


@pytest.mark.parametrize("why", [declined, lapsed, taken_back, rematched, avoided, proposed_by_the_other])
def test_a_seeker_is_told_the_same_whatever_keeps_two_apart(
    small: Installation, why: Callable[[Installation], None]
) -> None:
    made = people(small, more="[introductions]\ncool_down_days = 0\nper_week = 9\n")
    handle = shown(made)["m-1"]
    why(made)
    told = problem(made.call("POST", "/v1/introductions", handle), 409, "not-available")
    blocked(made)
    assert problem(made.call("POST", "/v1/introductions", handle), 409, "not-available") == told
    assert told["detail"] == "Found that this person cannot be introduced now; choose somebody else of the list."


def test_whoever_asks_twice_is_told_that_it_is_on_its_way(small: Installation) -> None:
    made = people(small, more="[introductions]\nopen_at_once = 2\n")
    handle = shown(made)["m-1"]
    act_ = made.call("POST", "/v1/introductions", handle)
    assert act_.status_code == 201
    told = problem(made.call("POST", "/v1/introductions", handle), 409, "not-available")
    assert told["detail"] == "Found that these two are being introduced already; wait for the answer."


def test_a_rematch_keeps_two_apart(peopled: Installation) -> None:
    one = propose(peopled)
    act(peopled, one, "accept", "m-1")
    act(peopled, one, "rematch", "s-1")
    peopled.clock.turn(days=200)
    assert set(shown(peopled)) == {"m-2"}


def test_capacity_below_the_load_keeps_what_there_is_and_adds_nothing(peopled: Installation) -> None:
    one = propose(peopled, candidate="m-2")
    act(peopled, one, "accept", "m-2")
    propose(peopled, "s-2", "m-2")
    peopled.add(record("m-2", capacity=1))
    assert live(peopled, "m-2").free == -1
    assert sorted(mine["state"] for mine in inbox(peopled, "m-2")) == ["connected", "offered"]
    peopled.add(record("s-3", "seeker"))
    assert set(shown(peopled, "s-3")) == {"m-1"}


def test_others_and_unknown_ids_are_one_404(peopled: Installation) -> None:
    one = propose(peopled)
    replies = [
        act(peopled, one, "accept", "s-2", 404),
        act(peopled, {"introduction_id": "none"}, "accept", "m-1", 404),
        act(peopled, {"introduction_id": "a\x00b"}, "accept", "m-1", 404),
    ]
    assert replies[0] == replies[1] == replies[2]


def test_a_safety_report_suspends_at_once_and_both_read_the_same(peopled: Installation) -> None:
    one = propose(peopled)
    act(peopled, one, "accept", "m-1")
    body = {"introduction_id": one["introduction_id"], "member_id": "s-1", "event": "reported", "safety": True}
    assert peopled.call("POST", "/v1/feedback", body).status_code == 202
    for member in ("s-1", "m-1"):
        (mine,) = inbox(peopled, member)
        assert (mine["state"], mine["card"], mine["member_id"]) == ("paused", None, None)
    queue = peopled.call("GET", "/v1/review").get_json()
    assert [(each["introduction_id"], each["suspended"]) for each in queue["introductions"]] == [
        (one["introduction_id"], True)
    ]
    assert learned(peopled)[-1] == ("s-1", "reported", "seeker")


def test_a_supporter_with_capacity_nought_is_in_no_list(peopled: Installation) -> None:
    peopled.add(record("m-0", capacity=0))
    assert "m-0" not in shown(peopled)


def test_consent_that_ends_by_itself_closes_too(peopled: Installation) -> None:
    until = f"{peopled.clock().replace(day=6):%Y-%m-%dT%H:%M:%SZ}"
    ends = [consent("match_serve"), consent("be_shown_as_peer", valid_until=until)]
    peopled.add(record("m-3", consents=ends))
    propose(peopled, candidate="m-3")
    peopled.clock.turn(days=3)
    assert [mine["state"] for mine in inbox(peopled, "s-1")] == ["closed"]


def test_another_programme_has_its_own(peopled: Installation) -> None:
    one = propose(peopled)
    other = another_programme(peopled, "beacon")
    reply = peopled.call("POST", f"/v1/introductions/{one['introduction_id']}/accept", {"member_id": "m-1"}, key=other)
    problem(reply, 404, "no-such-introduction")
