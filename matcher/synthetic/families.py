"""Which conditions and experiences stand above which in the synthetic world, and sets of them as boolean columns."""

from __future__ import annotations

import numpy as np

from matcher.synthetic import experiences as tree
from matcher.synthetic import world
from matcher.synthetic.population import CONCEPTS, CONDITIONS, Floats, Mask

RAREST = 0.003
"""Share below which nothing counts as rarer still."""


def _condition_up() -> Mask:
    families = {code.code: code.family for _, _, codes in world.SITES.values() for code in codes}
    families |= {other.code: other.family for other in world.COMORBIDITIES}
    nodes = sorted({node for code, family in families.items() for node in (code, *family)})
    return np.array([[node in (code, *families[code]) for node in nodes] for code in CONDITIONS])


def _concept_up() -> Mask:
    up = np.eye(len(CONCEPTS), dtype=bool)
    for row, code in enumerate(CONCEPTS):
        node = code
        while node := tree.PARENT[node]:
            up[row, CONCEPTS.index(node)] = True
    return up


CONDITION_UP = _condition_up()
"""(conditions, nodes): what each condition has above it, itself included."""
CONCEPT_UP = _concept_up()
"""(concepts, concepts): likewise for experiences."""
SIBLINGS = np.array([[tree.PARENT[a] == tree.PARENT[b] and tree.PARENT[a] != "" for b in CONCEPTS] for a in CONCEPTS])


def overlap(a: Mask, b: Mask) -> Floats:
    """Return how many columns each row of `a` shares with each row of `b`, shape (len(a), len(b))."""
    shared: Floats = (a.astype(np.float32) @ b.astype(np.float32).T).astype(np.float64)
    return shared


def above(values: Mask, up: Mask) -> Mask:
    """Return the values of each row with their ancestors."""
    return np.asarray(values.astype(np.float32) @ up.astype(np.float32) > 0)


def rarity(values: Mask, up: Mask) -> Floats:
    """Return what sharing each node counts: more where fewer people of the cohort have it, √(−ln share)."""
    share = above(values, up).mean(axis=0)
    return np.asarray(np.sqrt(np.maximum(-np.log(np.maximum(share, RAREST)), 0.01)))
