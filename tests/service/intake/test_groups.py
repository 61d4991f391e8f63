"""Groups from a file into the store."""

from __future__ import annotations

import json
from typing import Any

import pytest

from service.intake.errors import IntakeError
from service.intake.groups import GroupBatch, read_groups, refuse_strangers, store_groups
from service.store import deletion, groups
from tests.service.group_records import group
from tests.service.installation import NOON, Installation, another_programme, record


def load(made: Installation, content: str, name: str = "groups.jsonl") -> tuple[GroupBatch, tuple[int, int]]:
    path = made.folder / name
    path.write_text(content, encoding="utf-8")
    batch = read_groups(path, made.programme)
    with made.store.transaction() as session:
        refuse_strangers(session, made.programme, batch)
        return batch, store_groups(session, made.programme, batch, NOON)


def lines(*records: Any) -> str:
    return "".join(json.dumps(item) + "\n" for item in records)


def stored(made: Installation, group_id: str) -> dict[str, Any] | None:
    with made.store.reading() as session:
        found = groups.get(session, "lantern", group_id)
        return None if found is None else found.record


@pytest.fixture
def people(made: Installation) -> Installation:
    made.add(*(record(name) for name in ("f-1", "m-1", "m-2", "m-3")))
    return made


def test_bad_rows_are_listed_by_line_and_good_ones_land(people: Installation) -> None:
    batch, (new, replaced) = load(
        people,
        lines(
            group(members=["m-2", "m-1"]),
            group("g-2", members=["m-1", "m-9"], facilitators=["f-9"]),
            group("g-3", channel="post", members=["m 1"]),
            [1],
            group("g-1", name="Again"),
        )
        + '{"group_id": "g-4",\n\n'
        + lines(group("g-5", facilitators=[], members=["m-1"], capacity=0)),
    )
    assert (new, replaced, batch.outcome.accepted) == (2, 0, 2)
    assert [(refusal.line, refusal.id, sorted(refusal.errors)) for refusal in batch.outcome.refused] == [
        (2, "g-2", ["facilitators[0]", "members[1]"]),
        (3, "g-3", ["channel", "members[0]"]),
        (4, None, ["(record)"]),
        (5, "g-1", ["group_id"]),
        (6, None, ["(record)"]),
    ]
    assert batch.outcome.refused[0].errors["members[1]"] == (
        "found 'm-9', who is no member of lantern; expected somebody imported before"
    )
    assert batch.outcome.refused[3].errors["group_id"] == "found the id of line 1 again; expected each group once"
    assert batch.outcome.warnings == [
        "facilitators: 1 × there is none, and a group without one is shown to nobody (first on line 8)",
        "members: 1 × there are more than the capacity, 0; nobody else is shown the group (first on line 8)",
    ]
    assert stored(people, "g-1") == {**group(members=["m-1", "m-2"]), "min_size": 4, "minors": False}
    assert stored(people, "g-2") is None


def test_a_group_that_is_there_is_replaced_as_a_whole(people: Installation) -> None:
    load(people, lines(group(members=["m-1"]), group("g-2")))
    batch, (new, replaced) = load(people, lines(group(name="Another"), group("g-3")))
    assert (new, replaced, batch.outcome.accepted) == (1, 1, 2)
    assert stored(people, "g-1") == {**group(name="Another"), "min_size": 4, "minors": False}
    assert stored(people, "g-2") is not None


def test_strangers_are_those_of_another_programme_and_the_erased(people: Installation) -> None:
    another_programme(people, "beacon")
    with people.store.transaction() as session:
        deletion.delete(session, "lantern", "m-2", now=NOON)
    people.call("PUT", "/v1/members/m-5", record("m-5"), key=people.new_key("members", programme_id="beacon"))
    batch, stored_of = load(people, lines(group(members=["m-2"]), group("g-2", facilitators=["m-5"])))
    assert (batch.outcome.accepted, stored_of) == (0, (0, 0))
    assert [list(refusal.errors) for refusal in batch.outcome.refused] == [["members[0]"], ["facilitators[0]"]]


def test_csv_has_the_same_fields_and_lists_as_those_of_members(people: Installation) -> None:
    header = "group_id;name;facilitators;members;topics.experiences;channel;capacity;open;min_size\r\n"
    rows = (
        "g-1;After surgery;f-1;m-1 | m-2;lumpectomy|travel;phone;12;yes;\r\n"
        "g-2;Bare;;;;video;3;FALSE;2\r\n"
        "g-3;Wrong;;;;video;many;perhaps;\r\n"
        "g-4;Stranger;;m-1|m-7;;video;4;;\r\n"
        ";No name;;;;video;4;;;x\r\n"
    )
    batch, stored_of = load(people, header + rows, "groups.csv")
    assert stored_of == (2, 0)
    assert [(refusal.line, refusal.id, sorted(refusal.errors)) for refusal in batch.outcome.refused] == [
        (4, "g-3", ["capacity", "open"]),
        (5, "g-4", ["members[1]"]),
        (6, None, ["(record)"]),
    ]
    same = group(members=["m-1", "m-2"], topics={"experiences": ["lumpectomy", "travel"]})
    assert stored(people, "g-1") == {**same, "min_size": 4, "minors": False}
    bare = {"facilitators": [], "topics": {}, "channel": "video", "capacity": 3, "open": False, "min_size": 2}
    assert stored(people, "g-2") == {**group("g-2", name="Bare", **bare), "minors": False}


def test_a_topic_of_a_choice_is_one_value(people: Installation) -> None:
    people.change_programme(facets='[facets.mood]\nkind = "choice"\nvalues = ["calm", "brave|bold"]')
    header = "group_id,name,capacity,channel,topics.mood,languages,slot,tz\n"
    load(people, header + "g-1,Calm,3,phone,brave|bold,en|pl,tue 18:00-19:00,Europe/London\n", "groups.csv")
    found = stored(people, "g-1")
    assert found is not None
    assert found["topics"] == {"mood": "brave|bold"}
    assert (found["languages"], found["slot"], found["tz"]) == (["en", "pl"], "tue 18:00-19:00", "Europe/London")


def test_files_that_are_no_groups(people: Installation) -> None:
    with pytest.raises(IntakeError, match=r"found the column 'topics\.experience'; .*'topics\.experiences'"):
        load(people, "group_id,topics.experience\n", "groups.csv")
    with pytest.raises(IntakeError, match=r"found the column 'topics\.journey'"):
        load(people, "group_id,topics.journey\n", "groups.csv")
    for name, content in (("groups.csv", "group_id,name\n"), ("groups.jsonl", "\n")):
        with pytest.raises(IntakeError, match="expected at least one"):
            load(people, content, name)
