"""Tables for people and JSON for machines."""

from __future__ import annotations

import json
import math

import click
import pytest
from click.testing import CliRunner

from service.cli import output


def test_columns_align_and_numbers_stand_right() -> None:
    lines = output.table(("rank", "member", "score"), [(1, "m-1", 0.5), (10, "m-000123", 0.25)])
    assert lines == [
        "rank  member    score",
        "────  ────────  ─────",
        "   1  m-1        0.50",
        "  10  m-000123   0.25",
    ]


def test_the_last_column_wraps_under_itself() -> None:
    lines = output.table(("id", "why"), [("a", "one two three four five six seven eight")], width=26)
    assert lines[2:] == ["a   one two three four", "    five six seven eight"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        ("", "–"),
        (True, "yes"),
        (0.5, "0.50"),
        (12345.678, "1.235e+04"),
        (math.inf, "inf"),
        ("a\x1b[2J", "a?[2J"),
    ],
)
def test_cells(value: object, text: str) -> None:
    assert output.cell(value) == text


def test_wide_characters_take_two_columns() -> None:
    lines = output.table(("a", "b"), [("日本", "x"), ("abcd", "y")])
    assert lines[2:] == ["日本  x", "abcd  y"]


def test_an_empty_table_keeps_its_head() -> None:
    assert output.table(("a", "b"), []) == ["a  b", "─  ─"]


def test_json_is_one_document_and_every_terminal_can_carry_it() -> None:
    @click.command()
    @output.json_option
    def command(as_json: bool) -> None:
        output.result({"text": "…ü"}, ["for people"], as_json=as_json)

    result = CliRunner().invoke(command, ["--json"])
    assert result.stdout.isascii()
    assert json.loads(result.stdout) == {"text": "…ü"}
    assert CliRunner().invoke(command, []).stdout == "for people\n"


def test_what_is_not_json_is_never_written() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        output.write_json({"score": math.nan})


@pytest.mark.parametrize(("watched", "lines"), [(False, 1), (True, 6)])
def test_json_is_one_line_unless_a_person_watches(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], watched: bool, lines: int
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: watched, raising=False)
    output.write_json({"one": 1, "more": [2]})
    written = capsys.readouterr().out
    assert json.loads(written) == {"one": 1, "more": [2]}
    assert len(written.splitlines()) == lines
