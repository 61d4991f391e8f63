"""Pairs whose answers follow planted tastes, with every answer known: what evaluations are tested on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.special import expit

from matcher.audit.candidates import UNKNOWN, Candidates
from matcher.audit.splits import Split

DAY = 86_400.0
PRIOR = (2.0, 2.0)


def pairs_between(asker, asked, people=None, **more):
    """Return pairs with random features and answers, of people named by number; first met on day 0, 1, …"""
    n = len(asker)
    rng = np.random.default_rng(0)
    count = (max([*asker, *asked]) + 1 if n else 0) if people is None else people
    first = np.arange(n) * DAY
    given = {
        "X": np.concatenate([rng.random((n, 2, 2)), np.ones((n, 2, 2))], axis=2),
        "y": rng.integers(0, 2, (n, 2)),
        "weight": np.ones((n, 2)),
        "first": first,
        "known": np.column_stack([first, first]) + DAY / 2,
        **more,
    }
    given["known"] = np.where(given["y"] == UNKNOWN, np.inf, given["known"])
    names = tuple(f"m-{number:05}" for number in range(count))
    return Candidates(
        **given, asker=np.array(asker, dtype=int), asked=np.array(asked, dtype=int), people=names, dropped={}
    )


def town(n=3000, people=60, *, forward=(6.0, 0.0), backward=(0.0, 6.0), base=-3.0, charm=0.0, seed=0):
    """Return pairs of seekers 0… and supporters `people`…: one taste of who asks, another of who is asked.

    `charm` is the standard deviation of how much everybody likes one supporter more than another, whatever they are.
    """
    rng = np.random.default_rng(seed)
    satisfy = rng.random((n, 2, 2))
    asker, asked = rng.integers(0, people, n), rng.integers(people, 2 * people, n)
    logits = base + np.einsum("ijk,jk->ij", satisfy, np.array([forward, backward]))
    logits[:, 0] += charm * rng.normal(size=2 * people)[asked]
    y = (rng.random((n, 2)) < expit(logits)).astype(int)
    X = np.concatenate([satisfy, np.ones((n, 2, 2))], axis=2)
    return pairs_between(asker, asked, 2 * people, X=X, y=y)


def leaking(pairs):
    """Return the same pairs with the answers among the features: a leak that must be found."""
    X = pairs.X.copy()
    X[:, :, 0] = pairs.y
    return replace(pairs, X=X)


def by_row(pairs, folds=5, seed=0):
    """Return splits of rows whoever is in them: a fault that must be found."""
    fold = np.random.default_rng(seed).integers(0, folds, len(pairs))
    told = pairs.y != UNKNOWN
    return tuple(Split(f"rows {each}", told & (fold != each)[:, None], fold == each) for each in range(folds))
