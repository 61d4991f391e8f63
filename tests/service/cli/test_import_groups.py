"""``peermatch import groups``: the same document, and the same all or nothing, as the other imports."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest

from service.store import groups, open_store, programmes
from tests.service.cli.conftest import Cli
from tests.service.cli.test_import import SCHEMA, lines, write
from tests.service.group_records import group
from tests.service.installation import record


def imported(cli: Cli, path: Path, *arguments: object, code: int = 0) -> Any:
    document = cli.json("import", "groups", path, *arguments, code=code)
    jsonschema.validate(document, SCHEMA)
    return document


def members(cli: Cli, group_id: str) -> list[str] | None:
    store = open_store(cli.settings)
    with store.reading() as session:
        found = groups.get(session, "lantern", group_id)
    store.close()
    return None if found is None else found.record["members"]


@pytest.fixture
def three(cli: Cli) -> Cli:
    cli.add(*(record(name) for name in ("f-1", "m-1", "m-2")))
    return cli


def test_groups_land_row_by_row(three: Cli) -> None:
    path = write(three, "groups.jsonl", lines(group(members=["m-1"]), group("g-2", members=["m-7"]), "{"))
    document = imported(three, path, "--programme", "lantern", code=1)
    assert document["accepted"] == 1
    assert [(row["line"], row["id"], list(row["errors"])) for row in document["refused"]] == [
        (2, "g-2", ["members[0]"]),
        (3, None, ["(record)"]),
    ]
    assert (members(three, "g-1"), members(three, "g-2")) == (["m-1"], None)
    told = three.run("import", "groups", path, code=1).stdout
    assert told.startswith("1 group imported (0 new, 1 replaced), 2 rows refused\n")


def test_strict_is_all_or_nothing(three: Cli) -> None:
    bad = write(three, "bad.jsonl", lines(group(), group("g-2", members=["m-7"])))
    document = imported(three, bad, "--strict", code=1)
    assert document["accepted"] == 0
    assert document["warnings"] == ["--strict: nothing was imported; 1 row would have been"]
    assert members(three, "g-1") is None
    sound = write(three, "sound.jsonl", lines(group(), group("g-2", members=["m-1", "m-2"])))
    assert imported(three, sound, "--strict") == {"accepted": 2, "refused": [], "warnings": []}
    assert members(three, "g-2") == ["m-1", "m-2"]


def test_a_programme_that_changes_meanwhile_stops_the_import(three: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(three, "groups.jsonl", lines(group()))
    monkeypatch.setattr(programmes, "digest", lambda *_: "another")
    assert "changed while" in three.run("import", "groups", path, code=1).stderr
    assert members(three, "g-1") is None


@pytest.mark.slow
def test_the_synthetic_groups_follow_their_members(root: Path, empty: Cli) -> None:
    data = root / "data" / "synthetic"
    empty.run("init", data / "programme.toml")
    refused = imported(empty, data / "groups.jsonl", code=1)
    assert refused["accepted"] == 0
    empty.run("import", "members", data / "members.jsonl")
    lines_of_file = (data / "groups.jsonl").read_text("utf-8").splitlines()
    assert imported(empty, data / "groups.jsonl") == {"accepted": len(lines_of_file), "refused": [], "warnings": []}
    told = empty.run("import", "groups", data / "groups.jsonl").stdout
    assert told == f"{len(lines_of_file)} groups imported (0 new, {len(lines_of_file)} replaced), 0 rows refused\n"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["missing.jsonl"], 1, "no readable file"),
        (["groups.xlsx"], 1, "expected .jsonl or .csv"),
        (["groups.csv"], 1, "expected one of group_id"),
        (["groups.jsonl", "--mapping", "m.toml"], 2, "No such option"),
        ([], 2, "Missing argument"),
    ],
)
def test_what_cannot_be_done_is_told(cli: Cli, arguments: list[str], code: int, words: str) -> None:
    write(cli, "groups.csv", "seeker,candidate\nm-1,m-2\n")
    paths = [str(cli.folder / item) if "." in item else item for item in arguments]
    assert words in cli.run("import", "groups", *paths, code=code).stderr


def test_help_has_an_example(empty: Cli) -> None:
    assert "Example:" in empty.run("import", "groups", "--help").stdout
