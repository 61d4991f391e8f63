"""Lists of groups: what hides a group does so at once on every worker, and nothing tells of who is in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from matcher.matching.groups import GroupShortlist, rank_groups
from service import create_app
from service.live import group_lists, held
from service.live.handles import resolve
from service.live.pool_cache import PoolCache
from service.store import group_scene
from tests.service.group_records import AskingGroups, group, groups_of, put_at
from tests.service.installation import NOON, Installation, record
from tests.service.live.asking import supporters

MONDAY = datetime(2026, 3, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
ALIKE = [f"p-{number:02}" for number in range(10)]
LATER = f"{NOON + HOUR:%Y-%m-%dT%H:%M:%SZ}"
GROUPS = ("g-1", "g-2", "g-3")


def peopled(made: Installation) -> AskingGroups:
    """Return a programme with three groups that are alike, each run by somebody of its own."""
    made.add(
        record("s-1", "seeker"),
        record("s-2", "seeker"),
        *supporters(24),
        *(record(f"f-{number}") for number in range(1, 5)),
    )
    asking = AskingGroups(made)
    for number, name in enumerate(GROUPS, 1):
        asking.put_group(name, facilitators=[f"f-{number}"], members=ALIKE[number::3])
    return asking


@pytest.fixture
def asking(made: Installation) -> AskingGroups:
    return peopled(made)


@pytest.fixture
def asking_small(small: Installation) -> AskingGroups:
    return peopled(small)


@pytest.fixture
def elsewhere(asking: AskingGroups) -> Iterator[Callable[[], bytes]]:
    """What another worker answers, which knows the pool and the groups already."""
    app = create_app(asking.made.settings, clock=asking.made.clock)
    headers = {"Authorization": f"Bearer {asking.key}"}

    def data(**more: Any) -> bytes:
        body = {"member_id": "s-1", "kind": "group", **more}
        reply = app.test_client().post("/v1/match", json=body, headers=headers)
        assert reply.status_code == 200
        return bytes(reply.data)

    yield data
    app.extensions["peermatch"].store.close()


def facilitator_of(asking: AskingGroups, name: str) -> str:
    found: str = asking.made.call("GET", f"/v1/groups/{name}").get_json()["facilitators"][0]
    return found


def first_member(asking: AskingGroups, name: str) -> str:
    return asking.members(name)[0]


# What hides a group ---------------------------------------------------------------------------------------------------


def a_member_blocks(asking: AskingGroups, name: str) -> None:
    asking.block(first_member(asking, name), "s-1")


def a_member_is_blocked(asking: AskingGroups, name: str) -> None:
    asking.block("s-1", first_member(asking, name))


def a_hidden_member_blocks(asking: AskingGroups, name: str) -> None:
    asking.decide(first_member(asking, name), "be_shown_as_peer")
    asking.block(first_member(asking, name), "s-1")


def the_facilitator_blocks(asking: AskingGroups, name: str) -> None:
    asking.block(facilitator_of(asking, name), "s-1")


def the_facilitator_is_blocked(asking: AskingGroups, name: str) -> None:
    asking.block("s-1", facilitator_of(asking, name))


def somebody_blocked_joins(asking: AskingGroups, name: str) -> None:
    asking.block("s-1", "p-20")
    asking.put_group(name, members=[*asking.members(name), "p-20"])


def the_facilitator_is_held(asking: AskingGroups, name: str) -> None:
    asking.hold(facilitator_of(asking, name), "crisis")


def the_facilitator_is_unvetted(asking: AskingGroups, name: str) -> None:
    asking.edit(facilitator_of(asking, name), vetted=False)


def the_facilitator_withdraws(asking: AskingGroups, name: str) -> None:
    asking.decide(facilitator_of(asking, name), "be_shown_as_peer")


def the_facilitators_consent_ends(asking: AskingGroups, name: str) -> None:
    asking.decide(facilitator_of(asking, name), "be_shown_as_peer", "given", valid_until=LATER)
    asking.made.clock.turn(hours=1)


def the_facilitator_is_of_unknown_age(asking: AskingGroups, name: str) -> None:
    stored = asking.made.call("GET", f"/v1/members/{facilitator_of(asking, name)}").get_json()
    del stored["age_band"]
    asking.put(stored)


def the_facilitator_is_erased(asking: AskingGroups, name: str) -> None:
    asking.erase(facilitator_of(asking, name))


def another_facilitator_is_not_vetted(asking: AskingGroups, name: str) -> None:
    asking.edit("p-20", vetted=False)
    asking.put_group(name, facilitators=[facilitator_of(asking, name), "p-20"])


def another_facilitator_is_not_seen_yet(asking: AskingGroups, name: str) -> None:
    asking.put(record("newcomer"))
    asking.put_group(name, facilitators=["newcomer"])


def a_member_is_a_minor(asking: AskingGroups, name: str) -> None:
    asking.edit(first_member(asking, name), age_band="13-17")


def a_minor_joins(asking: AskingGroups, name: str) -> None:
    asking.edit("p-20", age_band="13-17")
    asking.put_group(name, members=["p-20"])


def it_is_closed(asking: AskingGroups, name: str) -> None:
    asking.put_group(name, open=False)


def it_is_full(asking: AskingGroups, name: str) -> None:
    asking.put_group(name, members=[f"p-{number:02}" for number in range(12)])


def it_is_smaller(asking: AskingGroups, name: str) -> None:
    asking.put_group(name, capacity=len(asking.members(name)), min_size=0)


def the_seeker_joins(asking: AskingGroups, name: str) -> None:
    asking.put_group(name, members=[*asking.members(name), "s-1"])


def it_meets_otherwise(asking: AskingGroups, name: str) -> None:
    asking.put_group(name, channel="video")


def it_is_deleted(asking: AskingGroups, name: str) -> None:
    asking.drop_group(name)


def it_comes_back_as_another(asking: AskingGroups, name: str) -> None:
    asking.drop_group(name)
    asking.put_group(name)


WAYS = [
    a_member_blocks, a_member_is_blocked, a_hidden_member_blocks, the_facilitator_blocks, the_facilitator_is_blocked,
    somebody_blocked_joins, the_facilitator_is_held, the_facilitator_is_unvetted, the_facilitator_withdraws,
    the_facilitators_consent_ends, the_facilitator_is_of_unknown_age, the_facilitator_is_erased,
    another_facilitator_is_not_vetted, another_facilitator_is_not_seen_yet, a_member_is_a_minor, a_minor_joins,
    it_is_closed, it_is_full, it_is_smaller, the_seeker_joins, it_meets_otherwise, it_is_deleted,
    it_comes_back_as_another,
]  # fmt: skip
Way = Callable[[AskingGroups, str], None]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_what_hides_a_group_does_so_at_once_on_every_worker(
    asking: AskingGroups, elsewhere: Callable[[], bytes], way: Way
) -> None:
    before = asking.reply()
    assert elsewhere() == asking.data()
    order = groups_of(before)
    assert sorted(order) == list(GROUPS)
    way(asking, order[1])
    theirs = elsewhere()  # the worker that nobody told
    after = asking.reply()
    assert after["match_id"] == before["match_id"]
    assert groups_of(after) == [order[0], order[2]]
    assert [match["rank"] for match in after["matches"]] == [1, 2]
    assert asking.data() == theirs
    others = {match["group_id"]: match["reasons"] for match in before["matches"]}
    assert [match["reasons"] for match in after["matches"]] == [others[order[0]], others[order[2]]]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_nor_is_it_in_a_list_computed_anew(asking: AskingGroups, way: Way) -> None:
    way(asking, "g-2")
    reply = asking.reply()
    kept = ["g-2"] if way is it_comes_back_as_another else []
    assert sorted(groups_of(reply)) == sorted(["g-1", *kept, "g-3"])
    stored = asking.stored(reply["match_id"])
    assert len(stored.entries) == len(reply["matches"])


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_nor_where_a_worker_is_far_behind(asking: AskingGroups, monkeypatch: pytest.MonkeyPatch, way: Way) -> None:
    """Its pool knows nothing of the change: the store is asked, whatever is ranked over."""
    asking.reply()
    monkeypatch.setattr(held.HeldPool, "follow", lambda *_: None)
    way(asking, "g-2")
    reply = asking.reply("s-2", limit=10)
    if way.__name__.endswith(("blocks", "blocked", "blocked_joins", "seeker_joins")):  # which are of s-1 alone
        reply = asking.reply("s-1", limit=10)
    kept = ["g-2"] if way is it_comes_back_as_another else []
    assert sorted(groups_of(reply)) == sorted(["g-1", *kept, "g-3"])


# What does not --------------------------------------------------------------------------------------------------------


def a_member_edits(asking: AskingGroups, name: str) -> None:
    asking.edit(first_member(asking, name), profile={"experiences": ["travel"], "channel": ["video"]})


def a_member_is_held(asking: AskingGroups, name: str) -> None:
    asking.hold(first_member(asking, name), "crisis")


def a_member_withdraws(asking: AskingGroups, name: str) -> None:
    asking.decide(first_member(asking, name), "be_shown_as_peer")


def a_member_is_erased(asking: AskingGroups, name: str) -> None:
    asking.erase(first_member(asking, name))


def somebody_joins(asking: AskingGroups, name: str) -> None:
    asking.put_group(name, members=[*asking.members(name), "p-21"])


def somebody_leaves(asking: AskingGroups, name: str) -> None:
    asking.put_group(name, members=asking.members(name)[1:])


def another_runs_it(asking: AskingGroups, name: str) -> None:
    asking.put_group(name, facilitators=["f-4"])


def the_facilitator_edits(asking: AskingGroups, name: str) -> None:
    asking.edit(facilitator_of(asking, name), profile={"experiences": ["travel"]}, capacity=0)


def the_facilitators_consent_goes_on(asking: AskingGroups, name: str) -> None:
    asking.decide(facilitator_of(asking, name), "show_reasons", "given", valid_until=LATER)
    asking.made.clock.turn(hours=1)


def the_facilitator_declines_somebody(asking: AskingGroups, name: str) -> None:
    asking.answer("s-1", facilitator_of(asking, name), "declined", "candidate")


STAYING = [
    a_member_edits, a_member_is_held, a_member_withdraws, a_member_is_erased, somebody_joins, somebody_leaves,
    another_runs_it, the_facilitator_edits, the_facilitators_consent_goes_on, the_facilitator_declines_somebody,
]  # fmt: skip


@pytest.mark.parametrize("way", STAYING, ids=lambda way: way.__name__)
def test_nothing_else_that_happens_in_a_group_can_be_seen(
    asking: AskingGroups, elsewhere: Callable[[], bytes], way: Way
) -> None:
    before = asking.data()
    way(asking, "g-2")
    assert asking.data() == before
    assert elsewhere() == before


def test_what_a_group_is_about_is_no_longer_told_when_that_changed(asking: AskingGroups) -> None:
    before = asking.reply()
    assert all(match["reasons"] for match in before["matches"])
    asking.put_group("g-2", topics={"experiences": ["surgery"]})
    after = asking.reply()
    assert groups_of(after) == groups_of(before)
    assert [match["group_id"] for match in after["matches"] if not match["reasons"]] == ["g-2"]


def test_whatever_comes_back_is_where_it_was(asking: AskingGroups) -> None:
    before = asking.data()
    hold = asking.hold("f-1")
    assert "g-1" not in asking.groups()
    asking.lift("f-1", hold)
    assert asking.data() == before
    asking.block("p-01", "s-1")
    assert asking.made.call("DELETE", "/v1/blocks/p-01/s-1").status_code == 204
    assert asking.data() == before


def test_a_hold_and_a_consent_count_to_the_second(asking: AskingGroups) -> None:
    asking.reply()
    asking.hold("f-1", until=NOON + HOUR)
    asking.decide("f-2", "be_shown_as_peer", "given", valid_until=LATER)
    asking.made.clock.now = NOON + HOUR - timedelta(microseconds=1)
    assert sorted(asking.groups()) == ["g-2", "g-3"]
    asking.made.clock.now = NOON + HOUR
    assert sorted(asking.groups()) == ["g-1", "g-3"]


# The roster -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def rostered(made: Installation) -> AskingGroups:
    """One group of six who are alike, and five who are not but will join; seekers who are alike."""
    made.add(*(record(f"s-{number}", "seeker") for number in range(1, 9)), *supporters(12), record("f-1"))
    strange = {"experiences": ["travel"], "channel": ["phone"], "journey": "new"}
    made.add(*(record(f"q-{number}", profile=strange) for number in range(5)))
    put_at(made, NOON - timedelta(days=7), group(members=ALIKE[:6]))
    return AskingGroups(made)


def test_whoever_joins_or_leaves_changes_no_score_before_monday(rostered: AskingGroups) -> None:
    (first,) = rostered.scores("s-1")
    rostered.put_group("g-1", members=[*ALIKE[:6], *(f"q-{number}" for number in range(5))])
    assert rostered.scores("s-2") == [first]
    rostered.put_group("g-1", members=[f"q-{number}" for number in range(5)])
    assert rostered.scores("s-3") == [first]
    rostered.made.clock.now = MONDAY - timedelta(microseconds=1)
    assert rostered.scores("s-4") == [first]
    rostered.made.clock.now = MONDAY
    (monday,) = rostered.scores("s-5")
    assert monday < first
    rostered.put_group("g-1", members=[*ALIKE[:6]])
    assert rostered.scores("s-6") == [monday]


@pytest.mark.parametrize("away", ["withdrawn", "erased", "ended"])
def test_whoever_withdraws_is_out_of_the_fit_at_once(rostered: AskingGroups, away: str) -> None:
    (first,) = rostered.scores("s-1")
    rostered.put_group("g-1", members=ALIKE[1:6])  # who has left is in the roster all the same
    gone = ALIKE[0]
    if away == "withdrawn":
        rostered.decide(gone, "be_shown_as_peer")
    elif away == "erased":
        rostered.erase(gone)
    else:
        rostered.decide(gone, "be_shown_as_peer", "given", valid_until=LATER)
        assert rostered.scores("s-2") == [first]
        rostered.made.clock.turn(hours=1)
    (after,) = rostered.scores("s-3")
    assert after < first
    # A mean of equals over n + 20.
    fits = [value - 0.7 for value in (first, after)]
    assert fits[1] / fits[0] == pytest.approx((5 / 25) / (6 / 26), abs=1e-3)


@pytest.fixture
def unsettled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody writes down which consents have ended: a database that is busy, say."""
    monkeypatch.setattr(PoolCache, "let_time_pass", lambda *_: None)


