"""Bar charts as SVG: lengths are computed here, and colours are the style sheet's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

WIDTH: Final = 320.0
"""Of the longest bar, in the units of the drawing."""


class Bar(NamedTuple):
    """One bar."""

    name: str
    number: int
    top: int
    length: float


class Chart(NamedTuple):
    """A chart with horizontal bars."""

    bars: tuple[Bar, ...]
    height: int
    told: str
    """The same in words: what somebody hears who does not see it."""


def bars(numbers: Mapping[str, int], step: int = 28) -> Chart:
    """Return the chart of some numbers, by what they count."""
    most = max(numbers.values(), default=0)
    drawn = tuple(
        Bar(name, number, at * step, round(WIDTH * number / most, 1) if most else 0.0)
        for at, (name, number) in enumerate(numbers.items())
    )
    told = "; ".join(f"{name}: {number:,}" for name, number in numbers.items())
    return Chart(drawn, len(drawn) * step, told)
