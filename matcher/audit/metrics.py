"""What a score is worth: orders, lists and probabilities against what people answered.

Where several are scored alike, a list metric is its mean over every order of them: no order that they happen to have
helps or harms. What compares nothing is NaN.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.intp]
Mask: TypeAlias = npt.NDArray[np.bool_]

BINS = 10


def plain(value: float) -> float | None:
    """Return a number as JSON may hold it, to six places; None for what is undefined."""
    return round(float(value), 6) if np.isfinite(value) else None


def ratio(above: Floats, below: Floats) -> Floats:
    """Return `above` / `below`, NaN where that is not > 0."""
    return np.asarray(np.divide(above, below, out=np.full(np.shape(below), np.nan), where=below > 0))


def losses(y: Ints, logit: Floats) -> Floats:
    """Return −log of the probability given to what was answered, shape (n,)."""
    return np.asarray(np.logaddexp(0.0, np.where(y == 1, -logit, logit)))


def log_loss(y: Ints, logit: Floats, weight: Floats) -> float:
    """Return the weighted mean of `losses`; NaN without any weight."""
    total = weight.sum()
    return float((weight * losses(y, logit)).sum() / total) if total > 0 else float("nan")


@dataclass(frozen=True)
class Comparisons:
    """Every yes against every no of its group, sorted once: an AUC under new weights then takes no sorting."""

    yes: Ints
    """Rows that said yes, shape (n1,), by group."""
    no: Ints
    """Rows that said no, shape (n0,), by group and ascending score."""
    below: Ints
    """For each of `yes`, before which place in `no` those of a lower score end; in its group and the groups before."""
    upto: Ints
    """The same with those of an equal score."""
    yes_starts: Ints
    """Where each group with both answers starts in `yes`, shape (m,)."""
    no_starts: Ints
    no_stops: Ints

    @classmethod
    def of(cls, y: Ints, score: Floats, group: Ints) -> Comparisons:
        """Sort; all of shape (n,). Groups in which all answered alike compare nothing and are left out."""
        code = np.unique(group, return_inverse=True)[1]
        told = [np.bincount(code, weights=y == label, minlength=1) for label in (1, 0)]
        both = (told[0] > 0) & (told[1] > 0)
        place = np.lexsort((score, code))
        place = place[both[code[place]]] if place.size else place
        yes, no = place[y[place] == 1], place[y[place] == 0]
        # The rank of a score within its group, ties alike, is all that counts; groups follow each other.
        step = np.ones(len(place), dtype=np.intp)
        step[1:] = (np.diff(score[place]) != 0) | (np.diff(code[place]) != 0)
        rank = np.empty(len(code), dtype=np.intp)
        rank[place] = np.cumsum(step)
        below, upto = (np.searchsorted(rank[no], rank[yes], side=side) for side in ("left", "right"))
        yes_starts, no_starts = (np.flatnonzero(np.diff(code[rows], prepend=-1)) for rows in (yes, no))
        return cls(yes, no, below, upto, yes_starts, no_starts, np.append(no_starts[1:], len(no)))

    def auc(self, yes: Floats, no: Floats) -> Floats:
        """Return the AUC under each of b weightings, shape (b,), of the `yes` rows, (b, n1), and `no` rows, (b, n0)."""
        if not self.yes.size:
            return np.full(len(yes), np.nan)
        so_far = np.zeros((len(no), self.no.size + 1))
        np.cumsum(no, axis=1, out=so_far[:, 1:])
        start, stop = so_far[:, self.no_starts], so_far[:, self.no_stops]
        of_group = np.add.reduceat(yes, self.yes_starts, axis=1)
        passed = so_far[:, self.below] + so_far[:, self.upto]
        above = (yes * passed).sum(axis=1) / 2 - (of_group * start).sum(axis=1)
        return ratio(above, (of_group * (stop - start)).sum(axis=1))


def auc(y: Ints, score: Floats, weight: Floats, group: Ints | None = None) -> float:
    """Return the weighted chance that a yes is scored above a no, ties counting half (Mann & Whitney 1947).

    With `group` only answers of one group are compared: scores of models fitted on different folds are not on one scale
    (a fold with many a yes is scored by a model that saw few). NaN where there is nothing to compare.
    """
    found = Comparisons.of(y, score, np.zeros(len(y), dtype=np.intp) if group is None else group)
    return float(found.auc(weight[None, found.yes], weight[None, found.no])[0])


@dataclass(frozen=True)
class Lists:
    """n rows as lists, each best first, with the places that every row can have among those of its score."""

    list_: Ints
    """Shape (n,): which list a row is on, from 0 without a gap."""
    first: Ints
    """Shape (n,): the best place from 0 that a row can have."""
    behind: Ints
    """Shape (n,): the place after the worst."""

    @classmethod
    def of(cls, score: Floats, list_: Ints) -> Lists:
        """Order the rows of each list by descending score; both of shape (n,)."""
        code = np.unique(list_, return_inverse=True)[1].astype(np.intp)
        rows = np.lexsort((-score, code))
        new = np.ones(len(rows), dtype=np.bool_)
        new[1:] = (np.diff(score[rows]) != 0) | (np.diff(code[rows]) != 0)
        starts = np.flatnonzero(new)
        run = np.cumsum(new) - 1  # of equal scores
        begin = np.concatenate([[0], np.cumsum(np.bincount(code))])[code[rows]].astype(np.intp)
        first, behind = np.empty_like(code), np.empty_like(code)
        first[rows] = starts[run] - begin
        behind[rows] = np.append(starts[1:], len(rows))[run] - begin
        return cls(code, first, behind)

    @cached_property
    def sizes(self) -> Ints:
        """Rows of each list, shape (m,)."""
        return np.bincount(self.list_)

    def placed(self, worth: Floats) -> Floats:
        """Return the mean worth of the places that each row can have, shape (n,); places beyond `worth` have none."""
        longest = int(self.behind.max(initial=0))
        of_place = np.zeros(longest)
        of_place[: len(worth)] = worth[:longest]
        so_far = np.concatenate([[0.0], np.cumsum(of_place)])
        return np.asarray((so_far[self.behind] - so_far[self.first]) / (self.behind - self.first))

    def sums(self, values: Floats | Ints) -> Floats:
        """Return the sum of `values`, shape (n,), over each list, shape (m,)."""
        return np.bincount(self.list_, weights=values, minlength=len(self.sizes)).astype(np.float64)


def precision_at(lists: Lists, mutual: Ints, k: int) -> Floats:
    """Return of each list the share of mutual yes among its best `k`, or among all where it is shorter; shape (m,)."""
    return np.asarray(lists.sums(lists.placed(np.ones(k)) * mutual) / np.minimum(lists.sizes, k))


def ndcg_at(lists: Lists, mutual: Ints, k: int) -> Floats:
    """Return of each list Σ 1/log2(1 + place) over mutual yes among its best `k`, as a share of the best possible.

    Järvelin & Kekäläinen 2002, with gains of 1 and 0. NaN for a list without a mutual yes, which has no order to judge.
    """
    discount = 1.0 / np.log2(np.arange(2, k + 2))
    best = np.concatenate([[0.0], np.cumsum(discount)])[np.minimum(lists.sums(mutual).astype(np.intp), k)]
    found = lists.sums(lists.placed(discount) * mutual)
    return ratio(found, best)


def expected_matches(lists: Lists, both: Floats, k: int) -> Floats:
    """Return of each list the sum of `both`, the chance p_f·p_b that two say yes, over its best `k`; shape (m,)."""
    return lists.sums(lists.placed(np.ones(k)) * both)


@dataclass(frozen=True)
class Reliability:
    """Probabilities in bins of about as many rows each, against what was answered."""

    bin_: Ints
    """Shape (n,): the bin of each row, from 0."""
    predicted: Floats
    """Shape (bins,): weighted mean probability; NaN of an empty bin."""
    observed: Floats
    """Shape (bins,): weighted share of yes; NaN of an empty bin."""
    weight: Floats
    """Shape (bins,): what each bin weighs."""

    @classmethod
    def of(cls, y: Ints, p: Floats, weight: Floats, bins: int = BINS) -> Reliability:
        """Bin at the quantiles of `p`; all of shape (n,)."""
        edges = np.quantile(p, np.linspace(0.0, 1.0, bins + 1)) if p.size else np.zeros(bins + 1)
        bin_ = np.searchsorted(edges[1:-1], p)
        total, expected, yes = (
            np.bincount(bin_, weights=values, minlength=bins).astype(np.float64)
            for values in (weight, weight * p, weight * y)
        )
        return cls(bin_, ratio(expected, total), ratio(yes, total), total)

    @property
    def error(self) -> float:
        """The expected calibration error: the weighted mean of |predicted − observed|; NaN without any weight."""
        filled = self.weight > 0
        apart = np.abs(self.predicted - self.observed)[filled]
        return float((self.weight[filled] * apart).sum() / self.weight.sum()) if filled.any() else float("nan")
