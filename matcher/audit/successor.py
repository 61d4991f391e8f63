"""Whether a new model may take the place of the active one: not worse, on people from whom it did not learn."""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from matcher.audit.intervals import FEWEST_CLUSTERS, percentile, replicates
from matcher.audit.metrics import losses, plain
from matcher.audit.utility import FAIL, INCONCLUSIVE, MARGIN, PASS, HeldOut, Utility
from matcher.model.affinity import PairAffinity, answer_weights

Floats: TypeAlias = npt.NDArray[np.float64]

SEED: Final = 20
"""Of the draws: the same models and answers give the same verdict."""


def compare(held_out: HeldOut, active: Floats, affinity: PairAffinity) -> Utility:
    """Compare a learned model with the one that serves, answer by answer.

    The learned model is refitted without the people whose answers it scores; the active one may have learned from
    them, and has the advantage. The difference in log loss, weighted as in the fit, gets a paired bootstrap interval
    over those who answered (see `matcher.audit.intervals`).

    Parameters
    ----------
    held_out : HeldOut
        n answers, scored by the learned model.
    active : ndarray, shape (n,)
        Logits of the active model for the same answers.
    affinity : PairAffinity
        Tells how propensities are clipped.

    Returns
    -------
    Utility
        PASS: at most `MARGIN` worse, beyond noise. FAIL: worse by more than that, beyond noise. INCONCLUSIVE: neither,
        or fewer than 10 people who answered. ``metrics`` has ``log_loss_difference``, learned − active.
    """
    pairs, clusters = held_out.pairs, np.unique(held_out.answerer, return_inverse=True)[1]
    people = int(clusters.max()) + 1 if len(pairs) else 0
    if people < FEWEST_CLUSTERS:
        return Utility(INCONCLUSIVE, {"log_loss_difference": None})
    weight = answer_weights(pairs.weight, pairs.role, affinity.clip)
    apart = weight * (losses(pairs.y, held_out.logits["learned"]) - losses(pairs.y, active))
    by_person, counts = (np.bincount(clusters, weights=values, minlength=people) for values in (apart, weight))

    def difference(drawn: Floats) -> Floats:
        return np.asarray((drawn @ by_person / (drawn @ counts))[:, None])

    (low, high) = percentile(replicates(difference, people, seed=SEED), people)[0]
    estimate = float(by_person.sum() / counts.sum())
    verdict = PASS if high <= MARGIN else FAIL if low > MARGIN else INCONCLUSIVE
    found: dict[str, Any] = {"estimate": plain(estimate), "interval": [plain(low), plain(high)], "people": people}
    return Utility(verdict, {"log_loss_difference": found})
