"""How a pool's concept sets are held and compared: postings from concepts to rows.

Cosine of information content over sets closed under ancestors: the measure of Resnik (1995) turned into a vector
model; information content is ``-ln`` of the share of holders.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from matcher.facets.base import (
    MUST,
    Column,
    Floats,
    Information,
    Mask,
    Rows,
    Satisfied,
    Sharing,
    Side,
    Sides,
)
from matcher.facets.postings import Postings

if TYPE_CHECKING:
    from matcher.facets.concepts import Concepts

K = TypeVar("K")
NONE: tuple[str, ...] = ()


class Closures:
    """Closures under ancestors, worked out once a distinct set."""

    def __init__(self, facet: Concepts) -> None:
        self.facet = facet
        self._known: dict[object, tuple[str, ...]] = {}

    def __call__(self, codes: object) -> tuple[str, ...]:
        """Return `codes`, a hashable set or None, with their ancestors, sorted."""
        found = self._known.get(codes)
        if found is None:
            found = self._known[codes] = self.facet.up(codes)
        return found


class Weights(dict[str, float]):
    """Information content by concept, worked out once a concept."""

    def __init__(self, information: Information) -> None:
        super().__init__()
        self._information = information

    def __missing__(self, concept: str) -> float:
        weight = self[concept] = self._information(concept)
        return weight

    def total(self, concepts: Iterable[str]) -> float:
        """Return the sum over `concepts`, added in the given order."""
        return sum(self[concept] for concept in concepts)

    def norm(self, concepts: Iterable[str]) -> float:
        """Return the Euclidean length over `concepts`."""
        return float(np.sqrt(sum(self[concept] ** 2 for concept in concepts)))


class ConceptColumn(Column):
    """One facet of concepts of a pool. What a row asks is its ``prefer``, or its own value."""

    def __init__(self, facet: Concepts, sides: Sequence[Side], shows: Sequence[bool], information: Information) -> None:
        self.facet = facet
        self.weights = Weights(information)
        self.up = Closures(facet)
        self.size = len(sides)
        self.target: ConceptColumn = self
        values = [side.value for side in sides]
        self.known = np.array([value is not None for value in values], dtype=np.bool_)
        self.filled = np.array([bool(value) for value in values], dtype=np.bool_)
        self.holders = Postings([self.up(value) for value in values])
        self.scale = self._distinct(values, self._scale_of)
        share = [side.value if facet.against else side.prefer for side in sides]
        self.shares = np.array([asked is not None for asked in share], dtype=np.bool_)
        self.asked = Postings([asked or NONE for asked in share])  # type: ignore[misc]
        self.asked_scale = self._distinct(share, lambda asked: 1.0 / (self.weights.total(asked or NONE) or 1.0))
        self.any_shares = bool(self.shares.any())
        self.importance = np.fromiter((side.importance for side in sides), np.uint8, self.size)
        self.shows = np.fromiter(shows, np.bool_, self.size)
        self._encode_rules(sides)
        self._same = np.uint8(self.importance[0]) if self.size and np.ptp(self.importance) == 0 else None
        self._cosine: tuple[Side, Rows, Floats] | None = None
        self._showing: dict[str, int] = {}

    def _distinct(self, items: Sequence[object], measure: object) -> Floats:
        known: dict[object, float] = {}
        out = np.empty(len(items))
        for row, item in enumerate(items):
            if item not in known:
                known[item] = measure(item)  # type: ignore[operator]
            out[row] = known[item]
        return out

    def _encode_rules(self, sides: Sequence[Side]) -> None:
        """Hold the musts and avoids of the rows, which are few."""
        self.must_rows = self.importance == MUST
        asked = [(side.prefer or side.value or NONE) if side.importance == MUST else NONE for side in sides]
        self.must_asked = Postings(asked)  # type: ignore[arg-type]
        self.avoid_rows = np.array([side.avoid is not None for side in sides], dtype=np.bool_)
        self.avoided = Postings([side.avoid or NONE for side in sides])
        self.any_must, self.any_avoid = bool(self.must_rows.any()), bool(self.avoid_rows.any())

    def link(self, columns: Mapping[str, Column]) -> None:
        """Remember the column of the facet that meets what is asked here."""
        target = columns[self.facet.target]
        assert isinstance(target, ConceptColumn)
        self.target = target

    def _seeker_share(self, side: Side) -> tuple[str, ...] | None:
        """Return what the seeker asks to be held, or None where sets are compared."""
        return side.value if self.facet.against else side.prefer  # type: ignore[return-value]

    def _scale_of(self, value: object) -> float:
        """Return 1 / length of a row's vector: 0 for an empty one, NaN for an unknown one."""
        if value is None:
            return np.nan
        return 1.0 / (self.weights.norm(self.up(value)) or np.inf)

    def _similar(self, side: Side, rows: Rows) -> Floats:
        """Return the cosine of the seeker's set with that of `rows`; NaN where either is unknown.

        Kept for the other direction: likeness is the same both ways.
        """
        kept = self._cosine
        if kept is None or kept[0] is not side or kept[1] is not rows:
            mine = self.up(side.value)
            dot = self.holders.sums({concept: self.weights[concept] ** 2 for concept in mine})
            length = np.nan if side.value is None else self.weights.norm(mine) or np.inf
            kept = (side, rows, np.minimum(dot[rows] * (self.scale[rows] / length), 1.0))
            self._cosine = kept
        return kept[2]

    def forward(self, seeker: Sides, rows: Rows) -> Satisfied | None:
        """Return how well `rows` satisfy the seeker."""
        if not self.facet.is_feature:
            return None
        side, target = seeker[self.facet.name], self.target
        asked = self._seeker_share(side)
        if asked is not None:
            held = target.holders.sums({code: self.weights[code] for code in asked})[rows]
            known = held / (self.weights.total(asked) or 1.0)
            satisfy = np.where(target.known[rows], np.minimum(known, 1.0), np.nan)
        elif self.facet.against is None:
            satisfy = self._similar(side, rows)
        else:
            satisfy = np.full(rows.size, np.nan)
        informative = target.filled[rows] & bool(asked if asked is not None else side.value)
        return Satisfied(satisfy, informative, np.uint8(side.importance))

    def backward(self, seeker: Sides, rows: Rows) -> Satisfied | None:
        """Return how well the seeker satisfies `rows`."""
        if not self.facet.backward_feature:
            return None
        side, held = seeker[self.facet.name], seeker[self.facet.target]
        satisfy = np.full(rows.size, np.nan) if self.facet.against else self._similar(side, rows)
        informative = self.filled[rows]
        if self.any_shares:
            asking = np.flatnonzero(self.shares[rows])
            satisfy = satisfy.copy()
            satisfy[asking] = self._met(held, rows[asking])
            informative |= self.shares[rows] & (self.facet.against is None)
        importance = self._same if self._same is not None else self.importance[rows]
        return Satisfied(satisfy, informative & bool(held.value), importance)

    def _met(self, held: Side, rows: Rows) -> Floats:
        """Return the share of what `rows` ask that the seeker holds."""
        if held.value is None:
            return np.full(rows.size, np.nan)
        met = self.asked.sums({code: self.weights[code] for code in self.up(held.value)})
        return np.minimum(met[rows] * self.asked_scale[rows], 1.0)

    def musts(self, seeker: Sides) -> Mask | None:
        """Return the rows for which both sides' musts hold: at least one of what is asked is held."""
        side, held = seeker[self.facet.name], seeker[self.facet.target]
        if side.importance != MUST and not self.any_must:
            return None
        passes = np.ones(self.size, dtype=np.bool_)
        if side.importance == MUST:
            passes &= self.target.holders.any_of(side.prefer or side.value or NONE)  # type: ignore[arg-type]
        if self.any_must:
            passes &= ~self.must_rows | self.must_asked.any_of(self.up(held.value))
        return passes

    def avoids(self, seeker: Sides) -> Mask | None:
        """Return the rows for which both sides' avoids hold: nothing avoided is held, and that is known."""
        side = seeker[self.facet.name]
        if side.avoid is None and not self.any_avoid:
            return None
        passes = np.ones(self.size, dtype=np.bool_)
        if side.avoid is not None:
            passes &= self.known & ~self.holders.any_of(side.avoid)
        if self.any_avoid:
            passes &= ~self.avoid_rows if side.value is None else ~self.avoided.any_of(self.up(side.value))
        return passes

    def shared(self, seeker: Sides, row: int) -> Iterator[Sharing]:
        """Return what is asked and held, or held by both, of the highest information content first."""
        side, target = seeker[self.facet.name], self.target
        asked = self._seeker_share(side)
        mine = asked if asked is not None else self.up(side.value)
        both = [concept for concept in mine or NONE if target.has(concept, row)]
        depth = {concept: len(self.facet.vocabulary.ancestors(concept)) for concept in both}
        for concept in sorted(both, key=lambda concept: (-self.weights[concept], -depth[concept], concept)):
            yield Sharing(concept, target.showing(concept))

    def showing(self, concept: str) -> int:
        """Return how many hold `concept` and let it be a reason."""
        if concept not in self._showing:
            self._showing[concept] = int(np.count_nonzero(self.shows[self.holders[concept]]))
        return self._showing[concept]

    def has(self, concept: str, row: int) -> bool:
        """Whether `row` holds `concept`."""
        rows = self.holders[concept]
        at = int(np.searchsorted(rows, row))
        return at < rows.size and int(rows[at]) == row

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays."""
        postings = (self.holders, self.asked, self.must_asked, self.avoided)
        arrays = (self.known, self.filled, self.scale, self.shares, self.asked_scale, self.importance, self.shows)
        return sum(item.nbytes for item in (*postings, *arrays, self.must_rows, self.avoid_rows))
