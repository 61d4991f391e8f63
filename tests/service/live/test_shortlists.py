"""One list a seeker a day: the same bytes for as long as it is true, and another one as soon as it is not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from service import create_app
from service.live.peers import Peers
from service.store import members
from service.store.live_tables import ListRow
from tests.service.installation import NOON, Installation, consent, record
from tests.service.live.asking import Asking, ids, supporters

# The same all day ---------------------------------------------------------------------------------------------------


def add_others(asking: Asking) -> None:
    asking.made.add(*(record(f"new-{number}") for number in range(5)))


def put_others(asking: Asking) -> None:
    for number in range(5):
        asking.put(record(f"put-{number}"))


def edit_who_is_not_shown(asking: Asking) -> None:
    shown = set(asking.ids())
    for number in range(12):
        if f"p-{number:02}" not in shown:
            asking.edit(f"p-{number:02}", capacity=5, profile={"journey": "long"})


def erase_who_is_not_shown(asking: Asking) -> None:
    shown = set(asking.ids())
    for number in range(12):
        if f"p-{number:02}" not in shown:
            asking.erase(f"p-{number:02}")


def another_model(asking: Asking) -> None:
    asking.made.publish("2")


def a_hold_that_is_lifted(asking: Asking) -> None:
    asking.lift("p-11", asking.hold("p-11"))


def refresh(asking: Asking) -> None:
    put_others(asking)
    with asking.made.store.transaction() as session:
        members.show_all(session, "lantern", NOON.date())


def another_seeker_asks(asking: Asking) -> None:
    asking.made.add(record("s-2", "seeker"))
    asking.reply("s-2")


def feedback_of_others(asking: Asking) -> None:
    asking.made.add(record("s-2", "seeker"))
    asking.answer("s-2", "p-03", "declined")


def a_view(asking: Asking) -> None:
    shown = asking.ids()[0]
    asking.made.tell({"seeker": "s-1", "candidate": shown, "event": "viewed", "at": "2026-03-04T12:00:00Z"})


NOTHING_TO_IT = [
    add_others, put_others, edit_who_is_not_shown, erase_who_is_not_shown, another_model, a_hold_that_is_lifted,
    refresh, another_seeker_asks, feedback_of_others, a_view,
]  # fmt: skip


@pytest.mark.parametrize("change", NOTHING_TO_IT, ids=lambda change: change.__name__)
def test_what_concerns_nobody_in_it_changes_no_byte_all_day(asking: Asking, change: Callable[[Asking], None]) -> None:
    first = asking.data()
    asking.made.clock.turn(minutes=7)
    change(asking)
    assert asking.data() == first
    asking.made.clock.now = NOON.replace(hour=23, minute=59, second=59, microsecond=999_999)
    assert asking.data() == first
    assert asking.count() == 1 + (change is another_seeker_asks)


def test_both_addresses_and_every_worker_answer_the_same_bytes(asking: Asking) -> None:
    first = asking.data()
    headers = {"Authorization": f"Bearer {asking.key}"}
    for _ in range(2):
        app = create_app(asking.made.settings, clock=asking.made.clock)
        try:
            for path in ("/match", "/v1/match"):
                assert app.test_client().post(path, json={"member_id": "s-1"}, headers=headers).data == first
        finally:
            app.extensions["peermatch"].store.close()


def test_limits_are_lengths_of_one_list(asking: Asking) -> None:
    replies = [asking.reply(limit=limit) for limit in (2, 10, 1, 5, 10)]
    assert {reply["match_id"] for reply in replies} == {replies[0]["match_id"]}
    assert [len(reply["matches"]) for reply in replies] == [2, 10, 1, 5, 10]
    for reply in replies:
        assert reply["matches"] == replies[1]["matches"][: len(reply["matches"])]
    assert asking.count() == 1


# Another one ---------------------------------------------------------------------------------------------------------


def test_the_next_epoch_has_a_list_of_its_own(asking: Asking) -> None:
    first = asking.reply()
    asking.made.publish("2")
    asking.put(record("newcomer"))
    asking.made.clock.now = NOON.replace(day=NOON.day + 1, hour=0, minute=0)
    second = asking.reply(limit=10)
    assert second["match_id"] != first["match_id"]
    assert second["fresh"]
    assert (first["model_version"], second["model_version"]) == ("1", "2")
    rest = set(ids(second)) | set(asking.stored_names(second["match_id"]))
    assert "newcomer" in rest


def counted(asking: Asking) -> None:
    asking.edit("s-1", profile={"experiences": ["travel", "lumpectomy"]})


def asked_for(asking: Asking) -> None:
    asking.edit("s-1", wants={"experiences": {"importance": 2}})


def older(asking: Asking) -> None:
    asking.edit("s-1", age_band="18-34")


def less_consent(asking: Asking) -> None:
    asking.decide("s-1", "match_serve", "given", categories=["channel", "experiences"])


def no_reasons(asking: Asking) -> None:
    asking.decide("s-1", "show_reasons")


@pytest.mark.parametrize("change", [counted, asked_for, older, less_consent, no_reasons], ids=lambda one: one.__name__)
def test_an_edit_of_what_counts_makes_a_new_list(asking: Asking, change: Callable[[Asking], None]) -> None:
    first = asking.reply()
    asking.made.clock.turn(minutes=1)
    change(asking)
    second = asking.reply()
    assert second["match_id"] != first["match_id"]
    assert second["fresh"]
    assert asking.data() == asking.data()
    assert asking.count("matched") == 2


def places(asking: Asking) -> None:
    asking.edit("s-1", capacity=7)


def strata(asking: Asking) -> None:
    asking.decide("s-1", "fairness_audit", "given")


def training(asking: Asking) -> None:
    asking.decide("s-1", "train_model", "given")


def the_same_again(asking: Asking) -> None:
    asking.edit("s-1")


def there_and_back(asking: Asking) -> None:
    asking.edit("s-1", profile={"journey": "long"})
    asking.edit("s-1", profile={"journey": "later"})


def renewed(asking: Asking) -> None:
    asking.decide("s-1", "match_serve", "given")


def to_be_shown(asking: Asking) -> None:
    asking.decide("s-1", "be_shown_as_peer", "given")


@pytest.mark.parametrize(
    "change",
    [places, strata, training, the_same_again, there_and_back, renewed, to_be_shown],
    ids=lambda one: one.__name__,
)
def test_an_edit_of_what_does_not_count_makes_none(asking: Asking, change: Callable[[Asking], None]) -> None:
    first = asking.data()
    asking.made.clock.turn(minutes=1)
    change(asking)
    assert asking.data() == first
    assert asking.count() == 1


def test_a_facet_without_consent_does_not_count(made: Installation) -> None:
    only = [consent("match_serve", categories=["channel", "experiences"])]
    made.add(record("s-1", "seeker", consents=only), *supporters(12))
    asking = Asking(made)
    first = asking.data()
    asking.edit("s-1", profile={"journey": "long", "statement": "In my own words"})
    assert asking.data() == first
    asking.edit("s-1", profile={"experiences": ["travel"]})
    assert asking.data() != first


def test_a_changed_programme_makes_a_new_list(asking: Asking) -> None:
    first = asking.reply()
    asking.made.change_programme(more="limit = 3")
    second = asking.reply()
    assert second["match_id"] != first["match_id"]
    assert (len(first["matches"]), len(second["matches"])) == (5, 3)


def test_a_programme_that_changes_back_has_its_first_list_again(asking: Asking) -> None:
    """The newest list is of the other programme, so the third is a new one; it names nobody twice."""
    first = asking.reply()
    asking.made.change_programme(more="limit = 3")
    asking.reply()
    asking.made.change_programme()
    third = asking.reply()
    assert ids(third) == ids(first)
    assert third["fresh"]


# Depth ---------------------------------------------------------------------------------------------------------------


def test_a_list_that_holds_all_there_are_only_gets_shorter(asking: Asking) -> None:
    first = asking.reply(limit=10)
    order = asking.stored_names(first["match_id"])
    assert len(order) == 12
    for gone in order[:4]:
        asking.erase(gone)
    asking.made.add(record("newcomer"))
    second = asking.reply(limit=10)
    assert second["match_id"] == first["match_id"]
    assert ids(second) == order[4:]
    assert [match["rank"] for match in second["matches"]] == list(range(1, 9))
    assert asking.count() == 1


def test_a_list_that_was_cut_is_computed_anew_when_too_few_are_left(made: Installation) -> None:
    made.add(record("s-1", "seeker"), *supporters(60))
    asking = Asking(made)
    first = asking.reply()
    order = asking.stored_names(first["match_id"])
    assert len(order) == 40
    for gone in order[:35]:
        asking.erase(gone)
    second = asking.reply()
    assert (second["match_id"], ids(second)) == (first["match_id"], order[35:])
    asking.erase(order[35])
    longer = asking.reply(limit=4)
    assert (longer["match_id"], ids(longer)) == (first["match_id"], order[36:])
    third = asking.reply()
    assert third["match_id"] != first["match_id"]
    assert third["fresh"]
    assert len(ids(third)) == 5
    assert ids(third)[:4] == order[36:]
    assert asking.count() == 2


def test_a_list_of_exactly_the_depth_was_cut(made: Installation) -> None:
    """Whether there were more than forty cannot be told from forty; looking again is right in either case."""
    made.add(record("s-1", "seeker"), *supporters(40))
    asking = Asking(made)
    first = asking.reply()
    for gone in asking.stored_names(first["match_id"])[:36]:
        asking.erase(gone)
    second = asking.reply()
    assert len(ids(second)) == 4
    assert second["fresh"]


# What is stored ------------------------------------------------------------------------------------------------------


def test_a_list_names_nobody_in_the_database(asking: Asking) -> None:
    asking.reply(limit=10)
    with asking.made.store.reading() as session:
        (row,) = session.query(ListRow).execution_options(every_programme=True).all()
        text = repr({name: getattr(row, name) for name in ListRow.__table__.columns.keys()})  # noqa: SIM118
    assert "p-0" not in text
    assert "s-1" not in text


def test_looking_without_keeping_stores_nothing(asking: Asking) -> None:
    lists = asking.made.app.extensions["peermatch"].shortlists
    looked = lists.of("lantern", "s-1", Peers(), limit=None, now=NOON, keep=False)
    assert asking.count() == 0
    reply = asking.reply()
    assert [one.member_id for one in looked.alive] == ids(reply)
    assert looked.match_id == reply["match_id"]


# A clock that was set back ------------------------------------------------------------------------------------------


def test_a_clock_set_back_a_day_makes_no_older_list_the_newest(asking: Asking) -> None:
    found = [asking.data()]
    asking.made.clock.turn(days=-1)
    for journey in ("new", "long"):
        asking.edit("s-1", profile={"journey": journey})
        found.append(asking.data())
        assert asking.data() == found[-1], "it was stored, though one of a later moment is there"
    assert len(set(found)) == 3
