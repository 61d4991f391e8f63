"""Every metric of every rung at once, as a function of how often each cluster counts: what the bootstrap draws from.

All but the AUC are sums over clusters, taken once; a draw then costs a few multiplications.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from matcher.audit.candidates import UNKNOWN, Candidates
from matcher.audit.metrics import BINS, Comparisons, Lists, Reliability, expected_matches, ndcg_at, precision_at, ratio
from matcher.errors import ModelError

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.intp]
Mask: TypeAlias = npt.NDArray[np.bool_]

AUC = "mutual_auc"
DIRECTIONS = ("forward", "backward", "mutual")
"""What is calibrated: p_f against the asker's yes, p_b against the other's, p_f·p_b against both."""


@dataclass(frozen=True)
class Scored:
    """m judged pairs, and what rungs that learned from others make of them."""

    pairs: Candidates
    split: Ints
    """Shape (m,): by which split a pair was judged; only what one model scored is compared."""
    cluster: Ints
    """Shape (m,): codes from 0; pairs of one cluster may depend on each other."""
    new: Mask
    """Shape (m,): whether nothing was known of the asker's answers."""
    scores: Mapping[str, Floats]
    """By rung, in the order of the ladder; shape (m,)."""
    probabilities: Mapping[str, Floats]
    """Of the rungs that give any; shape (m, 2)."""

    def take(self, rows: Mask) -> Scored:
        """Return the pairs of `rows`, with clusters coded afresh."""
        return Scored(
            self.pairs.take(rows),
            self.split[rows],
            np.unique(self.cluster[rows], return_inverse=True)[1].astype(np.intp),
            self.new[rows],
            {name: score[rows] for name, score in self.scores.items()},
            {name: p[rows] for name, p in self.probabilities.items()},
        )

    @property
    def clusters(self) -> int:
        """How many clusters there are."""
        return int(self.cluster.max(initial=-1)) + 1

    def __post_init__(self) -> None:
        list_ = self.lists()
        of_list = np.zeros(len(self.pairs), dtype=np.intp)
        of_list[list_] = self.cluster
        if parted := len(np.unique(list_[of_list[list_] != self.cluster])):
            raise ModelError(
                f"cluster: found {parted} askers whose list is in several; expected each list in one. Draw askers, or "
                "judge by_group what is drawn"
            )

    def lists(self) -> Ints:
        """Return the list that each pair is on, shape (m,): pairs of one asker and split are on one."""
        keys = np.column_stack([self.split, self.pairs.asker])
        return np.unique(keys, axis=0, return_inverse=True)[1].reshape(-1).astype(np.intp)

    def labelled(self, direction: int, rung: str, clip: float) -> tuple[Mask, Ints, Floats, Floats]:
        """Return the rows with a label in one of `DIRECTIONS`, and their labels, probabilities and weights."""
        y = np.column_stack([self.pairs.y, self.pairs.mutual])[:, direction]
        p = np.column_stack([self.probabilities[rung], self.probabilities[rung].prod(axis=1)])[:, direction]
        weights = np.minimum(self.pairs.weight, clip)
        weight = np.column_stack([weights, np.minimum(weights.prod(axis=1), clip)])[:, direction]
        rows = y != UNKNOWN
        return rows, y[rows], p[rows], weight[rows]

    def reliability(self, direction: int, rung: str, clip: float) -> Reliability:
        """Return how far a rung's probabilities are to be believed."""
        return Reliability.of(*self.labelled(direction, rung, clip)[1:])


