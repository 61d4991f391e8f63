"""Members from a file into the store: what lands, what is refused, and that no withdrawal is ever lost."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from matcher.consent import fold
from matcher.people import Member
from service.intake.errors import IntakeError
from service.intake.members import Batch, read_members, store_members
from service.store import feed, members
from tests.service.installation import NOON, Installation, consent, record


def lines(*records: Any) -> str:
    return "".join((item if isinstance(item, str) else json.dumps(item)) + "\n" for item in records)


def read(made: Installation, content: str) -> Batch:
    path = made.folder / "members.jsonl"
    path.write_text(content, encoding="utf-8")
    return read_members(path, made.programme, None, NOON)


def load(made: Installation, *records: Any) -> Batch:
    batch = read(made, lines(*records))
    with made.store.transaction() as session:
        store_members(session, made.programme, batch, NOON)
    return batch


def stored(made: Installation, member_id: str) -> Member:
    with made.store.reading() as session:
        found = members.get(session, made.programme.id, member_id)
    assert found is not None
    return Member.from_dict(found.record, made.programme)


def test_bad_rows_are_listed_and_good_ones_land(made: Installation) -> None:
    batch = load(
        made,
        record("m-1"),
        "{",
        "",
        record("m-2") | {"capacity": -1, "age_band": "old"},
        [1],
        record("m-1"),
        record("m-3") | {"member_id": 7},
        record("m-4"),
    )
    assert batch.outcome.accepted == 2
    assert [(refusal.line, refusal.id) for refusal in batch.outcome.refused] == [
        (2, None),
        (4, "m-2"),
        (5, None),
        (6, "m-1"),
        (7, None),
    ]
    assert sorted(batch.outcome.refused[1].errors) == ["age_band", "capacity"]
    assert batch.outcome.refused[3].errors == {"member_id": "found the id of line 1 again; expected each member once"}
    with made.store.reading() as session:
        assert [member.member_id for member in members.all_members(session, "lantern")] == ["m-1", "m-4"]


def test_the_second_of_two_is_refused_even_if_the_first_was(made: Installation) -> None:
    batch = read(made, lines(record("m-1") | {"capacity": -1}, record("m-1")))
    assert batch.outcome.accepted == 0
    assert [refusal.line for refusal in batch.outcome.refused] == [1, 2]


def test_imported_members_are_visible_today_and_each_is_a_change(made: Installation) -> None:
    with made.store.reading() as session:
        before, _ = feed.latest(session, "lantern")
    load(made, *(record(f"m-{number}") for number in range(20)))
    with made.store.reading() as session:
        assert feed.latest(session, "lantern") == (before + 20, before + 20)
        visible = list(members.visible_members(session, "lantern", NOON.date()))
    assert len(visible) == 20


def test_an_existing_member_gets_the_new_profile(made: Installation) -> None:
    load(made, record("m-1", "seeker", capacity=3))
    load(made, record("m-1", profile={"channel": ["video"]}))
    member = stored(made, "m-1")
    assert dict(member.profile) == {"channel": ("video",)}
    assert member.roles == {"supporter"}
    assert member.capacity == 1


def test_importing_the_same_file_again_changes_nothing_of_anybody(made: Installation) -> None:
    load(made, record("m-1"), record("m-2"))
    before = stored(made, "m-1")
    batch = load(made, record("m-1"), record("m-2"))
    assert batch.outcome.accepted == 2
    assert stored(made, "m-1") == before


def test_an_old_file_does_not_undo_a_withdrawal(made: Installation) -> None:
    withdrawn = consent("be_shown_as_peer", "withdrawn", at=NOON - timedelta(days=1))
    load(made, record("m-1"))
    load(made, record("m-1", consents=[withdrawn]))
    load(made, record("m-1"))
    state = fold(stored(made, "m-1").consents, made.programme, NOON)
    assert not state.on("be_shown_as_peer")
    assert state.on("match_serve")


def test_a_later_grant_of_a_file_counts(made: Installation) -> None:
    load(made, record("m-1", consents=[consent("match_serve", "withdrawn", at=NOON - timedelta(days=9))]))
    load(made, record("m-1", consents=[consent("match_serve", at=NOON - timedelta(days=2))]))
    assert fold(stored(made, "m-1").consents, made.programme, NOON).on("match_serve")


def test_what_nobody_can_be_matched_for_is_told(made: Installation) -> None:
    unknown_age = record("m-1")
    del unknown_age["age_band"]
    batch = read(made, lines(unknown_age, record("m-2", age_band="13-17"), record("m-3", consents=[])))
    assert batch.outcome.accepted == 3
    assert [warning.partition(" × ")[0] for warning in batch.outcome.warnings] == [
        "age_band: 1",
        "age_band: 1",
        "consents: 1",
    ]
    assert "whom this programme never matches (first on line 2)" in batch.outcome.warnings[1]


@pytest.mark.parametrize("name", ["members.jsonl", "members.csv"])
def test_a_file_without_rows_is_refused(made: Installation, name: str) -> None:
    path = Path(made.folder / name)
    path.write_text("member_id,roles\n" if name.endswith("csv") else " \n", encoding="utf-8")
    with pytest.raises(IntakeError, match=r"expected at least one row|found no rows"):
        read_members(path, made.programme, None, NOON)
