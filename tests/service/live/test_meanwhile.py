"""What happens between the steps of one request: other requests, on this worker and others, at the worst moments."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from matcher.matching.shortlist import Shortlist
from service import create_app
from service.live import held
from service.live.handles import resolve
from service.live.shortlists import Shortlists
from tests.service.installation import Installation, record
from tests.service.live.asking import Asking, ids, supporters

Happen = Callable[[], object]


def elsewhere(happen: Happen) -> None:
    """Let it happen in a thread, because a request within a request shares its context."""
    failed: list[BaseException] = []

    def run() -> None:
        try:
            happen()
        except BaseException as problem:  # noqa: BLE001 - told below
            failed.append(problem)

    other = threading.Thread(target=run)
    other.start()
    other.join()
    assert not failed, failed


class During:
    """Makes something happen once, at a step of a request."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._patch = monkeypatch
        self.happened = 0

    def _then(self, happen: Happen, most: int) -> None:
        if self.happened < most:
            self.happened += 1
            elsewhere(happen)

    def ranking(self, happen: Happen, most: int = 1) -> None:
        """Between the ranking and what is made of it."""
        real = held.shortlist

        def ranked(*args: Any, **more: Any) -> Shortlist:
            found = real(*args, **more)
            self._then(happen, most)
            return found

        self._patch.setattr(held, "shortlist", ranked)

    def storing(self, happen: Happen, most: int = 1) -> None:
        """Between the reply's making and its storing."""
        real = Shortlists._stored

        def stored(itself: Shortlists, *args: Any) -> bool:
            self._then(happen, most)
            return real(itself, *args)

        self._patch.setattr(Shortlists, "_stored", stored)


@pytest.fixture
def during(monkeypatch: pytest.MonkeyPatch) -> During:
    return During(monkeypatch)


def resolved(asking: Asking, reply: Any) -> list[str | None]:
    """Return whom the handles of a reply name."""
    here = asking.made.app.extensions["peermatch"]
    found = [
        resolve(here.store, here.handles, "lantern", reply["match_id"], match["handle"], asking.made.clock())
        for match in reply["matches"]
    ]
    return [None if named is None else named.candidate for named in found]


def test_two_at_once_store_one_list_and_both_have_its_name(asking: Asking, during: During) -> None:
    other: list[Any] = []
    during.storing(lambda: other.append(asking.reply()))
    mine = asking.reply()
    assert mine == other[0]
    assert asking.count() == 1
    assert resolved(asking, mine) == ids(mine)


@pytest.mark.parametrize(("mine", "theirs"), [(1, 10), (10, 1), (3, 5)])
def test_all_whom_two_at_once_were_shown_have_handles_that_resolve(
    asking: Asking, during: During, mine: int, theirs: int
) -> None:
    """Each logs what it showed; neither forgets what the other did."""
    asking.reply(limit=1)
    first = asking.stored_names(asking.reply(limit=1)["match_id"])[0]
    asking.erase(first)  # so that everybody moves up, and both have something to log
    other: list[Any] = []
    during.storing(lambda: other.append(asking.reply(limit=theirs)))
    reply = asking.reply(limit=mine)
    assert during.happened == 1
    assert reply["match_id"] == other[0]["match_id"]
    for one in (reply, other[0]):
        assert resolved(asking, one) == ids(one)
    shown = asking.stored(reply["match_id"]).shown
    assert len(shown) == 1 + max(mine, theirs)


def test_who_is_erased_while_others_ask_is_no_fault(asking: Asking, during: During) -> None:
    asking.made.add(record("s-2", "seeker"))
    asking.reply("s-2")
    gone = asking.stored_names(asking.reply("s-2")["match_id"])

    def happen() -> None:
        for member_id in gone[:3]:
            asking.erase(member_id)
        asking.made.add(record("s-3", "seeker"))
        asking.reply("s-3")  # this worker takes the erasures in

    during.ranking(happen)
    reply = asking.reply(limit=10)
    assert during.happened == 1
    after = asking.reply(limit=10)
    assert after["match_id"] == reply["match_id"]
    assert not set(gone[:3]) & set(ids(after))
    assert len(ids(after)) == 9


