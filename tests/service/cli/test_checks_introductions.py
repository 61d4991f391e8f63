"""``peermatch doctor`` reads introductions, and tells how many are wrong, and of whom nothing."""

from __future__ import annotations

from sqlalchemy import update

from service.store import introductions, open_store, programmes
from service.store.live_tables import LiveRow
from tests.service.cli.conftest import Cli
from tests.service.installation import record

NAME = "introductions of lantern"


def found(cli: Cli, code: int) -> dict[str, str]:
    (check,) = (one for one in cli.json("doctor", code=code)["checks"] if one["name"] == NAME)
    return dict(check)


def introduced(cli: Cli) -> Cli:
    cli.add(record("s-1", "seeker"), record("m-1"))
    store = open_store(cli.settings)
    with store.transaction() as session:
        programme = programmes.load(session, "lantern")
        introductions.begin(session, programme, ("s-1", "m-1"), by="seeker", now=cli.clock(), reviewed=False)
    store.close()
    return cli


def test_what_follows_is_fine(cli: Cli) -> None:
    check = found(introduced(cli), 0)
    assert (check["status"], check["message"].partition(";")[0]) == ("ok", "1")


def test_what_does_not_is_counted_and_what_to_do_is_told(cli: Cli) -> None:
    store = open_store(introduced(cli).settings)
    with store.transaction() as session:
        session.execute(update(LiveRow).where(LiveRow.programme_id == "lantern").values(free=5))
    store.close()
    check = found(cli, 1)
    assert check["status"] == "fail"
    assert check["message"] == "of 2 members the free places are not their capacity less what is taken"
    assert "backup" in check["way_out"]
