"""How telling a concept is: the fewer members hold it, the more it says that two share it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np


class Information:
    """Information content of the concepts of one facet; see docs/reference/matching.md §2.

    Parameters
    ----------
    members : int
        How many members it was learned from.
    holders : mapping of str to int
        Holders by concept, ancestors included. Those with fewer than `k` may be left out: they count as rare.
    k : int
        ``reason_k`` of the programme.
    """

    FLOOR = 0.01

    def __init__(self, members: int = 0, holders: Mapping[str, int] | None = None, k: int = 10) -> None:
        self.members = members
        self.holders = dict(holders or {})
        self.k = k

    def __call__(self, concept: str) -> float:
        """Return the information content of `concept`, in nats, ≥ 0.01."""
        if self.members <= self.k:
            return 1.0
        return max(self.FLOOR, float(np.log(self.members / max(self.holders.get(concept, 0), self.k))))
