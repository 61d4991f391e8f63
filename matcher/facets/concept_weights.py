"""What sets of concepts weigh, and their closures, each worked out once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from matcher.facets.information import Information

if TYPE_CHECKING:
    from matcher.facets.concepts import Concepts

MOST_KEPT = 4096
LONGEST_KEPT = 100
"""Longer closures are rare, and are worked out each time: a few thousand of them would be tens of megabytes."""


class Closures:
    """Closures under ancestors, worked out once a distinct set."""

    def __init__(self, facet: Concepts) -> None:
        self.facet = facet
        self._known: dict[object, tuple[str, ...]] = {}

    def __call__(self, codes: object) -> tuple[str, ...]:
        """Return `codes`, a hashable set or None, with their ancestors, sorted."""
        found = self._known.get(codes)
        if found is None:
            found = self.facet.up(codes)
            if len(found) > LONGEST_KEPT:
                return found
            if len(self._known) >= MOST_KEPT:
                self._known.clear()
            self._known[codes] = found
        return found


class Weights(dict[str, float]):
    """Information content by concept, worked out once a concept."""

    def __init__(self, information: Information) -> None:
        super().__init__()
        self._information = information

    def __missing__(self, concept: str) -> float:
        if len(self) >= MOST_KEPT * 4:
            self.clear()
        weight = self[concept] = self._information(concept)
        return weight

    def total(self, concepts: Iterable[str]) -> float:
        """Return the sum over `concepts`, added in the given order."""
        return sum(self[concept] for concept in concepts)

    def norm(self, concepts: Iterable[str]) -> float:
        """Return the Euclidean length over `concepts`."""
        return float(np.sqrt(sum(self[concept] ** 2 for concept in concepts)))
