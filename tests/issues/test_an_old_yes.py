"""A yes of an introduction that is over counted for the next one (our own review).

Two who met again stood as connected from the proposal on: the supporter's answer was refused, the offer lapsed, and the
place was never free again. What two said before an end counts for nothing after it, whatever the end was.
"""

from __future__ import annotations

import pytest

from matcher.model import answers
from service.store import apart
from tests.service.api.test_review import decide
from tests.service.installation import Installation
from tests.service.introduced import ALL, act, inbox, live, people, propose

NEXT = "[introductions]\nagain_days = 1\ncool_down_days = 0\nper_week = 9\n"
PLACE = 1


@pytest.fixture
def made(small: Installation) -> Installation:
    return people(small, more=NEXT)


def stands(made: Installation) -> set[str]:
    with made.store.reading() as session:
        return {kind for kind, others in apart.around(session, "lantern", "s-1").items() if "m-1" in others}


def by_hand(made: Installation) -> dict[str, str]:
    reply = made.call("POST", "/v1/review", {"seeker": "s-1", "candidate": "m-1"})
    assert reply.status_code == 201, reply.get_data(as_text=True)
    found: dict[str, str] = reply.get_json()
    return found


def ended(made: Installation) -> None:
    act(made, one := propose(made), "accept", "m-1")
    made.clock.turn(hours=1)
    act(made, one, "end", "s-1")


def lapsed_after_a_yes_of_the_supporter(made: Installation) -> None:
    act(made, by_hand(made), "accept", "m-1")
    made.clock.turn(days=7)
    inbox(made, "m-1")


def lapsed_after_a_yes_of_the_seeker(made: Installation) -> None:
    propose(made)
    made.clock.turn(days=7)
    inbox(made, "m-1")


def withdrawn(made: Installation) -> None:
    act(made, one := by_hand(made), "accept", "m-1")
    made.clock.turn(hours=1)
    act(made, one, "withdraw", "s-1")


def left(made: Installation) -> None:
    act(made, one := by_hand(made), "accept", "m-1")
    made.clock.turn(hours=1)
    act(made, one, "end", "m-1")


BEFORE = [ended, lapsed_after_a_yes_of_the_supporter, lapsed_after_a_yes_of_the_seeker, withdrawn, left]


@pytest.mark.parametrize("before", BEFORE)
@pytest.mark.parametrize("how", [propose, by_hand])
def test_two_who_meet_again_both_say_yes_again(made: Installation, before: object, how: object) -> None:
    before(made)  # type: ignore[operator]
    made.clock.turn(days=2)
    inbox(made, "s-1")  # time passes
    assert (stands(made), live(made, "m-1").free) == (set(), PLACE)
    one = how(made)  # type: ignore[operator]
    assert stands(made) == {"introduced"}, "nobody is connected by what they said the last time"
    made.clock.turn(hours=1)
    act(made, one, "accept", "m-1")
    if how is by_hand:
        assert stands(made) == {"introduced"}
        act(made, one, "accept", "s-1")
    assert stands(made) == {"introduced", "connected"}
    assert live(made, "m-1").free == 0
    made.clock.turn(hours=1)
    act(made, one, "end", "m-1")
    assert (stands(made), live(made, "m-1").free) == (set(), PLACE)


@pytest.mark.parametrize("before", BEFORE)
def test_what_lapses_the_second_time_gives_the_place_back(made: Installation, before: object) -> None:
    before(made)  # type: ignore[operator]
    made.clock.turn(days=2)
    propose(made)
    made.clock.turn(days=7)
    inbox(made, "s-1")
    assert live(made, "m-1").free == PLACE
    made.clock.turn(days=1)
    inbox(made, "s-1")
    assert stands(made) == set()


def test_a_rejection_counts_like_any_end(small: Installation) -> None:
    made = people(small, ALL, more=NEXT)
    decide(made, propose(made), "reject")
    assert stands(made) == {"introduced"}


def test_where_an_old_yes_counts_it_is_found_out(made: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = answers.relations
    monkeypatch.setattr(apart, "relations", lambda told, at: whole([one for one in told if one.event != "ended"], at))
    with pytest.raises(AssertionError):
        test_two_who_meet_again_both_say_yes_again(made, ended, by_hand)
