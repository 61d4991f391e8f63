"""Who may be suggested to whom in the synthetic programme: its hard rules, as its own staff would apply them.

Written apart from `matcher.matching` on purpose: a test holds the one against the other.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from matcher.synthetic import world
from matcher.synthetic.families import CONCEPT_UP, above, overlap
from matcher.synthetic.population import CONDITIONS, Ints, Mask
from matcher.synthetic.views import People, Side
from matcher.synthetic.wants import MUST

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
QUARTERS = 7 * 24 * 4
OVERLAP = 4
"""Quarter-hours in a row that two people must share."""
FAMILY = {code.code: code.family for _, _, codes in world.SITES.values() for code in codes}
WRITTEN_UP = np.array([[b == a or b in FAMILY.get(a, ()) for b in CONDITIONS] for a in CONDITIONS])
"""What people write may itself be the category of what others write (C50 of C50.9)."""
TOP = len(world.SEVERITY) - 1


def candidates(people: People) -> Ints:
    """Return the rows of those who can be suggested to anybody at all."""
    population = people.population
    return np.flatnonzero(
        people.consents.on("be_shown_as_peer")
        & population.supporter
        & population.told["age"]
        & population.vetted
        & population.agreed
        & (population.capacity > 0)
    )


def seekers(people: People) -> Ints:
    """Return the rows of those who can have a list."""
    population = people.population
    ready = people.consents.on("match_serve") & population.told["age"] & population.agreed
    return np.flatnonzero(population.seeker & ready)


def eligible(seeking: Side, shown: Side, at: datetime) -> Mask:
    """Return which pairs no rule excludes of rows that `seekers` and `candidates` name, (seekers, candidates)."""
    allowed: Mask = seeking.rows[:, None] != shown.rows[None, :]
    for facet in world.REQUIRED:
        allowed &= seeking.knows(facet)[:, None] & shown.knows(facet)[None, :]
    ahead = np.minimum(_own(seeking, "journey") + 1, len(world.JOURNEY) - 1)
    allowed &= _own(shown, "journey")[None, :] >= ahead[:, None]
    allowed &= ~((_own(seeking, "severity") == TOP)[:, None] & (_own(shown, "severity") == TOP)[None, :])
    for facet in ("channel", "languages"):
        allowed &= overlap(seeking.values(facet), shown.values(facet)) > 0
    allowed &= overlap(free(seeking, at), free(shown, at)) > 0
    allowed &= _musts(seeking, shown) & _musts(shown, seeking).T
    allowed &= _avoids(seeking, shown) & _avoids(shown, seeking).T
    return np.asarray(allowed & ~_touches(seeking, shown) & ~_touches(shown, seeking).T)


def _own(side: Side, facet: str) -> Ints:
    values: Ints = getattr(side.people.population, facet)[side.rows]
    return values


def _musts(asker: Side, other: Side) -> Mask:
    """Return for which pairs all that the asker insists on holds, shape (askers, others)."""
    good = np.ones((len(asker.rows), len(other.rows)), dtype=bool)
    for facet in world.FEATURES:
        insists = np.flatnonzero(asker.importance(facet) == MUST)
        if len(insists):
            few = Side(asker.people, asker.rows[insists], asker.purpose)
            good[insists] &= _has_asked(few, other, facet)
    return good


def _has_asked(asker: Side, other: Side, facet: str) -> Mask:
    """Return whether `other` has at least one thing that `asker` prefers, or else is."""
    asked = asker.values(facet) & asker.knows(facet)[:, None]
    preferred = asker.prefers(facet)
    if preferred is not None:
        asked = np.asarray(np.where(_some(preferred), preferred, asked))
    target = "experiences" if facet == "needs" else facet
    held = other.values(target)
    if facet == "conditions":
        held = above(held, WRITTEN_UP)
    elif target == "experiences":
        held = above(held, CONCEPT_UP)
    return np.asarray((overlap(asked, held) > 0) & other.knows(target)[None, :])


def _some(held: Mask) -> Mask:
    """Return which rows hold anything, as a column."""
    return np.asarray(held.any(axis=1, keepdims=True))


def _avoids(asker: Side, other: Side) -> Mask:
    avoided = asker.people.wants.avoid[asker.rows] & asker.asks("experiences")[:, None]
    met = overlap(avoided, above(other.values("experiences"), CONCEPT_UP)) > 0
    clear: Mask = ~met & other.knows("experiences")[None, :]
    return clear | ~_some(avoided)


def _touches(careful: Side, other: Side) -> Mask:
    """Return for which pairs a subject of `other` lies within the boundaries of `careful`."""
    subjects = other.values("needs") & other.knows("needs")[:, None]
    preferred = other.prefers("experiences")
    if preferred is not None:
        subjects = subjects | preferred
    boundaries = careful.values("boundaries") & careful.knows("boundaries")[:, None]
    return overlap(boundaries, above(subjects, CONCEPT_UP)) > 0


def free(side: Side, at: datetime) -> Mask:
    """Return the quarter-hours of the week at which each row has an hour ahead, shape (rows, 672)."""
    population = side.people.population
    starts = np.zeros((len(side.rows), QUARTERS), dtype=bool)
    for number, zone in enumerate(world.ZONES):
        here = np.flatnonzero(population.zone[side.rows] == number)
        grid = _grid(zone, at.date())
        week = above(population.slots[side.rows[here]], grid)
        starts[here] = np.logical_and.reduce([np.roll(week, -shift, axis=1) for shift in range(OVERLAP)])
    return starts


@cache
def _grid(zone: str, day: date) -> npt.NDArray[np.bool_]:
    """Return which quarter-hours, from Monday 00:00 UTC on a circle, each of `world.SLOTS` covers in a zone."""
    monday = day + timedelta(days=-day.weekday() % 7)
    grid = np.zeros((len(world.SLOTS), QUARTERS), dtype=bool)
    origin = datetime.combine(monday, time(), UTC)
    for row, slot in enumerate(world.SLOTS):
        name, span = slot.split(" ")
        start, end = (time.fromisoformat(text) for text in span.split("-"))
        first = monday + timedelta(days=DAYS.index(name))
        last = first + timedelta(days=int(end <= start))
        begin, finish = (
            (datetime.combine(on, clock, ZoneInfo(zone)) - origin) / timedelta(minutes=15)
            for on, clock in ((first, start), (last, end))
        )
        grid[row, np.arange(int(np.ceil(begin)), int(np.floor(finish))) % QUARTERS] = True
    return grid
