from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pytest

from service.live.handles import VALID, Handles, Named, resolve
from service.store import members
from tests.service.installation import NOON, Installation, another_programme, record

IDS = ("match", "match:ids")


def test_a_handle_depends_on_every_part_and_the_secret() -> None:
    handles = Handles(b"1" * 32)
    base = handles.of_candidate("p", "list", 7)
    assert re.fullmatch(r"[A-Za-z0-9_-]{22}", base)
    assert base == Handles(b"1" * 32).of_candidate("p", "list", 7)
    others = {
        handles.of_candidate("q", "list", 7),
        handles.of_candidate("p", "other", 7),
        handles.of_candidate("p", "list", 8),
        handles.of_candidate("p", "list", 77),
        handles.of_candidate("p", "7", 0),
        Handles(b"2" * 32).of_candidate("p", "list", 7),
        handles.of_list("p", "list", "7"),
        handles.of_list("p", "list"),
    }
    assert base not in others
    assert len(others) == 8


def test_parts_cannot_run_into_each_other() -> None:
    handles = Handles(b"1" * 32)
    assert handles.of_candidate("p", "ab", 1) != handles.of_candidate("p", "a", 1)
    assert handles.of_candidate("pa", "b", 1) != handles.of_candidate("p", "ab", 1)
    assert handles.of_list("p", "s", "a", "b") != handles.of_list("p", "s", "ab")
    assert handles.of_list("p", "s", "a", "b") != handles.of_list("p", "sa", "b")
    assert handles.of_candidate("p", "list", 12) != handles.of_candidate("p", "list1", 2)


class Shown:
    """A seeker's list, and what resolves of it."""

    def __init__(self, made: Installation, seeker: str, key: str) -> None:
        self.made = made
        self.reply = made.match(seeker, key=key)
        self.match_id: str = self.reply["match_id"]
        self.by_handle = {match["handle"]: match["member_id"] for match in self.reply["matches"]}
        self.handle = next(iter(self.by_handle))

    def named(self, handle: str | None = None, **changes: Any) -> Named | None:
        here = self.made.app.extensions["peermatch"]
        asked: dict[str, Any] = {"programme_id": "lantern", "match_id": self.match_id, "now": self.made.clock()}
        asked |= changes
        return resolve(self.made.store, here.handles, handle=handle or self.handle, **asked)


@pytest.fixture
def shown(made: Installation) -> Shown:
    made.add(record("s-1", "seeker"), record("s-2", "seeker"), *(record(f"p-{number:02}") for number in range(12)))
    return Shown(made, "s-1", made.new_key(*IDS))


def test_every_handle_names_its_candidate_with_the_rank_it_was_shown_at(shown: Shown) -> None:
    for rank, (handle, member_id) in enumerate(shown.by_handle.items(), 1):
        assert shown.named(handle) == Named("buddy", "s-1", member_id, rank, shown.match_id)
    assert len(shown.by_handle) == 5


def test_a_handle_is_worth_nothing_in_another_list(shown: Shown) -> None:
    theirs = Shown(shown.made, "s-2", shown.made.new_key(*IDS))
    for handle in shown.by_handle:
        assert theirs.named(handle) is None
        assert shown.named(handle, match_id=theirs.match_id) is None
    assert not shown.by_handle.keys() & theirs.by_handle.keys()


def test_a_handle_is_worth_nothing_in_another_programme(shown: Shown) -> None:
    another_programme(shown.made, "beacon")
    assert shown.named(programme_id="beacon") is None
    assert shown.named(programme_id="nowhere") is None


def test_who_was_never_returned_has_no_handle(shown: Shown) -> None:
    here = shown.made.app.extensions["peermatch"]
    everybody = shown.made.match("s-1", limit=10, key=shown.made.new_key(*IDS))
    assert everybody["match_id"] == shown.match_id
    with shown.made.store.reading() as session:
        numbers = {one.member_id: one.id for one in members.all_members(session, "lantern")}
    unseen = set(numbers) - {match["member_id"] for match in everybody["matches"]} - {"s-1", "s-2"}
    assert len(unseen) == 2
    for member_id in (*unseen, "s-1", "s-2"):
        handle = here.handles.of_candidate("lantern", shown.match_id, numbers[member_id])
        assert shown.named(handle) is None
    for rank, match in enumerate(everybody["matches"], 1):
        assert shown.named(match["handle"]) == Named("buddy", "s-1", match["member_id"], rank, shown.match_id)


@pytest.mark.parametrize("age", [timedelta(0), timedelta(days=1), VALID - timedelta(microseconds=1)])
def test_handles_of_other_days_are_valid_for_fourteen_days(shown: Shown, age: timedelta) -> None:
    for _ in range(3):  # lists of other days in between
        shown.made.clock.turn(days=1)
        shown.made.match("s-1")
    assert shown.named(now=NOON + age) is not None
    assert shown.named(now=NOON + VALID) is None
    assert shown.named(now=NOON + 2 * VALID) is None


def test_two_epochs_overlap(shown: Shown) -> None:
    shown.made.clock.turn(days=1)
    second = Shown(shown.made, "s-1", shown.made.new_key(*IDS))
    assert second.match_id != shown.match_id
    assert not second.by_handle.keys() & shown.by_handle.keys()
    assert all(shown.named(handle) for handle in shown.by_handle)
    assert all(second.named(handle) for handle in second.by_handle)


def test_nobody_erased_is_named(shown: Shown) -> None:
    gone = shown.by_handle[shown.handle]
    assert shown.made.call("DELETE", f"/v1/members/{gone}").status_code == 200
    assert shown.named() is None
    shown.made.add(record(gone))  # another person, for all that is known
    assert shown.named() is None
    assert all(shown.named(handle) for handle in list(shown.by_handle)[1:])


def test_an_erased_seekers_handles_name_nobody(shown: Shown) -> None:
    shown.made.call("DELETE", "/v1/members/s-1")
    assert [shown.named(handle) for handle in shown.by_handle] == [None] * 5
    shown.made.add(record("s-1", "seeker"))
    assert [shown.named(handle) for handle in shown.by_handle] == [None] * 5


def test_who_may_no_longer_be_shown_is_still_named(shown: Shown) -> None:
    """What became of somebody who was shown can be told for as long as the handle is valid."""
    withdrawn = record(shown.by_handle[shown.handle], consents=[])
    shown.made.add(withdrawn)
    assert shown.named() is not None


@pytest.mark.parametrize(
    "wrong", ["", "x", "A" * 22, "\x00", "é" * 22, "\ud800", "a" * 5000, "../../x", "' OR 1=1 --", "%", "*"]
)
def test_what_is_no_handle_names_nobody(shown: Shown, wrong: str) -> None:
    assert shown.named(f"{wrong}{shown.handle}") is None or wrong == ""
    assert shown.named(wrong or " ") is None
    assert shown.named(match_id=wrong) is None
    assert shown.named(match_id=shown.match_id + wrong) is None or wrong == ""


def test_case_and_padding_matter(shown: Shown) -> None:
    assert shown.named(shown.handle.swapcase()) is None
    assert shown.named(shown.handle + "==") is None
    assert shown.named(match_id=shown.match_id.swapcase()) is None


def test_a_moment_just_before_a_list_was_made_is_no_reason_to_forget_it(shown: Shown) -> None:
    earlier: datetime = NOON - timedelta(hours=1)  # another server's clock
    assert shown.named(now=earlier) is not None
