"""Reports of a programme: what they count, and what they leave out so that nobody can be told from them.

``docs/reference/reports.md`` says what each figure means.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from service.reports import load, rematch_rate, retention, time_to_match, waiting
from service.reports.asking import Asking
from service.reports.shape import Report

REPORTS: Final = MappingProxyType(
    {
        "time_to_match": time_to_match.tables,
        "waiting": waiting.tables,
        "retention": retention.tables,
        "rematch_rate": rematch_rate.tables,
        "load": load.tables,
    }
)
"""What makes the tables of each report, by name."""
OF_NOW: Final = frozenset({"load"})
"""Reports that are about the present moment, so that a period means nothing to them."""


def report(name: str, asking: Asking) -> Report:
    """Return a report, one of `REPORTS`."""
    programme = asking.programme
    return Report(name, asking.now, asking.period, programme.reason_k, REPORTS[name](asking))
