"""The boundaries of a pool: who must not be brought together because of what one of them wants to talk about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from matcher.facets.base import Column, Facet, Mask, Side, Sides
from matcher.facets.concept_column import NONE, Closures
from matcher.facets.postings import Postings

if TYPE_CHECKING:
    from matcher.facets.concepts import Concepts


class BoundaryColumn(Column):
    """The boundaries of a pool, and the subjects that its members want to talk about."""

    def __init__(self, facet: Concepts, sides: Mapping[str, Sequence[Side]], facets: Mapping[str, Facet]) -> None:
        assert facet.excludes is not None
        self.facet, self.facets = facet, facets
        own = sides[facet.name]
        self.size = len(own)
        self.boundaries = Postings([side.value or NONE for side in own])  # type: ignore[misc]
        up = Closures(facet)
        preferring = [sides[name] for name in facet.preferring(facets)]
        subjects = []
        for row, side in enumerate(sides[facet.excludes]):
            asked = side.value or NONE
            for column in preferring:
                if column[row].prefer:
                    asked = (*asked, *column[row].prefer)  # type: ignore[misc]
            subjects.append(up(asked))
        self.subjects = Postings(subjects)
        self.importance = np.zeros(self.size, dtype=np.uint8)
        self.shows = np.zeros(self.size, dtype=np.bool_)

    def permit(self, seeker: Sides) -> Mask | None:
        """Return the rows with whom no boundary of either side touches a subject of the other."""
        mine = self.facet.subjects(seeker, self.facets)
        touched = self.boundaries.any_of(mine)
        touched |= self.subjects.any_of(seeker[self.facet.name].value or NONE)  # type: ignore[arg-type]
        return ~touched

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays."""
        return self.boundaries.nbytes + self.subjects.nbytes + self.importance.nbytes + self.shows.nbytes
