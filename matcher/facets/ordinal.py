"""One of a list in order: stage of the journey, age band, severity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from matcher.config import Table
from matcher.facets.base import Column, EncodeContext, FacetContext, Floats, Mask, Side
from matcher.facets.coded import CodedFacet, members
from matcher.facets.coded_column import CodedColumn

AGE_BAND = "age_band"
NOT_BOTH_HIGHEST = "not_both_highest"


@dataclass(frozen=True, kw_only=True)
class Ordinal(CodedFacet):
    """One of `values`, lowest first. ``direction``: the same is best, the supporter ahead, or more is better."""

    kind: ClassVar[str] = "ordinal"
    direction: str = "same"
    by: int = 1
    gate_ahead: bool = False
    """``by`` was declared: the supporter must be ahead, or at the top."""
    guard: str | None = None

    @classmethod
    def from_table(cls, name: str, table: Table, context: FacetContext) -> Ordinal:
        """Read the facet from its TOML table."""
        source = table.string("source", default=None, choices=[AGE_BAND])
        levels = table.strings("levels", minimum=2) if source is None else context.age_bands
        if source is not None and "levels" in table:
            table.fail(
                "levels", list(table.strings("levels")), "no such key beside source: [ages] bands are the levels"
            )
        if len(levels) < 2:
            table.fail("source", source, "at least two [ages] bands")
        direction = table.string("direction", default="same", choices=["same", "ahead", "more"])
        if direction == "ahead" and context.mutual:
            table.fail("direction", direction, "'same' or 'more': in a mutual programme nobody is ahead of both")
        by = table.integer("by", default=None, minimum=1, maximum=len(levels) - 1)
        if by is not None and direction != "ahead":
            table.fail("by", by, 'no such key without direction = "ahead"')
        return cls(
            values=levels,
            direction=direction,
            by=by or 1,
            gate_ahead=by is not None,
            guard=table.string("guard", default=None, choices=[NOT_BOTH_HIGHEST]),
            source=source,
            **cls.common(name, table),
        )

    @property
    def gating(self) -> bool:
        """Whether a guard or a declared ``by`` excludes pairs."""
        return self.gate_ahead or self.guard is not None

    @property
    def backward_feature(self) -> bool:
        """A facet on being ahead says nothing about the seeker."""
        return self.is_feature and self.direction != "ahead"

    @property
    def top(self) -> int:
        """The highest level, which is also the range."""
        return len(self.values) - 1

    def encode(
        self, sides: Mapping[str, Sequence[Side]], shows: Sequence[bool], context: EncodeContext
    ) -> OrdinalColumn:
        """Return the column of a pool."""
        return OrdinalColumn(self, sides[self.name], shows, context)

    @property
    def column_class(self) -> type[Column]:
        """What a saved column of this facet is."""
        return OrdinalColumn


class OrdinalColumn(CodedColumn):
    """One ordinal facet of a pool."""

    facet: Ordinal

    def ready(self, context: EncodeContext) -> None:
        """Make what is neither saved nor encoded."""
        super().ready(context)
        levels = [members(value) for value in self.value]
        self.level = np.array([level[0] if level else 0 for level in levels], dtype=np.int64)

    def _level(self, side: Side) -> int:
        return self.facet.place(str(side.value)) if side.value is not None else 0

    def needs_own(self) -> bool:
        """Of "more" the asker's own level is not needed."""
        return self.facet.direction != "more"

    def like(self, side: Side, backward: bool) -> Floats:
        """Return closeness, or how little is missing to being ahead, or the other's level, each by range."""
        mine, top = self._level(side), self.facet.top
        if self.facet.direction == "more":
            return np.full(self.level.size, mine / top) if backward else self.level / top
        if self.facet.direction == "ahead":
            return 1.0 - np.maximum(0, min(mine + self.facet.by, top) - self.level) / top
        return 1.0 - np.abs(self.level - mine) / top

    def must_like(self, side: Side, backward: bool) -> Mask:
        """Return where the direction holds; "ahead" means the supporter, whoever asks."""
        mine = self._level(side)
        if self.facet.direction == "more":
            mask: Mask = self.level <= mine if backward else self.level >= mine
            return mask
        if self.facet.direction == "ahead":
            return self._ahead(mine)
        return np.equal(self.level, mine)

    def _ahead(self, mine: int) -> Mask:
        mask: Mask = self.level >= min(mine + self.facet.by, self.facet.top)
        return mask

    def gate(self, side: Side) -> Mask | None:
        """Return where the supporter is ahead, and the two are not both at the top, as far as declared."""
        passes = np.ones(self.level.size, dtype=np.bool_)
        if self.facet.gate_ahead:
            passes &= self._ahead(self._level(side))
        if self.facet.guard is not None:
            passes &= (self.level < self.facet.top) | (self._level(side) < self.facet.top)
        return passes
