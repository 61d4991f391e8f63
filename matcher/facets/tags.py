"""Some of a list: ways of talking, interests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from matcher.config import Table
from matcher.facets.base import Column, EncodeContext, FacetContext, Floats, JSONSchema, Mask, Side, array_schema
from matcher.facets.coded import Bits, CodedFacet, count, overlap
from matcher.facets.coded_column import CodedColumn


@dataclass(frozen=True, kw_only=True)
class Tags(CodedFacet):
    """Some of `values`; satisfied by the share of mine, or of what I prefer, that the other has."""

    kind: ClassVar[str] = "tags"
    min_shared: int = 0
    """With 1 or more: a gate, at least so many in common."""

    @classmethod
    def from_table(cls, name: str, table: Table, context: FacetContext) -> Tags:
        """Read the facet from its TOML table."""
        values = table.strings("values", minimum=1)
        min_shared = table.integer("min_shared", default=0, minimum=0, maximum=len(values))
        return cls(values=values, min_shared=min_shared, **cls.common(name, table))

    @property
    def gating(self) -> bool:
        """Whether sharing too few excludes a pair."""
        return self.min_shared > 0

    def parse(self, raw: object) -> object:
        """Return declared values, sorted; none is allowed."""
        return self.many(raw, allow_empty=True)

    def json_schema(self) -> JSONSchema:
        """Return the schema of some declared values, or none."""
        return array_schema({"enum": list(self.values)})

    def encode(self, sides: Mapping[str, Sequence[Side]], shows: Sequence[bool], context: EncodeContext) -> TagsColumn:
        """Return the column of a pool."""
        return TagsColumn(self, sides[self.name], shows, context)

    @property
    def column_class(self) -> type[Column]:
        """What a saved column of this facet is."""
        return TagsColumn


class TagsColumn(CodedColumn):
    """One tags facet of a pool."""

    def ready(self, context: EncodeContext) -> None:
        """Make what is neither saved nor encoded."""
        super().ready(context)
        self.most = np.maximum(count(self.value), 1.0)

    def like(self, side: Side, backward: bool) -> Floats:
        """Return the share of the asker's values that the other has; 0 where the asker has none."""
        mine = self.seeker_bits(self.facet.held(side))
        asked = self.most if backward else max(1.0, float(count(np.atleast_2d(mine))[0]))
        return count(self.value & mine) / asked

    def must_like(self, side: Side, backward: bool) -> Mask:
        """Return where at least one value is shared."""
        return overlap(self.value, self.seeker_bits(self.facet.held(side)))

    def preferred(self, prefer: Bits, value: Bits) -> Floats:
        """Return the share of `prefer` that `value` has."""
        both = count(np.atleast_2d(prefer & value))
        return both / np.maximum(count(np.atleast_2d(prefer)), 1.0)

    def gate(self, side: Side) -> Mask | None:
        """Return where enough is shared."""
        facet = self.facet
        assert isinstance(facet, Tags)
        mask: Mask = count(self.value & self.seeker_bits(facet.held(side))) >= facet.min_shared
        return mask
