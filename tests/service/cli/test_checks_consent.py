"""``peermatch doctor`` reads the consent log, and tells of how many it says something else than the record."""

from __future__ import annotations

from sqlalchemy import update

from service.store import open_store
from service.store.live_tables import LiveRow
from tests.service.cli.conftest import Cli
from tests.service.installation import record

NAME = "consents of lantern"


def found(cli: Cli, code: int) -> dict[str, str]:
    (check,) = (one for one in cli.json("doctor", code=code)["checks"] if one["name"] == NAME)
    return dict(check)


def test_a_log_that_says_the_same_is_fine(cli: Cli) -> None:
    cli.add(record("m-1"), record("m-2"))
    assert found(cli, 0)["status"] == "ok"


def test_those_who_differ_are_counted_and_what_to_do_is_told(cli: Cli) -> None:
    cli.add(*(record(f"m-{number}") for number in range(7)))
    store = open_store(cli.settings)
    with store.transaction() as session:
        others = (LiveRow.programme_id == "lantern", LiveRow.member_id != "m-6")
        session.execute(update(LiveRow).where(*others).values(edge=1))
    store.close()
    check = found(cli, 1)
    assert check["status"] == "fail"
    assert "of 6 members" in check["message"]
    assert "m-0" not in check["message"]
    assert "backup" in check["way_out"]