@pytest.mark.parametrize("more", [0, 5])
def test_who_edits_while_others_ask_is_judged_by_the_new_record(asking: Asking, during: During, more: int) -> None:
    """The list was ranked by the old record, whatever the worker knows by the time that it is written down."""
    asking.made.add(*(record(f"q-{number}") for number in range(more)))

    def happen() -> None:
        for number in range(12):
            asking.edit(f"p-{number:02}", profile={"channel": ["video"]})
        asking.made.add(record("s-3", "seeker"))
        asking.reply("s-3")  # this worker takes the edits in

    during.ranking(happen)
    asking.reply(limit=10)
    assert during.happened == 1
    after = asking.reply(limit=10)
    assert set(ids(after)) == {f"q-{number}" for number in range(more)}


def test_who_comes_back_under_an_old_id_while_others_ask_is_somebody_else(asking: Asking, during: During) -> None:
    def happen() -> None:
        asking.erase("p-03")
        asking.made.add(record("p-03", profile={"channel": ["video"]}))
        asking.made.add(record("s-3", "seeker"))
        asking.reply("s-3")

    during.ranking(happen)
    asking.reply(limit=10)
    assert "p-03" not in asking.ids(limit=10)


def test_what_changes_before_the_reply_but_after_the_request_began_is_seen_by_the_next(
    asking: Asking, during: During
) -> None:
    during.ranking(lambda: asking.erase("p-00"))
    asking.reply(limit=10)
    assert "p-00" not in asking.ids(limit=10)


def test_a_seeker_erased_while_the_list_is_made_leaves_no_list(asking: Asking, during: During) -> None:
    during.ranking(lambda: asking.erase("s-1"))
    reply = asking.made.call("POST", "/v1/match", {"member_id": "s-1"})
    assert reply.status_code in {200, 404}
    assert asking.count() == 0
    assert asking.made.call("POST", "/v1/match", {"member_id": "s-1"}).status_code == 404


def test_a_seeker_who_withdraws_while_the_list_is_made_gets_none_from_then_on(asking: Asking, during: During) -> None:
    during.ranking(lambda: asking.decide("s-1", "match_serve"))
    asking.made.call("POST", "/v1/match", {"member_id": "s-1"})
    assert asking.made.call("POST", "/v1/match", {"member_id": "s-1"}).status_code == 403


def test_a_list_that_is_always_made_elsewhere_is_tried_again_later(asking: Asking, during: During) -> None:
    """Each time that it is computed the seeker has said something else, on another worker."""
    app = create_app(asking.made.settings, clock=asking.made.clock)
    asking.made.change_programme(more="lists_per_day = 50")
    headers = {"Authorization": f"Bearer {asking.key}"}
    said: list[int] = []

    def happen() -> None:
        said.append(len(said))
        asking.edit("s-1", profile={"experiences": ["travel", "lumpectomy"][: 1 + len(said) % 2]})
        app.test_client().post("/match", json={"member_id": "s-1"}, headers=headers)

    during.storing(happen, most=99)
    during.happened = 0
    real_happened = len(said)
    try:
        reply = asking.made.call("POST", "/v1/match", {"member_id": "s-1"}, key=asking.key)
    finally:
        app.extensions["peermatch"].store.close()
    assert real_happened == 0
    assert reply.status_code in {200, 503}
    if reply.status_code == 503:
        assert reply.headers["Retry-After"]


def test_people_who_come_all_at_once_are_found_by_who_waits(made: Installation) -> None:
    """More changes than a worker follows: the list is not taken to know of what the pool did not."""
    made.add(record("s-1", "seeker"))
    asking = Asking(made)
    assert asking.reply()["reason"] == "no_eligible"
    made.add(*supporters(held.MOST_FOLLOWED + 20))
    replies = [asking.reply() for _ in range(2)]
    assert replies[-1]["outcome"] == "matched"


def test_people_who_come_all_at_once_are_found_at_once_in_small_programmes(small: Installation) -> None:
    small.add(record("s-1", "seeker"), record("first"))
    asking = Asking(small)
    assert asking.ids() == ["first"]
    small.add(*supporters(held.MOST_FOLLOWED + 20))
    replies = [asking.reply() for _ in range(2)]
    assert len(ids(replies[-1])) == 5
