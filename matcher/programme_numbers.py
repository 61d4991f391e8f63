"""The numbers of a programme file: `[shortlist]`, `[privacy]`, `[model]` and `[fairness]`."""

from __future__ import annotations

from typing import Any

from matcher.config import Table
from matcher.sizes import Size

MOST_SHOWN = 10
"""No shortlist is longer."""

MOST = 100_000
"""The highest bound but none."""


def read_numbers(root: Table, size: Size) -> dict[str, Any]:
    """Return what the four tables say, by the names that `Programme` has for it; `size` tells defaults."""
    shortlist, privacy, model, fairness = (
        root.table(name, optional=True) for name in ("shortlist", "privacy", "model", "fairness")
    )
    release = model.number("epsilon_per_release", default=1.0, minimum=0.001, maximum=100.0)
    values: dict[str, Any] = {
        "limit": shortlist.integer("limit", default=size.limit, minimum=1, maximum=MOST_SHOWN),
        "min_pool": shortlist.integer("min_pool", default=size.min_pool, minimum=1, maximum=1_000_000),
        "quality_floor": shortlist.number("quality_floor", default=0.15, minimum=0.0, maximum=1.0),
        "lists_per_day": shortlist.integer("lists_per_day", default=size.lists_per_day, minimum=1, maximum=1000),
        "lists_per_30_days": bound(shortlist, "lists_per_30_days", size.lists_per_30_days),
        "additions": shortlist.string("additions", default=size.additions, choices=["at_once", "next_epoch"]),
        "reason_k": privacy.integer("reason_k", default=size.reason_k, minimum=1, maximum=1_000_000),
        "reasons_a_card": privacy.integer("reasons_a_card", default=size.reasons_a_card, minimum=0, maximum=10),
        "censor_days": model.integer("censor_days", default=14, minimum=1, maximum=3650),
        "epsilon_per_release": release,
        "epsilon_per_year": model.number(
            "epsilon_per_year", default=max(5.0, release), minimum=release, maximum=1000.0
        ),
        "min_exposure_ratio": fairness.number("min_exposure_ratio", default=0.8, minimum=0.0, maximum=1.0),
    }
    for table in (shortlist, privacy, model, fairness):
        table.finish()
    return values


def bound(table: Table, key: str, default: int | None, minimum: int = 1) -> int | None:
    """Return a whole number from `minimum`, or None where the word "unlimited" lifts the bound."""
    value = table.values.get(key)
    if isinstance(value, str):
        if table.string(key) != "unlimited":
            table.fail(key, value, f'a whole number from {minimum} to {MOST}, or "unlimited"')
        return None
    return table.integer(key, default=default, minimum=minimum, maximum=MOST)
