"""How many connections still go on after a while."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from service.reports.asking import DAY, Asking
from service.reports.shape import Cell, Table, share
from service.store import report_rows

HORIZONS: Final = {"1_month": 30, "3_months": 91, "6_months": 182}
"""Days."""


def tables(asking: Asking) -> tuple[Table, ...]:
    """Return of the connections made in the period how many went on after 1, 3 and 6 months.

    Only of pairs of whom both let their outcome be followed up; one that is younger than the time asked about is not
    counted for it, whatever became of it. Nor is one that is so old that, had it ended early, it would be deleted by
    now: those that go on would be left alone to tell of.
    """
    k = asking.programme.reason_k
    every = report_rows.connections(asking.reader, asking.programme.id)
    kept = asking.programme.retention.introductions_days
    first = 0 if kept is None else asking.at - kept * DAY
    found = [one for one in every if one.connected_at >= first and asking.period.has(one.connected_at)]
    names = {name for one in found for name in (one.seeker, one.candidate)}
    people = report_rows.members(asking.reader, asking.programme, names)
    follow = {name for name, member in people.items() if asking.allows(member, "outcome_followup")}
    pairs = [one for one in found if one.seeker in follow and one.candidate in follow]
    cells, told = list[Cell](), dict[str, int]()
    for name, length in HORIZONS.items():
        old = [one for one in pairs if one.connected_at + length * DAY <= asking.at]
        going = sum(one.ended_at is None or one.ended_at >= one.connected_at + length * DAY for one in old)
        cell = share(name, going, len(old), "going_on", k)
        if _tells_of_few(told, cell, k):
            cell = share(name, 0, 0, "going_on", k)
        told |= _numbers(cell)
        cells.append(cell)
    return (Table("after", tuple(cells)),)


def _numbers(cell: Cell) -> dict[str, int]:
    """Return what a cell tells of people."""
    return {name: value for name, value in cell.values.items() if isinstance(value, int)}


def _tells_of_few(told: Mapping[str, int], cell: Cell, k: int) -> bool:
    """Whether a cell, which is part of those before it, tells of fewer than `k` by what it differs in from them."""
    return any(0 < told.get(name, value) - value < k for name, value in _numbers(cell).items())