def test_consents_that_nobody_wrote_down_the_end_of_count_all_the_same(rostered: AskingGroups, unsettled: None) -> None:
    (first,) = rostered.scores("s-1")
    rostered.decide(ALIKE[0], "be_shown_as_peer", "given", valid_until=LATER)
    rostered.decide(ALIKE[1], "show_reasons", "given", valid_until=LATER)
    assert rostered.scores("s-2") == [first]
    rostered.made.clock.turn(hours=1)
    (after,) = rostered.scores("s-3")
    assert (after - 0.7) / (first - 0.7) == pytest.approx((5 / 25) / (6 / 26), abs=1e-3)


@pytest.mark.parametrize("way", [the_facilitators_consent_ends, the_facilitators_consent_goes_on])
def test_nor_does_a_facilitator_whose_consent_has_just_ended_run_a_group(
    asking: AskingGroups, unsettled: None, way: Way
) -> None:
    before = asking.groups()
    way(asking, "g-2")
    runs = way is the_facilitators_consent_goes_on
    for seeker in ("s-1", "s-2"):  # stored, and computed anew
        assert sorted(asking.groups(seeker)) == sorted(name for name in before if runs or name != "g-2")


def test_whoever_is_held_stays_in_the_fit(rostered: AskingGroups) -> None:
    (first,) = rostered.scores("s-1")
    rostered.hold(ALIKE[0], "crisis")
    assert rostered.scores("s-2") == [first]


