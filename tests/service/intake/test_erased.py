"""Whoever was erased is not brought back by a file, unless it tells of a decision made since."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from service.intake.members import Batch, read_members, refuse_erased, store_members
from service.store.record_tables import AuditRow
from tests.service.installation import NOON, Installation, another_programme, consent, record

LATER = NOON + timedelta(days=1)
OLD = [consent("match_serve"), consent("be_shown_as_peer")]
NEW = [consent("match_serve", at=NOON + timedelta(hours=1))]


@pytest.fixture
def gone(made: Installation) -> Installation:
    """An installation from which ``m-1`` was erased at noon; it is a day later."""
    made.add(record("m-1"), record("m-2"))
    assert made.call("DELETE", "/v1/members/m-1").status_code == 200
    made.clock.turn(days=1)
    return made


def read(made: Installation, *records: dict[str, Any]) -> Batch:
    file = Path(made.folder) / "members.jsonl"
    file.write_text("".join(json.dumps(one) + "\n" for one in records), "utf-8")
    return read_members(file, made.programme, None, LATER)


def imported(made: Installation, *records: dict[str, Any]) -> Batch:
    batch = read(made, *records)
    with made.store.transaction() as session:
        refuse_erased(session, made.programme, batch)
        store_members(session, made.programme, batch, LATER)
    return batch


def there(made: Installation, member_id: str) -> bool:
    return made.call("GET", f"/v1/members/{member_id}").status_code == 200


def restored(made: Installation) -> int:
    with made.store.reading() as session:
        query = select(AuditRow.action).where(AuditRow.programme_id == "lantern")
        return list(session.scalars(query)).count("member.restored")


def test_a_row_of_an_old_file_is_refused_and_says_the_way_out(gone: Installation) -> None:
    batch = imported(gone, record("m-3"), record("m-1", consents=OLD), record("m-2", capacity=4))
    (refusal,) = batch.outcome.refused
    assert (refusal.line, refusal.id) == (2, "m-1")
    assert list(refusal.errors) == ["consents[0].at", "consents[1].at", "consents"]
    assert refusal.errors["consents[0].at"] == (
        "found 2026-02-02T12:00:00Z, and this id was erased at 2026-03-04T12:00:00Z; expected a decision made later: "
        "leave this one out"
    )
    assert refusal.errors["consents"].endswith("ask the person anew, or give another person an id that was never used")
    assert batch.outcome.accepted == 2
    assert [there(gone, name) for name in ("m-1", "m-2", "m-3")] == [False, True, True]


def test_refusals_are_told_in_the_order_of_the_file(gone: Installation) -> None:
    batch = imported(gone, record("m-1"), record("bad", capacity=-1), record("m-3"))
    assert [refusal.line for refusal in batch.outcome.refused] == [1, 2]


def test_a_decision_made_since_brings_them_back(gone: Installation) -> None:
    assert imported(gone, record("m-1", consents=NEW)).outcome.refused == []
    assert gone.call("GET", "/v1/members/m-1").get_json()["consents"] == NEW
    assert restored(gone) == 1
    # From then on they are as anybody; nothing of before comes in all the same.
    assert imported(gone, record("m-1", consents=[], capacity=5)).outcome.refused == []
    (refusal,) = imported(gone, record("m-1", consents=OLD)).outcome.refused
    assert list(refusal.errors) == ["consents[0].at", "consents[1].at"]
    assert gone.call("GET", "/v1/members/m-1").get_json()["consents"] == NEW
    assert restored(gone) == 1


@pytest.mark.parametrize("decision", ["refused", "withdrawn"])
def test_a_refusal_made_since_brings_nobody_back(gone: Installation, decision: str) -> None:
    later: datetime = NOON + timedelta(hours=1)
    (refusal,) = imported(gone, record("m-1", consents=[consent("match_serve", decision, later)])).outcome.refused
    assert list(refusal.errors) == ["consents"]
    assert not there(gone, "m-1")


def test_where_nobody_was_erased_nothing_is_asked(made: Installation) -> None:
    assert imported(made, record("m-1", consents=OLD)).outcome.accepted == 1
    key = another_programme(made, "beacon")
    made.call("PUT", "/v1/members/m-2", record("m-2"), key=key)
    made.call("DELETE", "/v1/members/m-2", key=key)
    assert imported(made, record("m-2", consents=OLD)).outcome.refused == [], "another programme's"


def test_many_of_whom_some_were_erased(made: Installation) -> None:
    names = [f"m-{number:04}" for number in range(1200)]
    made.add(*(record(name) for name in names[::100]))
    for name in names[::100]:
        made.call("DELETE", f"/v1/members/{name}")
    batch = imported(made, *(record(name) for name in names))
    assert [refusal.id for refusal in batch.outcome.refused] == names[::100]
    assert batch.outcome.accepted == 1188
