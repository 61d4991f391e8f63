"""The boundaries of a pool: who must not be brought together because of what one of them wants to talk about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from matcher.facets.base import EncodeContext, Side, Sides
from matcher.facets.bitmaps import Bitmap
from matcher.facets.column import Blank
from matcher.facets.postings import Postings
from matcher.facets.side_codes import SideCodes

if TYPE_CHECKING:
    from matcher.facets.concepts import Concepts

NONE: tuple[str, ...] = ()


class BoundaryColumn(Blank):
    """The boundaries of a pool, and the subjects, with their ancestors, that its members want to talk about."""

    POSTINGS: ClassVar[tuple[str, ...]] = ("boundaries", "subjects")
    facet: Concepts
    boundaries: Postings
    subjects: Postings

    def __init__(self, facet: Concepts, sides: Mapping[str, Sequence[Side]], context: EncodeContext) -> None:
        assert facet.excludes is not None
        own, target = SideCodes.of(sides[facet.name]), SideCodes.of(sides[facet.excludes])
        size = len(own)
        super().__init__(facet, size)
        self.ready(context)
        self.boundaries = Postings.of_rows(size, (own.codes, [side.value or NONE for side in own.distinct]))  # type: ignore[misc]
        preferring = [SideCodes.of(sides[name]) for name in facet.preferring(context.facets)]
        self.subjects = Postings.of_rows(
            size,
            (target.codes, [facet.up(side.value) for side in target.distinct]),
            *((coded.codes, [facet.up(side.prefer) for side in coded.distinct]) for coded in preferring),
        )

    def ready(self, context: EncodeContext) -> None:
        """Make what is neither saved nor encoded."""
        self._facets = context.facets

    def permit_bits(self, seeker: Sides) -> Bitmap | None:
        """Return the rows with whom no boundary of either side touches a subject of the other."""
        touched = self.boundaries.any_bits(self.facet.subjects(seeker, self._facets))
        touched |= self.subjects.any_bits(seeker[self.facet.name].value or NONE)  # type: ignore[arg-type]
        return ~touched
