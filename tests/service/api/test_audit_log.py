from __future__ import annotations

from typing import Any

import pytest

from service.security import split_token
from service.store.derived_keys import derived
from tests.service.api.test_members import problem
from tests.service.installation import Installation, another_programme, record
from tests.service.store.audited import by_hand, rows, told, write

ADDRESS = "/v1/audit-log"


def read(made: Installation, query: str = "", key: str | None = None) -> Any:
    reply = made.call("GET", f"{ADDRESS}{query}", key=key)
    assert reply.status_code == 200, reply.get_data(as_text=True)
    return reply.get_json()


def test_entries_tell_who_did_what_and_to_whom_by_a_hash(made: Installation) -> None:
    made.add(record("m-1"), record("m-2"))
    made.call("POST", "/v1/members/m-1/holds", {"kind": "crisis"})
    made.call("POST", "/v1/blocks", {"a": "m-1", "b": "m-2"})
    reply = read(made)
    key_id, _ = split_token(made.key) or ("", "")
    with made.store.reading() as session:
        subject = derived(session).subject("lantern", "m-1")
    common = {"at": "2026-03-04T12:00:00Z", "by": key_id}
    assert reply == {
        "entries": [
            {"number": 1, **common, "action": "hold.placed", "subject": subject, "details": {}},
            {"number": 2, **common, "action": "block.made", "subject": None, "details": {"new": True}},
        ],
        "next": None,
    }


def test_reading_is_told_too(made: Installation) -> None:
    write(made, 3)
    assert len(read(made)["entries"]) == 3
    assert [one["action"] for one in read(made, "?after=3")["entries"]] == ["audit.read"]
    assert [row.action for row in rows(made)[3:]] == ["audit.read", "audit.read"]
    assert [row.details for row in rows(made)[3:]] == ['{"entries":3}', '{"entries":1}']


def test_pages_lead_through_all_of_it(made: Installation) -> None:
    write(made, 10)
    found, after = [], 0
    for _ in range(4):
        page = read(made, f"?after={after}&limit=3")
        found += [entry["number"] for entry in page["entries"]]
        after = page["next"]
    # Each look adds an entry, and the last page has them.
    assert found == [*range(1, 13)]
    assert after == 12
    assert read(made, "?after=14")["next"] is None


def test_one_members_entries(made: Installation) -> None:
    write(made, 15)
    assert [entry["number"] for entry in read(made, "?member_id=m-3")["entries"]] == [4, 11]
    page = read(made, "?member_id=m-3&limit=1")
    assert ([entry["number"] for entry in page["entries"]], page["next"]) == ([4], 4)
    assert read(made, "?member_id=m-3&after=4")["entries"][0]["number"] == 11
    with made.store.reading() as session:
        assert rows(made)[-1].subject == derived(session).subject("lantern", "m-3")


def test_a_member_whom_nobody_knows_has_none_and_reads_the_same(made: Installation) -> None:
    made.add(record("m-1"))
    for member_id in ("m-1", "m-99"):
        assert read(made, f"?member_id={member_id}")["entries"] == []


def test_the_log_of_another_programme_is_not_to_be_had(made: Installation) -> None:
    other = another_programme(made, "beacon")
    write(made, 3), write(made, 1, "beacon")
    assert len(read(made, key=other)["entries"]) == 1
    assert read(made, "?after=1&member_id=m-1", key=other)["entries"] == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("?after=-1", "after"),
        ("?after=x", "after"),
        ("?after=2147483648", "after"),
        ("?limit=0", "limit"),
        ("?limit=1001", "limit"),
        ("?member_id=", "member_id"),
        ("?member_id=a/b", "member_id"),
        ("?member_id=a%00", "member_id"),
        ("?action=hold.placed", "action"),
    ],
)
def test_what_is_no_question_is_refused_and_not_told(made: Installation, query: str, field: str) -> None:
    body = problem(made.call("GET", f"{ADDRESS}{query}"), 422, "invalid")
    assert list(body["errors"]) == [field]
    assert rows(made) == []


def test_the_largest_page(made: Installation) -> None:
    write(made, 3)
    assert read(made, "?after=2147483647&limit=1000") == {"entries": [], "next": None}


def test_a_log_that_was_changed_can_be_read(made: Installation) -> None:
    write(made, 2)
    by_hand(made, "UPDATE audit SET details = 'no JSON' WHERE number = 1")
    assert [entry["details"] for entry in read(made)["entries"]] == [{}, {"place": 1}]


def test_needs_its_scope(made: Installation) -> None:
    for scope in ("admin", "members", "match"):
        problem(made.call("GET", ADDRESS, key=made.new_key(scope)), 403, "scope-missing")
    assert told(made) == []
    assert read(made, key=made.new_key("audit"))["entries"] == []
