"""``peermatch refresh``: who was to be seen tomorrow is seen today."""

from __future__ import annotations

from service.store import open_store, programmes
from tests.service.cli.conftest import Cli
from tests.service.installation import record


def revision(cli: Cli) -> int:
    store = open_store(cli.settings)
    with store.reading() as session:
        found = programmes.pool_revision(session, "lantern")
    store.close()
    return found


def test_whoever_waits_becomes_visible_and_the_pools_know(cli: Cli) -> None:
    cli.add(record("m-1"), record("m-2"), later=True)
    before = revision(cli)
    assert cli.json("refresh") == {"programme": "lantern", "made_visible": 2}
    assert revision(cli) > before
    assert cli.run("refresh").stdout == "lantern: nobody was waiting.\n"
    cli.add(record("m-3"), later=True)
    assert cli.run("refresh", "--programme", "lantern").stdout == "lantern: 1 member is visible from today on.\n"
