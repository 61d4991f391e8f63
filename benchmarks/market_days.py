"""The days of a market under one policy: answers and ends at night, then lists, then what seekers choose from them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from benchmarks.market_policies import Policy, Scene, ranked
from benchmarks.market_world import LIST, Floats, Ints, Mask, World
from matcher.matching.exposure import view, weight

WEIGHTS = weight(np.arange(1, LIST + 1))
"""Exposure of each place of a list, and the chance that it is looked at."""
BUSY = np.iinfo(np.int64).max
"""The next day to ask on of who has an open offer, or a connection."""


class Event(NamedTuple):
    """A place that is taken (`offered`), kept (`connected`) or set free (`declined`, `expired`, `ended`)."""

    what: str
    day: int
    seeker: int
    supporter: int


class Made(NamedTuple):
    """The newest list of a seeker."""

    day: int
    rows: Ints
    free: Mask
    """Who of them had a free place then."""


@dataclass
class Outcome:
    """What came of all days."""

    seekers: int
    supporters: int
    connections: int = 0
    offers: int = 0
    """Without those to who was full."""
    offers_to_full: int = 0
    """To who had no free place already when the list was made. Such an offer fails at once."""
    collisions: int = 0
    """To who had one then, and to whom others of that day came first."""
    never_shown: int = 0
    """Supporters who were in no list."""
    quality: float = 0.0
    """Sum over the connections of their true r."""


class Days:
    """A market in motion."""

    def __init__(self, world: World, policy: Policy) -> None:
        self.world, self.policy, self.setting = world, policy, world.setting
        n, m = world.eligible.shape
        self.out, self.log = Outcome(n, m), list[Event]()
        self.free: Ints = world.places.copy()
        self.exposure: Floats = np.zeros(m)
        self.views: Floats = np.zeros((n, m))
        self.opens: Ints = np.where(world.eligible, 0, BUSY)
        """From which day on two may be introduced."""
        self.asks: Ints = world.arrives.copy()
        self.wants: Mask = world.wants.copy()
        self.looked: Mask = np.zeros((n, m), dtype=np.bool_)
        self.lists: dict[int, Made] = {}
        self.due: dict[int, list[Event]] = defaultdict(list)
        """What happens by itself, by day."""

    def run(self) -> Outcome:
        shown: Mask = np.zeros(self.free.size, dtype=np.bool_)
        for day in range(self.setting.days):
            for event in self.due.pop(day, ()):
                self._happens(event)
            self._forget_old(day)
            for _, chooses, seeker in self._moments(day):
                if chooses:
                    self._choose(day, seeker)
                else:
                    self._list(day, seeker)
                    shown[self.lists[seeker].rows] = True
        self.out.never_shown = int((~shown).sum())
        return self.out

    def _moments(self, day: int) -> list[tuple[float, bool, int]]:
        """Return who asks and who chooses this day, in order of time."""
        seekers = np.flatnonzero(self.asks <= day)
        asked, second = self.world.turns[day][:, seekers]
        thinks = self.setting.thinks
        chosen = 1 + second if thinks is None else asked - thinks * np.log1p(-second)
        each = seekers.tolist()
        return sorted(
            (moment, chooses, seeker)
            for chooses, moments in ((False, asked), (True, chosen))
            for moment, seeker in zip(moments.tolist(), each, strict=True)
        )

    def _list(self, day: int, seeker: int) -> None:
        self._forget(seeker)
        scene = Scene(
            forward=self.world.forward_estimate[seeker],
            backward=self.world.backward_estimate[seeker],
            open=self.opens[seeker] <= day,
            free=self.free,
            exposure=self.exposure,
            views=self.views[seeker],
        )
        rows = ranked(self.policy, scene)
        self.lists[seeker] = Made(day, rows, self.free[rows] > 0)
        self.exposure[rows] += WEIGHTS[: rows.size]

    def _forget(self, seeker: int) -> None:
        """Let the list of a seeker be no attention any more."""
        if (made := self.lists.pop(seeker, None)) is not None:
            self.exposure[made.rows] = np.maximum(0.0, self.exposure[made.rows] - WEIGHTS[: made.rows.size])

    def _forget_old(self, day: int) -> None:
        for seeker in [who for who, made in self.lists.items() if day - made.day >= self.setting.valid_days]:
            self._forget(seeker)

    def _choose(self, day: int, seeker: int) -> None:
        self.asks[seeker] = day + self.setting.every
        made = self.lists[seeker]
        place = self._chosen(day, seeker, made.rows)
        others = np.arange(made.rows.size) != place
        seen = view(WEIGHTS[: made.rows.size][others], other_chosen=place is not None)
        self.views[seeker, made.rows[others]] += seen
        if place is not None:
            self._propose(day, seeker, int(made.rows[place]), had_place=bool(made.free[place]))

    def _chosen(self, day: int, seeker: int, rows: Ints) -> int | None:
        """Return the place in the list of whom the seeker proposes to: the first who is looked at and wanted."""
        looks, again = self.world.looks[day, seeker], self.world.again[day, seeker]
        for place, row in enumerate(rows.tolist()):
            if looks[place] >= WEIGHTS[place]:
                continue
            if self.looked[seeker, row] and again[place, 0] >= self.setting.keeps:
                self.wants[seeker, row] = again[place, 1] < self.world.forward[seeker, row]
            self.looked[seeker, row] = True
            if self.wants[seeker, row]:
                return place
        return None

    def _propose(self, day: int, seeker: int, supporter: int, *, had_place: bool) -> None:
        if self.free[supporter] <= 0:
            if had_place:
                self.out.collisions += 1
            else:
                self.out.offers_to_full += 1
            if not self.policy.gate:  # with it the service refuses, and nobody has been asked anything
                self.opens[seeker, supporter] = day + self.setting.again_days
            return
        self.out.offers += 1
        self.free[supporter] -= 1
        self.asks[seeker] = BUSY
        self.log.append(Event("offered", day, seeker, supporter))
        self._later(self._answer(seeker, supporter), day, seeker, supporter)

    def _answer(self, seeker: int, supporter: int) -> tuple[str, int]:
        """Return what becomes of an offer, and in how many days."""
        if not self.world.answers[seeker, supporter]:
            return "expired", self.setting.offer_days
        accepted = self.world.accepts[seeker, supporter]
        return "connected" if accepted else "declined", int(self.world.delay[seeker, supporter])

    def _later(self, what: tuple[str, int], day: int, seeker: int, supporter: int) -> None:
        at = day + what[1]
        self.due[at].append(Event(what[0], at, seeker, supporter))

    def _happens(self, event: Event) -> None:
        what, day, seeker, supporter = event
        self.log.append(event)
        if what == "connected":
            world = self.world
            self.out.connections += 1
            self.out.quality += float(np.sqrt(world.forward[seeker, supporter] * world.backward[seeker, supporter]))
            self._later(("ended", int(world.lasts[seeker, supporter])), day, seeker, supporter)
            return
        self.free[supporter] += 1
        if what != "ended":  # whoever had a connection does not come back within these days
            self.asks[seeker] = day
            self.opens[seeker, supporter] = BUSY if what == "declined" else day + self.setting.again_days
