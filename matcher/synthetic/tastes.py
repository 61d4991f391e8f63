"""The hidden tastes: how likely A, shown B and looking, accepts B.

No model of Peermatch is asked, and none of its family can say it exactly: there is an interaction, and noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from matcher.synthetic import world
from matcher.synthetic.likeness import likeness
from matcher.synthetic.population import Floats
from matcher.synthetic.views import Side

WEIGHTS = {
    # facet: what it counts for a seeker, for a supporter. The programme's prior says 3, 2, 3, .5, 1, .5, 1 for both.
    "conditions": (2.4, 6.6),
    "experiences": (8.4, 3.0),
    "needs": (6.0, 4.2),
    "age": (6.0, 4.8),
    "gender": (1.8, 1.8),
    "region": (1.2, 3.0),
    "interests": (3.0, 6.0),
}
SPREAD = 0.2
"""Each cohort has tastes of its own: every weight is multiplied by exp(SPREAD · N(0, 1))."""
INTERACTION = 6.0
"""For a seeker, to have been through the same counts more where the illness is the same too (centred likenesses)."""
NOISE = (0.25, 0.25)
"""Standard deviation, in logits, of what no profile tells: per pair, and per candidate's readiness to say yes."""
LEVELS = (0.32, 0.45)
"""Mean acceptance of eligible pairs that the base rates are set to: seekers', supporters'."""


@dataclass(frozen=True)
class Tastes:
    """The tastes of one cohort."""

    weights: Floats
    """(2, 7): seekers', supporters'; by `world.FEATURES`."""
    base: Floats
    """(2,) logits."""
    neutral: Floats
    """(2, 7): what people assume where they cannot know; also the centre of the interaction."""
    readiness: Floats
    """(N,) each member's own readiness to be a peer, in logits."""


def draw(seeking: Side, shown: Side, allowed: Floats, rng: np.random.Generator) -> Tastes:
    """Return tastes whose mean acceptance over the `allowed` pairs of two sample sides is `LEVELS`."""
    weights = np.array([WEIGHTS[facet] for facet in world.FEATURES]).T * np.exp(SPREAD * rng.standard_normal((2, 7)))
    readiness = NOISE[1] * rng.standard_normal(len(seeking.people))
    tastes = Tastes(weights, np.zeros(2), np.full((2, len(world.FEATURES)), np.nan), readiness)
    for role, likes in enumerate((likeness(seeking, shown), _turned(likeness(shown, seeking)))):
        for column, facet in enumerate(world.FEATURES):
            known = likes[facet][(allowed > 0) & ~np.isnan(likes[facet])]
            tastes.neutral[role, column] = known.mean() if len(known) else 0.25
    for role, logits in enumerate(_logits(tastes, seeking, shown)):
        tastes.base[role] = _base(logits[allowed > 0], LEVELS[role])
    return tastes


def acceptance(tastes: Tastes, seeking: Side, shown: Side, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Return the true probabilities of a yes, seekers' and candidates', each of shape (seekers, candidates)."""
    forward, backward = _logits(tastes, seeking, shown)
    forward += NOISE[0] * rng.standard_normal(forward.shape)
    backward += NOISE[0] * rng.standard_normal(backward.shape)
    return _logistic(forward), _logistic(backward)


def _logits(tastes: Tastes, seeking: Side, shown: Side) -> tuple[Floats, Floats]:
    forward = _linear(tastes, 0, likeness(seeking, shown), seeking)
    backward = _turned({"all": _linear(tastes, 1, likeness(shown, seeking), shown)})["all"]
    return forward, backward + tastes.readiness[shown.rows]


def _linear(tastes: Tastes, role: int, likes: dict[str, Floats], asker: Side) -> Floats:
    """Return the logits of askers (rows) for others (columns)."""
    logits = np.full(next(iter(likes.values())).shape, tastes.base[role])
    centred = {}
    for column, facet in enumerate(world.FEATURES):
        neutral = tastes.neutral[role, column]
        known = np.where(np.isnan(likes[facet]), neutral, likes[facet])
        centred[facet] = known - neutral
        half = np.minimum(asker.importance(facet), 2)[:, None] / 2
        logits += tastes.weights[role, column] * half * known
    if role == 0:
        logits += INTERACTION * centred["conditions"] * centred["experiences"]
    return logits


def _turned(likes: dict[str, Floats]) -> dict[str, Floats]:
    return {facet: satisfied.T for facet, satisfied in likes.items()}


def _base(logits: Floats, level: float) -> float:
    """Return what must be added to `logits` for a mean probability of `level`, by bisection."""
    low, high = -20.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _logistic(logits + middle).mean() < level else (low, middle)
    return (low + high) / 2


def _logistic(logits: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-logits)))
