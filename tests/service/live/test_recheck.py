"""Who may no longer be shown is in no reply to a request that begins later, and nothing is told of them either."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from service.store import live
from tests.service.erased import again
from tests.service.installation import NOON, Installation, consent, record
from tests.service.live.asking import Asking, ids, reasons, supporters

HOUR = timedelta(hours=1)


def until(hours: float) -> str:
    return f"{NOON + hours * HOUR:%Y-%m-%dT%H:%M:%SZ}"


# Those who go --------------------------------------------------------------------------------------------------------


def withdraws(asking: Asking, member_id: str) -> None:
    asking.decide(member_id, "be_shown_as_peer")


def consents_to_less(asking: Asking, member_id: str) -> None:
    asking.decide(member_id, "be_shown_as_peer", "given", categories=["channel"], valid_until=until(0.5))
    asking.made.clock.turn(minutes=30)


def is_erased(asking: Asking, member_id: str) -> None:
    asking.erase(member_id)


def blocks(asking: Asking, member_id: str) -> None:
    asking.block(member_id, "s-1")


def is_blocked(asking: Asking, member_id: str) -> None:
    asking.block("s-1", member_id)


def is_held(asking: Asking, member_id: str) -> None:
    asking.hold(member_id, "safeguarding")


def has_no_place(asking: Asking, member_id: str) -> None:
    asking.edit(member_id, capacity=0)


def is_taken(asking: Asking, member_id: str) -> None:
    asking.connect("s-2", member_id)


def connects(asking: Asking, member_id: str) -> None:
    asking.edit(member_id, capacity=9)
    asking.connect("s-1", member_id)


def declines(asking: Asking, member_id: str) -> None:
    asking.answer("s-1", member_id, "declined", "candidate")


def is_declined(asking: Asking, member_id: str) -> None:
    asking.answer("s-1", member_id, "declined", "seeker")


def stops_supporting(asking: Asking, member_id: str) -> None:
    asking.edit(member_id, roles=["seeker"])


def loses_the_vetting(asking: Asking, member_id: str) -> None:
    asking.edit(member_id, vetted=False)


def is_a_minor(asking: Asking, member_id: str) -> None:
    asking.edit(member_id, age_band="13-17")


def no_longer_phones(asking: Asking, member_id: str) -> None:
    asking.edit(member_id, profile={"channel": ["video"]})


def avoids_them(asking: Asking, member_id: str) -> None:
    asking.edit(member_id, wants={"journey": {"avoid": ["later"]}})


def must_have_more(asking: Asking, member_id: str) -> None:
    asking.edit(member_id, wants={"journey": {"importance": 3, "prefer": ["new"]}})


def comes_back_as_another(asking: Asking, member_id: str) -> None:
    asking.erase(member_id)
    asking.made.clock.turn(seconds=1)
    asking.put(again(record(member_id), asking.made.clock()))


WAYS = [
    withdraws, consents_to_less, is_erased, blocks, is_blocked, is_held, has_no_place, is_taken, connects, declines,
    is_declined, stops_supporting, loses_the_vetting, is_a_minor, no_longer_phones, avoids_them, must_have_more,
    comes_back_as_another,
]  # fmt: skip
Way = Callable[[Asking, str], None]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_who_goes_is_gone_and_the_list_still_full(asking: Asking, way: Way) -> None:
    asking.made.add(record("s-2", "seeker"))
    before = asking.reply()
    order = asking.stored_names(before["match_id"])
    way(asking, order[1])
    after = asking.reply()
    assert after["match_id"] == before["match_id"]
    assert ids(after) == [order[0], *order[2:6]]
    assert [match["rank"] for match in after["matches"]] == [1, 2, 3, 4, 5]
    assert asking.data() == asking.data()
    assert order[1] not in asking.ids(limit=10)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_nor_are_they_in_a_list_computed_anew(asking: Asking, way: Way) -> None:
    asking.made.add(record("s-2", "seeker"))
    gone = asking.ids()[1]
    way(asking, gone)
    asking.edit("s-1", profile={"experiences": ["surgery", "lumpectomy"]})
    new = asking.reply(limit=10)
    assert new["fresh"]
    assert gone not in asking.stored_names(new["match_id"]) or way is consents_to_less
    assert gone not in ids(new)


def test_whoever_comes_back_is_where_they_were(asking: Asking) -> None:
    before = asking.reply()
    asking.lift("p-00", asking.hold("p-00"))
    asking.block("s-1", "p-01")
    assert asking.made.call("DELETE", "/v1/blocks/p-01/s-1").status_code == 204
    hold = asking.hold(ids(before)[0])
    assert ids(asking.reply()) != ids(before)
    asking.lift(ids(before)[0], hold)
    assert asking.reply() == before


def test_a_hold_ends_at_its_second(asking: Asking) -> None:
    before = asking.reply()
    first = ids(before)[0]
    asking.hold(first, until=NOON + HOUR)
    asking.made.clock.now = NOON + HOUR - timedelta(microseconds=1)
    assert first not in asking.ids()
    asking.made.clock.now = NOON + HOUR
    assert asking.reply() == before


def test_one_whose_connection_ends_has_a_place_again(asking: Asking) -> None:
    asking.made.add(record("s-2", "seeker"))
    before = asking.reply()
    first = ids(before)[0]
    asking.connect("s-2", first)
    assert first not in asking.ids()
    asking.made.clock.turn(minutes=1)
    asking.answer("s-2", first, "ended")
    assert asking.reply() == before


# Those who stay ------------------------------------------------------------------------------------------------------


def test_who_edits_and_still_fits_stays_but_nothing_is_told_of_them(asking: Asking) -> None:
    before = asking.reply()
    assert all(reasons(before).values())
    first, second, *_ = ids(before)
    asking.edit(first, profile={"experiences": ["travel"]})
    after = asking.reply()
    assert (ids(after), after["match_id"]) == (ids(before), before["match_id"])
    assert reasons(after)[first] == []
    assert reasons(after)[second] == reasons(before)[second]


@pytest.mark.parametrize("who", ["candidate", "seeker"])
def test_reasons_end_with_show_reasons(asking: Asking, who: str) -> None:
    before = asking.reply()
    first = ids(before)[0]
    asking.decide(first if who == "candidate" else "s-1", "show_reasons")
    after = asking.reply(limit=10)
    told = {member_id for member_id, some in reasons(after).items() if some}
    assert first in ids(after)
    assert told == (set(ids(after)) - {first} if who == "candidate" else set())


@pytest.mark.parametrize("who", ["candidate", "seeker"])
def test_reasons_end_at_the_second_at_which_show_reasons_does(made: Installation, who: str) -> None:
    ending = [consent("match_serve"), consent("be_shown_as_peer"), consent("show_reasons", valid_until=until(1))]
    made.add(record("s-1", "seeker"), *supporters(12))
    one = "p-00" if who == "candidate" else "s-1"
    made.add(record(one, *(["seeker"] if one == "s-1" else []), consents=ending))
    asking = Asking(made)
    for number in (1, 2):
        asking.block("s-1", f"p-{number:02}")  # so that all who are left are in the longest list
    asking.reply()
    asking.made.clock.now = NOON + HOUR - timedelta(microseconds=1)
    before = reasons(asking.reply(limit=10))
    assert len(before) == 10
    assert all(before.values())
    asking.made.clock.now = NOON + HOUR
    after = reasons(asking.reply(limit=10))
    untold = {member_id for member_id, some in after.items() if not some}
    assert untold == (set(before) if who == "seeker" else {"p-00"})


def test_reasons_do_not_come_back_when_consents_are_folded_anew(made: Installation) -> None:
    """`peermatch refresh` writes down which consents have ended; what lists of before told rests on them still."""
    ending = [consent("be_shown_as_peer"), consent("show_reasons", valid_until=until(1))]
    made.add(record("s-1", "seeker"), *supporters(12, consents=ending))
    asking = Asking(made)
    assert all(reasons(asking.reply()).values())
    made.clock.now = NOON + HOUR
    assert not any(reasons(asking.reply()).values())
    with made.store.transaction() as session:
        live.let_time_pass(session, made.programme, made.clock())
    assert not any(reasons(asking.reply()).values())


def test_reasons_do_not_come_back_in_the_list_before(made: Installation) -> None:
    """Beyond the budget the list of an earlier day is returned, after the consents that it rests on have ended."""
    ending = [consent("be_shown_as_peer"), consent("show_reasons", valid_until=until(1))]
    made.add(record("s-1", "seeker"), *supporters(12, consents=ending))
    made.change_programme(more="lists_per_day = 1\nlists_per_30_days = 1")
    asking = Asking(made)
    first = asking.reply()
    assert all(reasons(first).values())
    made.clock.turn(days=1)
    with made.store.transaction() as session:
        live.let_time_pass(session, made.programme, made.clock())
    beyond = asking.reply()
    assert (beyond["fresh"], ids(beyond)) == (False, ids(first))
    assert not any(reasons(beyond).values())


# Consents that begin and end by themselves ---------------------------------------------------------------------------


def test_a_candidates_consent_ends_at_its_second(made: Installation) -> None:
    made.add(
        record("s-1", "seeker"),
        record("p-1", consents=[consent("be_shown_as_peer", valid_until=until(1))]),
        record("p-2"),
    )
    asking = Asking(made)
    before = asking.reply()
    assert set(ids(before)) == {"p-1", "p-2"}
    made.clock.now = NOON + HOUR - timedelta(microseconds=1)
    assert asking.reply() == before
    made.clock.now = NOON + HOUR
    assert asking.ids() == ["p-2"]
    made.add(record("s-2", "seeker"))
    assert asking.ids("s-2") == ["p-2"]


def test_a_candidates_narrower_consent_begins_at_its_second(made: Installation) -> None:
    """From then on a facet that the list was ranked by is as if it had never been told; the gates see that."""
    later = consent("be_shown_as_peer", at=NOON + HOUR, categories=["channel"])
    must = {"journey": {"importance": 3, "prefer": ["later"]}}
    made.add(
        record("s-1", "seeker", wants=must),
        record("p-1", consents=[consent("be_shown_as_peer", valid_until=until(1))]),
        record("p-2"),
        record("p-3", consents=[later]),
    )
    asking = Asking(made)
    assert set(asking.ids()) == {"p-1", "p-2"}
    made.clock.now = NOON + HOUR
    assert asking.ids() == ["p-2"]


def test_a_candidates_consent_that_begins_is_in_new_lists_from_its_second_on(made: Installation) -> None:
    made.add(
        record("s-1", "seeker"), record("p-1"), record("p-2", consents=[consent("be_shown_as_peer", at=NOON + HOUR)])
    )
    asking = Asking(made)
    made.add(record("s-2", "seeker"), record("s-3", "seeker"))
    assert asking.ids() == ["p-1"]
    made.clock.now = NOON + HOUR - timedelta(microseconds=1)
    assert asking.ids("s-2") == ["p-1"]
    made.clock.now = NOON + HOUR
    assert set(asking.ids("s-3")) == {"p-1", "p-2"}
    assert asking.ids() == ["p-1"], "a list that is there stays for its day"
    made.clock.turn(days=1)
    assert set(asking.ids()) == {"p-1", "p-2"}


def test_a_seekers_consent_ends_at_its_second(made: Installation) -> None:
    made.add(record("s-1", "seeker", consents=[consent("match_serve", valid_until=until(1))]), *supporters(3))
    asking = Asking(made)
    before = asking.reply()
    made.clock.now = NOON + HOUR - timedelta(microseconds=1)
    assert asking.reply() == before
    made.clock.now = NOON + HOUR
    assert made.call("POST", "/v1/match", {"member_id": "s-1"}).status_code == 403


def test_a_seekers_wider_consent_begins_at_its_second(made: Installation) -> None:
    events = [
        consent("match_serve", categories=["channel", "journey"]),
        consent("fairness_audit", at=NOON + HOUR),
        consent("show_reasons", at=NOON + 2 * HOUR),
    ]
    made.add(record("s-1", "seeker", consents=events), *supporters(12))
    asking = Asking(made)
    before = asking.reply()
    assert not any(reasons(before).values())
    made.clock.now = NOON + HOUR
    assert asking.reply() == before, "what is no part of a list has begun"
    made.clock.now = NOON + 2 * HOUR
    after = asking.reply()
    assert after["match_id"] != before["match_id"]
    assert all(reasons(after).values())


def test_what_ended_before_this_worker_heard_of_it_costs_no_reasons(asking: Asking) -> None:
    """Consent until a moment was given, and nobody asked for a list before that moment had passed."""
    asking.reply()
    asking.decide("p-00", "train_model", "given", valid_until=until(1))
    asking.made.clock.turn(days=1)
    for _ in range(2):
        told = reasons(asking.reply(limit=10))
        assert all(told.values())


# Entries beyond the first --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("gone", [1, 3, 4, 7, 9, 11, 12])
def test_however_many_go_the_first_survivors_are_the_reply(asking: Asking, gone: int) -> None:
    """More go than the re-check looks at in one go, from the front, from the middle and one by one."""
    order = asking.stored_names(asking.reply()["match_id"])
    for member_id in order[:gone]:
        asking.hold(member_id)
    for limit in (1, 5, 10):
        after = asking.reply(limit=limit)
        assert ids(after) == order[gone : gone + limit]
    assert asking.count() == 1


def test_every_other_one_goes(asking: Asking) -> None:
    order = asking.stored_names(asking.reply()["match_id"])
    for member_id in order[::2]:
        asking.edit(member_id, profile={"channel": ["video"]})
    assert asking.ids() == order[1::2][:5]
    assert asking.ids(limit=10) == order[1::2]


def test_an_empty_list_says_why(asking: Asking) -> None:
    for number in range(12):
        asking.hold(f"p-{number:02}")
    reply: Any = asking.reply()
    assert (reply["outcome"], reply["reason"], reply["matches"]) == ("no_match", "no_eligible", [])


@pytest.mark.parametrize("categories", [None, [], ["channel"], ["experiences"]])
def test_what_a_seeker_lets_be_told_is_part_of_what_a_list_is_made_from(asking: Asking, categories: Any) -> None:
    before = asking.reply()
    one = record("s-1", "seeker")
    covered = {} if categories is None else {"categories": categories}
    told = consent("show_reasons", at=asking.made.clock(), **covered)
    asking.put({**one, "consents": [*one["consents"], told]})
    after = asking.reply()
    assert (after["match_id"] == before["match_id"]) is (categories is None)
    assert any(reasons(after).values()) is (categories in (None, ["experiences"]))