# Lists as those of peers ----------------------------------------------------------------------------------------------


def test_a_list_is_stored_for_the_day_and_added_groups_wait_for_the_next(asking: AskingGroups) -> None:
    before = asking.data()
    asking.put_group("g-4", facilitators=["f-4"])
    asking.made.clock.turn(hours=11)
    assert asking.data() == before
    asking.made.clock.turn(hours=1)
    fresh = asking.reply()
    assert fresh["fresh"]
    assert sorted(groups_of(fresh)) == [*GROUPS, "g-4"]


def test_in_small_programmes_they_are_there_at_once(asking_small: AskingGroups) -> None:
    first = asking_small.reply()
    asking_small.put_group("g-4", facilitators=["f-4"])
    second = asking_small.reply()
    assert (second["fresh"], second["match_id"] != first["match_id"]) == (True, True)
    assert sorted(groups_of(second)) == [*GROUPS, "g-4"]
    asking_small.put_group("g-5", facilitators=["f-4"], channel="video")
    assert asking_small.reply() == second, "what says nothing new to the seeker is no new list"


def test_who_found_none_finds_one_as_soon_as_it_is_there(made: Installation) -> None:
    made.add(record("s-1", "seeker"), record("f-1"), *supporters(3))
    asking = AskingGroups(made)
    assert asking.reply()["reason"] == "no_eligible"
    asking.put_group("g-1", open=False)
    assert asking.reply()["reason"] == "no_eligible"
    asking.put_group("g-1", open=True)
    assert asking.groups() == ["g-1"]


