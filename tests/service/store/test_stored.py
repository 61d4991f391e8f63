"""A record that somebody damaged by hand is one member missing, never a whole programme."""

from __future__ import annotations

import json
from typing import Any

import pytest

from service.store import live, sealed, stored
from service.store.live_tables import LiveRow
from service.store.tables import MemberRow
from tests.service.installation import NOON, Installation, consent, record
from tests.service.live.asking import Asking, supporters

DAMAGED: dict[str, Any] = {
    "nothing but the id": {"member_id": "p-03"},
    "a list": [],
    "null": None,
    "no consents": {"consents": None},
    "a moment that is none": {"consents": [{**consent("be_shown_as_peer"), "at": "soon"}]},
    "a profile that is none": {"profile": 7},
}


def damage(made: Installation, member_id: str, how: str) -> None:
    with made.store.transaction() as session:
        row = session.get(MemberRow, ("lantern", member_id))
        assert row is not None
        sound, wrong = sealed.record(session, "lantern", member_id, row.record), DAMAGED[how]
        whole = isinstance(wrong, dict) and "member_id" not in wrong
        said = json.dumps({**sound, **wrong} if whole else wrong)
        row.record = sealed.seal(session, "lantern", sealed.MEMBERS, member_id, said)


@pytest.mark.parametrize("how", DAMAGED)
def test_it_is_no_member(made: Installation, how: str) -> None:
    made.add(record("p-03"))
    damage(made, "p-03", how)
    with made.store.reading() as session:
        row = session.get(MemberRow, ("lantern", "p-03"))
        assert row is not None
        kept = sealed.record(session, "lantern", "p-03", row.record)
        assert stored.member(kept, made.programme) is None


@pytest.mark.parametrize("how", DAMAGED)
def test_others_are_matched_all_the_same(made: Installation, how: str) -> None:
    made.add(record("s-1", "seeker"), record("s-2", "seeker"), *supporters(5))
    asking = Asking(made)
    assert "p-03" in asking.ids()
    damage(made, "p-03", how)
    asking.block("p-03", "p-04")  # a change, so that this worker looks at the record again
    made.clock.turn(days=1)
    assert sorted(asking.ids("s-2")) == ["p-00", "p-01", "p-02", "p-04"]
    assert made.client.get("/__heartbeat__").get_json()["pools"]["skipped_records"] == 1


def test_a_damaged_seeker_is_told_to_be_stored_again(made: Installation) -> None:
    made.add(record("p-03", "seeker"), record("p-1"))
    damage(made, "p-03", "nothing but the id")
    assert made.call("POST", "/v1/match", {"member_id": "p-03"}).status_code == 409


def test_time_passes_for_a_damaged_record_too(made: Installation) -> None:
    ending = [consent("be_shown_as_peer", valid_until=f"{NOON.replace(hour=13):%Y-%m-%dT%H:%M:%SZ}")]
    made.add(record("p-03", consents=ending))
    damage(made, "p-03", "a profile that is none")
    with made.store.transaction() as session:
        live.let_time_pass(session, made.programme, NOON.replace(hour=14))
        assert [row.accepted for row in session.query(LiveRow).execution_options(every_programme=True)] == [0]
