"""What may order a list in the market. All but the first order by the library's own key, with more or less of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.market_world import LIST, Floats, Ints, Mask
from matcher.matching.exposure import key, log_reciprocal
from matcher.matching.shortlist import DIGITS

FLOOR = 0.15
"""The default `quality_floor`."""


@dataclass(frozen=True)
class Policy:
    """What an order may know."""

    reciprocal: bool = True
    """Both sides' affinity; else the seeker's alone."""
    gate: bool = False
    """Who has no free place: they are not listed."""
    exposure: bool = False
    """What attention others had."""
    views: bool = False
    """Whom the seeker was shown before."""


POLICIES = {
    "one_sided": Policy(reciprocal=False),
    "reciprocal": Policy(),
    "gate": Policy(gate=True),
    "full": Policy(gate=True, exposure=True, views=True),
}
PARTS = {
    "gate": POLICIES["gate"],
    "exposure_only": Policy(gate=True, exposure=True),
    "views_only": Policy(gate=True, views=True),
}
"""The two parts that `full` has beyond the gate, one by one."""


@dataclass(frozen=True)
class Scene:
    """What there is to know of m supporters when one seeker asks; each array has shape (m,)."""

    forward: Floats
    """Logits, as far as they are known."""
    backward: Floats
    open: Mask
    """Who passes every gate but that of free places."""
    free: Ints
    exposure: Floats
    views: Floats
    """Sum of `exposure.view`, for this seeker."""


def ranked(policy: Policy, scene: Scene, limit: int = LIST, floor: float = FLOOR) -> Ints:
    """Return the rows of a list, best first: what `shortlist` makes of it, where the policy knows all.

    Equals, which a market of continuous values does not have, go by row.
    """
    rows = np.flatnonzero(scene.open & (scene.free > 0) if policy.gate else scene.open)
    forward, backward = scene.forward[rows], scene.backward[rows]
    if policy.reciprocal:
        good = np.exp(log_reciprocal(forward, backward)) >= floor
        rows, forward, backward = rows[good], forward[good], backward[good]
        views = scene.views[rows] if policy.views else 0.0
        exposure = scene.exposure[rows] if policy.exposure else 0.0
        keys = key(forward, backward, views, exposure, scene.free[rows])
    else:
        keys = forward
    return rows[np.argsort(-np.round(keys, DIGITS), kind="stable")[:limit]]