def test_the_budget_is_that_of_peers_and_beside_it(asking: AskingGroups) -> None:
    for number in range(4):
        asking.edit("s-1", profile={"experiences": [["lumpectomy"], ["lumpectomy", "surgery"]][number % 2]})
        assert asking.reply()["fresh"]
    asking.edit("s-1", profile={"experiences": ["lumpectomy"], "channel": ["phone", "video"]})
    beyond = asking.reply()
    assert (beyond["fresh"], beyond["fresh_at"]) == (False, "2026-03-05T00:00:00Z")
    assert sorted(groups_of(beyond)) == list(GROUPS)
    assert all(match["reasons"] == [] for match in beyond["matches"])
    assert asking.made.match("s-1")["fresh"]
    asking.edit("s-1", profile={"channel": ["video"]})
    refused = asking.reply()
    assert (refused["fresh"], refused["outcome"], refused["matches"]) == (False, "no_match", [])


def test_beyond_the_budget_the_ages_of_all_members_count_again(asking: AskingGroups) -> None:
    for number in range(4):
        asking.edit("s-1", profile={"experiences": [["lumpectomy"], ["lumpectomy", "surgery"]][number % 2]})
        asking.reply()
    asking.edit("s-1", age_band="13-17")
    assert asking.reply()["outcome"] == "no_match"


