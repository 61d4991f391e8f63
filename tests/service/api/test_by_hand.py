"""Two members whom a coordinator introduces by hand: what that passes over, and what it never does."""

from __future__ import annotations

from typing import Any

import pytest

from tests.service.api.test_review import logged
from tests.service.installation import Installation, record
from tests.service.introduced import ALL, act, heard, inbox, people, told


@pytest.fixture
def peopled(small: Installation) -> Installation:
    """People of a programme in which a coordinator looks at everything, though not at what they did themselves."""
    return people(small, ALL)


def by_hand(made: Installation, status: int = 201, **body: Any) -> Any:
    reply = made.call("POST", "/v1/review", {"seeker": "s-1", "candidate": "m-1", **body})
    assert reply.status_code == status, reply.get_data(as_text=True)
    return reply.get_json()


@pytest.mark.parametrize(("first", "second"), [("s-1", "m-1"), ("m-1", "s-1")])
def test_by_hand_both_are_asked_and_neither_hears_of_the_others_yes(
    peopled: Installation, first: str, second: str
) -> None:
    one = by_hand(peopled)
    assert (one["state"], one["proposed_by"], one["yes"]) == ("offered", "coordinator", [])
    before = inbox(peopled, second)
    assert [mine["allowed"][:2] for mine in before] == [["accept", "decline"]]
    peopled.clock.turn(hours=1)
    assert act(peopled, one, "accept", first)["state"] == "accepted"
    assert inbox(peopled, second) == before, "to the last byte, and since when"
    assert (second, "introduction.accepted") not in heard(peopled)
    assert act(peopled, one, "accept", second)["member_id"] == first
    assert logged(peopled) == [("introduction.made", {})]


def test_wishes_are_passed_over_by_hand_and_the_log_says_which(peopled: Installation) -> None:
    peopled.add(record("s-1", "seeker", wants={"experiences": {"avoid": ["travel"]}}))
    peopled.add(record("m-1", capacity=1, profile={**told("Hello."), "experiences": ["lumpectomy", "travel"]}))
    reply = by_hand(peopled, 409)
    assert reply["type"].endswith("not-available")
    assert "avoid" in reply["detail"]
    assert '"override": true' in reply["detail"]
    assert logged(peopled) == []
    assert by_hand(peopled, override=True)["state"] == "offered"
    assert logged(peopled) == [("introduction.made", {"override": ["avoid"]})]


@pytest.mark.parametrize("gate", ["vetted", "held", "blocked", "consent", "capacity"])
def test_safety_is_never_passed_over(peopled: Installation, gate: str) -> None:
    if gate == "vetted":
        peopled.add(record("m-1", capacity=1, vetted=False))
    elif gate == "held":
        peopled.call("POST", "/v1/members/m-1/holds", {"kind": "crisis"})
    elif gate == "blocked":
        peopled.call("POST", "/v1/blocks", {"a": "m-1", "b": "s-1"})
    elif gate == "consent":
        peopled.call("POST", "/v1/members/m-1/consents", {"purpose": "be_shown_as_peer", "decision": "withdrawn"})
    else:
        peopled.add(record("m-1", capacity=0))
    kind = "no-place" if gate == "capacity" else "not-available"
    for override in (False, True):
        reply = by_hand(peopled, 409, override=override)
        assert reply["type"].endswith(kind)
        assert "override" not in reply["detail"], "there is nothing that it would pass over"
    assert logged(peopled) == []
    assert inbox(peopled, "m-1") == []


def test_a_supporter_who_rests_is_asked_only_if_a_coordinator_insists(peopled: Installation) -> None:
    one = by_hand(peopled)
    act(peopled, one, "accept", "s-1")
    act(peopled, one, "accept", "m-1")
    act(peopled, one, "end", "m-1")
    other = {"seeker": "s-2"}
    assert by_hand(peopled, 409, **other)["type"].endswith("no-place")
    assert by_hand(peopled, override=True, **other)["state"] == "offered"


def test_by_hand_somebody_unknown_and_oneself_are_told(peopled: Installation) -> None:
    assert by_hand(peopled, 404, seeker="nobody")["type"].endswith("no-such-member")
    assert list(by_hand(peopled, 422, candidate="s-1")["errors"]) == ["candidate"]
    by_hand(peopled)
    assert by_hand(peopled, 409, override=True)["type"].endswith("not-available"), "they are being introduced"


@pytest.mark.parametrize("value", [1, 0, "true", None, [True]])
def test_only_true_insists(peopled: Installation, value: Any) -> None:
    assert list(by_hand(peopled, 422, override=value)["errors"]) == ["override"]
