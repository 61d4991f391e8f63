"""What a report looks like: tables of named cells, as JSON and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import numpy as np

from matcher.records import written
from service.reports.asking import DAY, Period
from service.reports.suppression import hidden

Value = int | float | bool | None
HEADER: Final = ("report", "table", "cell", "measure", "value", "suppressed")
NINE_TENTHS: Final = 0.9


@dataclass(frozen=True)
class Cell:
    """One row of a table: somebody's, counted together."""

    name: str
    values: Mapping[str, Value]
    """By measure; None: there is nothing to tell, or it is suppressed."""
    suppressed: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {"cell": self.name, "suppressed": self.suppressed, **self.values}


@dataclass(frozen=True)
class Table:
    """Cells that have nobody in common."""

    name: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Report:
    """A whole report."""

    name: str
    as_of: datetime
    period: Period
    k: int
    """Fewer people than this are never told of, but for `load`."""
    tables: tuple[Table, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        first, last = (None if day is None else day.isoformat() for day in (self.period.first, self.period.last))
        tables = [{"table": one.name, "cells": [cell.to_dict() for cell in one.cells]} for one in self.tables]
        asked = {"report": self.name, "as_of": written(self.as_of), "from": first, "to": last}
        return {**asked, "fewest": self.k, "tables": tables}

    def rows(self) -> Iterator[tuple[str, str, str, str, Value, bool]]:
        """Yield one row a value, in the order of `HEADER`."""
        for table in self.tables:
            for cell in table.cells:
                for measure, value in cell.values.items():
                    yield self.name, table.name, cell.name, measure, value, cell.suppressed and value is None

    def to_csv(self) -> str:
        """Return it as CSV (RFC 4180): one row a value; what is suppressed or unknown is empty."""
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(HEADER)
        for row in self.rows():
            writer.writerow(["" if one is None else str(one).lower() if isinstance(one, bool) else one for one in row])
        return text.getvalue()


def days(name: str, some: Sequence[int], *, suppressed: bool) -> Cell:
    """Return a cell that tells how many there are and how long: `some` are µs."""
    count = None if suppressed else len(some)
    return Cell(name, {"count": count, **_quantiles(() if suppressed else some)}, suppressed)


def partition(name: str, groups: Mapping[str, Sequence[int]], k: int) -> Table:
    """Return a table of disjoint groups, each told by how many are in it and how long; `hidden` ones suppressed."""
    gone = hidden([len(some) for some in groups.values()], k)
    return Table(name, tuple(days(key, some, suppressed=at in gone) for at, (key, some) in enumerate(groups.items())))


def share(name: str, part: int, whole: int, measure: str, k: int) -> Cell:
    """Return a cell that tells a part of a whole: neither it nor the rest is told where either is below `k`."""
    small = whole < k
    gone = small or bool(hidden([part, whole - part], k))
    values: dict[str, Value] = {
        "count": None if small else whole,
        measure: None if gone else part,
        "share": None if gone or not whole else round(part / whole, 4),
    }
    return Cell(name, values, gone)


def _quantiles(some: Sequence[int]) -> dict[str, Value]:
    if not some:
        return {"median_days": None, "p90_days": None}
    median, late = np.quantile(np.array(some, dtype=np.float64) / DAY, [0.5, NINE_TENTHS])
    return {"median_days": round(float(median), 2), "p90_days": round(float(late), 2)}
