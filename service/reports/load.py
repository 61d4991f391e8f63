"""Supporters and their places: how many, how full, and how evenly."""

from __future__ import annotations

import numpy as np

from matcher.people import Member
from service.reports.asking import Asking
from service.reports.shape import NINE_TENTHS, Cell, Table
from service.store import report_rows
from service.store.report_rows import Supporter


def tables(asking: Asking) -> tuple[Table, ...]:
    """Return the places of all supporters now.

    It counts places and who gives them, as coordinators see them one by one: small counts stay, for that one supporter
    has more than they can take must not be hidden.
    """
    every = list(report_rows.supporters(asking.reader, asking.programme))
    gives = {row.member_id for row, member in every if _takes_part(asking, row, member)}
    some = [row for row, _ in every if row.member_id in gives or row.free != row.capacity]
    ready = [row for row in some if row.member_id in gives and max(row.held_until, row.rests_until) <= asking.at]
    taken = [row.capacity - row.free for row in some]
    values = {
        "supporters": len(some),
        "places": sum(row.capacity for row in some),
        "taken": sum(taken),
        "free": sum(max(row.free, 0) for row in ready),
        "resting": sum(row.rests_until > asking.at for row in some),
        "held": sum(row.held_until > asking.at for row in some),
        "full": sum(row.free == 0 for row in some),
        "over_capacity": sum(row.free < 0 for row in some),
        "most_taken": max(taken, default=0),
        "p90_taken": round(float(np.quantile(taken, NINE_TENTHS)), 2) if taken else None,
        "gini": gini(taken),
    }
    return (Table("supporters", (Cell("all", values),)),)


def gini(taken: list[int]) -> float | None:
    """Return how unevenly places are taken: 0 where all have as many, near 1 where one has all; None: none is taken."""
    total = sum(taken)
    if not total:
        return None
    ranked = np.sort(np.array(taken, dtype=np.float64))
    ranks = np.arange(1, len(ranked) + 1)
    return round(float((2 * ranks - len(ranked) - 1) @ ranked / (len(ranked) * total)), 4)


def _takes_part(asking: Asking, row: Supporter, member: Member) -> bool:
    """Whether somebody may be shown to seekers at all, as far as they themselves go: holds, rests and places aside."""
    programme = asking.programme
    role = programme.mutual or "supporter" in member.roles
    agreed = programme.confidentiality is None or programme.confidentiality in member.agreements
    return bool(role and row.shown and member.vetted and agreed)
