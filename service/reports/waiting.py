"""Who waits: how many, for how long, why, and whether some wait longer than others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from matcher.waiting import REASONS
from service.live.waiting import snapshot
from service.reports.asking import Asking
from service.reports.shape import Table, days, partition
from service.store import report_rows
from service.store.moments import micros

NOT_TOLD: Final = "not_told"
"""Whoever did not say, or does not let fairness be looked at."""

Groups = dict[str, list[int]]


def tables(asking: Asking) -> tuple[Table, ...]:
    """Return how many wait who began to in the period, how long they have, by reason, and by each stratum.

    Of some days nothing is told by stratum: from two reports whose days differ by one, whoever else knows since when
    somebody waits would know their stratum.
    """
    found = snapshot(asking.reader, asking.programme, asking.now)
    waits = {one.waiter.member_id: (one.reason, micros(one.waiter.since)) for one in found.waiting}
    waits = {name: one for name, one in waits.items() if asking.period.has(one[1])}
    lengths = {name: max(asking.at - since, 0) for name, (_, since) in waits.items()}
    k = asking.programme.reason_k
    reasons: Groups = {reason: [] for reason in REASONS}
    for name, (reason, _) in waits.items():
        reasons[reason].append(lengths[name])
    whole = asking.period.first is None and asking.period.last is None
    strata = _by_stratum(asking, lengths) if whole else {}
    everybody = days("all", list(lengths.values()), suppressed=len(lengths) < k)
    return (
        Table("all", (everybody,)),
        partition("by_reason", reasons, k),
        *(partition(f"by_{name}", groups, k) for name, groups in strata.items()),
    )


def _by_stratum(asking: Asking, lengths: Mapping[str, int]) -> dict[str, Groups]:
    """Return how long whoever waits has, by stratum and value.

    Whoever does not let fairness be looked at is among those who did not say: a cell of their own would be the same in
    every table, and what one of them leaves out could be computed from another.
    """
    found = {
        name: {key: list[int]() for key in (*values, NOT_TOLD)} for name, values in asking.programme.strata.items()
    }
    known = report_rows.members(asking.reader, asking.programme, lengths) if found else {}
    strata = {name: one.strata for name, one in known.items() if asking.allows(one, "fairness_audit")}
    for member_id, length in lengths.items():
        for name, groups in found.items():
            groups[strata.get(member_id, {}).get(name, NOT_TOLD)].append(length)
    return found
