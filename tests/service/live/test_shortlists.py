from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest

from matcher.matching.shortlist import Shortlist
from matcher.people import Member
from service import create_app
from service.live.pool_cache import HeldPool
from tests.service.installation import Installation, consent, record

IDS = ("match", "match:ids")


@pytest.fixture
def peopled(made: Installation) -> Installation:
    made.add(record("s-1", "seeker"), *(record(f"p-{number:02}") for number in range(12)))
    return made


@pytest.fixture
def during(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Shortlist], None]], None]:
    """Return what makes something happen between the matching and the re-check of every request."""
    match = HeldPool.match

    def install(happen: Callable[[Shortlist], None]) -> None:
        def matched(self: HeldPool, seeker: Member, limit: int | None, now: datetime) -> Shortlist:
            found = match(self, seeker, limit, now)
            # As another request would: in a thread, because a request inside a request shares its context.
            other = threading.Thread(target=happen, args=(found,))
            other.start()
            other.join()
            return found

        monkeypatch.setattr(HeldPool, "match", matched)

    return install


def ids(reply: Any) -> list[str]:
    return [match["member_id"] for match in reply["matches"]]


def withdraw(made: Installation, member_id: str) -> None:
    one = record(member_id)
    one["consents"].append(consent("be_shown_as_peer", "withdrawn", made.clock()))
    assert made.call("PUT", f"/v1/members/{member_id}", one).status_code == 200


def test_who_is_erased_or_withdraws_is_gone_and_the_list_still_full(peopled: Installation) -> None:
    key = peopled.new_key(*IDS)
    first = ids(peopled.match("s-1", key=key))
    assert peopled.call("DELETE", f"/v1/members/{first[0]}").status_code == 204
    withdraw(peopled, first[1])
    after = ids(peopled.match("s-1", key=key))
    assert len(after) == 5
    assert not {first[0], first[1]} & set(after)
    assert after[:3] == first[2:]


def test_another_worker_honours_the_change_too(peopled: Installation) -> None:
    key = peopled.new_key(*IDS)
    other = create_app(peopled.settings, clock=peopled.clock)
    try:
        ask = {"json": {"member_id": "s-1"}, "headers": {"Authorization": f"Bearer {key}"}}
        first = ids(other.test_client().post("/match", **ask).get_json())
        peopled.call("DELETE", f"/v1/members/{first[0]}")
        assert first[0] not in ids(other.test_client().post("/match", **ask).get_json())
    finally:
        other.extensions["peermatch"].store.close()


def test_who_goes_while_the_list_is_made_is_not_in_it(peopled: Installation, during: Any) -> None:
    key = peopled.new_key(*IDS)
    gone: list[str] = []

    def happen(found: Shortlist) -> None:
        if not gone:
            gone.append(found.entries[0].member_id)
            peopled.call("DELETE", f"/v1/members/{gone[0]}")

    during(happen)
    after = ids(peopled.match("s-1", key=key))
    assert len(after) == 5
    assert gone[0] not in after


def test_when_somebody_goes_each_time_the_others_are_the_list(peopled: Installation, during: Any) -> None:
    key = peopled.new_key(*IDS)
    gone: list[str] = []

    def happen(found: Shortlist) -> None:
        gone.append(found.entries[0].member_id)
        peopled.call("DELETE", f"/v1/members/{gone[-1]}")

    during(happen)
    reply = peopled.match("s-1", key=key)
    assert len(gone) == 3
    assert not set(gone) & set(ids(reply))
    assert [match["rank"] for match in reply["matches"]] == [1, 2, 3, 4]


def test_a_seeker_erased_while_the_list_is_made_gets_none(peopled: Installation, during: Any) -> None:
    during(lambda _: peopled.call("DELETE", "/v1/members/s-1") and None)
    assert peopled.call("POST", "/match", {"member_id": "s-1"}).status_code == 404


def test_a_seeker_who_withdraws_while_the_list_is_made_gets_none(peopled: Installation, during: Any) -> None:
    one = record("s-1", "seeker")
    one["consents"].append(consent("match_serve", "withdrawn", peopled.clock()))
    during(lambda _: peopled.call("PUT", "/v1/members/s-1", one) and None)
    assert peopled.call("POST", "/match", {"member_id": "s-1"}).status_code == 403


def test_a_seeker_who_never_stops_changing_is_told_to_try_again(peopled: Installation, during: Any) -> None:
    during(lambda _: peopled.call("PUT", "/v1/members/s-1", record("s-1", "seeker")) and None)
    reply = peopled.call("POST", "/match", {"member_id": "s-1"})
    assert (reply.status_code, reply.headers["Retry-After"]) == (503, "5")


@pytest.fixture
def workers(peopled: Installation) -> Iterator[list[Any]]:
    """Two applications over one database, as two worker processes have them."""
    apps = [create_app(peopled.settings, clock=peopled.clock) for _ in range(2)]
    yield apps
    for app in apps:
        app.extensions["peermatch"].store.close()


def test_a_change_before_a_request_is_never_missed_whatever_else_goes_on(
    peopled: Installation, workers: list[Any]
) -> None:
    """Four readers on two workers, one writer: nobody erased or withdrawn before a request began is in its reply."""
    headers = {"Authorization": f"Bearer {peopled.new_key(*IDS)}"}
    gone: set[str] = set()
    done = threading.Event()
    wrong: list[object] = []
    asked = [0] * 4

    def read(number: int) -> None:
        client = workers[number % 2].test_client()
        while not done.is_set() or asked[number] < 5:
            before = set(gone)
            reply = client.post("/v1/match", json={"member_id": "s-1", "limit": 10}, headers=headers)
            found = set(ids(reply.get_json())) if reply.status_code == 200 else {reply.status_code}
            if reply.status_code not in {200, 503} or before & found:
                wrong.append((before, found))
            asked[number] += 1

    threads = [threading.Thread(target=read, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    try:
        for number in range(12):
            member_id = f"p-{number:02}"
            if number % 2:
                assert peopled.call("DELETE", f"/v1/members/{member_id}").status_code == 204
            else:
                withdraw(peopled, member_id)
            gone.add(member_id)
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert wrong == []
    assert min(asked) >= 5
    assert peopled.match("s-1")["reason"] == "no_eligible"
