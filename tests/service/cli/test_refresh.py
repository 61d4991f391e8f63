"""``peermatch refresh``: who was to be seen tomorrow is seen today."""

from __future__ import annotations

from datetime import timedelta

from service import create_app
from service.live import base as bases
from service.store import events, feed, keys, open_store
from tests.service.cli.conftest import Cli
from tests.service.installation import NOON, consent, record


def additions(cli: Cli) -> int:
    store = open_store(cli.settings)
    with store.reading() as session:
        found = feed.latest(session, "lantern")[1]
    store.close()
    return found


def test_whoever_waits_becomes_visible_and_the_pools_know(cli: Cli) -> None:
    cli.add(record("m-1"), record("m-2"), later=True)
    before = additions(cli)
    assert cli.json("refresh") == {"programme": "lantern", "made_visible": 2, "pool": 2, "lists_ready": 0}
    assert additions(cli) > before
    first, second, third = cli.run("refresh").stdout.splitlines()
    assert first == "lantern: nobody was waiting."
    assert second == "The pool holds 2 members who may be shown."
    assert third == "For 0 of those who wait for a list there is somebody now."
    cli.add(record("m-3"), later=True)
    shown = cli.run("refresh", "--programme", "lantern").stdout.splitlines()
    assert shown[:2] == ["lantern: 1 member is visible from today on.", "The pool holds 3 members who may be shown."]


def test_the_pool_that_it_builds_is_the_one_that_workers_map(cli: Cli) -> None:
    cli.add(record("s-1", "seeker"), record("p-1"))
    cli.json("refresh")
    name = bases.newest(cli.settings.run / "pools" / "lantern")
    assert name
    app = create_app(cli.settings, clock=cli.clock)
    store = open_store(cli.settings)
    with store.transaction() as session:
        key = keys.create(session, "lantern", ["match"], now=NOON).text
    store.close()
    reply = app.test_client().post("/match", json={"member_id": "s-1"}, headers={"Authorization": f"Bearer {key}"})
    assert reply.get_json()["outcome"] == "matched"
    here = app.extensions["peermatch"]
    assert here.pools.held()["lantern"].base.name == name
    here.store.close()


def test_consents_that_ended_by_themselves_are_written_down(cli: Cli) -> None:
    ends = f"{NOON + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"
    cli.add(record("m-1", consents=[consent("be_shown_as_peer", valid_until=ends)]), record("m-2"))
    assert cli.json("refresh")["pool"] == 2
    cli.clock.turn(hours=1)
    before = additions(cli)
    assert cli.json("refresh")["pool"] == 1
    assert additions(cli) > before


def test_whoever_waits_is_tried_again_and_the_feed_tells(cli: Cli) -> None:
    cli.add(record("s-1", "seeker"))
    cli.json("refresh")
    app = create_app(cli.settings, clock=cli.clock)
    here = app.extensions["peermatch"]
    with here.store.transaction() as session:
        key = keys.create(session, "lantern", ["match"], now=NOON).text
    asked = {"json": {"member_id": "s-1"}, "headers": {"Authorization": f"Bearer {key}"}}
    assert app.test_client().post("/match", **asked).get_json()["outcome"] == "no_match"
    cli.add(record("p-1"))
    assert [cli.json("refresh")["lists_ready"] for _ in range(2)] == [1, 0]
    with here.store.reading() as session:
        assert [(one.kind, one.member_id) for one in events.after(session, "lantern", 0, 9)] == [("list.ready", "s-1")]
    assert app.test_client().post("/match", **asked).get_json()["outcome"] == "matched"
    here.store.close()
