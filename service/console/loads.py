"""How full the supporters are, worst first or by whatever column is asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from flask import Response, current_app, request, url_for

from service.console.blueprint import blueprint
from service.console.charts import bars
from service.console.loads_data import Load, counted, loads
from service.console.opening import reading
from service.console.paging import Page, number_of
from service.console.rendering import page
from service.state import state

ROWS: Final = 50
USUAL: Final = "free"
COLUMNS: Final[dict[str, tuple[str, Callable[[Load], Any]]]] = {
    "member": ("Supporter", lambda one: one.member_id),
    "taken": ("Places taken", lambda one: -one.taken),
    "capacity": ("Capacity", lambda one: -one.capacity),
    "free": ("Free", lambda one: one.free),
    "rests": ("Rests until", lambda one: (one.rests_until is None, one.rests_until)),
}
"""By the word of the address: the heading of a column, and by what it is sorted; ids decide between equals."""


@blueprint.get("/loads", endpoint="loads")
def show() -> Response:
    """Show the supporters of the programme."""
    order = request.args.get("sort", USUAL)
    order = order if order in COLUMNS else USUAL
    with reading() as (session, programme):
        found = loads(session, programme, state(current_app).clock())
    shown = Page.of(ordered(found, order), number_of(request.args), ROWS)
    return page(
        "loads.html",
        programme_name=programme.name,
        chart=bars(counted(found)),
        count=len(found),
        over=sum(one.free < 0 for one in found),
        resting=sum(one.rests_until is not None for one in found),
        columns=[(word, heading, word == order) for word, (heading, _) in COLUMNS.items()],
        shown=shown,
        address_of=lambda number: url_for("console.loads", sort=order, page=number),
        sorted_by=lambda word: url_for("console.loads", sort=word),
    )


def ordered(found: Sequence[Load], order: str) -> list[Load]:
    """Return supporters sorted by a column."""
    key = COLUMNS[order][1]
    return sorted(found, key=lambda one: (key(one), one.member_id))
