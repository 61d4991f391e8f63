"""Long tables, a page at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Page(Generic[T]):
    """Some rows of a table."""

    rows: Sequence[T]
    number: int
    """From 1."""
    last: int
    """Number of the last page."""
    first_row: int
    """From 1; 0 where there are none."""
    total: int
    """Rows of the whole table."""

    @classmethod
    def of(cls, rows: Sequence[T], number: int, size: int) -> Page[T]:
        """Return a page of `size` rows at most; the last one where there are not so many pages."""
        last = max(1, -(-len(rows) // size))
        number = min(number, last)
        start = (number - 1) * size
        some = rows[start : start + size]
        return cls(some, number, last, start + 1 if some else 0, len(rows))


def number_of(told: Mapping[str, str], name: str = "page") -> int:
    """Return the page that an address asks for; the first where it asks for none that can be."""
    text = told.get(name, "")
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 10 else 1
