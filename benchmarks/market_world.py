"""A market that is drawn once: who comes when, who would have whom, and every chance that any policy meets.

Policies are compared on the same draw: an answer or an end that two of them come to falls out the same for both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from matcher.matching.exposure import SEEN

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

LIST = 5
"""How long a list is."""
SALT = 20_260_302


@dataclass(frozen=True)
class Setting:
    """What a market is drawn from, and its rules. `benchmarks.market` tells which levels are calibrated."""

    ratio: float = 1.0
    """Places at the start, for each seeker expected."""
    appeal: float = 0.5
    """Share of the variance of seekers' logits that is the supporter's, whoever looks."""
    days: int = 60
    arrivals: float = 9.0
    """Seekers a day, Poisson."""
    eligible: float = 0.51
    """Share of pairs that the gates leave."""
    forward: tuple[float, float] = (-1.1, 1.55)
    """Mean and deviation of the logit that a seeker would have a supporter."""
    backward: tuple[float, float] = (-0.85, 0.65)
    """The same of a supporter for a seeker."""
    alike: float = 0.5
    """Correlation of both, in what is of the pair alone."""
    correlation: float = 0.9
    """Of estimates with the truth."""
    keeps: float = SEEN
    """How often a seeker who looks at somebody again keeps to the answer; else it is drawn anew."""
    thinks: float | None = None
    """Mean days from a list to the choice. None: lists are made by day, and choices in the evening, in any order."""
    every: int = 2
    """A seeker asks every so many days."""
    unanswered: float = 0.1
    """Share of offers that nobody answers."""
    delay: float = 3.0
    """Mean days until an answer, before it is cut to less than `offer_days`."""
    lasts: float = 150.0
    """Mean days that a connection lasts."""
    offer_days: int = 7
    """An offer lapses; the default of the product, as are the next two."""
    again_days: int = 30
    """From then on who did not answer, or was full, may be offered again."""
    valid_days: int = 14
    """A list counts as attention, unless the seeker gets another."""


@dataclass(frozen=True)
class World:
    """One draw: n seekers, m supporters."""

    setting: Setting
    arrives: Ints
    """Day, shape (n,), ascending."""
    places: Ints
    """Shape (m,)."""
    eligible: Mask
    """Shape (n, m), as all that follow but the last three."""
    forward: Floats
    """True probability that the seeker would have the supporter."""
    backward: Floats
    """True probability that the supporter would have the seeker."""
    forward_estimate: Floats
    """Logits that a policy may know."""
    backward_estimate: Floats
    wants: Mask
    """What the seeker would answer on the first look."""
    accepts: Mask
    """What the supporter would answer."""
    answers: Mask
    """Whether the supporter would."""
    delay: Ints
    """After how many days, from 1."""
    lasts: Ints
    """How many days the connection would last, from 1."""
    turns: Floats
    """When in the day a seeker asks, and chooses; uniform, shape (days, 2, n)."""
    looks: Floats
    """Whether each place of the list is looked at; uniform, shape (days, n, list)."""
    again: Floats
    """Whether who looked before decides anew, and how; uniform, shape (days, n, list, 2)."""


def draw(setting: Setting, seed: int) -> World:
    """Return the market that `seed` makes."""
    rng = np.random.default_rng([seed, SALT])
    arrives = np.repeat(np.arange(setting.days), rng.poisson(setting.arrivals, setting.days))
    places = _places(round(setting.ratio * setting.arrivals * setting.days), rng)
    uniform = (setting.days, arrives.size, LIST)
    return World(
        setting=setting,
        arrives=arrives,
        places=places,
        turns=rng.random((setting.days, 2, arrives.size)),
        looks=rng.random(uniform),
        again=rng.random((*uniform, 2)),
        **_pairs(setting, (arrives.size, places.size), rng),
    )


def _pairs(setting: Setting, size: tuple[int, int], rng: np.random.Generator) -> dict[str, Any]:
    """Return what is told of pairs."""
    common, own = rng.standard_normal(size[1]), rng.standard_normal(size)
    ahead = np.sqrt(setting.appeal) * common + np.sqrt(1 - setting.appeal) * own
    back = setting.alike * own + np.sqrt(1 - setting.alike**2) * rng.standard_normal(size)
    forward, backward = (
        probability(level[0] + level[1] * z) for level, z in ((setting.forward, ahead), (setting.backward, back))
    )
    return {
        "eligible": rng.random(size) < setting.eligible,
        "forward": forward,
        "backward": backward,
        "forward_estimate": setting.forward[0] + setting.forward[1] * _guess(ahead, setting.correlation, rng),
        "backward_estimate": setting.backward[0] + setting.backward[1] * _guess(back, setting.correlation, rng),
        "wants": rng.random(size) < forward,
        "accepts": rng.random(size) < backward,
        "answers": rng.random(size) >= setting.unanswered,
        "delay": np.minimum(rng.geometric(1 / setting.delay, size), setting.offer_days - 1),
        "lasts": rng.geometric(1 / setting.lasts, size),
    }


def _places(total: int, rng: np.random.Generator) -> Ints:
    """Return places of supporters, 1 to 3 each, `total` in all."""
    drawn = rng.integers(1, 4, total)
    found = drawn[: np.searchsorted(np.cumsum(drawn), total) + 1]
    found[-1] -= found.sum() - total
    return found


def _guess(standard: Floats, correlation: float, rng: np.random.Generator) -> Floats:
    """Return the best guess at standard normal values from a signal that correlates with them."""
    noise = rng.standard_normal(standard.shape)
    return np.asarray(correlation**2 * standard + correlation * np.sqrt(1 - correlation**2) * noise)


def probability(logit: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-logit)))
