"""What was worked out for one seeker and holds for all who say the same."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Protocol, TypeVar

from matcher.facets.sides import Side

T = TypeVar("T")
MISSING = object()
MOST_KEPT = 1 << 21
"""At most so many bytes of results does a column keep."""
FEWEST = 100
"""Where no more results than this fit, seekers would only push out each other's."""


class Keeper(Protocol):
    """What keeps results."""

    kept: dict[tuple[str, Side], object]
    most_kept: int
    """How many results are `MOST_KEPT` bytes."""


K = TypeVar("K", bound=Keeper)


def once_a_side(method: Callable[[K, Side], T]) -> Callable[[K, Side], T]:
    """Keep what `method` returns by side. Results are shared, never to be changed."""

    @wraps(method)
    def kept(column: K, side: Side) -> T:
        key = (method.__name__, side)
        found = column.kept.get(key, MISSING)
        if found is MISSING:
            found = method(column, side)
            if column.most_kept < FEWEST:
                return found
            if len(column.kept) >= column.most_kept:  # another thread may clear it too: nothing is read back
                column.kept.clear()
            column.kept[key] = found
        return found  # type: ignore[return-value]

    return kept
