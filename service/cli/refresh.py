"""``peermatch refresh``: members who were to become visible tomorrow become visible now."""

from __future__ import annotations

from datetime import UTC

import click

from service.cli import context, output
from service.store import members


@click.command(epilog=output.example("peermatch refresh --programme lantern"))
@context.programme_option
@output.json_option
def command(programme_id: str | None, as_json: bool) -> None:
    """Make members who are still waiting visible at once.

    Members added over HTTP may be shown to others from the next day on (except in programmes of size "small").
    This makes those who wait visible today; running workers notice within a request.
    """
    day = context.now().astimezone(UTC).date()
    with context.opened(context.settings()) as store, store.transaction() as session:
        programme = context.chosen(session, programme_id)
        shown = members.show_all(session, programme, day)
    people = "1 member is" if shown == 1 else f"{shown:,} members are"
    output.result(
        {"programme": programme, "made_visible": shown},
        [f"{programme}: {people} visible from today on." if shown else f"{programme}: nobody was waiting."],
        as_json=as_json,
    )
