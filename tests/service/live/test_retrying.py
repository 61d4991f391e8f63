"""Whoever waits is tried again when somebody was added: told by an event, and shown to nobody before they ask."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from matcher.errors import ModelError
from service.live import retrying
from service.live.shortlists import Shortlists
from service.store import StoreError, events, lists, shown
from tests.service.installation import Installation, record
from tests.service.live.asking import Asking, ids, supporters


def shortlists(made: Installation) -> Shortlists:
    found: Shortlists = made.app.extensions["peermatch"].shortlists
    return found


def retry(asking: Asking, **more: Any) -> int:
    return retrying.retry(shortlists(asking.made), "lantern", asking.made.clock(), **more)


def told(asking: Asking) -> list[str]:
    """Return whom the feed told that a list is ready."""
    with asking.made.store.reading() as session:
        return [one.member_id for one in events.after(session, "lantern", 0, 1000) if one.kind == events.LISTED]


def where(asking: Asking, member_id: str = "s-1") -> str:
    snapshot = shortlists(asking.made).waits.fresh("lantern", asking.made.clock())
    reasons = {one.waiter.member_id: one.reason for one in snapshot.waiting}
    return reasons.get(member_id) or next(
        name for name, count in snapshot.states.items() if count and name != "waiting"
    )


def logged(asking: Asking) -> int:
    with asking.made.store.reading() as session:
        return len(list(shown.events(session, "lantern")))


@pytest.fixture
def alone(made: Installation) -> Asking:
    """A seeker who asked when there was nobody."""
    made.add(record("s-1", "seeker"))
    asking = Asking(made)
    assert asking.reply()["reason"] == "no_eligible"
    return asking


@pytest.mark.parametrize("most", [None, 5])
def test_whoever_waits_has_a_list_and_an_event_when_somebody_came(alone: Asking, most: int | None) -> None:
    assert where(alone) == "no_eligible"
    assert retry(alone, most=most) == 0
    alone.made.clock.turn(minutes=2)
    alone.made.add(*supporters(3))
    assert retry(alone, most=most) == 1
    assert told(alone) == ["s-1"]
    assert where(alone) == "listed"
    ready = alone.latest()
    assert ready is not None
    assert (ready.outcome, ready.shown, len(ready.entries)) == ("matched", {}, 3)
    assert logged(alone) == 0
    alone.made.clock.turn(hours=2)
    assert retry(alone, most=most) == 0
    assert told(alone) == ["s-1"]
    reply = alone.reply()
    assert (reply["match_id"], len(ids(reply))) == (ready.match_id, 3)
    assert logged(alone) == 3


def test_nobody_has_a_list_made_for_them_who_never_asked(alone: Asking) -> None:
    alone.made.add(record("s-2", "seeker"), *supporters(3))
    assert where(alone, "s-2") == "never_asked"
    assert retry(alone) == 1
    assert alone.latest("s-2") is None
    assert told(alone) == ["s-1"]


def test_whoever_does_not_wait_is_left_in_peace(alone: Asking) -> None:
    alone.hold("s-1")
    alone.made.add(*supporters(3))
    assert retry(alone) == 0
    assert told(alone) == []


def test_whoever_withdrew_meanwhile_is_left_in_peace(alone: Asking) -> None:
    snapshot = shortlists(alone.made).waits.fresh("lantern", alone.made.clock())
    alone.made.add(*supporters(3))
    path = "/v1/members/s-1/consents"
    alone.made.call("POST", path, {"purpose": "match_serve", "decision": "withdrawn"})
    assert [one.waiter.member_id for one in snapshot.waiting] == ["s-1"]
    assert retry(alone, most=5) == 0
    assert told(alone) == []


def test_nothing_is_computed_where_nobody_was_added(alone: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    count: Counter[str] = Counter()
    whole = retrying.Request.answer
    monkeypatch.setattr(retrying.Request, "answer", lambda self: count.update(["answer"]) or whole(self))
    retry(alone)
    count.clear()
    assert retry(alone) == retry(alone, most=5) == 0
    assert count.total() == 0
    alone.made.add(record("x-1", "seeker"))
    assert [retry(alone), retry(alone), retry(alone, most=5)] == [0, 0, 0]
    assert count.total() == 1, "an addition is looked at once"


def test_a_list_that_nobody_saw_costs_nothing(made: Installation) -> None:
    made.change_programme(more="lists_per_day = 1")
    made.add(record("s-1", "seeker"))
    asking = Asking(made)
    asking.reply()
    made.add(*supporters(2))
    assert retry(asking) == 1
    asking.edit("s-1", profile={"journey": "long"})
    first = asking.reply()
    assert first["fresh"], "the one that was ready was never returned"
    assert asking.count("matched") == 2
    asking.edit("s-1", profile={"journey": "new"})
    assert not asking.reply()["fresh"]


def test_once_it_is_returned_it_counts_as_any_other(made: Installation) -> None:
    made.change_programme(more="lists_per_day = 1")
    made.add(record("s-1", "seeker"))
    asking = Asking(made)
    asking.reply()
    made.add(*supporters(2))
    assert retry(asking) == 1
    live = asking.latest()
    assert live is not None
    since = 0
    with made.store.hot.reading() as reader:
        assert lists.made_since(reader, "lantern", live.seeker_id, "buddy", since) == []
    assert asking.reply()["fresh"]
    with made.store.hot.reading() as reader:
        assert lists.made_since(reader, "lantern", live.seeker_id, "buddy", since) == [live.made_at]
    asking.edit("s-1", profile={"journey": "new"})
    assert not asking.reply()["fresh"]


def test_whoever_has_had_all_lists_of_the_day_waits_for_the_next(made: Installation) -> None:
    made.change_programme(more="lists_per_day = 1")
    made.add(record("s-1", "seeker"), record("p-1"))
    asking = Asking(made)
    assert ids(asking.reply()) == ["p-1"]
    asking.block("s-1", "p-1")
    made.add(record("p-2"))
    assert where(asking) == "over_budget"
    assert retry(asking) == 0
    made.clock.turn(days=1)
    assert where(asking) == "declined_all"
    assert retry(asking) == 1
    assert ids(asking.reply()) == ["p-2"]


def test_whose_list_has_others_below_those_who_are_gone_is_told_once(made: Installation) -> None:
    made.change_programme(more="limit = 1")
    made.add(record("s-1", "seeker"), *supporters(4))
    asking = Asking(made)
    (first,) = ids(asking.reply())
    asking.block("s-1", first)
    assert where(asking) == "declined_all"
    made.add(record("p-9"))
    valid = asking.latest()
    assert valid is not None
    assert retry(asking) == 1
    assert retry(asking) == 0
    assert told(asking) == ["s-1"]
    after = asking.latest()
    assert after is not None
    assert (after.returned_at, after.shown, after.id) == (valid.returned_at, valid.shown, valid.id)
    assert ids(asking.reply()) != [first]


def test_a_list_that_is_too_old_is_made_anew(made: Installation) -> None:
    made.add(record("s-1", "seeker"), *supporters(2))
    asking = Asking(made)
    asking.reply()
    made.clock.turn(days=15)
    assert where(asking) == "lapsed"
    assert retry(asking) == 0, "nobody was added since"
    made.add(record("p-9"))
    assert retry(asking) == 1
    assert where(asking) == "listed"
    assert told(asking) == ["s-1"]


def test_a_request_tries_so_many_at_most_first_comes_first(made: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retrying, "SECONDS", 60.0)
    made.add(*(record(f"s-{number}", "seeker") for number in range(6)))
    asking = Asking(made)
    for number in range(6):
        asking.reply(f"s-{number}")
    made.add(*supporters(3))
    made.clock.turn(minutes=1)
    assert retry(asking, most=2) == 2
    assert told(asking) == ["s-0", "s-1"]
    assert retry(asking, most=2) == 2
    assert told(asking) == ["s-0", "s-1", "s-2", "s-3"]
    assert retry(asking) == 2
    assert retry(asking) == retry(asking, most=2) == 0


def test_a_request_stops_when_its_time_is_over(alone: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    alone.made.add(*supporters(3))
    monkeypatch.setattr(retrying, "SECONDS", -1.0)
    assert retry(alone, most=5) == 0
    assert retry(alone) == 1


@pytest.mark.parametrize("problem", [StoreError("away"), ModelError("none")])
def test_a_request_about_something_else_does_not_fail_for_it(
    alone: Asking, monkeypatch: pytest.MonkeyPatch, problem: Exception
) -> None:
    alone.made.add(*supporters(3))

    def fails(*_: Any, **__: Any) -> None:
        raise problem

    monkeypatch.setattr(retrying, "_tried", fails)
    assert retry(alone, most=5) == 0
    with pytest.raises(type(problem)):
        retry(alone)


def test_list_and_event_are_there_together_or_not_at_all(alone: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    alone.made.add(*supporters(3))
    before = alone.latest()

    def fails(*_: Any) -> None:
        raise StoreError("full")

    with monkeypatch.context() as patched:
        patched.setattr(retrying.events, "add", fails)
        with pytest.raises(StoreError):
            retry(alone)
    after = alone.latest()
    assert before is not None
    assert after is not None
    assert (after.id, after.number, after.outcome) == (before.id, before.number, before.outcome)
    assert retry(alone) == 1


def test_another_worker_that_was_quicker_tells_it_alone(alone: Asking) -> None:
    alone.made.add(*supporters(3))
    waits = shortlists(alone.made).waits
    stale = waits.fresh("lantern", alone.made.clock())
    assert retry(alone) == 1
    waits._kept["lantern"] = (stale, timedelta(0))  # as the other worker still sees it
    stale.tried.clear()
    assert retry(alone, most=5) == 0
    assert told(alone) == ["s-1"]


def test_the_event_feed_tries_and_tells_in_one_request(alone: Asking) -> None:
    key = alone.made.new_key("match:ids")
    assert alone.made.call("GET", "/v1/events", key=key).get_json()["events"] == []
    alone.made.add(*supporters(3))
    (event,) = alone.made.call("GET", "/v1/events", key=key).get_json()["events"]
    assert (event["kind"], event["member_id"], event["introduction_id"]) == ("list.ready", "s-1", None)
