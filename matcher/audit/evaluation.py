"""What an evaluation found: a table for people, JSON for machines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from matcher.audit.metrics import Reliability, plain

Floats: TypeAlias = npt.NDArray[np.float64]

MUTUAL_AUC = "mutual_auc"


@dataclass(frozen=True)
class Figure:
    """One number, and the interval that it lies in; NaN where undefined."""

    estimate: float
    low: float
    high: float

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        interval = [plain(self.low), plain(self.high)]
        return {"estimate": plain(self.estimate), "interval": None if None in interval else interval}

    def __str__(self) -> str:
        if np.isnan(self.estimate):
            return "–"
        if np.isnan(self.low):
            return f"{self.estimate:.3f}"
        return f"{self.estimate:.3f} [{self.low:.3f}, {self.high:.3f}]"


Table: TypeAlias = Mapping[str, Mapping[str, Figure]]
"""By rung, then by metric."""


@dataclass(frozen=True)
class Part:
    """Figures of some of the judged pairs."""

    pairs: int
    lists: int
    clusters: int
    rungs: Table
    gains: Table
    """The top rung less each other, over the same draws: an interval that leaves out 0 tells them apart."""
    reliability: Mapping[str, Mapping[str, Reliability]]
    """By rung, then ``forward``, ``backward`` and ``mutual``."""

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "pairs": self.pairs,
            "lists": self.lists,
            "clusters": self.clusters,
            "rungs": _table(self.rungs),
            "gains": _table(self.gains),
            "reliability": {
                rung: {direction: _bins(found) for direction, found in by.items()}
                for rung, by in self.reliability.items()
            },
        }


@dataclass(frozen=True)
class Evaluation:
    """The ladder, judged on pairs from which it did not learn."""

    everybody: Part
    new_members: Part | None
    """Only askers of whom nothing was learned; None where that is nobody, or everybody."""
    settings: Mapping[str, Any]
    """How it was made: splits, k, seed, replicates, confidence, the rung that expects matches."""

    def aucs(self) -> dict[str, float]:
        """Return the mutual AUC of each rung, and of new members apart: what a leak guard looks at."""
        parts = {"": self.everybody, " (new members)": self.new_members}
        return {
            f"{rung}{apart}": by[MUTUAL_AUC].estimate
            for apart, part in parts.items()
            if part is not None
            for rung, by in part.rungs.items()
        }

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form; undefined numbers are null."""
        return {
            "settings": dict(self.settings),
            "everybody": self.everybody.to_dict(),
            "new_members": None if self.new_members is None else self.new_members.to_dict(),
        }

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        for title, part in (("Everybody judged", self.everybody), ("New members", self.new_members)):
            if part is None:
                continue
            yield f"{title}: {part.pairs} pairs, {part.lists} lists, {part.clusters} clusters"
            yield from _text(part.rungs)
            yield ""
            yield f"{self.settings['top']} less each other"
            yield from _text(part.gains)
            yield ""
        confidence, count = self.settings["confidence"], self.settings["replicates"]
        yield f"In brackets: {confidence:.0%} intervals, bootstrap over clusters, {count} draws. –: undefined"


def _table(table: Table) -> dict[str, dict[str, Any]]:
    return {rung: {metric: figure.to_dict() for metric, figure in by.items()} for rung, by in table.items()}


def _bins(found: Reliability) -> list[dict[str, float | None]]:
    return [
        {"predicted": plain(predicted), "observed": plain(observed), "weight": plain(weight)}
        for predicted, observed, weight in zip(found.predicted, found.observed, found.weight, strict=True)
    ]


def _text(table: Table) -> Iterator[str]:
    """Yield the lines of a table, columns as wide as what they hold; columns that hold nothing are left out."""
    metrics = [name for name in next(iter(table.values()), {}) if any(str(by[name]) != "–" for by in table.values())]
    rows = [["", *metrics], *([rung, *(str(by[name]) for name in metrics)] for rung, by in table.items())]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
