"""Where every seeker stands, and who waits, why, and since when."""

from __future__ import annotations

from typing import Final

from flask import Response, current_app, request, url_for

from service.access import access
from service.console.blueprint import blueprint
from service.console.charts import bars
from service.console.opening import writing
from service.console.paging import Page, number_of
from service.console.rendering import page
from service.state import state
from service.store import audit

ROWS: Final = 50
STATES: Final = {
    "connected": "Connected",
    "introduced": "Being introduced",
    "listed": "Have a list to choose from",
    "waiting": "Wait",
    "held": "Held",
    "outdated": "Record outdated",
    "no_consent": "No consent to be matched",
}
"""Where a seeker may stand, as the page calls it."""
WHY: Final = {
    "never_asked": "Their app has never asked for a list",
    "no_eligible": "Nobody passes every gate",
    "small_pool": "Too few people pass every gate to keep a choice private",
    "below_quality": "Nobody is a good enough match",
    "low_information": "Too little is known to match them",
    "over_budget": "Their list is used up, and the next is not due yet",
    "declined_all": "Nobody of their list is left",
    "lapsed": "Their last list is too old",
}
"""Why somebody waits, as the page tells it."""


@blueprint.get("/waiting", endpoint="waiting")
def show() -> Response:
    """Show who waits, first comes first."""
    here, key = state(current_app), access()
    now = here.clock()
    here.pools.let_time_pass(key.programme_id, now, heard=False)
    found = here.shortlists.waits.fresh(key.programme_id, now)
    shown = Page.of(found.waiting, number_of(request.args), ROWS)
    with writing() as (session, programme):  # no audit, no answer
        audit.record(session, programme.id, "waiting.read", now=now, by=key.key_id, entries=len(shown.rows))
    counts = {called: found.states.get(name, 0) for name, called in STATES.items()}
    return page(
        "waiting.html",
        programme_name=programme.name,
        chart=bars(counts),
        seekers=sum(counts.values()),
        as_of=found.as_of,
        shown=shown,
        why=WHY,
        order=programme.waiting,
        address_of=lambda number: url_for("console.waiting", page=number),
    )
