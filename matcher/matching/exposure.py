"""Ranking under capacity: what attention that others had, and looks of the seeker's own, take from a candidate.

Meaning: docs/reference/matching.md §7. All logarithms are natural but that of the rank.
"""

from __future__ import annotations

from typing import overload

import numpy as np
import numpy.typing as npt

from matcher.facets.base import Floats

NU = 0.25
"""How much of ln r one unit of ln(1 + exposure per free place) takes."""
SEEN = 0.9
"""How sure a look that came to nothing is to mean no, where the candidate was looked at for certain."""
OTHER_CHOSEN = 0.5
"""What a look counts where another one of that list was chosen: it says less of the rest."""


@overload
def weight(rank: int) -> float: ...
@overload
def weight(rank: npt.NDArray[np.int64]) -> Floats: ...
def weight(rank: int | npt.NDArray[np.int64]) -> float | Floats:
    """Return the exposure that a place in a list gives: 1/log2(1 + rank), ranks from 1."""
    found = 1.0 / np.log2(1.0 + np.asarray(rank))
    return found if found.ndim else float(found)


@overload
def view(weight: float, *, other_chosen: bool = False) -> float: ...
@overload
def view(weight: Floats, *, other_chosen: bool = False) -> Floats: ...
def view(weight: float | Floats, *, other_chosen: bool = False) -> float | Floats:
    """Return what being shown once, and not proposed to, adds to the seeker's logit: ln(1 − .9v), never above 0.

    The seeker either did not look, or looked and would not have them. By Bayes' rule p becomes p(1−.9v)/(1−.9vp),
    whose logit is that of p plus this; several looks add up.

    Parameters
    ----------
    weight : float or Floats
        The exposure v at which the candidate was shown, in [0, 1].
    other_chosen : bool
        Whether the seeker proposed to another one of that list: then v counts half.
    """
    found = np.log1p(-SEEN * (OTHER_CHOSEN if other_chosen else 1.0) * np.asarray(weight))
    return found if found.ndim else float(found)


def log_reciprocal(forward: Floats, backward: Floats) -> Floats:
    """Return ln r of both logits, shape (n,): r is the geometric mean of both affinities."""
    return np.asarray(-0.5 * (np.logaddexp(0.0, -forward) + np.logaddexp(0.0, -backward)))


def crowding(exposure: npt.ArrayLike, free: npt.ArrayLike) -> Floats:
    """Return what exposure takes from ln r: ν·ln(1 + E/c), 0 where there is none.

    Parameters
    ----------
    exposure : array_like, shape (n,)
        E, in lists that are still valid.
    free : array_like, shape (n,)
        c, free places. Fewer than one count as one: whoever has none is gated.
    """
    return np.asarray(NU * np.log1p(np.asarray(exposure) / np.maximum(free, 1)))


def crowding_odds(exposure: npt.ArrayLike, free: npt.ArrayLike) -> Floats:
    """Return what the same does to 1/r²: a factor (1 + E/c)^2ν, from 1."""
    return np.exp(2.0 * crowding(exposure, free))


def key(
    forward: Floats, backward: Floats, views: float | Floats, exposure: npt.ArrayLike, free: npt.ArrayLike
) -> Floats:
    """Return what a list is ordered by, descending, shape (n,): ln r after looks, less what exposure takes.

    Parameters
    ----------
    forward, backward : Floats, shape (n,)
        Logits, without looks.
    views : float or Floats, shape (n,)
        Sum of `view` over the looks of this seeker.
    exposure, free : array_like, shape (n,)
        As in `crowding`.
    """
    return log_reciprocal(forward + views, backward) - crowding(exposure, free)
