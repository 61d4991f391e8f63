"""How many connections ended because another one was wanted."""

from __future__ import annotations

from service.reports.asking import Asking
from service.reports.shape import Table, share
from service.store import report_rows


def tables(asking: Asking) -> tuple[Table, ...]:
    """Return of the connections that ended in the period how many did by a rematch."""
    found = report_rows.connections(asking.reader, asking.programme.id)
    ended = [one.id for one in found if one.ended_at is not None and asking.period.has(one.ended_at)]
    rematched = report_rows.rematched(asking.reader, asking.programme.id)
    count = sum(name in rematched for name in ended)
    return (Table("ended", (share("all", count, len(ended), "rematched", asking.programme.reason_k),)),)
