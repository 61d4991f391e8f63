"""The log of who was shown: once an entry, with the rank at which it was first returned."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from service.store.moments import micros
from tests.service.installation import NOON
from tests.service.live.asking import Asking, ids


def log(asking: Asking, reply: Any) -> dict[int, tuple[int, int]]:
    """Return the log of a list: place → rank and moment."""
    return asking.stored(reply["match_id"]).shown


def at(minutes: float) -> int:
    return micros(NOON + timedelta(minutes=minutes))


def test_who_is_returned_first_is_logged_with_the_list(asking: Asking) -> None:
    reply = asking.reply(limit=3)
    assert log(asking, reply) == {place: (place + 1, at(0)) for place in range(3)}


def test_a_repeat_logs_nothing_and_a_longer_one_only_the_rest(asking: Asking) -> None:
    asking.reply(limit=3)
    asking.made.clock.turn(minutes=1)
    assert set(log(asking, asking.reply(limit=2))) == {0, 1, 2}
    asking.made.clock.turn(minutes=1)
    longer = asking.reply(limit=5)
    assert log(asking, longer) == {0: (1, at(0)), 1: (2, at(0)), 2: (3, at(0)), 3: (4, at(2)), 4: (5, at(2))}
    asking.made.clock.turn(minutes=1)
    assert log(asking, asking.reply(limit=5)) == log(asking, longer)


def test_who_moves_up_is_logged_at_the_rank_they_then_have(asking: Asking) -> None:
    first = asking.reply()
    order = asking.stored_names(first["match_id"])
    asking.made.clock.turn(minutes=3)
    for member_id in order[1:3]:
        asking.hold(member_id)
    second = asking.reply()
    assert ids(second) == [order[0], *order[3:7]]
    # The fourth and fifth have moved up and keep the rank at which they were first seen; two are new at the end.
    added = {5: (4, at(3)), 6: (5, at(3))}
    assert log(asking, second) == {place: (place + 1, at(0)) for place in range(5)} | added


def test_who_comes_back_keeps_their_first_rank(asking: Asking) -> None:
    first = asking.reply(limit=2)
    order = asking.stored_names(first["match_id"])
    hold = asking.hold(order[0])
    assert ids(asking.reply(limit=2)) == order[1:3]
    asking.lift(order[0], hold)
    # Whom a list showed when it was made is told from who came later, though no time has passed.
    assert log(asking, asking.reply(limit=3)) == {0: (1, at(0)), 1: (2, at(0)), 2: (2, at(0) + 1)}


def test_a_new_list_has_a_log_of_its_own(asking: Asking) -> None:
    first = asking.reply()
    asking.made.clock.turn(days=1)
    second = asking.reply(limit=1)
    assert log(asking, second) == {0: (1, micros(asking.made.clock()))}
    assert len(log(asking, first)) == 5


def test_a_list_without_anybody_logs_nobody(asking: Asking) -> None:
    for number in range(12):
        asking.hold(f"p-{number:02}")
    reply = asking.reply()
    assert log(asking, reply) == {}


def test_a_held_seeker_is_shown_nobody_and_nothing_is_stored(asking: Asking) -> None:
    asking.hold("s-1", "crisis")
    asking.reply()
    assert asking.count() == 0


def test_what_comes_back_beyond_the_budget_is_logged_too(asking: Asking) -> None:
    asking.made.change_programme(more="lists_per_day = 1")
    first = asking.reply(limit=2)
    asking.edit("s-1", profile={"journey": "long"})
    asking.made.clock.turn(minutes=4)
    beyond = asking.reply(limit=3)
    assert (beyond["match_id"], beyond["fresh"]) == (first["match_id"], False)
    assert log(asking, beyond) == {0: (1, at(0)), 1: (2, at(0)), 2: (3, at(4))}
