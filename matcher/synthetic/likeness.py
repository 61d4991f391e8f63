"""How two sides satisfy each other in the synthetic world.

These are the synthetic people's own notions of likeness. They are near those of docs/reference/matching.md, and
deliberately not the same: sharing something rare counts by the square root of its information content, a need is partly
met by somebody who knows a sibling of it, and closeness in age falls off like an exponential.
"""

from __future__ import annotations

import numpy as np

from matcher.synthetic import world
from matcher.synthetic.families import CONCEPT_UP, CONDITION_UP, SIBLINGS, above, overlap
from matcher.synthetic.population import Floats, Mask
from matcher.synthetic.views import Side

SIBLING = 0.15
"""How far somebody who has been through a sibling of a need meets it."""
AGE_SCALE = 6.0


def likeness(asker: Side, other: Side) -> dict[str, Floats]:
    """Return how well `other` satisfies `asker` by feature, shape (askers, others); NaN where it cannot be known."""
    found = {facet: _KINDS[facet](asker, other) for facet in world.FEATURES}
    for facet, satisfied in found.items():
        target = "experiences" if facet == "needs" else facet
        satisfied[:, ~other.knows(target)] = np.nan
        preferred = asker.prefers(facet)
        known = asker.knows(facet) if preferred is None else asker.knows(facet) | preferred.any(axis=1)
        satisfied[~known] = np.nan
    return found


def _kin(a: Mask, b: Mask, up: Mask, weight: Floats) -> Floats:
    """Return the cosine of two sets with their ancestors, rare nodes counting more."""
    left, right = above(a, up) * weight, above(b, up) * weight
    norms = np.linalg.norm(left, axis=1)[:, None] * np.linalg.norm(right, axis=1)[None, :]
    return np.asarray(np.divide(left @ right.T, norms, out=np.zeros_like(norms), where=norms > 0))


def _conditions(asker: Side, other: Side) -> Floats:
    return _kin(asker.values("conditions"), other.values("conditions"), CONDITION_UP, asker.people.condition_rarity)


def _experiences(asker: Side, other: Side) -> Floats:
    kin = _kin(asker.values("experiences"), other.values("experiences"), CONCEPT_UP, asker.people.experience_rarity)
    return _or_preferred(kin, asker.prefers("experiences"), above(other.values("experiences"), CONCEPT_UP))


def _needs(asker: Side, other: Side) -> Floats:
    needs, held = asker.values("needs"), above(other.values("experiences"), CONCEPT_UP)
    nearly = above(held, SIBLINGS)
    met = (1 - SIBLING) * overlap(needs, held) + SIBLING * overlap(needs, nearly)
    return np.asarray(met / np.maximum(needs.sum(axis=1), 1)[:, None])


def _age(asker: Side, other: Side) -> Floats:
    age = asker.people.population.age
    near = np.exp(-np.abs(age[asker.rows][:, None] - age[other.rows][None, :]) / AGE_SCALE)
    return _or_preferred(near, asker.prefers("age"), other.values("age"))


def _gender(asker: Side, other: Side) -> Floats:
    equal = overlap(asker.values("gender"), other.values("gender"))
    return _or_preferred(equal, asker.prefers("gender"), other.values("gender"))


def _region(asker: Side, other: Side) -> Floats:
    return overlap(asker.values("region"), other.values("region"))


def _interests(asker: Side, other: Side) -> Floats:
    mine = asker.values("interests")
    return np.asarray(overlap(mine, other.values("interests")) / np.maximum(mine.sum(axis=1), 1)[:, None])


def _or_preferred(own: Floats, preferred: Mask | None, held: Mask) -> Floats:
    """Return `own`, but for rows that prefer something the share of it that the other holds."""
    if preferred is None:
        return own
    some = preferred.any(axis=1)
    own[some] = overlap(preferred[some], held) / _most(preferred[some], held)
    return own


def _most(preferred: Mask, held: Mask) -> Floats:
    """Return how many preferred columns can be held at once, as a column: one where everybody holds just one."""
    one_each = bool((held.sum(axis=1) <= 1).all())
    return np.ones((len(preferred), 1)) if one_each else preferred.sum(axis=1, keepdims=True).astype(np.float64)


_KINDS = {
    "conditions": _conditions,
    "experiences": _experiences,
    "needs": _needs,
    "age": _age,
    "gender": _gender,
    "region": _region,
    "interests": _interests,
}