def test_a_held_seeker_gets_none(asking: AskingGroups) -> None:
    asking.hold("s-1", "crisis")
    reply = asking.reply()
    assert (reply["outcome"], reply["reason"], reply["matches"]) == ("no_match", "held", [])


def test_handles_name_groups_for_this_list_alone(asking: AskingGroups) -> None:
    reply, others = asking.reply(), asking.reply("s-2")
    here = asking.made.app.extensions["peermatch"]

    def named(match_id: str, handle: str) -> Any:
        return resolve(here.store, here.handles, "lantern", match_id, handle, asking.made.clock())

    for rank, match in enumerate(reply["matches"], 1):
        found = named(reply["match_id"], match["handle"])
        assert (found.kind, found.seeker, found.candidate, found.rank) == ("group", "s-1", match["group_id"], rank)
        assert named(others["match_id"], match["handle"]) is None
    asking.drop_group("g-1")
    found = [named(reply["match_id"], match["handle"]) for match in reply["matches"]]
    assert [one is None for one in found] == [match["group_id"] == "g-1" for match in reply["matches"]]


def test_a_list_is_no_longer_than_it_was_asked_for(asking: AskingGroups) -> None:
    whole = asking.groups(limit=10)
    assert asking.groups(limit=1) == whole[:1]
    asking.put_group(whole[0], open=False)
    assert asking.groups(limit=1) == whole[1:2]
    assert asking.groups(limit=10) == whole[1:]


