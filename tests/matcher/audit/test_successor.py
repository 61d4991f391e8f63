"""Whether the model that serves is replaced: never by a worse one, as far as the answers tell."""

from __future__ import annotations

import numpy as np
import pytest

from matcher.audit.successor import compare
from matcher.audit.utility import FAIL, INCONCLUSIVE, MARGIN, PASS, hold_out
from matcher.model.affinity import PairAffinity
from tests.matcher.audit.test_utility import PRIOR, Contrarian, world

TRUTH = (6.0, 0.0)


@pytest.fixture(scope="module")
def pairs():
    return world(TRUTH, -3.0)


def against(pairs, learned, active):
    held_out = hold_out(pairs, learned)
    return compare(held_out, active.decision_function(pairs.X, pairs.role)[held_out.rows], learned)


def fitted(pairs, kind=PairAffinity):
    return kind(PRIOR).fit(pairs.X, pairs.y, sample_weight=pairs.weight, role=pairs.role)


def test_what_is_better_than_the_prior_replaces_it(pairs):
    found = against(pairs, PairAffinity(PRIOR), PairAffinity(PRIOR).prior())
    difference = found.metrics["log_loss_difference"]
    assert found.verdict == PASS
    assert difference["interval"][0] < difference["estimate"] < difference["interval"][1] < 0


def test_what_is_worse_is_refused(pairs):
    found = against(pairs, Contrarian(PRIOR), fitted(pairs))
    assert found.verdict == FAIL
    assert found.metrics["log_loss_difference"]["interval"][0] > MARGIN


def test_the_same_once_more_may_take_its_place(pairs):
    """Learned again from the same answers it is a little worse, for it may not know whom it is judged by."""
    found = against(pairs, PairAffinity(PRIOR), fitted(pairs))
    assert found.verdict != FAIL
    assert abs(found.metrics["log_loss_difference"]["estimate"]) < MARGIN


def test_the_interval_is_that_of_resampled_people(pairs):
    """Oracle: people drawn one by one, in a loop."""
    learned, active = PairAffinity(PRIOR), PairAffinity(PRIOR).prior()
    held_out = hold_out(pairs, learned)
    logits = active.decision_function(pairs.X, pairs.role)[held_out.rows]
    found = compare(held_out, logits, learned).metrics["log_loss_difference"]
    y = held_out.pairs.y
    loss = {
        name: -np.log(np.where(y == 1, 1 / (1 + np.exp(-z)), 1 / (1 + np.exp(z))))
        for name, z in (("learned", held_out.logits["learned"]), ("active", logits))
    }
    weight = np.ones(len(y))
    for role in (0, 1):
        of_role = held_out.pairs.role == role
        clipped = np.minimum(held_out.pairs.weight[of_role], 10.0)
        weight[of_role] = clipped / clipped.mean() if of_role.any() else 1.0
    apart = loss["learned"] - loss["active"]
    rng = np.random.default_rng(5)
    people = np.unique(held_out.answerer)
    rows = {person: np.flatnonzero(held_out.answerer == person) for person in people}
    drawn = []
    for _ in range(600):
        some = np.concatenate([rows[person] for person in rng.choice(people, len(people))])
        drawn.append((weight[some] * apart[some]).sum() / weight[some].sum())
    low, high = np.quantile(drawn, [0.025, 0.975])
    width = high - low
    assert found["estimate"] == pytest.approx((weight * apart).sum() / weight.sum(), abs=1e-6)
    assert found["interval"] == pytest.approx([low, high], abs=0.15 * width)


def test_it_is_the_same_each_time(pairs):
    one, other = (against(pairs, PairAffinity(PRIOR), PairAffinity(PRIOR).prior()) for _ in range(2))
    assert one == other


def test_of_too_few_people_nothing_is_claimed(pairs):
    few = pairs.take((pairs.asker < 9) & (pairs.asked < 9))
    found = against(few, PairAffinity(PRIOR), PairAffinity(PRIOR).prior())
    assert (found.verdict, found.metrics) == (INCONCLUSIVE, {"log_loss_difference": None})
