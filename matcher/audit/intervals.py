"""How sure a figure is: the bootstrap over clusters, where what one person says hangs together.

Field & Welsh 2007; Cameron, Gelbach & Miller 2008. Clusters are drawn whole, with replacement. Nothing is copied: a
draw is how often each cluster counts, and a statistic takes these counts as weights.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from joblib import Parallel, delayed

from matcher.errors import ModelError

Floats: TypeAlias = npt.NDArray[np.float64]
Statistic: TypeAlias = Callable[[Floats], Floats]
"""From the weights of C clusters in b draws, shape (b, C), to m figures of each, shape (b, m), row by row."""

REPLICATES = 1000
CONFIDENCE = 0.95
FEWEST_CLUSTERS = 10
"""Fewer clusters draw too few different samples for an interval to mean what it says."""
FEWEST_DEFINED = 0.9
"""Share of draws in which a figure must be defined to have an interval."""
CHUNK = 25
"""Draws computed at a time: bounds the memory. The same however many work, and so the same bits."""


def replicates(statistic: Statistic, clusters: int, *, seed: int, count: int = REPLICATES, n_jobs: int = -1) -> Floats:
    """Return the figures of `count` draws of the clusters, shape (count, m); the same for any `n_jobs`.

    Each draw has a seed of its own (``SeedSequence.spawn``), and its weights are multinomial: `clusters` draws among
    as many.

    Parameters
    ----------
    statistic : Statistic
        Must not change between calls: threads call it at the same time. NumPy lets them run beside each other, so
        nothing is copied or pickled.
    clusters : int, ≥ 1
    seed : int
    count : int, ≥ 1
    n_jobs : int
        Threads; −1: as many as there are cores.
    """
    for name, value in (("clusters", clusters), ("count", count)):
        if value < 1:
            raise ModelError(f"{name}: found {value}; expected at least 1")
    seeds = np.random.SeedSequence(seed).spawn(count)
    chunks = [seeds[start : start + CHUNK] for start in range(0, count, CHUNK)]
    work = (delayed(_chunk)(statistic, clusters, chunk) for chunk in chunks)
    return np.concatenate(Parallel(n_jobs=n_jobs, prefer="threads")(work))


def _chunk(statistic: Statistic, clusters: int, seeds: Sequence[np.random.SeedSequence]) -> Floats:
    even = np.full(clusters, 1.0 / clusters)
    weights = np.stack([np.random.default_rng(seed).multinomial(clusters, even) for seed in seeds])
    return statistic(weights.astype(np.float64))


def percentile(drawn: Floats, clusters: int, confidence: float = CONFIDENCE) -> Floats:
    """Return the percentile interval of each figure, shape (m, 2).

    Draws in which a figure is undefined are left out. NaN where fewer than `FEWEST_DEFINED` of the draws are left, or
    where there are fewer than `FEWEST_CLUSTERS` clusters.
    """
    found = np.full((drawn.shape[1], 2), np.nan)
    if clusters < FEWEST_CLUSTERS:
        return found
    tails = (0.5 - confidence / 2, 0.5 + confidence / 2)
    for at, column in enumerate(drawn.T):
        defined = column[~np.isnan(column)]
        if defined.size >= FEWEST_DEFINED * max(column.size, 1):
            found[at] = np.quantile(defined, tails)
    return found


def last_less_others(figures: Floats, metrics: int) -> Floats:
    """Return the figures of the last of several scorers less those of each other: paired differences.

    Taken draw by draw, what makes a draw easy or hard for both falls out.

    Parameters
    ----------
    figures : ndarray, shape (..., scorers · metrics)
        By scorer, then by metric.
    metrics : int

    Returns
    -------
    ndarray, shape (..., (scorers − 1) · metrics)
    """
    others = figures[..., :-metrics]
    last = np.tile(figures[..., -metrics:], others.shape[-1] // metrics)
    return np.asarray(last - others)
