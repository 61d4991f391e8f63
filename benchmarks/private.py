"""What differential privacy costs: the private fit against the fit without noise, on people neither has seen.

Everybody wants different things; the truth is linear. Five answers a member, one feature in seven unknown.
"""

from __future__ import annotations

import resource
import time
from typing import Any, NamedTuple

import numpy as np
from sklearn.metrics import roc_auc_score

from benchmarks.common import machine, write
from matcher.model.accounting import Noise, epsilon
from matcher.model.affinity import PairAffinity
from matcher.model.features import Pairs
from matcher.model.private import fit_private

EPSILON, SEEDS, EACH, TESTED = 1.0, 10, 5, 3000


class Case(NamedTuple):
    """How many members, features, and roles that answer."""

    members: int
    features: int
    roles: int


CASES = (Case(500, 8, 1), Case(1000, 8, 1), Case(1000, 8, 2), Case(1000, 16, 1))


def world(case: Case, each: int, rng: np.random.Generator, wants: np.ndarray[Any, Any]) -> Pairs:
    """Return answers of members of a programme in which all value the same, and have different things."""
    n, d = case.members * each, case.features
    satisfy, importance = rng.beta(1, 2, (n, d)), rng.choice([0.5, 0.5, 1.0, 0.0], (n, d))
    role = rng.integers(0, case.roles, n)
    y = (rng.random(n) < 1 / (1 + np.exp(3 - (importance * satisfy) @ wants))).astype(np.intp)
    X = np.hstack([np.where(rng.random((n, d)) < 0.15, np.nan, satisfy), importance])
    who, other = np.repeat(np.arange(case.members), each), rng.integers(0, case.members, n) + case.members
    asker, asked = np.where(role == 0, who, other), np.where(role == 0, other, who)
    people = tuple(f"m-{number}" for number in range(2 * case.members))
    return Pairs(X, y, np.ones(n), role.astype(np.intp), asker, asked, people, {})


def compare(case: Case, seed: int) -> tuple[float, float, float]:
    """Return the AUC of the fit without noise, of the private one, and of the prior."""
    rng = np.random.default_rng(seed)
    wants = rng.uniform(0, 6, case.features) * 8 / case.features
    train, test = world(case, EACH, rng, wants), world(case._replace(members=TESTED), EACH, rng, wants)
    affinity = PairAffinity((16.0 / case.features,) * case.features)
    private = fit_private(train, affinity, case.members, EPSILON, np.random.default_rng(100 + seed)).affinity
    plain = PairAffinity(affinity.prior_weights).fit(train.X, train.y, sample_weight=train.weight, role=train.role)
    models = (plain, private, PairAffinity(affinity.prior_weights).prior())
    first, second, third = (roc_auc_score(test.y, one.decision_function(test.X, test.role)) for one in models)
    return float(first), float(second), float(third)


def large() -> dict[str, float]:
    """Return what a million answers of 50,000 members take."""
    pairs = world(Case(50_000, 8, 2), 20, np.random.default_rng(0), np.full(8, 3.0))
    began = time.perf_counter()
    fit_private(pairs, PairAffinity((2.0,) * 8), 50_000, EPSILON)
    seconds = time.perf_counter() - began
    return {
        "seconds": round(seconds, 1),
        "gigabytes": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, 2),
    }


def main() -> dict[str, Any]:
    """Compare, print, and write ``var/bench/private.json``."""
    figures: dict[str, Any] = {"machine": machine(), "epsilon": EPSILON, "cases": []}
    print(f"AUC, ε {EPSILON:g}, mean of {SEEDS} programmes")
    for case in CASES:
        plain, private, prior = np.mean([compare(case, seed) for seed in range(SEEDS)], axis=0)
        print(
            f"{case.members:>6,} members, {case.features:>2} features, {case.roles} role(s): "
            f"without noise {plain:.3f}, private {private:.3f} ({private - plain:+.4f}), prior {prior:.3f}"
        )
        found = {"plain": round(plain, 4), "private": round(private, 4), "prior": round(prior, 4)}
        figures["cases"].append({**case._asdict(), **found})
    figures["year"] = round(epsilon([Noise(3.731)] * 12), 3)
    figures["million"] = large()
    print(f"twelve fits a year: ε {figures['year']:.2f}")
    print(f"a million answers: {figures['million']['seconds']} s, {figures['million']['gigabytes']} GB at most")
    print(write("private", figures))
    return figures


if __name__ == "__main__":
    main()
