"""Seekers with nobody to be shown to them, and seekers who are held."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.service.installation import NOON, Installation, record
from tests.service.live.asking import Asking, ids, supporters

MESSAGE = "If you are in danger call 999."


@pytest.fixture
def alone(made: Installation) -> Asking:
    """A seeker in a standard programme where nobody supports."""
    made.add(record("s-1", "seeker"))
    return Asking(made)


def nobody(reply: Any, reason: str = "no_eligible") -> None:
    assert (reply["outcome"], reply["reason"], reply["matches"]) == ("no_match", reason, [])
    assert reply["fresh"]


def test_nobody_is_the_same_bytes_until_something_changes(alone: Asking) -> None:
    first = alone.data()
    nobody(alone.reply())
    alone.made.clock.turn(hours=5)
    assert alone.data() == first
    assert alone.count() == 1


def test_who_waits_is_tried_again_with_every_change(alone: Asking) -> None:
    first = alone.reply()
    nobody(first)
    alone.made.add(record("unfit", profile={"channel": ["video"]}))
    assert alone.reply() == first, "that changed nothing for them"
    alone.made.add(record("p-1"))
    second = alone.reply()
    assert ids(second) == ["p-1"]
    assert second["match_id"] != first["match_id"]
    assert alone.count() == 2


@pytest.mark.parametrize("change", ["a place", "a lifted hold", "a lifted block", "an edit"])
def test_whatever_lets_somebody_in_is_found_at_once_by_who_waits(alone: Asking, change: str) -> None:
    alone.made.add(record("p-1", capacity=0 if change == "a place" else 1))
    hold = alone.hold("p-1") if change == "a lifted hold" else ""
    if change == "a lifted block":
        alone.block("s-1", "p-1")
    if change == "an edit":
        alone.edit("p-1", profile={"channel": ["video"]})
    nobody(alone.reply())
    match change:
        case "a place":
            alone.edit("p-1", capacity=1)
        case "a lifted hold":
            alone.lift("p-1", hold)
        case "a lifted block":
            alone.made.call("DELETE", "/v1/blocks/s-1/p-1")
        case _:
            alone.edit("p-1", profile={"channel": ["phone"]})
    assert alone.ids() == ["p-1"]


def test_members_of_tomorrow_are_found_tomorrow(alone: Asking) -> None:
    nobody(alone.reply())
    alone.put(record("p-1"))
    nobody(alone.reply())
    alone.made.clock.turn(days=1)
    assert alone.ids() == ["p-1"]


def test_trying_again_costs_nothing(alone: Asking) -> None:
    for number in range(12):
        alone.made.add(record(f"unfit-{number}", profile={"channel": ["video"]}))
        nobody(alone.reply())
    alone.made.add(record("p-1"))
    for number in range(4):
        alone.edit("s-1", profile={"journey": ["new", "later", "long", "later"][number]}, capacity=number)
        assert alone.reply()["fresh"]


def test_who_has_lost_all_whom_they_were_shown_waits_like_the_others(made: Installation) -> None:
    """A list that has emptied is no list: the next change that lets somebody in is found, the day not waited for."""
    made.add(record("s-1", "seeker"), record("p-1"))
    asking = Asking(made)
    assert asking.ids() == ["p-1"]
    asking.hold("p-1")
    nobody(asking.reply())
    made.add(record("p-2"))
    found = asking.reply()
    assert ids(found) == ["p-2"]
    assert found["fresh"]


def test_an_emptied_list_whose_people_come_back_is_the_list_again(made: Installation) -> None:
    made.add(record("s-1", "seeker"), record("p-1"))
    asking = Asking(made)
    before = asking.reply()
    hold = asking.hold("p-1")
    nobody(asking.reply())
    asking.lift("p-1", hold)
    after = asking.reply()
    assert (ids(after), after["matches"][0]["strength"]) == (["p-1"], before["matches"][0]["strength"])


def test_too_few_and_nothing_in_common_are_told_apart(made: Installation) -> None:
    bare = {"channel": ["phone"]}
    made.add(record("s-1", "seeker", profile=bare), record("s-2", "seeker", profile={"channel": ["video"]}))
    made.add(record("p-1", profile=bare))
    asking = Asking(made)
    nobody(asking.reply(), "low_information")
    nobody(asking.reply("s-2"), "no_eligible")
    made.apply(made.programme.source.replace("min_pool = 1", "min_pool = 2"))
    nobody(asking.reply(), "small_pool")


# Held ----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def asking_with_message(asking: Asking) -> Asking:
    text = asking.made.programme.source
    asking.made.apply(text.replace('size = "standard"', f'size = "standard"\ncrisis_message = "{MESSAGE}"'))
    return asking


@pytest.mark.parametrize(
    ("kinds", "message"),
    [
        (["crisis"], MESSAGE),
        (["safeguarding"], MESSAGE),
        (["pause"], None),
        (["pause", "crisis"], MESSAGE),
        (["pause", "pause"], None),
    ],
)
def test_a_held_seeker_is_told_so(asking_with_message: Asking, kinds: list[str], message: str | None) -> None:
    asking = asking_with_message
    asking.reply()
    stored = asking.count()
    for kind in kinds:
        asking.hold("s-1", kind)
    held = asking.reply()
    nobody(held, "held")
    assert held["message"] == message
    assert asking.count() == stored, "nothing is stored of it"
    assert asking.data() == asking.data()


def test_a_programme_without_a_message_has_none(asking: Asking) -> None:
    asking.hold("s-1", "crisis")
    assert asking.reply()["message"] is None


def test_when_the_hold_is_lifted_the_list_is_there_again(asking: Asking) -> None:
    before = asking.reply()
    hold = asking.hold("s-1", "crisis")
    nobody(asking.reply(), "held")
    asking.lift("s-1", hold)
    assert asking.reply() == before


def test_a_hold_of_a_seeker_ends_at_its_second(asking: Asking) -> None:
    before = asking.reply()
    asking.hold("s-1", until=NOON + timedelta(hours=1))
    asking.made.clock.now = NOON + timedelta(hours=1) - timedelta(microseconds=1)
    nobody(asking.reply(), "held")
    asking.made.clock.now = NOON + timedelta(hours=1)
    assert asking.reply() == before


def test_a_seeker_with_no_list_yet_is_held_all_the_same(asking: Asking) -> None:
    asking.hold("s-1", "crisis")
    first = asking.reply()
    nobody(first, "held")
    assert asking.count() == 0
    asking.made.clock.turn(days=1)
    assert asking.reply()["match_id"] != first["match_id"]


def test_a_held_seeker_spends_no_budget(asking: Asking) -> None:
    asking.made.change_programme(more="lists_per_day = 1")
    hold = asking.hold("s-1")
    for _ in range(3):
        asking.reply()
    asking.lift("s-1", hold)
    assert asking.reply()["fresh"]
    assert asking.count("matched") == 1


def test_a_held_seekers_candidates_cannot_tell(asking: Asking) -> None:
    """Somebody who both seeks and supports is in nobody's list while held, whoever asks."""
    asking.made.add(record("both", "seeker", "supporter"), record("s-2", "seeker"), *supporters(2))
    assert "both" in asking.stored_names(asking.reply("s-2")["match_id"])
    asking.hold("both")
    assert "both" not in asking.ids("s-2", limit=10)
    nobody(asking.reply("both"), "held")
