"""What follows from a step of an introduction, beside what the tests of the API see."""

from __future__ import annotations

from datetime import timedelta

import pytest

from service.store import introduction_rows
from service.store.moments import moment
from tests.service.api.test_review import decide
from tests.service.installation import Installation
from tests.service.introduced import act, inbox, learned, live, people, propose

LOSS = timedelta(days=90)


@pytest.fixture
def bereaved(small: Installation) -> Installation:
    """A supporter who has lost whom they supported, of whom nothing is stored any more."""
    made = people(small)
    act(made, one := propose(made), "accept", "m-1")
    act(made, one, "end", "m-1", reason="bereavement")
    assert moment(live(made, "m-1").rests_until) == made.clock() + LOSS
    assert made.call("DELETE", "/v1/members/s-1").status_code == 200
    return made


def test_a_rest_is_not_cut_short_where_what_it_came_of_is_deleted(bereaved: Installation) -> None:
    until = moment(live(bereaved, "m-1").rests_until)
    by_hand = {"seeker": "s-2", "candidate": "m-1", "override": True}
    one = bereaved.call("POST", "/v1/review", by_hand).get_json()
    decide(bereaved, one, "end", reason="other")
    assert moment(live(bereaved, "m-1").rests_until) == until


def test_a_longer_one_takes_its_place_and_it_ends(bereaved: Installation) -> None:
    bereaved.clock.turn(days=60)
    one = bereaved.call("POST", "/v1/review", {"seeker": "s-2", "candidate": "m-1", "override": True}).get_json()
    act(bereaved, one, "accept", "m-1")
    act(bereaved, one, "accept", "s-2")
    act(bereaved, one, "end", "m-1", reason="bereavement")
    assert moment(live(bereaved, "m-1").rests_until) == bereaved.clock() + LOSS
    bereaved.clock.turn(days=90)
    inbox(bereaved, "m-1")
    assert live(bereaved, "m-1").rests_until == 0


def test_nothing_is_told_to_be_over_in_which_nobody_had_said_yes(small: Installation) -> None:
    made = people(small)
    one = made.call("POST", "/v1/review", {"seeker": "s-1", "candidate": "m-1"}).get_json()
    decide(made, one, "end")
    assert learned(made) == []


def test_what_is_over_is_told_once(small: Installation) -> None:
    made = people(small)
    one = propose(made)
    act(made, one, "withdraw", "s-1")
    for what in ("suspend", "resume", "suspend", "end"):
        made.clock.turn(hours=1)
        decide(made, one, what)
    assert learned(made) == [("s-1", "accepted", "seeker"), ("s-1", "ended", "seeker")]


def test_two_stand_by_all_their_introductions(small: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is over is looked at while a newer one goes on: it keeps its place."""
    made = people(small, more="[introductions]\ncool_down_days = 0\n")
    act(made, old := propose(made), "accept", "m-1")
    act(made, old, "end", "s-1")
    made.clock.turn(days=8)
    propose(made)
    decide(made, old, "suspend")
    decide(made, old, "resume")
    assert live(made, "m-1").free == 0
    whole = introduction_rows.between
    monkeypatch.setattr(introduction_rows, "between", lambda *asked: whole(*asked)[:1])
    decide(made, old, "suspend")
    assert live(made, "m-1").free == 1, "control: told by one alone the place is given twice"
