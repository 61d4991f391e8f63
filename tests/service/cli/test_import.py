"""``peermatch import``: bad rows listed, good ones landed, and never half of anything."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from service.store import erasure, feedback, members, open_store, programmes
from service.store.engine import StoreError
from tests.service.cli.conftest import Cli
from tests.service.installation import NOON, record

SCHEMA = json.loads(Path(__file__).parents[3].joinpath("docs/schemas/import.schema.json").read_text(encoding="utf-8"))

MAPPING = """
[member_id]
column = "id"
[roles]
value = ["supporter"]
[age_band]
column = "age"
bin = { "18-34" = 18, "35-64" = 35 }
maximum = 64
[profile.experiences]
column = "been through"
split = "|"
unmapped = "drop"
map = { "op" = "surgery", "lump" = "lumpectomy" }
[profile.channel]
value = ["phone"]
[consent]
purposes = ["match_serve", "be_shown_as_peer"]
policy_version = "1"
at = 2026-01-01T00:00:00Z
evidence = "the form of January"
"""


def lines(*records: Any) -> str:
    return "".join((item if isinstance(item, str) else json.dumps(item)) + "\n" for item in records)


def ids(cli: Cli) -> list[str]:
    store = open_store(cli.settings)
    with store.reading() as session:
        found = [member.member_id for member in members.all_members(session, "lantern")]
    store.close()
    return found


def events(cli: Cli) -> int:
    store = open_store(cli.settings)
    with store.reading() as session:
        found = len(list(feedback.all_feedback(session, "lantern")))
    store.close()
    return found


def write(cli: Cli, name: str, content: str) -> Path:
    path = cli.folder / name
    path.write_text(content, encoding="utf-8", newline="")
    return path


def imported(cli: Cli, *arguments: object, code: int = 0) -> Any:
    """Run an import with ``--json``; its document must be of the published form."""
    document = cli.json("import", *arguments, code=code)
    jsonschema.validate(document, SCHEMA)
    return document


def test_members_of_a_sound_file_land(cli: Cli) -> None:
    path = write(cli, "members.jsonl", lines(record("m-1"), record("m-2")))
    assert imported(cli, "members", path) == {"accepted": 2, "refused": [], "warnings": []}
    assert ids(cli) == ["m-1", "m-2"]
    assert cli.run("import", "members", path, "--programme", "lantern").stdout == (
        "2 members imported (0 new, 2 replaced), 0 rows refused\n"
    )


def test_bad_rows_are_listed_and_good_ones_land(cli: Cli) -> None:
    path = write(cli, "members.jsonl", lines(record("m-1"), record("m-2") | {"capacity": -1}, "{", record("m-3")))
    document = imported(cli, "members", path, code=1)
    assert document["accepted"] == 2
    assert [(row["line"], row["id"], list(row["errors"])) for row in document["refused"]] == [
        (2, "m-2", ["capacity"]),
        (3, None, ["(record)"]),
    ]
    assert ids(cli) == ["m-1", "m-3"]
    told = cli.run("import", "members", path, code=1).stdout
    assert told.startswith("2 members imported (0 new, 2 replaced), 2 rows refused\n")
    assert "capacity" in told


def test_strict_is_all_or_nothing(cli: Cli) -> None:
    path = write(cli, "members.jsonl", lines(record("m-1"), record("m-2") | {"capacity": -1}))
    document = imported(cli, "members", path, "--strict", code=1)
    assert document["accepted"] == 0
    assert document["warnings"] == ["--strict: nothing was imported; 1 row would have been"]
    assert ids(cli) == []
    sound = write(cli, "sound.jsonl", lines(record("m-1")))
    assert imported(cli, "members", sound, "--strict")["accepted"] == 1


def test_an_import_that_breaks_off_has_changed_nothing(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    real = members.upsert_many

    def breaks_off(*arguments: Any, **more: Any) -> Any:
        real(*arguments, **more)
        raise StoreError("the disk is full")

    monkeypatch.setattr(members, "upsert_many", breaks_off)
    path = write(cli, "members.jsonl", lines(record("m-1")))
    assert cli.json("import", "members", path, code=1)["error"]["message"] == "the disk is full"
    assert ids(cli) == []


def test_a_programme_that_changes_meanwhile_stops_the_import(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(cli, "members.jsonl", lines(record("m-1")))
    monkeypatch.setattr(programmes, "digest", lambda *_: "another")
    assert "changed while" in cli.run("import", "members", path, code=1).stderr
    assert ids(cli) == []


def test_a_foreign_survey_is_mapped(cli: Cli) -> None:
    survey = write(cli, "survey.csv", "\ufeffid;age;been through\r\np1;34;op|Lump\r\np2;323;op\r\np3;35;tea\r\n;;\r\n")
    mapping = write(cli, "mapping.toml", MAPPING)
    document = imported(cli, "members", survey, "--mapping", mapping, code=1)
    assert document == {
        "accepted": 2,
        "refused": [
            {
                "line": 3,
                "id": "p2",
                "errors": {"age_band": "column 'age': found '323'; expected a number from 18 to 64"},
            }
        ],
        "warnings": ["profile.experiences: 1 × not in the map, left out: 'tea' (1) (first on line 4)"],
    }
    assert ids(cli) == ["p1", "p3"]
    told = cli.run("import", "members", survey, "--mapping", mapping, code=1).stdout
    assert "Accepted, but worth knowing:" in told


def test_a_mapping_without_consent_imports_nobody(cli: Cli) -> None:
    survey = write(cli, "survey.csv", "id,age,been through\np1,34,op\n")
    mapping = write(cli, "mapping.toml", MAPPING.partition("[consent]")[0])
    assert "may not invent consent" in cli.run("import", "members", survey, "--mapping", mapping, code=1).stderr
    assert ids(cli) == []


def test_many_refusals_are_cut_for_people_and_whole_for_machines(cli: Cli) -> None:
    path = write(cli, "members.jsonl", lines(*(record(f"m-{n}") | {"capacity": -1} for n in range(30))))
    told = cli.run("import", "members", path, code=1).stdout
    assert "… and 10 more rows; --json lists them all" in told
    assert len(imported(cli, "members", path, code=1)["refused"]) == 30


SHOWN = {"seeker": "s", "candidate": "m-1", "event": "shown", "rank": 1, "at": "2026-02-01T10:00:00Z"}


def test_feedback_lands_row_by_row(cli: Cli) -> None:
    cli.add(record("s", "seeker"), record("m-1"))
    path = write(cli, "feedback.jsonl", lines(SHOWN, SHOWN | {"candidate": "m-7"}, SHOWN | {"event": "viewed"}))
    document = imported(cli, "feedback", path, "--strict", code=1)
    assert (document["accepted"], events(cli)) == (0, 0)
    document = imported(cli, "feedback", path, code=1)
    assert (document["accepted"], events(cli)) == (2, 2)
    assert [row["line"] for row in document["refused"]] == [2]
    told = cli.run("import", "feedback", path, code=1).stdout
    assert told.startswith("2 events imported (0 new), 1 row refused\n")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["members", "missing.jsonl"], 1, "no readable file"),
        (["members", "members.xlsx"], 1, "expected .jsonl or .csv"),
        (["members", "members.jsonl", "--programme", "elsewhere"], 1, "lantern"),
        (["members", "members.jsonl", "--mapping", "missing.toml"], 1, "for a .csv file only"),
        (["members", "members.csv", "--mapping", "missing.toml"], 1, "expected a mapping"),
        (["members"], 2, "Missing argument"),
        (["feedback", "feedback.jsonl", "--mapping", "m.toml"], 2, "No such option"),
        (["people", "people.jsonl"], 2, "No such command"),
    ],
)
def test_what_cannot_be_done_is_told(cli: Cli, arguments: list[str], code: int, words: str) -> None:
    for name in ("members.jsonl", "members.csv", "feedback.jsonl"):
        write(cli, name, "member_id\nm-1\n")
    paths = [str(cli.folder / item) if "." in item else item for item in arguments]
    assert words in cli.run("import", *paths, code=code).stderr


def test_nothing_is_created_where_there_is_no_installation(empty: Cli) -> None:
    path = write(empty, "members.jsonl", lines(record("m-1")))
    assert "peermatch init" in empty.run("import", "members", path, code=1).stderr
    assert not (empty.folder / "home").exists()


@pytest.mark.parametrize("what", [[], ["members"], ["feedback"]])
def test_help_has_an_example(empty: Cli, what: list[str]) -> None:
    assert "Example:" in empty.run("import", *what, "--help").stdout


@pytest.mark.parametrize("strict", [False, True])
def test_whoever_was_erased_is_not_brought_back(cli: Cli, strict: bool) -> None:
    cli.add(record("m-1"))
    store = open_store(cli.settings)
    with store.transaction() as session:
        assert erasure.erase(session, "lantern", "m-1", now=NOON, by="command") is not None
    store.close()
    file = cli.folder / "members.jsonl"
    file.write_text("".join(json.dumps(record(name)) + "\n" for name in ("m-1", "m-2")), "utf-8")
    cli.clock.turn(days=1)
    told = cli.json("import", "members", file, *(["--strict"] if strict else []), code=1)
    jsonschema.validate(told, SCHEMA)
    assert (told["accepted"], [one["id"] for one in told["refused"]]) == (0 if strict else 1, ["m-1"])
    assert "this id was erased at 2026-03-04T12:00:00Z" in told["refused"][0]["errors"]["consents"]
