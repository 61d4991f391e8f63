"""How a pool's concept sets are held and compared: postings from concepts to the codes of those who say the same.

Cosine of information content over sets closed under ancestors: the measure of Resnik (1995) turned into a vector
model; information content is ``-ln`` of the share of holders.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from matcher.facets.base import MUST, Column, EncodeContext, Floats, Mask, Rows, Satisfied, Side, Sides
from matcher.facets.bitmaps import Bitmap
from matcher.facets.concept_weights import MOST_KEPT, Closures, Weights
from matcher.facets.postings import Postings
from matcher.facets.side_codes import SideCodes
from matcher.facets.side_column import SideColumn

if TYPE_CHECKING:
    from matcher.facets.concepts import Concepts

NONE: tuple[str, ...] = ()


class ConceptColumn(SideColumn):
    """One facet of concepts of a pool. What a row asks is its ``prefer``, or its own value.

    Attributes
    ----------
    held : Postings of C codes
        Concepts with their ancestors.
    known, filled : Mask, shape (C,)
    scale : ndarray, shape (C,)
        1 / length of the vector: 0 for an empty one, NaN for an unknown one.
    asker : ndarray of int32, shape (C,)
        Which of A distinct sets a code asks to be held by others; 0 where it asks for none, and sets are compared.
    asked : Postings of A sets
    asked_scale : ndarray, shape (A,)
        1 / weight of the set.
    must_asked, avoided : Postings of the rows `must_rows` and `avoid_rows`
    holding : ndarray of int64
        By concept of `held`: how many hold it and let it be a reason.
    """

    POSTINGS: ClassVar[tuple[str, ...]] = ("held", "asked", "must_asked", "avoided")
    ARRAYS: ClassVar[tuple[str, ...]] = (
        *(*SideColumn.ARRAYS, "known", "filled", "scale"),
        *("asker", "asked_scale", "holding"),
    )
    facet: Concepts
    known: Mask
    filled: Mask
    scale: Floats
    asker: npt.NDArray[np.int32]
    asked_scale: Floats
    holding: npt.NDArray[np.int64]

    def __init__(self, facet: Concepts, sides: Sequence[Side], shows: npt.ArrayLike, context: EncodeContext) -> None:
        coded = SideCodes.of(sides)
        super().__init__(facet, coded, shows)
        self.ready(context)
        distinct, up = coded.distinct, Closures(facet)
        values = [side.value for side in distinct]
        closed = [up(value) for value in values]
        self.known = np.array([value is not None for value in values], dtype=np.bool_)
        self.filled = np.array([bool(value) for value in values], dtype=np.bool_)
        self.held = Postings(closed)
        lengths = np.array([self.weights.norm(held) or np.inf for held in closed], dtype=np.float64)
        self.scale = np.where(self.known, 1.0 / lengths, np.nan)
        sets: dict[tuple[str, ...] | None, int] = {None: 0}
        asked = (self._asked_of_others(side) for side in distinct)
        self.asker = np.fromiter((sets.setdefault(some, len(sets)) for some in asked), np.int32, len(distinct))
        self.asked = Postings([some or NONE for some in sets])
        self.asked_scale = np.array([1.0 / (self.weights.total(some or NONE) or 1.0) for some in sets])
        musts, avoiders = ([distinct[code] for code in self.codes[rows]] for rows in (self.must_rows, self.avoid_rows))
        self.must_asked = Postings([side.prefer or side.value or NONE for side in musts])
        self.avoided = Postings([side.avoid or NONE for side in avoiders])
        showing = np.bincount(self.codes[self.shows], minlength=len(distinct))
        self.holding = np.array([showing[self.held[concept]].sum() for concept in self.held], dtype=np.int64)

    def ready(self, context: EncodeContext) -> None:
        """Make what is neither saved nor encoded."""
        super().ready(context)
        self.weights = Weights(context.information[self.facet.target])
        self.up = Closures(self.facet)
        self.target: ConceptColumn = self
        self._cosine: tuple[Side, Rows | None, Floats] | None = None
        self._at: tuple[Rows, Rows] | None = None
        self._order: dict[str, tuple[float, int, str]] = {}

    def link(self, columns: Mapping[str, Column]) -> None:
        """Remember the column of the facet that meets what is asked here."""
        target = columns[self.facet.target]
        assert isinstance(target, ConceptColumn)
        self.target = target

    def _asked_of_others(self, side: Side) -> tuple[str, ...] | None:
        """Return what a side asks to be held, or None where sets are compared."""
        return side.value if self.facet.against else side.prefer  # type: ignore[return-value]

    def at(self, rows: Rows) -> tuple[Rows | None, npt.NDArray[np.unsignedinteger[Any]] | None]:
        """Return of which codes to work out something: all (None), to look up by row, or those of `rows`."""
        codes = self.code_of(rows)
        if self.asks.size <= rows.size:
            return None, codes
        kept = self._at
        if kept is None or kept[0] is not rows:
            self._at = kept = rows, codes.astype(np.intp)
        return kept[1], None

    def _similar(self, side: Side, at: Rows | None) -> Floats:
        """Return the cosine of the seeker's set with those of codes; NaN where either is unknown.

        Kept for the other direction: likeness is the same both ways.
        """
        kept = self._cosine
        if kept is None or kept[0] is not side or kept[1] is not at:
            mine = self.up(side.value)
            dot = self.held.sums({concept: self.weights[concept] ** 2 for concept in mine}, at)
            length = np.nan if side.value is None else self.weights.norm(mine) or np.inf
            dot *= _pick(self.scale, at)
            dot *= 1.0 / length
            self._cosine = kept = side, at, np.minimum(dot, 1.0, out=dot)
        return kept[2]

    def forward(self, seeker: Sides, rows: Rows) -> Satisfied | None:
        """Return how well `rows` satisfy the seeker."""
        if not self.facet.is_feature:
            return None
        side, target = seeker[self.facet.name], self.target
        asked = self._asked_of_others(side)
        at, codes = target.at(rows)
        if asked is not None:
            met = target.held.sums({code: self.weights[code] for code in asked}, at)
            met /= self.weights.total(asked) or 1.0
            satisfy = np.where(_pick(target.known, at), np.minimum(met, 1.0, out=met), np.nan)
        elif self.facet.against is None:
            satisfy = self._similar(side, at)
        else:
            satisfy = np.full(target.asks.size if at is None else at.size, np.nan)
        asks = bool(asked if asked is not None else side.value)

        def tells(places: Rows | slice) -> Mask:
            return target.filled[places if at is None else at[places]] & asks

        return Satisfied(satisfy, tells, np.uint8(side.importance), codes)

    def backward(self, seeker: Sides, rows: Rows) -> Satisfied | None:
        """Return how well the seeker satisfies `rows`."""
        if not self.facet.backward_feature:
            return None
        side, held = seeker[self.facet.name], seeker[self.facet.target]
        at, codes = self.at(rows)
        asker = _pick(self.asker, at)
        if self.facet.against:
            satisfy = self._met(held).take(asker, mode="clip")
        else:
            satisfy = self._similar(side, at)
            if self.asked_scale.size > 1:
                asking, satisfy = np.flatnonzero(asker != 0), satisfy.copy()
                satisfy[asking] = self._met(held).take(asker[asking], mode="clip")

        def tells(places: Rows | slice) -> Mask:
            of = places if at is None else at[places]
            asked = self.filled[of] if self.facet.against else self.filled[of] | (self.asker[of] != 0)
            return asked & bool(held.value)

        return Satisfied(satisfy, tells, _pick(self.asks, at), codes)

    def _met(self, held: Side) -> Floats:
        """Return the share of each asked set that the seeker holds, shape (A,); NaN where that is unknown, or none."""
        if held.value is None:
            return np.full(self.asked_scale.size, np.nan)
        met = self.asked.sums({code: self.weights[code] for code in self.up(held.value)})
        met *= self.asked_scale
        met[0] = np.nan
        return np.minimum(met, 1.0, out=met)

    def must_bits(self, seeker: Sides) -> Bitmap | None:
        """Return the rows for which both sides' musts hold: at least one of what is asked is held."""
        side, held, found = seeker[self.facet.name], seeker[self.facet.target], None
        if self.must_rows.size:
            found = self.but(self.must_rows[~self.must_asked.any_of(self.up(held.value))])
        if side.importance == MUST:
            asked: tuple[str, ...] = side.prefer or side.value or NONE  # type: ignore[assignment]
            holding = self.target.bitmap(self.target.held.any_of(asked))
            found = holding if found is None else found & holding
        return found

    def avoid_bits(self, seeker: Sides) -> Bitmap | None:
        """Return the rows for which both sides' avoids hold: nothing avoided is held, and that is known."""
        side, found = seeker[self.facet.name], None
        if self.avoid_rows.size:
            met = self.avoided.any_of(self.up(side.value))
            found = self.but(self.avoid_rows if side.value is None else self.avoid_rows[met])
        if side.avoid is not None:
            free = self.bitmap(self.known & ~self.held.any_of(side.avoid))
            found = free if found is None else found & free
        return found

    def _ranked(self, seeker: Sides) -> list[str]:
        """Return what is asked, or what the seeker holds, of the highest information content first."""
        side = seeker[self.facet.name]
        asked = self._asked_of_others(side)
        mine = asked if asked is not None else self.up(side.value)
        return sorted(mine, key=self._place)

    def _place(self, concept: str) -> tuple[float, int, str]:
        """Return the place of a concept among those that two people share: the rarest, then the deepest, first."""
        place = self._order.get(concept)
        if place is None:
            depth = len(self.facet.vocabulary.ancestors(concept))
            place = -self.weights[concept], -depth, concept
            if len(self._order) < MOST_KEPT:
                self._order[concept] = place
        return place

    def shared(self, seeker: Sides, row: int) -> Iterator[str]:
        """Return what is asked and held, or held by both, of the highest information content first."""
        codes = self.target.code_of(np.array([row])).astype(np.intp)
        return (concept for concept in self._ranked(seeker) if self.target.held.table([concept], codes)[0, 0])

    def telling(self, seeker: Sides, rows: Rows, enough: Callable[[str], bool]) -> Sequence[str | None]:
        """Return for each of `rows` the first that it shares with the seeker and that `enough` members hold."""
        concepts = [concept for concept in self._ranked(seeker) if enough(concept)]
        if not concepts:
            return [None] * rows.size
        has = self.target.held.table(concepts, self.target.code_of(rows).astype(np.intp))
        first, some = has.argmax(axis=0).tolist(), np.asarray(has.any(axis=0)).tolist()
        return [concepts[at] if any_ else None for at, any_ in zip(first, some, strict=True)]

    def holders(self, value: str) -> int:
        """Return how many hold `value`, or of what meets it, and let that be a reason."""
        at = self.target.held.place(value)
        return 0 if at is None else int(self.target.holding[at])

    def retire(self, row: int) -> None:
        """Count the member of `row` among no holders any longer."""
        if self.shows[row]:
            self.holding[self.held.places(int(self.codes[row]))] -= 1
        super().retire(row)


def _pick(values: npt.NDArray[Any], at: Rows | None) -> npt.NDArray[Any]:
    """Return the values of the codes `at`; all where that is None."""
    return values if at is None else values.take(at, mode="clip")