class Measures:
    """Figures of `scored` by (rung, metric); called with weights of shape (b, C), returns (b, rungs · metrics).

    Parameters
    ----------
    scored : Scored
    k : sequence of int
        Lengths of lists.
    clip : float
        Largest weight of an answer, as in the fit.
    judge : str
        The rung whose p_f·p_b says how many matches are to be expected of a list, whoever ordered it.
    """

    def __init__(self, scored: Scored, k: Sequence[int], clip: float, judge: str) -> None:
        self.scored, self.clip, self.k, self.judge = scored, clip, tuple(k), judge
        self.rungs = tuple(scored.scores)
        at_k = [f"{what}@{each}" for each in self.k for what in ("precision", "ndcg", "matches")]
        self.metrics = (*at_k, AUC, *(f"calibration_{direction}" for direction in DIRECTIONS))
        self._list_sums = [self._of_lists(rung) for rung in self.rungs]
        told = scored.pairs.mutual != UNKNOWN
        mutual, split = scored.pairs.mutual[told], scored.split[told]
        self._compared = [Comparisons.of(mutual, scored.scores[rung][told], split) for rung in self.rungs]
        weight = np.minimum(np.minimum(scored.pairs.weight, clip).prod(axis=1), clip)
        self._cluster, self._weight = scored.cluster[told], weight[told]
        self._bins = [list(self._of_bins(rung)) for rung in self.rungs]

    def __call__(self, weights: Floats) -> Floats:
        """Return the figures of each of b weightings of the clusters."""
        found = []
        for sums, compared, bins in zip(self._list_sums, self._compared, self._bins, strict=True):
            found += [ratio(_times(weights, above), _times(weights, below)) for above, below in sums]
            found.append(self._auc(compared, weights))
            for gaps, total in bins:
                apart = sum(np.abs(_times(weights, gap)) for gap in gaps)
                found.append(ratio(np.asarray(apart), _times(weights, total)))
            found += [np.full(len(weights), np.nan)] * (len(DIRECTIONS) - len(bins))
        return np.column_stack(found)

    def _auc(self, compared: Comparisons, weights: Floats) -> Floats:
        """Return the AUC of each weighting: one after the other, for in so little memory a processor is fastest."""
        (yes, of_yes), (no, of_no) = ((self._cluster[rows], self._weight[rows]) for rows in (compared.yes, compared.no))
        return np.concatenate([compared.auc(row[None, yes] * of_yes, row[None, no] * of_no) for row in weights])

    def estimate(self) -> Floats:
        """Return the figures of what is there, shape (rungs · metrics,)."""
        return np.asarray(self(np.ones((1, self.scored.clusters)))[0])

    def _of_lists(self, rung: str) -> list[tuple[Floats, Floats]]:
        """Return of each list metric its sum over the lists of each cluster, and how many lists have it; (C,) both."""
        scored = self.scored
        list_, both = scored.lists(), scored.probabilities[self.judge].prod(axis=1)
        told = scored.pairs.mutual != UNKNOWN
        every, judged = Lists.of(scored.scores[rung], list_), Lists.of(scored.scores[rung][told], list_[told])
        cluster, judged_cluster = _of_list(every, scored.cluster), _of_list(judged, scored.cluster[told])
        mutual, found = scored.pairs.mutual[told], []
        for k in self.k:
            found += [
                self._sums(precision_at(judged, mutual, k), judged_cluster),
                self._sums(ndcg_at(judged, mutual, k), judged_cluster),
                self._sums(expected_matches(every, both, k), cluster),
            ]
        return found

    def _sums(self, values: Floats, cluster: Ints) -> tuple[Floats, Floats]:
        defined = ~np.isnan(values)
        above, below = (
            np.bincount(cluster[defined], weights=what, minlength=self.scored.clusters).astype(np.float64)
            for what in (values[defined], np.ones(int(defined.sum())))
        )
        return above, below

    def _of_bins(self, rung: str) -> Iterator[tuple[Floats, Floats]]:
        """Yield for each direction Σ weight · (p − y) by bin and cluster, (bins, C), and Σ weight by cluster, (C,)."""
        if rung not in self.scored.probabilities:
            return
        clusters = self.scored.clusters
        for direction in range(len(DIRECTIONS)):
            rows, y, p, weight = self.scored.labelled(direction, rung, self.clip)
            cell = Reliability.of(y, p, weight).bin_ * clusters + self.scored.cluster[rows]
            gaps = np.bincount(cell, weights=weight * (p - y), minlength=BINS * clusters).astype(np.float64)
            total = np.bincount(self.scored.cluster[rows], weights=weight, minlength=clusters).astype(np.float64)
            yield gaps.reshape(BINS, clusters), total


def _of_list(lists: Lists, cluster: Ints) -> Ints:
    """Return the cluster of each list."""
    found = np.zeros(len(lists.sizes), dtype=np.intp)
    found[lists.list_] = cluster
    return found


def _times(weights: Floats, values: Floats) -> Floats:
    """Return Σ_c weights_bc · values_c, shape (b,): not by BLAS, whose last bits depend on the number of threads."""
    return np.asarray(np.einsum("bc,c->b", weights, values), dtype=np.float64)