def test_more_groups_than_one_look(asking: AskingGroups) -> None:
    for number in range(4, 60):
        asking.put_group(f"g-{number}", facilitators=["f-4"])
    first = asking.reply(limit=10)
    order = groups_of(first)
    assert len(order) == 10
    stored = asking.stored(first["match_id"])
    assert stored.cut
    for name in order[:9]:
        asking.put_group(name, open=False)
    after = asking.reply(limit=10)
    assert after["match_id"] == first["match_id"]
    assert groups_of(after)[0] == order[9]
    assert len(after["matches"]) == 10


# Meanwhile ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def during(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Make something happen once between the ranking and what is made of it, in a request of its own."""

    def once(happen: Callable[[], object]) -> None:
        real, waiting = rank_groups, [happen]

        def ranked(*args: Any) -> GroupShortlist:
            found = real(*args)
            if waiting:
                with ThreadPoolExecutor(1) as other:
                    other.submit(waiting.pop()).result()
            return found

        monkeypatch.setattr(group_lists, "rank_groups", ranked)

    return once


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_what_happens_while_a_list_is_made_is_honoured_by_the_next(
    asking: AskingGroups, during: Callable[[Callable[[], object]], None], way: Way
) -> None:
    def happen() -> None:
        way(asking, "g-2")
        asking.reply("s-2")  # this worker takes it in

    during(happen)
    asking.reply()
    assert sorted(asking.groups()) == ["g-1", "g-3"]
    assert asking.data() == asking.data()


def test_two_at_once_store_one_list(asking: AskingGroups, during: Callable[[Callable[[], object]], None]) -> None:
    others: list[bytes] = []
    during(lambda: others.append(asking.data()))
    assert asking.data() == others[0]
    assert asking.count() == 1


# What a worker knows --------------------------------------------------------------------------------------------------


def test_a_group_that_the_programme_no_longer_accepts_is_hidden(asking: AskingGroups) -> None:
    asking.made.change_programme(facets='[facets.mood]\nkind = "choice"\nvalues = ["calm"]')
    asking.put_group("g-2", topics={"experiences": ["lumpectomy"], "mood": "calm"})
    asking.edit("s-1", profile={"mood": "calm"})
    assert sorted(asking.groups()) == list(GROUPS)
    asking.edit("s-1", profile={"mood": None})
    asking.made.change_programme()
    assert sorted(asking.groups()) == ["g-1", "g-3"]


def test_what_is_known_of_a_group_is_read_once(asking: AskingGroups, monkeypatch: pytest.MonkeyPatch) -> None:
    asking.reply()
    asked: list[int] = []
    real = group_scene.contents

    def contents(reader: Any, programme_id: str, ids: Any) -> Any:
        asked.extend(ids)
        return real(reader, programme_id, ids)

    monkeypatch.setattr(group_scene, "contents", contents)
    asking.reply("s-2")
    assert asked == []
    asking.put_group("g-2", name="Another")
    asking.reply("s-2")
    asking.reply()
    assert len(asked) == 1
