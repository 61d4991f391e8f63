"""Blocks from a file into the store."""

from __future__ import annotations

import json
from typing import Any

import pytest

from matcher.errors import RecordError
from service.intake.blocks import BlockBatch, read_blocks, read_pair, refuse_strangers, store_blocks
from service.intake.errors import IntakeError
from service.store import apart, deletion
from tests.service.installation import NOON, Installation, another_programme, record


def load(made: Installation, content: str, name: str = "blocks.jsonl") -> tuple[BlockBatch, int]:
    path = made.folder / name
    path.write_text(content, encoding="utf-8")
    batch = read_blocks(path)
    with made.store.transaction() as session:
        refuse_strangers(session, made.programme, batch)
        return batch, store_blocks(session, made.programme, batch, NOON)


def lines(*records: Any) -> str:
    return "".join(json.dumps(item) + "\n" for item in records)


def blocked(made: Installation, name: str) -> set[str]:
    with made.store.reading() as session:
        return set(apart.around(session, "lantern", name)["blocked"])


@pytest.fixture
def people(made: Installation) -> Installation:
    made.add(*(record(name) for name in ("m-1", "m-2", "m-3")))
    return made


def test_bad_rows_are_listed_by_line_and_good_ones_land(people: Installation) -> None:
    batch, new = load(
        people,
        lines({"a": "m-1", "b": "m-2"}, {"a": "m-9", "b": "m-1"}, {"a": "m-1"}, [1], {"a": "m-1", "b": "m-1"})
        + '{"a": "m-3", "b": "m-1", "c": 1}\n{"a": "m-3",\n\n'
        + lines({"a": "m-3", "b": "m-2"}),
    )
    assert new == batch.outcome.accepted == 2
    assert [(refusal.line, refusal.id, list(refusal.errors)) for refusal in batch.outcome.refused] == [
        (2, "m-9", ["a"]),
        (3, "m-1", ["b"]),
        (4, None, ["(record)"]),
        (5, "m-1", ["b"]),
        (6, "m-3", ["c"]),
        (7, None, ["(record)"]),
    ]
    assert batch.outcome.refused[0].errors["a"] == (
        "found 'm-9', who is no member of lantern; expected somebody imported before"
    )
    assert blocked(people, "m-2") == {"m-1", "m-3"}


def test_the_same_block_counts_once_in_either_order(people: Installation) -> None:
    rows = lines({"a": "m-1", "b": "m-2"}, {"a": "m-2", "b": "m-1"})
    batch, new = load(people, rows)
    assert (batch.outcome.accepted, new) == (2, 1)
    assert load(people, rows)[1] == 0


def test_csv_has_the_same_fields(people: Installation) -> None:
    batch, new = load(people, "b;a\r\nm-1;m-2\r\n;m-3\r\nm-1;m-3;x\r\n", "blocks.csv")
    assert (batch.outcome.accepted, new) == (1, 1)
    assert [(refusal.line, list(refusal.errors)) for refusal in batch.outcome.refused] == [
        (3, ["b"]),
        (4, ["(record)"]),
    ]
    assert batch.outcome.refused[0].errors["b"].startswith("missing")
    assert blocked(people, "m-1") == {"m-2"}


def test_strangers_are_those_of_another_programme_and_the_erased(people: Installation) -> None:
    another_programme(people, "beacon")
    with people.store.transaction() as session:
        deletion.delete(session, "lantern", "m-2", now=NOON)
    people.call("PUT", "/v1/members/m-5", record("m-5"), key=people.new_key("members", programme_id="beacon"))
    batch, new = load(people, lines({"a": "m-1", "b": "m-2"}, {"a": "m-5", "b": "m-1"}))
    assert (batch.outcome.accepted, new) == (0, 0)
    assert [list(refusal.errors) for refusal in batch.outcome.refused] == [["b"], ["a"]]


def test_files_that_are_no_blocks(people: Installation) -> None:
    with pytest.raises(IntakeError, match="found the column 'member_a'; expected a and b"):
        load(people, "member_a,b\n", "blocks.csv")
    for name, content in (("blocks.csv", "a,b\n"), ("blocks.jsonl", "\n")):
        with pytest.raises(IntakeError, match="expected at least one"):
            load(people, content, name)


@pytest.mark.parametrize(
    ("found", "paths"),
    [
        ({}, ["a", "b"]),
        ({"a": None, "b": 1}, ["a", "b"]),
        ({"a": "x y", "b": "."}, ["a", "b"]),
        ({"a": "m-1\x00", "b": "m-2"}, ["a"]),
        ({"a": "m-1", "b": "m-2", "at": "now"}, ["at"]),
        ([], ["(record)"]),
        ("m-1", ["(record)"]),
        ({"a": "m-1", "b": 2**70}, ["b"]),
    ],
)
def test_every_problem_of_a_record_is_told_by_path(found: object, paths: list[str]) -> None:
    with pytest.raises(RecordError) as caught:
        read_pair(found)
    assert sorted(caught.value.errors) == paths
