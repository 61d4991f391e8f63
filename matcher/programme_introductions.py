"""How introductions go, and in what order people wait: the tables `[introductions]` and `[waiting]` of a programme."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from matcher.config import MISSING, Table
from matcher.errors import nearest
from matcher.facets.base import Facet
from matcher.facets.choice import Choice
from matcher.programme_numbers import bound

LONGEST_WAIT, SUPPORT_AT_HOME = "longest_wait", "support_at_home"
ORDERS = (LONGEST_WAIT, SUPPORT_AT_HOME)


@dataclass(frozen=True, slots=True, kw_only=True)
class Introductions:
    """How long introductions stay open, how many there may be, and when supporters rest."""

    offer_days: int
    """Days that an offer waits for an answer; then it expires."""
    review_days: int
    """Days that a coordinator has to look at one; then it expires."""
    open_at_once: int
    """Open introductions that one seeker may have proposed."""
    per_week: int | None
    """New offers to one supporter in 7 days; None: any number."""
    cool_down_days: int
    """Days without new offers after a connection of a supporter ended."""
    after_loss_days: int
    """The same where it ended by a bereavement."""
    again_days: int
    """Days after which two may be introduced again where nobody answered, or the seeker took back an offer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Who comes first on the waiting list."""

    order: str
    """``longest_wait``, or ``support_at_home``: those come first whose value of `facet` is one of `values`."""
    facet: str | None
    """The choice facet that tells it; None with ``longest_wait``."""
    values: tuple[str, ...]
    """The values of those who come first, as the file has them; none with ``longest_wait``."""


def read_introductions(root: Table) -> Introductions:
    """Return what `[introductions]` says."""
    table = root.table("introductions", optional=True)
    introductions = Introductions(
        offer_days=table.integer("offer_days", default=7, minimum=1, maximum=90),
        review_days=table.integer("review_days", default=14, minimum=1, maximum=365),
        open_at_once=table.integer("open_at_once", default=1, minimum=1, maximum=20),
        per_week=bound(table, "per_week", 2),
        cool_down_days=table.integer("cool_down_days", default=7, minimum=0, maximum=3650),
        after_loss_days=table.integer("after_loss_days", default=90, minimum=0, maximum=3650),
        again_days=table.integer("again_days", default=30, minimum=0, maximum=3650),
    )
    table.finish()
    return introductions


def read_waiting(root: Table, facets: Mapping[str, Facet]) -> Waiting:
    """Return what `[waiting]` says; `facets` are those that the programme declares."""
    table = root.table("waiting", optional=True)
    order = table.string("order", default=LONGEST_WAIT, choices=ORDERS)
    if order == LONGEST_WAIT:
        for key in ("facet", "values"):
            if key in table:
                table.fail(key, table.values[key], f'nothing: it is read with order = "{SUPPORT_AT_HOME}" alone')
        waiting = Waiting(order=order, facet=None, values=())
    else:
        facet = _choice(table, facets)
        waiting = Waiting(order=order, facet=facet.name, values=_values(table, facet))
    table.finish()
    return waiting


def _choice(table: Table, facets: Mapping[str, Facet]) -> Choice:
    choices = {name: facet for name, facet in facets.items() if isinstance(facet, Choice)}
    expected = f"a facet of the kind choice: {', '.join(map(repr, choices)) or 'the programme has none'}"
    if "facet" not in table:
        table.fail("facet", MISSING, expected)
    name = table.string("facet")
    if name not in choices:
        table.fail("facet", name, expected, nearest(name, choices))
    return choices[name]


def _values(table: Table, facet: Choice) -> tuple[str, ...]:
    values = table.strings("values", minimum=1)
    for value in values:
        if value not in facet.values:
            expected = f"one of the values of {facet.name}: {', '.join(map(repr, facet.values))}"
            table.fail("values", value, expected, nearest(value, facet.values))
    return values
