"""What of introductions is in an export: what this side was told and did, and nothing of the other's answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import update

from service.sealing import SealError
from service.store import export
from service.store.introduction_tables import IntroductionRow
from tests.service.installation import Installation
from tests.service.introduced import ALL, act, heard, inbox, people, propose

NEVER = (
    "declined", "decline", "rejected", "reject", "expired", "expire", "withdrawn", "withdraw", "rematch", "suspend",
    "bereavement", "not_a_fit", "safety",
)  # fmt: skip
"""Words of which only the side that did it is told."""
NOON, LATER = "2026-03-04T12:00:00Z", "2026-03-04T13:00:00Z"


@pytest.fixture
def peopled(small: Installation) -> Installation:
    return people(small)


def exported(made: Installation, member_id: str) -> dict[str, Any]:
    with made.store.reading() as session:
        found = export.export(session, "lantern", member_id, made.clock())
    assert found is not None
    return found


def one_of(made: Installation, member_id: str) -> dict[str, Any]:
    (found,) = exported(made, member_id)["introductions"]
    return dict(found)


def of_the_other(document: dict[str, Any], other: str) -> list[str]:
    """Return what a document tells of another member, who is not connected with this one, and of what they did."""
    held = {key: value for key, value in document.items() if key != "left_out"}
    words = [word for word in NEVER if f'"{word}"' in json.dumps(held) or f".{word}" in json.dumps(held)]
    return words + ([other] if f'"{other}"' in json.dumps(held) else [])


def by_hand(made: Installation) -> Any:
    return made.call("POST", "/v1/review", {"seeker": "s-1", "candidate": "m-1"}).get_json()


# From the offer to the end -----------------------------------------------------------------------------------------


def test_each_reads_what_their_side_is_told_and_what_they_did(peopled: Installation) -> None:
    one = propose(peopled)
    same = {"introduction_id": one["introduction_id"], "made_at": NOON, "member_id": None}
    proposed = {"act": "propose", "at": NOON, "reason": None}
    assert one_of(peopled, "s-1") == {**same, "side": "seeker", "state": "offered", "since": NOON, "acts": [proposed]}
    assert one_of(peopled, "m-1") == {**same, "side": "candidate", "state": "offered", "since": NOON, "acts": []}
    assert exported(peopled, "m-2")["introductions"] == []
    peopled.clock.turn(hours=1)
    act(peopled, one, "accept", "m-1")
    accepted = {"act": "accept", "at": LATER, "reason": None}
    met = {"state": "connected", "since": LATER}
    assert one_of(peopled, "s-1") == {**same, **met, "side": "seeker", "acts": [proposed], "member_id": "m-1"}
    assert one_of(peopled, "m-1") == {**same, **met, "side": "candidate", "acts": [accepted], "member_id": "s-1"}
    act(peopled, one, "end", "m-1", reason="bereavement")
    over = {"state": "ended", "since": LATER}
    ended = {"act": "end", "at": LATER, "reason": "bereavement"}
    assert one_of(peopled, "s-1") == {**same, **over, "side": "seeker", "acts": [proposed]}
    assert one_of(peopled, "m-1") == {**same, **over, "side": "candidate", "acts": [accepted, ended]}


def test_events_are_those_that_were_addressed_to_the_member(peopled: Installation) -> None:
    one = propose(peopled)
    act(peopled, one, "accept", "m-1")
    everything = heard(peopled)
    for name in ("s-1", "m-1", "m-2"):
        told = exported(peopled, name)["events"]
        assert [event["kind"] for event in told] == [kind for member, kind in everything if member == name]
        assert [everything[event["number"] - 1][0] for event in told] == [name] * len(told)
    assert exported(peopled, "m-1")["events"][0] == {
        "number": 2, "kind": "introduction.offered", "at": NOON, "introduction_id": one["introduction_id"],
    }  # fmt: skip


def test_what_lapsed_and_was_not_noted_yet_reads_as_in_the_inbox(peopled: Installation) -> None:
    propose(peopled)
    peopled.clock.turn(days=7)
    told = one_of(peopled, "s-1"), one_of(peopled, "m-1")
    assert [(mine["state"], mine["since"]) for mine in told] == [("closed", "2026-03-11T12:00:00Z")] * 2
    assert [(mine["state"], mine["since"]) for mine in inbox(peopled, "s-1")] == [("closed", "2026-03-11T12:00:00Z")]


def test_in_review_the_candidate_has_nothing_of_it_and_then_only_from_the_offer_on(small: Installation) -> None:
    made = people(small, ALL)
    one = propose(made)
    assert one_of(made, "s-1")["state"] == "in_review"
    assert (exported(made, "m-1")["introductions"], exported(made, "m-1")["events"]) == ([], [])
    made.clock.turn(hours=1)
    assert made.call("POST", f"/v1/review/{one['introduction_id']}/approve", {}).status_code == 200
    assert [one_of(made, name)["made_at"] for name in ("s-1", "m-1")] == [NOON, LATER]
    assert "12:00:00Z" not in json.dumps(one_of(made, "m-1")), "when the seeker proposed is the seeker's"


def test_by_hand_the_others_yes_moves_nothing(peopled: Installation) -> None:
    one = by_hand(peopled)
    before = one_of(peopled, "m-1")
    peopled.clock.turn(hours=1)
    act(peopled, one, "accept", "s-1")
    assert one_of(peopled, "m-1") == before
    mine = one_of(peopled, "s-1")
    assert (mine["state"], mine["since"], [step["act"] for step in mine["acts"]]) == ("accepted", LATER, ["accept"])


# Nothing of the other ----------------------------------------------------------------------------------------------


def _declined(made: Installation) -> str:
    act(made, propose(made), "decline", "m-1")
    return "m-1"


def _withdrawn(made: Installation) -> str:
    act(made, propose(made), "withdraw", "s-1")
    return "s-1"


def _ended(made: Installation) -> str:
    one = propose(made)
    act(made, one, "accept", "m-1")
    act(made, one, "end", "s-1", reason="not_a_fit")
    return "s-1"


def _rematched(made: Installation) -> str:
    one = propose(made)
    act(made, one, "accept", "m-1")
    act(made, one, "rematch", "m-1", reason="safety")
    return "m-1"


def _blocked(made: Installation) -> str:
    act(made, propose(made), "accept", "m-1")
    assert made.call("POST", "/v1/blocks", {"a": "s-1", "b": "m-1"}).status_code == 201
    return ""


def _suspended(made: Installation) -> str:
    one = propose(made)
    act(made, one, "accept", "m-1")
    assert made.call("POST", f"/v1/review/{one['introduction_id']}/suspend", {}).status_code == 200
    return ""


def _rejected(made: Installation) -> str:
    made.change_programme(size=ALL)
    one = propose(made)
    reply = made.call("POST", f"/v1/review/{one['introduction_id']}/reject", {"reason": "not_a_fit"})
    assert reply.status_code == 200
    return ""


def _expired(made: Installation) -> str:
    propose(made)
    made.clock.turn(days=7)
    inbox(made, "s-1")
    return ""


STORIES = (_declined, _withdrawn, _ended, _rematched, _blocked, _suspended, _rejected, _expired)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_nothing_of_the_other_is_in_it(peopled: Installation, story: Callable[[Installation], str]) -> None:
    """`story` returns who did what no other is told of: their own export alone has the words."""
    actor = story(peopled)
    for name, other in (("s-1", "m-1"), ("m-1", "s-1")):
        found = of_the_other(exported(peopled, name), other)
        if name == actor:
            assert found, "control: it is told to whoever did it"
            assert other not in found
        else:
            assert found == []
    assert exported(peopled, "s-1")["introductions"]


@pytest.mark.parametrize("leak", ["who", "an act", "a state", "an event"])
def test_a_leak_is_caught(peopled: Installation, leak: str) -> None:
    _declined(peopled)
    document = exported(peopled, "s-1")
    assert of_the_other(document, "m-1") == []
    one, event = document["introductions"][0], document["events"][0]
    planted = {
        "who": {"introductions": [{**one, "member_id": "m-1"}]},
        "an act": {"introductions": [{**one, "acts": [{"act": "decline", "at": NOON, "reason": None}]}]},
        "a state": {"introductions": [{**one, "state": "declined"}]},
        "an event": {"events": [{**event, "kind": "introduction.declined"}]},
    }[leak]
    assert of_the_other({**document, **planted}, "m-1")


# Refused -----------------------------------------------------------------------------------------------------------


def test_half_of_it_is_never_told_as_all(peopled: Installation) -> None:
    propose(peopled)
    with peopled.store.transaction() as session:
        mine = IntroductionRow.programme_id == "lantern"
        session.execute(update(IntroductionRow).where(mine).values(details=b"damaged"))
    for name in ("s-1", "m-1"):
        with pytest.raises(SealError):
            exported(peopled, name)
    assert exported(peopled, "m-2")["introductions"] == []
