"""Judge the ladder: fit each rung on what a split lets it learn from, score the rest, and say how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from matcher.audit.candidates import Candidates
from matcher.audit.evaluation import Evaluation, Figure, Part, Table
from matcher.audit.intervals import CONFIDENCE, REPLICATES, last_less_others, percentile, replicates
from matcher.audit.ladder import Rung, ladder
from matcher.audit.measures import DIRECTIONS, Measures, Scored
from matcher.audit.splits import Split, check
from matcher.errors import ModelError
from matcher.model.affinity import PairAffinity

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.intp]


def evaluate(
    pairs: Candidates,
    affinity: PairAffinity,
    splits: Sequence[Split],
    *,
    k: Sequence[int] = (5,),
    seed: int = 0,
    cluster: npt.ArrayLike | None = None,
    count: int = REPLICATES,
    n_jobs: int = -1,
) -> Evaluation:
    """Return what each rung of the ladder is worth on pairs from which it did not learn.

    1. Refuse splits that learn from what they judge. 2. Fit each rung for each split and score the pairs that it
    judges. 3. Take every metric over all of them. 4. Draw clusters with replacement for intervals, the same draws for
    all, so that differences are paired. 5. The same for new members alone.

    Parameters
    ----------
    pairs : Candidates
    affinity : PairAffinity
        Whose parameters the prior and the learned rungs have; it is not changed.
    splits : sequence of Split
        From one of ``by_person``, ``by_group``, ``by_time``.
    k : sequence of int, ≥ 1
        Lengths of lists.
    seed : int
        Of the coin and of the draws.
    cluster : array_like, shape (n,), optional
        What is drawn whole: the event of each pair, say. The asker, if left out.
    count : int
        Draws.
    n_jobs : int
        Threads; changes no figure.

    Raises
    ------
    ModelError
        If a split is not sound or judges nothing, or `k` or `cluster` is not as above.
    """
    if not k or any(each < 1 for each in k) or len(set(k)) < len(k):
        raise ModelError(f"k: found {list(k)}; expected lengths of lists, each at least 1 and none twice")
    labels = pairs.asker if cluster is None else np.asarray(cluster)
    if labels.shape != (len(pairs),):
        raise ModelError(f"cluster: found shape {labels.shape}; expected ({len(pairs)},), one label a pair")
    for split in splits:
        check(pairs, split)
    rungs = ladder(affinity, seed)
    scored = held_out(pairs, rungs, splits, np.unique(labels, return_inverse=True)[1].astype(np.intp))
    judge = rungs[-1].name

    def part(some: Scored) -> Part:
        measures = Measures(some, k, affinity.clip, judge)
        drawn = replicates(measures, some.clusters, seed=seed, count=count, n_jobs=n_jobs)
        return _part(measures, drawn)

    new = part(scored.take(scored.new)) if 0 < scored.new.sum() < len(scored.new) else None
    settings = {
        "splits": [split.name for split in splits],
        "k": list(k),
        "seed": seed,
        "replicates": count,
        "confidence": CONFIDENCE,
        "top": judge,
        "all_new": bool(scored.new.all()),
    }
    return Evaluation(part(scored), new, settings)


def held_out(pairs: Candidates, rungs: Sequence[Rung], splits: Sequence[Split], cluster: Ints) -> Scored:
    """Return the judged pairs of all splits, each scored by rungs that learned from its split alone."""
    judged = [np.flatnonzero(split.judge) for split in splits]
    rows = np.concatenate(judged) if judged else np.zeros(0, dtype=np.intp)
    if not rows.size:
        raise ModelError(
            f"splits: found {len(splits)} that judge no pair; expected at least one pair. With few answers between "
            "people, use fewer folds or an earlier cut"
        )
    scores: dict[str, list[Floats]] = {rung.name: [] for rung in rungs}
    probabilities: dict[str, list[Floats]] = {}
    for split, there in zip(splits, judged, strict=True):
        tested = pairs.take(there)
        for rung in rungs:
            fitted = rung.fit(pairs, split.learn)
            scores[rung.name].append(fitted.score(tested))
            if (p := fitted.probabilities(tested)) is not None:
                probabilities.setdefault(rung.name, []).append(p)
    of_split = np.repeat(np.arange(len(splits)), [len(there) for there in judged])
    new = np.concatenate([split.new(pairs)[there] for split, there in zip(splits, judged, strict=True)])
    return Scored(
        pairs.take(rows),
        of_split.astype(np.intp),
        np.unique(cluster[rows], return_inverse=True)[1].astype(np.intp),
        new,
        {name: np.concatenate(found) for name, found in scores.items()},
        {name: np.concatenate(found) for name, found in probabilities.items()},
    )


def _part(measures: Measures, drawn: Floats) -> Part:
    scored, metrics = measures.scored, len(measures.metrics)
    estimate = measures.estimate()
    intervals = percentile(drawn, scored.clusters)
    apart, drawn_apart = (last_less_others(figures, metrics) for figures in (estimate, drawn))
    gain_intervals = percentile(drawn_apart, scored.clusters)
    return Part(
        pairs=len(scored.pairs),
        lists=int(scored.lists().max()) + 1,
        clusters=scored.clusters,
        rungs=_table(measures, estimate, intervals),
        gains=_table(measures, apart, gain_intervals),
        reliability={
            rung: {name: scored.reliability(place, rung, measures.clip) for place, name in enumerate(DIRECTIONS)}
            for rung in scored.probabilities
        },
    )


def _table(measures: Measures, estimate: Floats, intervals: Floats) -> Table:
    """Return figures by rung and metric; `estimate` may stop before the last rung."""
    metrics = measures.metrics
    return {
        rung: {
            metric: Figure(float(estimate[place]), *intervals[place].tolist())
            for place, metric in enumerate(metrics, start=at * len(metrics))
        }
        for at, rung in enumerate(measures.rungs[: len(estimate) // len(metrics)])
    }
