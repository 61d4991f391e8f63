"""``peermatch refresh``: what would happen at midnight happens now."""

from __future__ import annotations

from datetime import UTC

import click

from service.cli import context, heads, output
from service.cli.progress import Progress
from service.live.building import alone
from service.live.handles import Handles
from service.live.pool_cache import PoolCache
from service.live.refresher import builder, renew
from service.live.retrying import retry
from service.live.shortlists import Shortlists
from service.security import read_secret_key
from service.store import erasure, members
from service.store.erasure_ledger import Ledger


@click.command(epilog=output.example("peermatch refresh --programme lantern"))
@context.programme_option
@output.json_option
def command(programme_id: str | None, as_json: bool) -> None:
    """Make members who are still waiting visible at once, and build the pool that the workers map.

    Members added over HTTP may be shown to others from the next day on (except in programmes of size "small").
    This makes those who wait visible today. The new pool takes the place of the old one without a pause; a timer that
    runs this shortly after midnight UTC spares the first request of the day the wait. Then whoever waits for somebody
    is tried again; of lists that are ready the event feed tells.
    """
    now = context.now()
    where = context.settings()
    with context.opened(where) as store:
        made = builder(where, store)
        with store.transaction() as session:
            programme = context.chosen(session, programme_id)
            shown = members.show_all(session, programme, now.astimezone(UTC).date())
        with Progress("building the pool"), alone(made.folder(programme)):
            base = renew(made, programme, now)
        lists = Shortlists(PoolCache(made), Handles(read_secret_key(where)))
        with Progress("trying those who wait"):
            ready = retry(lists, programme, now)
        erasure.sync(store, Ledger.of(where))
        heads.sign(store, programme, now)
    people = "1 member is" if shown == 1 else f"{shown:,} members are"
    lines = [f"{programme}: {people} visible from today on." if shown else f"{programme}: nobody was waiting."]
    lines.append(f"The pool holds {len(base.pool):,} members who may be shown.")
    lines.append(f"For {ready:,} of those who wait for a list there is somebody now.")
    document = {"programme": programme, "made_visible": shown, "pool": len(base.pool), "lists_ready": ready}
    output.result(document, lines, as_json=as_json)
