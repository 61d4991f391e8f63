"""``peermatch report``: the figures that HTTP tells, on the command line."""

from __future__ import annotations

import csv
import io

import pytest

from service.store import audit, open_store
from tests.service.cli.conftest import Cli
from tests.service.installation import record


def test_json_csv_and_table_say_the_same(cli: Cli) -> None:
    cli.add(record("m-1", capacity=3), record("m-2"))
    document = cli.json("report", "load")
    (cell,) = document["tables"][0]["cells"]
    assert (document["report"], cell["supporters"], cell["places"]) == ("load", 2, 4)
    rows = list(csv.DictReader(io.StringIO(cli.run("report", "load", "--csv").stdout)))
    assert {row["measure"]: row["value"] for row in rows}["places"] == "4"
    lines = cli.run("report", "load", "--programme", "lantern").stdout.splitlines()
    assert any(line.split() == ["4", "supporters", "all", "places"] for line in lines)


def test_what_is_suppressed_is_told_as_such_and_days_narrow_it(cli: Cli) -> None:
    cli.add(record("s-1", "seeker"))
    assert "suppressed" in cli.run("report", "waiting").stdout
    document = cli.json("report", "waiting", "--from", "2026-01-01", "--to", "2026-01-31")
    assert (document["from"], document["to"]) == ("2026-01-01", "2026-01-31")
    store = open_store(cli.settings)
    with store.reading() as session:
        told = [(one.action, one.by, one.details) for one in audit.entries(session, "lantern")][-2:]
    store.close()
    assert told == [("report.read", "command", '{"name":"waiting"}')] * 2


@pytest.mark.parametrize(
    "arguments",
    [
        ["weather"],
        ["load", "--from", "2026-01-01"],
        ["waiting", "--from", "2026-01-02", "--to", "2026-01-01"],
        ["waiting", "--csv", "--json"],
        ["waiting", "--from", "today"],
    ],
)
def test_what_is_no_question_is_refused(cli: Cli, arguments: list[str]) -> None:
    assert cli.run("report", *arguments, code=2).stdout == ""
