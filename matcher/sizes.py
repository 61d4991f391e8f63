"""What the size of a programme stands for: the defaults of `[shortlist]`, `[privacy]` and `review`."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """Defaults of one size class; a programme file can override each."""

    review: str
    """Whose introductions a coordinator approves: ``none``, ``first`` of a member, or ``all``."""
    limit: int = 5
    """Peers on a shortlist."""
    min_pool: int
    """Eligible peers below which no list is made."""
    reason_k: int
    """Programme members who must share a reason for it to be shown."""
    reasons_a_card: int
    show_statement: str
    """``shortlist``, or ``after_offer``."""
    lists_per_day: int
    """New lists that a seeker can have in a UTC day."""
    lists_per_30_days: int | None
    """New lists in 30 days; None: no bound."""
    additions: str
    """When members added over HTTP become visible: ``at_once``, or with the ``next_epoch``."""


SIZES: Final = MappingProxyType(
    {
        "small": Size(
            review="all",
            min_pool=1,
            reason_k=5,
            reasons_a_card=2,
            show_statement="shortlist",
            lists_per_day=6,
            lists_per_30_days=None,
            additions="at_once",
        ),
        "standard": Size(
            review="first",
            min_pool=10,
            reason_k=10,
            reasons_a_card=1,
            show_statement="after_offer",
            lists_per_day=4,
            lists_per_30_days=50,
            additions="next_epoch",
        ),
        "open": Size(
            review="none",
            min_pool=20,
            reason_k=10,
            reasons_a_card=1,
            show_statement="after_offer",
            lists_per_day=3,
            lists_per_30_days=30,
            additions="next_epoch",
        ),
    }
)
"""``small``: at most 500 members, everybody vetted. ``open``: more than 20,000, or people sign up by themselves."""
