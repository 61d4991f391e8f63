"""Programmes of size small: additions and models at once, and no cost where nothing is new for the seeker."""

from __future__ import annotations

from tests.service.installation import record
from tests.service.live.asking import Asking, ids


def test_whoever_is_added_is_there_at_once(asking_small: Asking) -> None:
    first = asking_small.reply(limit=10)
    asking_small.put(record("best", profile={"experiences": ["lumpectomy"], "channel": ["phone"], "journey": "later"}))
    second = asking_small.reply(limit=10)
    names = asking_small.stored_names(second["match_id"])
    assert "best" in names
    assert second["match_id"] != first["match_id"]
    assert second["fresh"]
    assert asking_small.count("matched") == 2


def test_an_addition_that_says_nothing_new_keeps_the_list_and_costs_nothing(asking_small: Asking) -> None:
    first = asking_small.data()
    for number in range(9):
        asking_small.put(record(f"unfit-{number}", profile={"channel": ["video"]}))
        assert asking_small.data() == first
    assert asking_small.count() == 1
    asking_small.edit("s-1", profile={"journey": "long"})
    assert asking_small.reply()["fresh"]


def test_once_it_is_known_to_say_nothing_new_it_is_not_computed_again(asking_small: Asking) -> None:
    match_id = asking_small.reply()["match_id"]
    before = asking_small.stored(match_id).number
    asking_small.put(record("unfit", profile={"channel": ["video"]}))
    asking_small.reply()
    after = asking_small.stored(match_id).number
    assert after > before
    asking_small.reply()
    assert asking_small.stored(match_id).number == after


def test_a_new_model_serves_at_once(asking_small: Asking) -> None:
    first = asking_small.reply()
    asking_small.made.publish("2")
    second = asking_small.reply()
    assert (first["model_version"], second["model_version"]) == ("1", "2")
    assert second["match_id"] == first["match_id"], "the same weights say the same"
    assert second["matches"] == first["matches"]
    assert asking_small.count() == 1


def test_beyond_the_budget_the_list_before_comes_back(asking_small: Asking) -> None:
    for number in range(6):
        asking_small.put(record(f"best-{number}"))
        assert asking_small.reply()["fresh"]
    last = asking_small.reply(limit=10)
    asking_small.put(record("one-more"))
    beyond = asking_small.reply(limit=10)
    assert (beyond["fresh"], beyond["match_id"]) == (False, last["match_id"])
    assert ids(beyond) == ids(last)
    asking_small.made.clock.turn(hours=12)
    fresh = asking_small.reply(limit=10)
    assert fresh["fresh"]
    assert "one-more" in asking_small.stored_names(fresh["match_id"])


def test_whoever_goes_is_no_reason_for_a_new_list(asking_small: Asking) -> None:
    first = asking_small.reply()
    order = asking_small.stored_names(first["match_id"])
    asking_small.hold(order[0])
    asking_small.edit(order[1], capacity=0)
    after = asking_small.reply()
    assert not {order[0], order[1]} & set(ids(after))
    assert len(ids(after)) == 5


def test_who_comes_back_is_where_they_were(asking_small: Asking) -> None:
    first = asking_small.reply()
    gone = ids(first)[0]
    hold = asking_small.hold(gone)
    assert gone not in asking_small.ids()
    asking_small.lift(gone, hold)
    assert asking_small.reply() == first
    assert asking_small.count() == 1
