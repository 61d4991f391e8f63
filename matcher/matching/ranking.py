"""What a list is ordered by: r alone, and less where others had attention or the seeker has looked before."""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from matcher.facets.base import Floats, Mask, Rows
from matcher.matching.exposure import crowding, crowding_odds, key
from matcher.matching.pool import Pool
from matcher.matching.scoring import Scored, odds_of
from matcher.matching.seeker import Seeker

NEAR_FLOOR = 1e-7
"""Where 1/r² is so near the floor's, relatively, the floor is asked of ln r itself."""


class Ranking:
    """The order of n scored rows. Where nobody has exposure or was looked at, it is that of r, to the bit.

    Parameters
    ----------
    pool : Pool
    seeker : Seeker
    scored : Scored
    """

    def __init__(self, pool: Pool, seeker: Seeker, scored: Scored) -> None:
        self.pool, self.scored = pool, scored
        self.crowding = pool.crowding
        self._views = seeker.standing.views
        self._own = {} if self.crowding is None else seeker.standing.own_exposure

    @property
    def plain(self) -> bool:
        """Whether the key is ln r and nothing else."""
        return self.crowding is None and not self._views

    @cached_property
    def odds(self) -> Floats:
        """Shape (n,): ascending where the key descends; infinite for who is below the floor, which r alone decides."""
        odds = self.scored.odds
        if self.plain:  # the order by r is that of the floor: whoever is below it comes last
            return odds
        below = self._below(odds)
        odds = odds.copy() if self.crowding is None else odds * self.crowding[self.scored.rows]
        if (places := self._apart.places).size:
            logits = self.scored.forward[places] + self._apart.looks
            crowded = crowding_odds(*self._crowd(places, self._apart.spared))
            odds[places] = odds_of(logits, self.scored.backward[places]) * crowded
        odds[below] = np.inf
        return odds

    def keys(self, places: Rows, log_r: Floats) -> Floats:
        """Return the keys of some of the n rows, whose ln r is known."""
        if self.plain:
            return log_r
        if not self._apart.places.size:
            return np.asarray(log_r - crowding(*self._crowd(places, 0.0)))
        looks, spared = np.zeros((2, self.scored.rows.size))
        looks[self._apart.places], spared[self._apart.places] = self._apart.looks, self._apart.spared
        forward, backward = self.scored.forward[places], self.scored.backward[places]
        return key(forward, backward, looks[places], *self._crowd(places, spared[places]))

    def _crowd(self, places: Rows, spared: Floats | float) -> tuple[Floats, npt.NDArray[np.int32]]:
        """Return exposure, what the seeker's own list gives aside, and free places of some of the n rows."""
        rows = self.scored.rows[places]
        return np.maximum(self.pool.exposure[rows] - spared, 0.0), self.pool.free[rows]

    @cached_property
    def _apart(self) -> _Apart:
        """Whom the seeker has looked at, or given exposure."""
        names, scored = list(dict.fromkeys((*self._views, *self._own))), self.scored.rows
        if not names or not scored.size:
            return NOBODY
        rows = self.pool.ids.look_up(names)
        places = np.minimum(scored.searchsorted(rows), scored.size - 1)
        here = np.flatnonzero(scored[places] == rows)
        some = [names[at] for at in here.tolist()]
        looks, spared = (np.array([told.get(name, 0.0) for name in some]) for told in (self._views, self._own))
        return _Apart(places[here], looks, spared)

    def _below(self, odds: Floats) -> Mask:
        floor = self.pool.programme.quality_floor
        cut = np.inf if floor <= 0 else floor**-2
        below: Mask = odds > cut * (1 + NEAR_FLOOR)
        near = odds > cut * (1 - NEAR_FLOOR)
        if np.count_nonzero(near) != np.count_nonzero(below):
            edge = np.flatnonzero(near & ~below)
            below[edge] = np.exp(self.scored.log_reciprocal(edge)) < floor
        return below


class _Apart(NamedTuple):
    """Those of the n rows of whom something is told, in any order."""

    places: Rows
    looks: Floats
    """What looks add to the seeker's logits."""
    spared: Floats
    """What the seeker's own list gives of their exposure."""


NOBODY = _Apart(np.zeros(0, dtype=np.intp), np.zeros(0), np.zeros(0))
