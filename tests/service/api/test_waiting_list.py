"""Who waits, why and in which order, as coordinators read it; and a seeker's own place, as an app is told it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.service.api.replies import problem
from tests.service.installation import NOON, Installation, another_programme, consent, record
from tests.service.introduced import act, people, propose
from tests.service.store.audited import rows

ADDRESS = "/v1/waiting-list"
MONTH_AGO = "2026-02-02T12:00:00Z"


def read(made: Installation, query: str = "", key: str | None = None) -> Any:
    reply = made.call("GET", f"{ADDRESS}{query}", key=key)
    assert reply.status_code == 200, reply.get_data(as_text=True)
    return reply.get_json()


def states(made: Installation) -> dict[str, int]:
    return {name: count for name, count in read(made)["states"].items() if count}


def waits(made: Installation) -> list[tuple[str, str]]:
    return [(one["member_id"], one["reason"]) for one in read(made)["waiting"]]


def since(member_id: str, days: int) -> dict[str, Any]:
    given = [consent("match_serve", at=NOON - timedelta(days=days)), consent("be_shown_as_peer")]
    return record(member_id, "seeker", consents=given)


def test_who_waits_is_told_with_place_moment_and_reason(small: Installation) -> None:
    small.add(since("s-1", 3), since("s-2", 9))
    small.match("s-1")
    assert read(small) == {
        "as_of": "2026-03-04T12:00:00Z",
        "states": {
            "no_consent": 0, "outdated": 0, "held": 0, "connected": 0, "introduced": 0, "listed": 0, "waiting": 2,
        },
        "waiting": [
            {"place": 1, "member_id": "s-2", "since": "2026-02-23T12:00:00Z", "reason": "never_asked"},
            {"place": 2, "member_id": "s-1", "since": "2026-03-01T12:00:00Z", "reason": "no_eligible"},
        ],
        "next": None,
    }  # fmt: skip


def test_a_seeker_goes_through_the_states_and_waits_again_from_the_end_on(small: Installation) -> None:
    people(small)
    assert states(small) == {"waiting": 5}
    one = propose(small)
    assert states(small) == {"waiting": 4, "introduced": 1}
    act(small, one, "accept", "m-1")
    assert states(small) == {"waiting": 4, "connected": 1}
    small.clock.turn(days=2)
    act(small, one, "end", "m-1")
    assert states(small) == {"waiting": 4, "listed": 1}, "the list of two days ago still names m-2"
    small.call("POST", "/v1/blocks", {"a": "s-1", "b": "m-2"})
    assert ("s-1", "declined_all") in waits(small)
    assert read(small)["waiting"][-1]["since"] == "2026-03-06T12:00:00Z"
    hold = small.call("POST", "/v1/members/s-1/holds", {"kind": "pause"})
    assert hold.status_code == 201
    assert states(small) == {"waiting": 4, "held": 1}
    withdrawn = {"purpose": "match_serve", "decision": "withdrawn"}
    assert small.call("POST", "/v1/members/s-1/consents", withdrawn).status_code == 201
    assert states(small) == {"waiting": 4, "no_consent": 1}


def test_a_record_that_no_longer_fits_is_told(small: Installation) -> None:
    small.add(since("s-1", 3))
    small.apply(small.programme.source.replace('levels = ["new", "later", "long"]', 'levels = ["new", "long"]'))
    assert states(small) == {"outdated": 1}


def test_pages_lead_through_all_of_it(small: Installation) -> None:
    small.add(*(since(f"s-{at}", 9 - at) for at in range(7)))
    found, after = [], 0
    for _ in range(3):
        page = read(small, f"?limit=3&after={after}")
        found += [(one["place"], one["member_id"]) for one in page["waiting"]]
        after = page["next"]
    assert found == [(at + 1, f"s-{at}") for at in range(7)]
    assert after is None
    assert read(small, "?after=7")["waiting"] == read(small, "?after=2147483647")["waiting"] == []


def test_that_it_was_read_is_recorded(small: Installation) -> None:
    small.add(since("s-1", 3))
    read(small)
    read(small, "?after=1")
    assert [(row.action, row.subject, row.details) for row in rows(small)] == [
        ("waiting.read", None, '{"entries":1}'),
        ("waiting.read", None, '{"entries":0}'),
    ]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("?limit=0", "limit"),
        ("?limit=1001", "limit"),
        ("?limit=x", "limit"),
        ("?after=-1", "after"),
        ("?after=2147483648", "after"),
        ("?member_id=s-1", "member_id"),
    ],
)
def test_what_is_no_question_is_refused_and_not_told(small: Installation, query: str, field: str) -> None:
    body = problem(small.call("GET", f"{ADDRESS}{query}"), 422, "invalid")
    assert list(body["errors"]) == [field]
    assert rows(small) == []


def test_needs_its_scope_and_tells_of_its_own_programme_alone(small: Installation) -> None:
    small.add(since("s-1", 3))
    for scope in ("admin", "members", "match", "audit"):
        problem(small.call("GET", ADDRESS, key=small.new_key(scope)), 403, "scope-missing")
    assert len(read(small, key=small.new_key("coordinator"))["waiting"]) == 1
    other = another_programme(small, "beacon")
    assert read(small, key=other)["waiting"] == []


# A seeker's own place ------------------------------------------------------------------------------------------------


def test_whoever_gets_nobody_is_told_their_place(small: Installation) -> None:
    small.add(since("s-1", 3), since("s-2", 9), since("s-3", 1))
    assert small.match("s-1")["waiting"] == {"place": 2, "since": "2026-03-01T12:00:00Z"}
    assert small.match("s-2")["waiting"] == {"place": 1, "since": "2026-02-23T12:00:00Z"}
    assert [small.match(f"s-{at}")["waiting"]["place"] for at in (1, 2, 3)] == [
        next(one["place"] for one in read(small)["waiting"] if one["member_id"] == f"s-{at}") for at in (1, 2, 3)
    ]


def test_the_place_may_be_a_minute_old_and_no_older(small: Installation) -> None:
    small.add(since("s-1", 3))
    assert small.match("s-1")["waiting"]["place"] == 1
    small.add(since("s-2", 9))
    small.clock.turn(seconds=59)
    assert small.match("s-1")["waiting"]["place"] == 1
    small.clock.turn(seconds=2)
    assert small.match("s-1")["waiting"]["place"] == 2


def test_only_who_waits_for_a_peer_has_a_place(small: Installation) -> None:
    people(small)
    assert small.match("s-1")["waiting"] is None, "there is somebody"
    assert small.match("s-1", kind="group")["waiting"] is None
    one = propose(small)
    small.call("POST", "/v1/blocks", {"a": "s-1", "b": "m-2"})
    reply = small.match("s-1")
    assert (reply["outcome"], reply["waiting"]) == ("no_match", None), "they are introduced to somebody"
    act(small, one, "accept", "m-1")
    assert small.match("s-1")["waiting"] is None, "they are connected"
    small.call("POST", "/v1/members/s-1/holds", {"kind": "pause"})
    assert small.match("s-1")["waiting"] is None, "they are held"


def test_a_place_counts_support_at_home_of_the_asker_too(small: Installation) -> None:
    home = '\n[facets.home]\nkind = "choice"\nvalues = ["alone", "family"]\nweight = 0.0\n'
    more = '[waiting]\norder = "support_at_home"\nfacet = "home"\nvalues = ["alone"]'
    small.change_programme(facets=home, more=more)
    at_home = {**record("x")["profile"], "home": "alone"}
    small.add(since("s-1", 3), since("s-2", 9), {**since("s-3", 1), "profile": at_home})
    assert small.match("s-3")["waiting"]["place"] == 1
    assert small.match("s-1")["waiting"]["place"] == 3
