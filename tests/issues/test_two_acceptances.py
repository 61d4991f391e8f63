"""Two acceptances, minutes apart, both succeeded (ReDI connect 898); capacity 0 crashed (matching 112).

Ten at one moment and in two processes: ``tests/service/live/test_one_place.py``.
"""

from __future__ import annotations

from typing import Any

from tests.service.api.replies import problem
from tests.service.installation import Installation, record
from tests.service.introduced import ALL, NONE, act, live, people, propose, shown


def approve(made: Installation, one: Any) -> Any:
    return made.call("POST", f"/v1/review/{one['introduction_id']}/approve", {})


def test_of_two_approvals_for_one_place_the_second_is_refused(small: Installation) -> None:
    made = people(small, ALL)
    first, second = propose(made), propose(made, "s-2")
    made.clock.turn(minutes=3)
    assert approve(made, first).status_code == 200
    made.clock.turn(minutes=3)
    problem(approve(made, second), 409, "no-place")
    assert live(made, "m-1").free == 0
    act(made, first, "decline", "m-1")
    assert approve(made, second).status_code == 200, "the place is free again"


def test_of_two_offers_to_one_place_the_second_is_refused_however_much_later(small: Installation) -> None:
    made = people(small, NONE)
    handle = shown(made, "s-2")["m-1"]
    one = propose(made)
    for _ in range(3):
        made.clock.turn(hours=20)
        problem(made.call("POST", "/v1/introductions", handle), 409, "no-place")
    act(made, one, "accept", "m-1")
    made.clock.turn(days=5)
    problem(made.call("POST", "/v1/introductions", handle), 409, "no-place")


def test_whoever_has_no_place_gets_nobody(small: Installation) -> None:
    made = people(small, NONE)
    handle = shown(made)["m-1"]
    made.add(record("m-1", capacity=0), record("m-3", capacity=0))
    assert set(shown(made)) == {"m-2"}
    problem(made.call("POST", "/v1/introductions", handle), 409, "no-place")
    by_hand = {"seeker": "s-1", "candidate": "m-3", "override": True}
    problem(made.call("POST", "/v1/review", by_hand), 409, "no-place")
