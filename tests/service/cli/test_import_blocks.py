"""``peermatch import blocks``: the same document, and the same all or nothing, as the other imports."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest

from service.store import apart, open_store, programmes
from tests.service.cli.conftest import Cli
from tests.service.cli.test_import import SCHEMA, lines, write
from tests.service.installation import record


def imported(cli: Cli, path: Path, *arguments: object, code: int = 0) -> Any:
    document = cli.json("import", "blocks", path, *arguments, code=code)
    jsonschema.validate(document, SCHEMA)
    return document


def blocked(cli: Cli, name: str) -> set[str]:
    store = open_store(cli.settings)
    with store.reading() as session:
        found = set(apart.around(session, "lantern", name)["blocked"])
    store.close()
    return found


@pytest.fixture
def three(cli: Cli) -> Cli:
    cli.add(*(record(name) for name in ("m-1", "m-2", "m-3")))
    return cli


def test_blocks_land_row_by_row(three: Cli) -> None:
    path = write(three, "blocks.jsonl", lines({"a": "m-1", "b": "m-2"}, {"a": "m-1", "b": "m-7"}, "{"))
    document = imported(three, path, "--programme", "lantern", code=1)
    assert document["accepted"] == 1
    assert [(row["line"], row["id"], list(row["errors"])) for row in document["refused"]] == [
        (2, "m-1", ["b"]),
        (3, None, ["(record)"]),
    ]
    assert (blocked(three, "m-1"), blocked(three, "m-2")) == ({"m-2"}, {"m-1"})
    told = three.run("import", "blocks", path, code=1).stdout
    assert told.startswith("1 block imported (0 new), 2 rows refused\n")


def test_strict_is_all_or_nothing(three: Cli) -> None:
    path = write(three, "blocks.csv", "a,b\nm-1,m-2\nm-1,m-7\n")
    document = imported(three, path, "--strict", code=1)
    assert document["accepted"] == 0
    assert document["warnings"] == ["--strict: nothing was imported; 1 row would have been"]
    assert blocked(three, "m-1") == set()
    sound = write(three, "sound.csv", "a,b\nm-1,m-2\nm-3,m-1\n")
    assert imported(three, sound, "--strict") == {"accepted": 2, "refused": [], "warnings": []}
    assert blocked(three, "m-1") == {"m-2", "m-3"}
    assert three.run("import", "blocks", sound).stdout == "2 blocks imported (0 new), 0 rows refused\n"


def test_a_programme_that_changes_meanwhile_stops_the_import(three: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(three, "blocks.csv", "a,b\nm-1,m-2\n")
    monkeypatch.setattr(programmes, "digest", lambda *_: "another")
    assert "changed while" in three.run("import", "blocks", path, code=1).stderr
    assert blocked(three, "m-1") == set()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["missing.jsonl"], 1, "no readable file"),
        (["blocks.xlsx"], 1, "expected .jsonl or .csv"),
        (["blocks.csv"], 1, "expected a and b"),
        (["blocks.jsonl", "--mapping", "m.toml"], 2, "No such option"),
        ([], 2, "Missing argument"),
    ],
)
def test_what_cannot_be_done_is_told(cli: Cli, arguments: list[str], code: int, words: str) -> None:
    write(cli, "blocks.csv", "seeker,candidate\nm-1,m-2\n")
    paths = [str(cli.folder / item) if "." in item else item for item in arguments]
    assert words in cli.run("import", "blocks", *paths, code=code).stderr


def test_help_has_an_example(empty: Cli) -> None:
    assert "Example:" in empty.run("import", "blocks", "--help").stdout
