"""One facet of a whole pool: what a kind's encoded form must be able to answer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from matcher.facets.sides import Sides

Floats: TypeAlias = npt.NDArray[np.float64]
Mask: TypeAlias = npt.NDArray[np.bool_]
Rows: TypeAlias = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Satisfied:
    """How well n rows satisfy, or are satisfied by, a seeker in one facet.

    Where `codes` is given, the arrays have one element a code, and ``codes[i]`` is that of the i-th row: what many rows
    have in common is then worked out once.
    """

    satisfy: Floats
    """In [0, 1]; NaN where a needed value is unknown."""
    informative: Mask
    """Whether satisfy is known and neither side's value is an empty list."""
    importance: npt.NDArray[np.uint8] | np.uint8
    """The asker's importance, 0–3: one for all where the seeker asks."""
    codes: npt.NDArray[np.unsignedinteger] | None = None
    """Shape (n,)."""

    def by_row(self) -> Floats:
        """Return satisfy, shape (n,)."""
        return self.satisfy if self.codes is None else self.satisfy[self.codes]


@dataclass(frozen=True, slots=True)
class Sharing:
    """Something that two people share, which may become a reason."""

    value: str
    holders: int
    """Members of the pool who hold it and whose ``show_reasons`` covers the facet."""


class Column(ABC):
    """One facet of all N members of a pool, encoded. Row order is the pool's.

    Methods that take `seeker` get the seeker's sides of all facets; `rows` are row numbers, shape (n,).
    """

    importance: npt.NDArray[np.uint8]
    """Shape (N,): each member's importance, 0–3."""
    shows: Mask
    """Shape (N,): whether the member lets this facet be a reason."""

    def link(self, columns: Mapping[str, Column]) -> None:  # noqa: B027 - most kinds look at no other facet
        """Remember the columns of the facets that this one refers to."""

    def forward(self, seeker: Sides, rows: Rows) -> Satisfied | None:
        """Return how well `rows` satisfy the seeker, or None where this facet is no feature forward."""
        return None

    def backward(self, seeker: Sides, rows: Rows) -> Satisfied | None:
        """Return how well the seeker satisfies `rows`, or None where this facet is no feature backward."""
        return None

    def permit(self, seeker: Sides) -> Mask | None:
        """Return who passes this facet's own gate, shape (N,), or None where it has none (`forbid` of the kind)."""
        return None

    def musts(self, seeker: Sides) -> Mask | None:
        """Return the rows for which both sides' musts hold, shape (N,), or None where nobody has one."""
        return None

    def avoids(self, seeker: Sides) -> Mask | None:
        """Return the rows for which both sides' avoids hold, shape (N,), or None where nobody has one."""
        return None

    def shared(self, seeker: Sides, row: int) -> Iterable[Sharing]:
        """Yield what row `row` shares with the seeker, the most telling first (`explain` of the kind)."""
        return ()

    @property
    @abstractmethod
    def nbytes(self) -> int:
        """Bytes held by this column's arrays."""
