"""What the outcomes of a market say, seed by seed against each other, and which of the figures that are set are met."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from benchmarks.market_days import Outcome

By = Mapping[str, Sequence[Outcome]]
"""By policy; in each the same seeds in the same order."""
Cells = Mapping[str, Mapping[str, Any]]
MORE = {"1.3": 15.0, "1.0": 18.0, "0.7": 20.0}
"""Per cent more connections than the reciprocal order alone that are wanted of `full`."""
COLLISIONS, NEVER_SHOWN, QUALITY = 0.6, 3.0, 0.97


def cells(outcomes: By) -> dict[str, dict[str, Any]]:
    """Return the figures of each policy; `reciprocal` and `gate` must be among them.

    ``connections``, ``offers_to_full`` and ``collisions`` are means over the seeds. Intervals are of 95 %, of the mean
    of the differences between two policies on the same seed (Student's t); that of the share of collisions is of 2,000
    bootstrap samples of seeds.
    """
    return {name: _cell(found, outcomes["reciprocal"], outcomes["gate"]) for name, found in outcomes.items()}


def _cell(found: Sequence[Outcome], reciprocal: Sequence[Outcome], gate: Sequence[Outcome]) -> dict[str, Any]:
    above_reciprocal, reciprocal_interval = _above(found, reciprocal)
    above_gate, gate_interval = _above(found, gate)
    return {
        "connections": _mean(found, "connections"),
        "vs_reciprocal_pct": above_reciprocal,
        "vs_reciprocal_interval": reciprocal_interval,
        "vs_gate_pct": above_gate,
        "vs_gate_interval": gate_interval,
        "offers": _mean(found, "offers"),
        "offers_to_full": _mean(found, "offers_to_full"),
        "collisions": _mean(found, "collisions"),
        "collisions_of_gate": _share(found, gate, np.arange(len(gate))),
        "collisions_of_gate_interval": _share_interval(found, gate),
        "never_shown_pct": float(np.mean([100 * one.never_shown / one.supporters for one in found])),
        "quality": _quality(found) / _quality(gate),
        "quality_r": _quality(found),
    }


def _mean(found: Sequence[Outcome], name: str) -> float:
    return float(np.mean([getattr(one, name) for one in found]))


def _above(found: Sequence[Outcome], other: Sequence[Outcome]) -> tuple[float, list[float]]:
    """Return how many per cent more connections there are than in `other`, and from where to where that may be."""
    pairs = zip(found, other, strict=True)
    differences = np.array([100 * (one.connections / max(1, two.connections) - 1) for one, two in pairs])
    mean = float(differences.mean())
    half = half_width(differences)
    return mean, [mean - half, mean + half]


def half_width(values: npt.NDArray[np.float64]) -> float:
    """Return half the 95 % interval of the mean."""
    if values.size < 2:
        return 0.0
    return float(stats.t.ppf(0.975, values.size - 1) * values.std(ddof=1) / np.sqrt(values.size))


def _share(found: Sequence[Outcome], gate: Sequence[Outcome], seeds: npt.NDArray[np.int64]) -> float:
    """Return the collisions of some seeds as a share of the gate's; without any there, 0 or 1."""
    own, its = (np.array([one.collisions for one in each])[seeds].sum() for each in (found, gate))
    return float(own / its) if its else float(own > 0)


def _share_interval(found: Sequence[Outcome], gate: Sequence[Outcome], samples: int = 2000) -> list[float]:
    seeds = np.random.default_rng(0).integers(0, len(gate), (samples, len(gate)))
    return [float(end) for end in np.quantile([_share(found, gate, some) for some in seeds], [0.025, 0.975])]


def _quality(found: Sequence[Outcome]) -> float:
    return sum(one.quality for one in found) / max(1, sum(one.connections for one in found))


def wanted(by_ratio: Mapping[str, Cells]) -> list[dict[str, Any]]:
    """Return each figure that is set for `full`, what was measured and whether it is met."""
    return [
        {"ratio": ratio, "figure": name, "wanted": limit, "measured": value, "met": bool(met)}
        for ratio, found in by_ratio.items()
        for name, limit, value, met in _wanted(found, MORE[ratio])
    ]


def _wanted(found: Cells, more: float) -> Iterator[tuple[str, str, float, bool]]:
    full, gate = found["full"], found["gate"]
    above, low = full["vs_reciprocal_pct"], full["vs_gate_interval"][0]
    yield "more connections than reciprocal, %", f"≥ {more:g}", above, above >= more
    yield "more than gate, %, low end of the interval", "> 0", low, low > 0
    offers = gate["offers_to_full"] + full["offers_to_full"]
    yield "offers to full supporters, gate and full", "0", offers, offers == 0
    collisions = full["collisions_of_gate"]
    yield "collisions, of the gate's", f"≤ {COLLISIONS:g}", collisions, collisions <= COLLISIONS
    never = full["never_shown_pct"]
    yield "supporters never shown, %", f"≤ {NEVER_SHOWN:g}", never, never <= NEVER_SHOWN
    yield "quality, of the gate's", f"≥ {QUALITY:g}", full["quality"], full["quality"] >= QUALITY
