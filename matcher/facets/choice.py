"""One of a list of equals: region, gender, role in the family."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from matcher.config import Table
from matcher.facets.base import Column, EncodeContext, FacetContext, Floats, Mask, Side
from matcher.facets.coded import CodedFacet, overlap
from matcher.facets.coded_column import CodedColumn


@dataclass(frozen=True, kw_only=True)
class Choice(CodedFacet):
    """One of `values`; satisfied when equal, or when the other's is preferred."""

    kind: ClassVar[str] = "choice"

    @classmethod
    def from_table(cls, name: str, table: Table, context: FacetContext) -> Choice:
        """Read the facet from its TOML table."""
        return cls(values=table.strings("values", minimum=1), **cls.common(name, table))

    def encode(
        self, sides: Mapping[str, Sequence[Side]], shows: Sequence[bool], context: EncodeContext
    ) -> ChoiceColumn:
        """Return the column of a pool."""
        return ChoiceColumn(self, sides[self.name], shows, context)

    @property
    def column_class(self) -> type[Column]:
        """What a saved column of this facet is."""
        return ChoiceColumn


class ChoiceColumn(CodedColumn):
    """One choice facet of a pool."""

    def like(self, side: Side, backward: bool) -> Floats:
        """Return 1 where the values are equal."""
        return self.must_like(side, backward).astype(np.float64)

    def must_like(self, side: Side, backward: bool) -> Mask:
        """Return where the values are equal."""
        return overlap(self.value, self.seeker_bits(self.facet.held(side)))
