"""Figures that are too good to be true: most often a label has found its way into what was learned from."""

from __future__ import annotations

import math
from collections.abc import Mapping

from matcher.errors import ModelError

AUC_BOUND = 0.65
"""Mutual AUC of people kept apart, known by their profiles alone, has not been seen above this on real decisions."""


class LeakSuspected(ModelError):
    """A figure is implausibly good; nothing that was computed with it is to be believed before it is explained."""

    title = "A figure is too good to be true"


def implausible(auc: Mapping[str, float | None], bound: float = AUC_BOUND) -> dict[str, float]:
    """Return those of `auc`, by name, that lie over `bound`; undefined ones do not."""
    return {name: value for name, value in auc.items() if value is not None and value > bound and math.isfinite(value)}


def guard(auc: Mapping[str, float | None], bound: float = AUC_BOUND) -> None:
    """Raise LeakSuspected where an AUC is over `bound`.

    Parameters
    ----------
    auc : mapping of str to float or None
        By the name of what was judged.
    bound : float
        From .5 to 1. Simulated tastes can be learned better than real ones: give the bound of the data at hand.

    Raises
    ------
    LeakSuspected
        With every figure by name.
    ModelError
        If `bound` is no such number.
    """
    if not 0.5 <= bound <= 1.0:
        raise ModelError(f"bound: found {bound}; expected an AUC from 0.5 to 1")
    if found := implausible(auc, bound):
        figures = ", ".join(f"{name} {value:.3f}" for name, value in found.items())
        raise LeakSuspected(
            f"AUC: found {figures}; expected at most {bound:.3f}. Look for an answer, or what came of one, among the "
            "features, and for people or times that were both learned from and judged",
            {name: f"{value:.6f}" for name, value in found.items()},
        )
