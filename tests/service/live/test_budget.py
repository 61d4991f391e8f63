"""How many new lists a seeker gets, and what comes back beyond that: never somebody whom the gates now forbid."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.service.installation import NOON, Installation, consent, record
from tests.service.live.asking import Asking, ids, reasons, supporters

MIDNIGHT = datetime(2026, 3, 5, tzinfo=UTC)
JOURNEYS = ("new", "later", "long")
WANTS = ({}, {"experiences": {"importance": 2}}, {"journey": {"importance": 0}})


def edit(asking: Asking, number: int) -> None:
    """Change what the seeker says to the `number`-th of nine different things."""
    asking.edit("s-1", profile={"journey": JOURNEYS[number % 3]}, wants=WANTS[number // 3 % 3])


def spend(asking: Asking, count: int) -> list[Any]:
    """Get so many new lists, by edits."""
    replies = []
    for number in range(count):
        edit(asking, number)
        replies.append(asking.reply())
        assert replies[-1]["fresh"]
    return replies


def test_the_day_has_so_many_and_every_edit_is_saved(asking: Asking) -> None:
    spent = spend(asking, 4)
    assert len({reply["match_id"] for reply in spent}) == 4
    for number in (4, 5, 6):
        edit(asking, number)
        beyond = asking.reply()
        assert (beyond["match_id"], beyond["fresh"]) == (spent[-1]["match_id"], False)
        assert beyond["fresh_at"] == "2026-03-05T00:00:00Z"
        stored = asking.made.call("GET", "/v1/members/s-1").get_json()
        assert stored["profile"]["journey"] == JOURNEYS[number % 3]
        assert asking.data() == asking.data()
    assert asking.count("matched") == 4
    asking.made.clock.now = MIDNIGHT - timedelta(microseconds=1)
    assert not asking.reply()["fresh"]
    asking.made.clock.now = MIDNIGHT
    fresh = asking.reply()
    assert fresh["fresh"]
    assert "fresh_at" not in fresh
    assert fresh["match_id"] not in {reply["match_id"] for reply in spent}


def test_the_list_of_what_they_said_last_is_fresh_again_when_they_say_it_again(asking: Asking) -> None:
    last = spend(asking, 4)[-1]
    edit(asking, 4)
    assert not asking.reply()["fresh"]
    edit(asking, 3)
    assert asking.reply() == last


def test_a_day_is_one_of_utc_whatever_the_offset_of_the_clock(asking: Asking) -> None:
    zone = datetime.fromisoformat("2026-03-04T20:00:00-08:00")  # 4 o'clock of the fifth, in UTC
    asking.made.clock.now = NOON
    spend(asking, 4)
    asking.made.clock.now = zone
    edit(asking, 4)
    assert asking.reply()["fresh"]


@pytest.fixture
def few(made: Installation) -> Asking:
    """Five lists in 30 days, two a day."""
    made.add(record("s-1", "seeker"), *supporters(12))
    made.change_programme(more="lists_per_day = 2\nlists_per_30_days = 5")
    return Asking(made)


def test_thirty_days_have_so_many(few: Asking) -> None:
    made: list[datetime] = []
    for number in range(5):
        few.made.clock.now = NOON + timedelta(days=2 * number, minutes=number)
        edit(few, number)
        assert few.reply()["fresh"]
        made.append(few.made.clock())
    few.made.clock.turn(days=1)
    beyond = few.reply()
    assert (beyond["fresh"], beyond["fresh_at"]) == (False, "2026-04-03T12:00:00Z")
    few.made.clock.now = made[0] + timedelta(days=30) - timedelta(microseconds=1)
    assert few.reply()["fresh_at"] == "2026-04-03T12:00:00Z"
    few.made.clock.now = made[0] + timedelta(days=30)
    assert few.reply()["fresh"]
    few.made.clock.turn(days=1)
    # The second of the five is what leaves the window next.
    assert few.reply()["fresh_at"] == "2026-04-05T12:01:00Z"


def test_the_handles_of_a_list_that_is_returned_again_are_valid_again(few: Asking) -> None:
    for number in range(5):
        few.made.clock.now = NOON + timedelta(days=number)
        edit(few, number)
        assert few.reply()["fresh"]
    few.made.clock.turn(days=20)
    beyond = few.reply()
    assert not beyond["fresh"]
    viewed = {"match_id": beyond["match_id"], "handle": beyond["matches"][0]["handle"], "event": "viewed"}
    assert few.made.call("POST", "/v1/feedback", viewed).status_code == 202
    few.made.clock.turn(days=15)
    assert few.made.call("POST", "/v1/feedback", viewed).status_code == 404


def test_when_both_are_spent_the_later_of_the_two_counts(few: Asking) -> None:
    for number in range(3):
        few.made.clock.now = NOON + timedelta(days=number)
        edit(few, number)
        assert few.reply()["fresh"]
    few.made.clock.now = NOON + timedelta(days=29)
    for number in (3, 4):
        edit(few, number)
        assert few.reply()["fresh"]
    edit(few, 5)
    assert few.reply()["fresh_at"] == "2026-04-03T12:00:00Z"  # tomorrow would be the second of April
    few.made.clock.now = NOON + timedelta(days=30)
    assert few.reply()["fresh"]


def test_the_next_epoch_beyond_the_budget_shows_the_list_before_with_its_reasons(few: Asking) -> None:
    for number in range(5):
        few.made.clock.now = NOON + timedelta(days=number)
        edit(few, number)
        last = few.reply()
    few.made.clock.turn(days=3)
    beyond = few.reply()
    assert beyond["matches"] == last["matches"]
    assert any(told for told in reasons(beyond).values())


def test_a_list_with_nobody_in_it_costs_nothing(made: Installation) -> None:
    made.add(record("s-1", "seeker"))
    asking = Asking(made)
    for number in range(9):
        edit(asking, number)
        assert asking.reply() | {"match_id": ""} == asking.reply() | {"match_id": ""}
        assert asking.reply()["fresh"]
    made.add(*supporters(12))
    spend(asking, 4)
    edit(asking, 4)
    assert not asking.reply()["fresh"]


def test_repeats_and_other_limits_cost_nothing(asking: Asking) -> None:
    spend(asking, 1)
    for limit in range(1, 11):
        assert asking.reply(limit=limit)["fresh"]
    assert asking.count("matched") == 1


def test_each_seeker_has_a_budget_of_their_own(asking: Asking) -> None:
    asking.made.add(record("s-2", "seeker"))
    spend(asking, 4)
    edit(asking, 4)
    assert not asking.reply()["fresh"]
    assert asking.reply("s-2")["fresh"]


# What the list before is put through ---------------------------------------------------------------------------------


@pytest.fixture
def spent(made: Installation) -> Asking:
    """A seeker of phone calls with all lists of the day had, and a list of people of whom only some also video."""
    phone, both = ["phone"], ["phone", "video"]
    people = [
        record(f"p-{number:02}", profile={"experiences": ["lumpectomy"], "channel": both if number % 3 else phone})
        for number in range(12)
    ]
    made.add(record("s-1", "seeker"), *people)
    asking = Asking(made)
    spend(asking, 4)
    assert any(told for told in reasons(asking.reply()).values())
    return asking


def video(asking: Asking) -> set[str]:
    return {f"p-{number:02}" for number in range(12) if number % 3}


def test_beyond_the_budget_the_list_before_is_gated_anew_for_what_they_say_now(spent: Asking) -> None:
    before = spent.reply(limit=10)
    order = spent.stored_names(before["match_id"])
    spent.edit("s-1", profile={"channel": ["video"]})
    beyond = spent.reply(limit=10)
    assert not beyond["fresh"]
    assert beyond["match_id"] == before["match_id"]
    assert ids(beyond) == [member_id for member_id in order if member_id in video(spent)]
    assert reasons(beyond) == {member_id: [] for member_id in ids(beyond)}
    assert [match["rank"] for match in beyond["matches"]] == list(range(1, 9))


def test_beyond_the_budget_nobody_may_be_left(spent: Asking) -> None:
    for number in range(12):
        spent.edit(f"p-{number:02}", profile={"channel": ["phone"]})
    spent.edit("s-1", profile={"channel": ["video"]})
    beyond = spent.reply()
    assert (beyond["outcome"], beyond["reason"], beyond["matches"]) == ("no_match", "no_eligible", [])
    assert (beyond["fresh"], beyond["fresh_at"]) == (False, "2026-03-05T00:00:00Z")


@pytest.mark.parametrize(
    ("wants", "left"),
    [
        ({"channel": {"importance": 3, "prefer": ["video"]}}, video),
        ({"channel": {"avoid": ["video"]}}, lambda spent: {f"p-{n:02}" for n in range(0, 12, 3)}),
        ({"journey": {"importance": 3}}, lambda _: set()),
    ],
)
def test_beyond_the_budget_musts_and_avoids_count(spent: Asking, wants: Any, left: Any) -> None:
    spent.edit("s-1", wants=wants)
    beyond = spent.reply(limit=10)
    assert not beyond["fresh"]
    assert set(ids(beyond)) <= left(spent)
    assert len(ids(beyond)) == min(10, len(left(spent)))


def test_beyond_the_budget_a_minor_is_shown_nobody(spent: Asking) -> None:
    spent.edit("s-1", age_band="13-17")
    beyond = spent.reply()
    assert (beyond["fresh"], beyond["matches"]) == (False, [])


def test_beyond_the_budget_the_live_re_check_goes_on(spent: Asking) -> None:
    edit(spent, 4)
    first, second, third, fourth, fifth = spent.ids()
    spent.erase(first)
    spent.decide(second, "be_shown_as_peer")
    spent.hold(third)
    spent.block("s-1", fourth)
    spent.edit(fifth, capacity=0)
    beyond = spent.reply(limit=10)
    assert not beyond["fresh"]
    assert len(ids(beyond)) == 7
    assert not {first, second, third, fourth, fifth} & set(ids(beyond))


def test_beyond_the_budget_a_changed_programme_gates_anew(spent: Asking) -> None:
    before = spent.reply(limit=10)
    spent.made.change_programme(facets='[facets.extra]\nkind = "tags"\nvalues = ["a"]\n')
    spent.made.publish("2", spent.made.programme)
    beyond = spent.reply(limit=10)
    assert (beyond["fresh"], beyond["match_id"]) == (False, before["match_id"])
    assert ids(beyond) == ids(before)
    assert reasons(beyond) == {member_id: [] for member_id in ids(beyond)}


def test_beyond_the_budget_a_new_gate_of_the_programme_counts(spent: Asking) -> None:
    for member_id in ("s-1", "p-01", "p-02"):
        spent.edit(member_id, agreements=["house-rules"])
    base = spent.made.folder / "files"
    text = (base / "programme.toml").read_text("utf-8")
    spent.made.change_programme()
    changed = text.replace('size = "standard"', 'size = "standard"\nconfidentiality = "house-rules"')
    assert changed != text
    apply(spent.made, changed)
    beyond = spent.reply(limit=10)
    assert not beyond["fresh"]
    assert set(ids(beyond)) == {"p-01", "p-02"}


def test_beyond_the_budget_records_that_no_longer_fit_are_not_shown(spent: Asking) -> None:
    spent.edit("p-01", profile={"journey": "new"})
    spent.edit("p-02", profile={"journey": "long"})
    spent.edit("s-1", profile={"journey": "long"})
    spent.reply()
    base = spent.made.folder / "files"
    apply(spent.made, (base / "programme.toml").read_text("utf-8").replace('"new", "later", "long"', '"later", "long"'))
    beyond = spent.reply(limit=10)
    assert not beyond["fresh"]
    assert "p-01" not in ids(beyond)
    assert "p-02" in spent.stored_names(beyond["match_id"])


def test_beyond_the_budget_a_seeker_without_consent_is_told_so(spent: Asking) -> None:
    spent.decide("s-1", "match_serve")
    reply = spent.made.call("POST", "/v1/match", {"member_id": "s-1"}, key=spent.key)
    assert reply.status_code == 403


def test_beyond_the_budget_a_withdrawn_show_reasons_is_honoured(spent: Asking) -> None:
    spent.decide("s-1", "show_reasons")
    beyond = spent.reply()
    assert not beyond["fresh"]
    assert reasons(beyond) == {member_id: [] for member_id in ids(beyond)}


def test_beyond_the_budget_the_week_of_today_counts(made: Installation) -> None:
    """In the week of the list the two share an hour; after a change of clocks they do not."""
    week = '[facets.availability]\nkind = "week"\nmin_overlap_minutes = 60\n'
    made.change_programme(facets=week, required=', "availability"', more="lists_per_day = 1\nlists_per_30_days = 1")
    made.publish("2", made.programme)
    paris = {"tz": "Europe/Paris", "slots": ["mon 11:00-12:00"]}
    york = {"tz": "America/New_York", "slots": ["mon 06:00-07:00"]}
    profile = {"experiences": ["lumpectomy"], "channel": ["phone"]}
    made.clock.now = datetime(2026, 3, 9, 12, tzinfo=UTC)  # New York has changed, Paris has not: five hours
    made.add(
        record("s-1", "seeker", profile={**profile, "availability": paris}),
        record("near", profile={**profile, "availability": paris}),
        record("far", profile={**profile, "availability": york}),
    )
    asking = Asking(made)
    assert set(asking.ids()) == {"near", "far"}
    made.clock.now = datetime(2026, 3, 31, 12, tzinfo=UTC)  # both have changed: six hours
    beyond = asking.reply()
    assert not beyond["fresh"]
    assert ids(beyond) == ["near"]


def apply(made: Installation, text: str) -> None:
    """Apply a programme file of other text, with a model that fits it."""
    programme = made.apply(text)
    made.publish(f"for-{programme.digest[:8]}", programme)


def test_a_consent_of_tomorrow_is_none_today(made: Installation) -> None:
    """An import may hold decisions of later; before their second the list before goes on without them."""
    made.add(record("s-1", "seeker", consents=[consent("match_serve", at=NOON + timedelta(hours=1))]), *supporters(3))
    asking = Asking(made)
    assert made.call("POST", "/v1/match", {"member_id": "s-1"}).status_code == 403
    made.clock.turn(hours=1)
    assert asking.reply()["fresh"]


def test_beyond_the_budget_consent_is_asked_first_even_where_nobody_is_left(spent: Asking) -> None:
    for number in range(12):
        spent.erase(f"p-{number:02}")
    apply(spent.made, spent.made.programme.source.replace('policy_version = "1"', 'policy_version = "2"'))
    reply = spent.made.call("POST", "/v1/match", {"member_id": "s-1"}, key=spent.key)
    assert reply.status_code == 403
