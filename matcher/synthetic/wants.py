"""What the people of a synthetic programme ask of a peer: importances, preferences, avoids and musts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from matcher.synthetic import world
from matcher.synthetic.population import CONCEPTS, LEAVES, MAN, Ints, Mask, Population

DEFAULT = np.array([1, 1, 1, 1, 0, 1, 1])
"""Importance of each of `world.FEATURES` for those who did not ask."""
MUST = 3

# facet: shares who say 0, 2 and 3 (must); the rest say nothing.
STATED = {
    "conditions": (0.03, 0.09, 0.045),
    "experiences": (0.03, 0.07, 0.008),
    "needs": (0.0, 0.12, 0.015),
    "age": (0.06, 0.09, 0.015),
    "region": (0.08, 0.06, 0.01),
    "interests": (0.08, 0.06, 0.006),
}
SAME_GENDER = (0.16, 0.05, 0.2)
"""Share of women, men and others who ask for their own gender; three in ten of them as a must."""


@dataclass(frozen=True)
class Wants:
    """N people's wants."""

    importance: Ints
    """(N, 7) by `world.FEATURES`; -1 is not stated."""
    gender: Mask
    """(N, 3) preferred; an empty row is no preference."""
    ages: Mask
    """(N, bands) preferred."""
    experiences: Mask
    """(N, concepts) preferred."""
    avoid: Mask
    """(N, concepts) avoided among experiences."""


def draw(people: Population, rng: np.random.Generator) -> Wants:
    """Return the wants of `people`, drawn with `rng`."""
    n = len(people)
    importance = np.full((n, len(world.FEATURES)), -1)
    for facet, (none, important, must) in STATED.items():
        luck = rng.random(n)
        column = world.FEATURES.index(facet)
        importance[luck < none + important + must, column] = 2
        importance[luck < none + must, column] = MUST
        importance[luck < none, column] = 0
    importance[~people.seeker, world.FEATURES.index("needs")] = -1
    gender = _same_gender(people, importance, rng)
    ages = _near_ages(people, importance, rng)
    experiences = np.zeros((n, len(CONCEPTS)), dtype=bool)
    prefers = np.flatnonzero(rng.random(n) < 0.04)
    experiences[prefers, rng.choice(LEAVES, len(prefers))] = True
    experiences[prefers, rng.choice(LEAVES, len(prefers))] = True
    importance[prefers, world.FEATURES.index("experiences")] = 2
    avoid = np.zeros((n, len(CONCEPTS)), dtype=bool)
    avoids = np.flatnonzero(rng.random(n) < 0.03)
    heavy = [CONCEPTS.index(code) for code in ("palliative_care", "end_of_life_planning", "recurrence", "serious")]
    avoid[avoids, rng.choice(heavy, len(avoids))] = True
    avoid[prefers] = False  # nobody prefers and avoids at once
    return Wants(importance, gender, ages, experiences, avoid)


def _same_gender(people: Population, importance: Ints, rng: np.random.Generator) -> Mask:
    asks = rng.random(len(people)) < np.array(SAME_GENDER)[people.gender]
    must = asks & (rng.random(len(people)) < np.where(people.gender == MAN, 0.1, 0.3))
    importance[asks, world.FEATURES.index("gender")] = 2
    importance[must, world.FEATURES.index("gender")] = MUST
    preferred: Mask = np.eye(3, dtype=bool)[people.gender] & asks[:, None]
    return preferred


def _near_ages(people: Population, importance: Ints, rng: np.random.Generator) -> Mask:
    """Return preferred bands: those who must have their age accept the neighbouring bands; some others prefer them."""
    column = importance[:, world.FEATURES.index("age")]
    asks = (column == MUST) | ((column == 2) & (rng.random(len(people)) < 0.5))
    bands = np.arange(len(world.AGE_BANDS))
    near: Mask = (np.abs(bands - people.age[:, None]) <= 1) & (bands >= 2) & asks[:, None]
    return near
