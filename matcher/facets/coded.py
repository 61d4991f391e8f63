"""Facets whose value is one or some of a declared list: what choice, ordinal and tags have in common.

Their columns are in `matcher.facets.coded_column`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from matcher.errors import RecordError, nearest, shown
from matcher.facets.base import (
    Facet,
    Floats,
    JSONSchema,
    Mask,
    Side,
    ValueProblem,
    array_schema,
    strings,
)

Bits = npt.NDArray[np.uint64]

WORD = 64


def bits(values: Sequence[str] | None, options: Mapping[str, int]) -> Bits:
    """Return `values` as a bit set over `options`, shape (words,)."""
    out = np.zeros(max(1, -(-len(options) // WORD)), dtype=np.uint64)
    for value in values or ():
        if value not in options:
            raise RecordError(f"found {shown(value)}, read under another form of the programme; read the record again")
        at = options[value]
        out[at // WORD] |= np.uint64(1 << (at % WORD))
    return out


def count(sets: Bits) -> Floats:
    """Return how many members each bit set of shape (C, words) has."""
    counts = np.bitwise_count(sets)
    most_have_one_word: Floats = (counts[:, 0] if counts.shape[1] == 1 else counts.sum(axis=1)).astype(np.float64)
    return most_have_one_word


def overlap(left: Bits, right: Bits) -> Mask:
    """Return by code whether two bit sets share a member; either may be one set for all codes."""
    both = np.atleast_2d(left & right)
    return np.asarray(both[:, 0] != 0 if both.shape[1] == 1 else both.any(axis=1))


def members(one: Bits) -> list[int]:
    """Return the places that one bit set, shape (words,), has."""
    return [WORD * word + at for word, bit in enumerate(one.tolist()) for at in range(WORD) if bit >> at & 1]


@dataclass(frozen=True, kw_only=True)
class CodedFacet(Facet):
    """A facet with declared values."""

    values: tuple[str, ...] = ()

    def one(self, raw: object) -> str:
        """Return `raw` if it is a declared value; raise ValueProblem."""
        if not isinstance(raw, str) or raw not in self.values:
            hint = nearest(raw, self.values) if isinstance(raw, str) else ""
            raise ValueProblem(f"found {shown(raw)}; expected one of {', '.join(self.values)}{hint}")
        return raw

    def many(self, raw: object, *, allow_empty: bool) -> tuple[str, ...]:
        """Return `raw` if it is a list of declared values, sorted; raise ValueProblem naming the place."""
        parsed = strings(raw, allow_empty=allow_empty)
        for position, item in enumerate(raw if isinstance(raw, list | tuple) else ()):
            try:
                self.one(item)
            except ValueProblem as problem:
                raise ValueProblem(problem.message, f"[{position}]") from None
        return parsed

    def parse(self, raw: object) -> object:
        """Return one declared value."""
        return self.one(raw)

    def parse_asked(self, raw: object) -> tuple[str, ...]:
        """Return at least one declared value."""
        return self.many(raw, allow_empty=False)

    def json_schema(self) -> JSONSchema:
        """Return the schema of one declared value."""
        return {"enum": list(self.values)}

    def asked_schema(self) -> JSONSchema:
        """Return the schema of at least one declared value."""
        return array_schema({"enum": list(self.values)}, least=1)

    def place(self, value: str) -> int:
        """Return where `value` stands among the declared ones; raise RecordError where it does not."""
        if value not in self.values:
            raise RecordError(f"found {shown(value)}, read under another form of the programme; read the record again")
        return self.values.index(value)

    def held(self, side: Side) -> tuple[str, ...]:
        """Return the values that a side holds; nothing where unknown."""
        if isinstance(side.value, str):
            return (side.value,)
        return side.value if isinstance(side.value, tuple) else ()
