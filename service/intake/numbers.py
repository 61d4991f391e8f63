"""Numbers in cells: bounds beyond which a number is absurd, and bins such as age bands."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass

from matcher.errors import shown
from matcher.facets.base import ValueProblem
from service.intake.draft import CellProblem
from service.intake.section import Section
from service.intake.targets import Target

NUMBER = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]{1,15})?")
KEYS = ("minimum", "maximum", "bin", "outside")


@dataclass(frozen=True, slots=True)
class Numbers:
    """How a cell becomes a number, or the bin it falls into."""

    minimum: float | None
    maximum: float | None
    floors: tuple[float, ...]
    """The lowest number of each bin, ascending; empty where there are no bins."""
    labels: tuple[str, ...]
    drop: bool
    """A number that is out of bounds is left out; otherwise its row is refused."""

    @classmethod
    def read(cls, section: Section, target: Target) -> Numbers:
        """Read ``minimum``, ``maximum``, ``bin`` and ``outside`` of a rule."""
        minimum = section.number("minimum", default=None)
        maximum = section.number("maximum", default=None, minimum=minimum)
        bins = _bins(section, target) if "bin" in section else {}
        if bins and minimum is None:
            minimum = min(bins.values())
        if bins and minimum is not None and minimum < min(bins.values()):
            section.fail("minimum", minimum, f"{min(bins.values()):g} or more, where the lowest bin begins")
        if bins and maximum is not None and maximum < max(bins.values()):
            section.fail("maximum", maximum, f"{max(bins.values()):g} or more, where the highest bin begins")
        ordered = sorted(bins.items(), key=lambda item: item[1])
        return cls(
            minimum=minimum,
            maximum=maximum,
            floors=tuple(floor for _, floor in ordered),
            labels=tuple(label for label, _ in ordered),
            drop=section.string("outside", default="refuse", choices=("refuse", "drop")) == "drop",
        )

    @property
    def expected(self) -> str:
        """The bounds in words."""
        if self.minimum is None or self.maximum is None:
            low = f" ≥ {self.minimum:g}" if self.minimum is not None else ""
            return f"a number{low}" + (f" ≤ {self.maximum:g}" if self.maximum is not None else "")
        return f"a number from {self.minimum:g} to {self.maximum:g}"

    def __call__(self, text: str) -> str:
        """Return the bin of the number in `text`, or the number as text; raise CellProblem where it is absurd."""
        value = float(text) if NUMBER.fullmatch(text) else None
        low = value is not None and self.minimum is not None and value < self.minimum
        high = value is not None and self.maximum is not None and value > self.maximum
        if value is None or low or high:
            raise CellProblem(f"found {shown(text)}; expected {self.expected}")
        return self.labels[bisect_right(self.floors, value) - 1] if self.floors else text


def _bins(section: Section, target: Target) -> dict[str, float]:
    table = section.section("bin")
    bins = {label: table.number(label) for label in table.values}
    if not bins:
        section.fail("bin", {}, 'names with their lowest number, e.g. { "18-24" = 18, "25-34" = 25 }')
    for label, floor in bins.items():
        try:
            target.check_part(label)
        except ValueProblem as problem:
            table.fail(label, floor, f"a value of {target.path} as its name ({problem.message})")
        if list(bins.values()).count(floor) > 1:
            table.fail(label, floor, "a number at which no other bin begins")
    return bins
