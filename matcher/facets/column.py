"""One facet of a whole pool: what a kind's encoded form must be able to answer."""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple, Self, TypeAlias

import numpy as np
import numpy.typing as npt

from matcher.facets.bitmaps import Bitmap, Mask, Rows, unpack
from matcher.facets.postings import Postings
from matcher.facets.sides import Sides

if TYPE_CHECKING:
    from matcher.facets.base import EncodeContext, Facet

Floats: TypeAlias = npt.NDArray[np.float64]
Arrays: TypeAlias = dict[str, npt.NDArray[Any]]

HALVES: Final = np.array([0.0, 0.5, 1.0, 1.0])
"""What an importance multiplies satisfy by: a must scores as important."""


class Satisfied(NamedTuple):
    """How well n rows satisfy, or are satisfied by, a seeker in one facet.

    Where `codes` is given, the arrays have one element a code, and ``codes[i]`` is that of the i-th row: what many rows
    have in common is then worked out once.
    """

    satisfy: Floats
    """In [0, 1]; NaN where a needed value is unknown."""
    tells: Callable[[Rows | slice], Mask]
    """Of some elements: whether satisfy is known and neither side's value is an empty list. Few are ever asked."""
    importance: npt.NDArray[np.uint8] | np.uint8
    """The asker's importance, 0–3: one for all where the seeker asks."""
    codes: npt.NDArray[np.unsignedinteger] | None = None
    """Shape (n,)."""

    def by_row(self) -> Floats:
        """Return satisfy, shape (n,)."""
        return self.satisfy if self.codes is None else self.satisfy[self.codes]

    @property
    def informative(self) -> Mask:
        """What `tells` of all elements."""
        return self.tells(slice(None))


class Column(ABC):
    """One facet of all N members of a pool, encoded. Row order is the pool's.

    Methods that take `seeker` get the seeker's sides of all facets; `rows` are row numbers, shape (n,).
    """

    ARRAYS: ClassVar[tuple[str, ...]] = ("importance", "shows")
    """Attributes that, with the strings of `words`, are all there is to save."""
    POSTINGS: ClassVar[tuple[str, ...]] = ()
    """Attributes that are postings, to be saved too."""

    facet: Facet
    importance: npt.NDArray[np.uint8]
    """Shape (N,): each member's importance, 0–3."""
    shows: Mask
    """Shape (N,): whether the member lets this facet be a reason, and has not been retired."""

    def arrays(self) -> Arrays:
        """Return what `restore` needs, by name."""
        found: Arrays = {name: getattr(self, name) for name in self.ARRAYS}
        for name in self.POSTINGS:
            found |= {f"{name}.{part}": getattr(getattr(self, name), part) for part in Postings.ARRAYS}
        return found

    def words(self) -> dict[str, list[str]]:
        """Return the strings that `restore` needs, by name."""
        return {name: getattr(self, name).names for name in self.POSTINGS}

    @classmethod
    def restore(cls, facet: Facet, arrays: Arrays, words: Mapping[str, list[str]], context: EncodeContext) -> Self:
        """Return the column whose `arrays` and `words` these are."""
        made = cls.__new__(cls)
        made.facet = facet
        for name in cls.ARRAYS:
            setattr(made, name, arrays[name])
        for name in cls.POSTINGS:
            parts = [arrays[f"{name}.{part}"] for part in Postings.ARRAYS]
            setattr(made, name, Postings.restore(words[name], parts))
        made.ready(context)
        return made

    def ready(self, context: EncodeContext) -> None:  # noqa: B027 - most kinds need nothing more
        """Make what is neither saved nor encoded."""

    def link(self, columns: Mapping[str, Column]) -> None:  # noqa: B027 - most kinds look at no other facet
        """Remember the columns of the facets that this one refers to."""

    def forward(self, seeker: Sides, rows: Rows) -> Satisfied | None:
        """Return how well `rows` satisfy the seeker, or None where this facet is no feature forward."""
        return None

    def backward(self, seeker: Sides, rows: Rows) -> Satisfied | None:
        """Return how well the seeker satisfies `rows`, or None where this facet is no feature backward."""
        return None

    def weigh(self, satisfied: Satisfied, weight: float, neutral: float) -> Floats:
        """Return weight · importance/2 · satisfy by element, `neutral` taking the place of what is unknown."""
        weighed = np.where(np.isnan(satisfied.satisfy), neutral, satisfied.satisfy)
        weighed *= (weight * HALVES).take(satisfied.importance, mode="clip")
        return weighed

    def permit_bits(self, seeker: Sides) -> Bitmap | None:
        """Return who passes this facet's own gate, or None where it has none (`forbid` of the kind)."""
        return None

    def must_bits(self, seeker: Sides) -> Bitmap | None:
        """Return the rows for which both sides' musts hold, or None where nobody has one."""
        return None

    def avoid_bits(self, seeker: Sides) -> Bitmap | None:
        """Return the rows for which both sides' avoids hold, or None where nobody has one."""
        return None

    def permit(self, seeker: Sides) -> Mask | None:
        """Return `permit_bits` as a mask, shape (N,)."""
        return self._mask(self.permit_bits(seeker))

    def musts(self, seeker: Sides) -> Mask | None:
        """Return `must_bits` as a mask, shape (N,)."""
        return self._mask(self.must_bits(seeker))

    def avoids(self, seeker: Sides) -> Mask | None:
        """Return `avoid_bits` as a mask, shape (N,)."""
        return self._mask(self.avoid_bits(seeker))

    def _mask(self, bitmap: Bitmap | None) -> Mask | None:
        return None if bitmap is None else unpack(bitmap, self.shows.size)

    def shared(self, seeker: Sides, row: int) -> Iterable[str]:
        """Yield what row `row` shares with the seeker, the most telling first (`explain` of the kind)."""
        return ()

    def telling(self, seeker: Sides, rows: Rows, enough: Callable[[str], bool]) -> Sequence[str | None]:
        """Return for each of `rows` the first that it shares with the seeker and that `enough` members hold."""
        return [next(filter(enough, self.shared(seeker, row)), None) for row in rows.tolist()]

    def holders(self, value: str) -> int:
        """Return how many members of the pool hold `value` and let this facet be a reason."""
        return 0

    def retire(self, row: int) -> None:
        """Count the member of `row` among no holders any longer."""
        self.shows[row] = False

    @property
    def nbytes(self) -> int:
        """Bytes held by this column's arrays."""
        return sum(array.nbytes for array in self.arrays().values())


class Blank(Column):
    """A facet of which nothing is encoded but how many members there are."""

    def __init__(self, facet: Facet, size: int) -> None:
        self.facet = facet
        self.importance = np.zeros(size, dtype=np.uint8)
        self.shows = np.zeros(size, dtype=np.bool_)
