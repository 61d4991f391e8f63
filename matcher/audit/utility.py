"""Whether learning helped: the learned model against the prior, on people from whom it did not learn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.stats import t as student
from sklearn.base import clone

from matcher.audit.metrics import auc, log_loss, losses, plain
from matcher.audit.splits import person_folds
from matcher.model.affinity import PairAffinity, answer_weights
from matcher.model.features import Pairs
from matcher.model.state import ROLE_NAMES

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.intp]

PASS, FAIL, INCONCLUSIVE = "PASS", "FAIL", "INCONCLUSIVE"
FEWEST_PEOPLE = 10
"""Fewer people who answered, held out, are too little evidence for a verdict."""
CONFIDENCE = 0.95
MARGIN = 0.005
"""Nats an answer. Estimating d + 1 numbers from n answers costs (d + 1)/2n by itself, so where the prior is the truth
every learned model is a little worse; a difference below this changes no list that anybody would notice."""


@dataclass(frozen=True)
class Utility:
    """What was found."""

    verdict: str
    """PASS: better than the prior beyond noise. FAIL: worse by `MARGIN`, beyond noise. INCONCLUSIVE: neither."""
    metrics: dict[str, Any]
    """``held_out`` by role, and ``log_loss_difference`` (learned − prior) with its interval; None where undefined."""


@dataclass(frozen=True)
class HeldOut:
    """n answers, and what models that know neither person make of them."""

    pairs: Pairs
    fold: Ints
    logits: dict[str, Floats]
    """By model, ``learned`` and ``prior``; shape (n,)."""
    rows: npt.NDArray[np.bool_]
    """Which of all the answers these are."""

    @property
    def answerer(self) -> Ints:
        """Who answered, as a place in ``pairs.people``; shape (n,)."""
        return np.where(self.pairs.role == 0, self.pairs.asker, self.pairs.asked)


def assess(pairs: Pairs, affinity: PairAffinity) -> Utility:
    """Compare a fit with `affinity`'s parameters and the prior, on people kept apart.

    1. Everybody gets a fold (`person_folds`). 2. For each fold a model is fitted on the answers between people outside
    it and scores those between people inside it; answers across are used by neither. 3. The difference in log loss,
    weighted as in the fit, gets an interval that treats all answers of one person as one observation.
    """
    return judge(hold_out(pairs, affinity), affinity)


def judge(held_out: HeldOut, affinity: PairAffinity) -> Utility:
    """Return what `assess` does, of answers that are held out already."""
    if not len(held_out.pairs):
        return Utility(INCONCLUSIVE, {"held_out": {}, "log_loss_difference": None})
    y, role = held_out.pairs.y, held_out.pairs.role
    weight = answer_weights(held_out.pairs.weight, role, affinity.clip)
    by_role = {
        name: _role_metrics(held_out, weight, role == code) for code, name in enumerate(ROLE_NAMES) if code in role
    }
    gain = losses(y, held_out.logits["learned"]) - losses(y, held_out.logits["prior"])
    people = len(np.unique(held_out.answerer))
    estimate, low, high = clustered_mean(gain, weight, held_out.answerer)
    difference = {"estimate": plain(estimate), "interval": [plain(low), plain(high)], "people": people}
    verdict = INCONCLUSIVE
    if people >= FEWEST_PEOPLE:
        verdict = PASS if high < 0 else FAIL if low > MARGIN else INCONCLUSIVE
    return Utility(verdict, {"held_out": by_role, "log_loss_difference": difference})


def hold_out(pairs: Pairs, affinity: PairAffinity) -> HeldOut:
    """Return the answers within folds, each scored by models fitted outside its fold."""
    of_person = person_folds(pairs)
    fold = of_person[pairs.asker]
    within = fold == of_person[pairs.asked]
    tested = pairs.take(within)
    held_out = HeldOut(tested, fold[within], {name: np.zeros(len(tested)) for name in ("learned", "prior")}, within)
    for number in np.unique(held_out.fold):
        inside = held_out.fold == number
        outside = pairs.take((fold != number) & (of_person[pairs.asked] != number))
        learned = clone(affinity).fit(outside.X, outside.y, sample_weight=outside.weight, role=outside.role)
        for name, model in (("learned", learned), ("prior", clone(affinity).prior())):
            held_out.logits[name][inside] = model.decision_function(tested.X[inside], tested.role[inside])
    return held_out


def _role_metrics(held_out: HeldOut, weight: Floats, rows: npt.NDArray[np.bool_]) -> dict[str, Any]:
    y, fold, weight = held_out.pairs.y[rows], held_out.fold[rows], weight[rows]
    logits = {model: logit[rows] for model, logit in held_out.logits.items()}
    return {
        "answers": len(y),
        "log_loss": {model: plain(log_loss(y, logit, weight)) for model, logit in logits.items()},
        "auc": {model: plain(auc(y, logit, weight, fold)) for model, logit in logits.items()},
    }


def clustered_mean(values: Floats, weight: Floats, cluster: Ints) -> tuple[float, float, float]:
    """Return the weighted mean and its `CONFIDENCE` interval when values of one cluster may depend on each other.

    Linearised variance of a ratio over clusters (Liang & Zeger 1986), Student's t with clusters − 1 degrees of freedom.
    NaN for the interval of a single cluster, and for all without any weight.
    """
    nan = float("nan")
    total = weight.sum()
    if not total > 0:
        return nan, nan, nan
    code = np.unique(cluster, return_inverse=True)[1]
    mean = float((weight * values).sum() / total)
    apart = np.bincount(code, weights=weight * (values - mean))
    clusters = len(apart)
    if clusters < 2:
        return mean, nan, nan
    error = float(np.sqrt((apart**2).sum() * clusters / (clusters - 1)) / total)
    reach = float(student.ppf(0.5 + CONFIDENCE / 2, clusters - 1)) * error
    return mean, mean - reach, mean + reach
