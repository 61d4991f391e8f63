"""How much of what can be known does the learned model know? On cohorts whose tastes are known, and hidden from it.

For each seeker of ``truth.jsonl``, rank the sampled candidates (never shown to them, and excluded by no gate) and take
NDCG@5 with the true probability that both say yes as the gain. Closure is the share
of the way from a random order to the order of the true probabilities: (model − random) / (truth − random).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.common import lantern, machine, write
from matcher.consent import consented
from matcher.facade import Matcher
from matcher.matching.pool import Pool
from matcher.matching.scoring import score
from matcher.matching.seeker import Seeker
from matcher.model.affinity import PairAffinity, prior_weights
from matcher.model.feedback import Feedback
from matcher.people import Member
from matcher.programme import Programme
from matcher.synthetic import Cohort, generate

SEEDS, MEMBERS, TOP = 20, 2_000, 5
NAMES = ("learned", "uniform", "prior")
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Result:
    """One cohort."""

    seed: int
    learned: float
    """Closure after 1/rank logging."""
    uniform: float
    """Closure after uniform logging of the same lists; NaN where that was not asked for."""
    prior: float
    answers: tuple[int, int]
    """Of seekers, of supporters; after 1/rank logging."""
    ndcg: dict[str, float]
    """Mean NDCG@5: ``random`` (expected), ``prior``, ``learned``."""


def ndcg(gains: Floats, scores: Floats, top: int = TOP) -> float:
    """Return NDCG@`top` of the order by descending `scores`; Järvelin & Kekäläinen 2002."""
    discounts = 1 / np.log2(np.arange(2, top + 2))[: len(gains)]
    best = np.sort(gains)[::-1][:top] @ discounts
    return float(gains[np.argsort(-scores, kind="stable")][:top] @ discounts / best) if best > 0 else 1.0


def random_ndcg(gains: Floats, top: int = TOP) -> float:
    """Return the expected NDCG@`top` of a random order."""
    discounts = 1 / np.log2(np.arange(2, top + 2))[: len(gains)]
    best = np.sort(gains)[::-1][:top] @ discounts
    return float(gains.mean() * discounts.sum() / best) if best > 0 else 1.0


def run(seed: int, programme: Programme, members: int = MEMBERS, *, uniform: bool = True) -> Result:
    """Return the figures of the cohort that `seed` makes."""
    cohort = generate(members, seed)
    people = [Member.from_dict(record, programme) for record in cohort.members]
    by_rank = _fit(programme, people, cohort)
    affinities = {
        "learned": by_rank.model_.affinity,
        "prior": PairAffinity(prior_weights(programme)).prior(),
    }
    if uniform:
        affinities["uniform"] = _fit(programme, people, generate(members, seed, logging="uniform")).model_.affinity
    truth = _by_seeker(cohort)
    seekers = {
        person.member_id: Seeker.of(consented(person, programme, cohort.at), by_rank.pool_)
        for person in people
        if person.member_id in truth
    }
    reached = {name: _mean_ndcg(by_rank.pool_, affinity, seekers, truth) for name, affinity in affinities.items()}
    chance = float(np.mean([random_ndcg(gains) for _, gains in truth.values()]))
    closure = dict.fromkeys(NAMES, float("nan")) | {
        name: (value - chance) / (1 - chance) for name, value in reached.items()
    }
    of_seekers, of_supporters = (int(n) for n in by_rank.model_.affinity.n_answers_)
    return Result(seed=seed, **closure, answers=(of_seekers, of_supporters), ndcg=reached | {"random": chance})


def _fit(programme: Programme, people: Sequence[Member], cohort: Cohort) -> Matcher:
    feedback = (Feedback.from_dict(record, programme) for record in cohort.feedback)
    return Matcher(programme).fit(people, feedback, cohort.at)


def _by_seeker(cohort: Cohort) -> dict[str, tuple[list[str], Floats]]:
    """Return each seeker's sampled candidates and the gains of showing them."""
    pairs: dict[str, list[tuple[str, float]]] = {}
    for record in cohort.truth:
        pairs.setdefault(record["seeker"], []).append((record["candidate"], record["mutual"]))
    return {seeker: ([c for c, _ in rows], np.array([gain for _, gain in rows])) for seeker, rows in pairs.items()}


def _mean_ndcg(
    pool: Pool, affinity: PairAffinity, seekers: dict[str, Seeker], truth: dict[str, tuple[list[str], Floats]]
) -> float:
    """Return the mean over seekers of NDCG@5 of the order by reciprocal score, which is what ranks a shortlist."""
    found = []
    for member_id, (candidates, gains) in truth.items():
        rows = np.array([pool.find(candidate) for candidate in candidates])
        found.append(ndcg(gains, score(pool, affinity, seekers[member_id], rows).reciprocal))
    return float(np.mean(found))


def main(seeds: int = SEEDS, members: int = MEMBERS, say: Callable[[str], None] = print) -> dict[str, Any]:
    """Measure, print one line a seed, write ``var/bench/learning.json`` and return its content."""
    programme, results, start = lantern(), [], time.perf_counter()
    say(f"closure of the NDCG@{TOP} gap, {members:,} members: prior → learned; after uniform logging; cost of 1/rank")
    for seed in range(seeds):
        one = run(seed, programme, members)
        results.append(one)
        cost = 100 * (one.uniform - one.learned)
        say(f"  {seed:2d}: {one.prior:.3f} → {one.learned:.3f}; {one.uniform:.3f}; {cost:+.1f} points")
    seconds = round(time.perf_counter() - start, 1)
    figures = summary(results) | {"members": members, "seconds": seconds, "machine": machine()}
    figures["seeds"] = [asdict(one) for one in results]
    path = write("learning", figures)
    say(f"learned: least {figures['closure_min']:.3f}, mean {figures['closure_mean']:.3f}")
    say(f"prior:   mean {figures['prior_mean']:.3f}, most {figures['prior_max']:.3f}")
    mean, most = figures["rank_cost_points_mean"], figures["rank_cost_points_max"]
    say(f"1/rank costs {mean:+.2f} points on average, at most {most:+.2f}; {path.name} written")
    return figures


def summary(results: Sequence[Result]) -> dict[str, Any]:
    """Return the figures that have targets."""
    learned, uniform, prior = (np.array([getattr(one, name) for one in results]) for name in NAMES)
    return {
        "closure_min": float(learned.min()),
        "closure_mean": float(learned.mean()),
        "prior_mean": float(prior.mean()),
        "prior_max": float(prior.max()),
        "beats_prior_in": int((learned > prior).sum()),
        "rank_cost_points_mean": float(100 * (uniform - learned).mean()),
        "rank_cost_points_max": float(100 * (uniform - learned).max()),
    }


if __name__ == "__main__":
    main()
