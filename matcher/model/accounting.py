"""What fits cost in differential privacy, how much noise a cost needs, and a budget that refuses.

A fit adds Gaussian noise a number of times. All of it, over one fit or over the fits of a year, is accounted by the
privacy loss distribution (Koskela et al. 2020; Google's dp-accounting), never by adding ε up.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from matcher.errors import PeermatchError

DELTA: Final = 1e-5
"""Chance that is left out of what ε promises: far below one over the members of any programme."""
YEAR: Final = timedelta(days=365)
MOST: Final = 20.0
"""An ε above this promises nothing."""
_MOST_NOISE: Final = 1e4


class PrivacyBudgetError(PeermatchError):
    """Another fit would tell more of its members in a year than the programme allows."""

    title = "The privacy budget of the year is spent"


@dataclass(frozen=True, slots=True)
class Noise:
    """Gaussian noise, added `times`."""

    multiplier: float
    """Standard deviation over what one member can change."""
    times: int = 1


@dataclass(frozen=True, slots=True)
class Spent:
    """What one fit cost."""

    at: datetime
    noise: Noise


def epsilon(noise: Iterable[Noise], delta: float = DELTA) -> float:
    """Return the ε of everything in `noise` together, at `delta`; 0 of nothing.

    Parameters
    ----------
    noise : iterable of Noise
        With multipliers > 0.
    """
    import dp_accounting  # noqa: PLC0415 - it takes a second to load, and only private training needs it
    from dp_accounting import pld  # noqa: PLC0415

    precision = sum(one.times / one.multiplier**2 for one in noise)
    if not precision:
        return 0.0
    accountant: Any = pld.PLDAccountant(dp_accounting.NeighboringRelation.ADD_OR_REMOVE_ONE)
    # Noise added again and again is as telling as noise added once, of the precision of all.
    accountant.compose(dp_accounting.GaussianDpEvent(float(precision**-0.5)))
    return float(accountant.get_epsilon(delta))


@lru_cache(maxsize=32)
def multiplier(wanted: float, delta: float = DELTA) -> float:
    """Return the least noise, added once, that costs at most ε `wanted`, to a relative 1e-4.

    Raises
    ------
    PeermatchError
        If `wanted` is not above 0, above `MOST`, or so small that no noise reaches it.
    """
    if not 0 < wanted <= MOST:
        raise PeermatchError(f"epsilon: found {wanted}; expected a number above 0, at most {MOST:g}")
    low, high = 0.1, 1.0
    while epsilon([Noise(high)], delta) > wanted:
        low, high = high, high * 2
        if high > _MOST_NOISE:
            raise PeermatchError(f"epsilon: found {wanted}; no noise is enough for so little. Allow more")
    while high > low * (1 + 1e-4):
        middle = (low * high) ** 0.5
        if epsilon([Noise(middle)], delta) > wanted:
            low = middle
        else:
            high = middle
    return high


def spent(releases: Iterable[Spent], at: datetime, delta: float = DELTA) -> float:
    """Return the ε of the fits of the 365 days that end with `at`, all together.

    One that is dated later counts too: a clock that was set back gives nothing back.
    """
    return epsilon([one.noise for one in releases if one.at > at - YEAR], delta)


def afford(releases: Sequence[Spent], noise: Noise, limit: float, at: datetime) -> float:
    """Return the ε of a year that ends with `at`, with one more fit.

    Parameters
    ----------
    releases : sequence of Spent
        All fits of the programme, in any order.
    noise : Noise
        Of the one that is wanted.
    limit : float
        ε that a year may cost.
    at : datetime
        Aware.

    Raises
    ------
    PrivacyBudgetError
        If it is more than `limit`: with what is spent, and when there is room again.
    """
    wanted = Spent(at, noise)
    total = spent([*releases, wanted], at)
    if total <= limit:
        return total
    before = spent(releases, at)
    raise PrivacyBudgetError(
        f"epsilon_per_year: found ε {before:.2f} spent in the last 365 days, and {total:.2f} with this training; "
        f"expected at most {limit:g}. {_way_out(releases, noise, limit, at)}"
    )


def _way_out(releases: Sequence[Spent], noise: Noise, limit: float, at: datetime) -> str:
    """Say from when on there is room: that is whenever one of the year's fits is a year old."""
    for day in sorted(one.at + YEAR for one in releases if one.at + YEAR > at):
        if spent([*releases, Spent(day, noise)], day) <= limit:
            return f"There is room again on {day:%Y-%m-%d}; until then the active model serves"
    return "One training alone costs more: lower epsilon_per_release, or raise epsilon_per_year"
