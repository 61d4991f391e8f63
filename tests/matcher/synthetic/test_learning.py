"""What can be learned from a synthetic cohort is learned: the figures that issue 2 sets, against the hidden truth."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import learning
from matcher.programme import Programme

CLOSURE = 0.90
"""Share of the NDCG@5 gap between random and the truth that the learned model must close."""
COST = 2.0
"""Points of closure that 1/rank logging may cost against uniform logging."""


@pytest.mark.slow
def test_the_learned_model_closes_the_gap_and_beats_the_prior(programme: Programme) -> None:
    one, other = learning.run(8, programme), learning.run(0, programme, uniform=False)
    assert 100 * (one.uniform - one.learned) <= COST
    for result in (one, other):
        assert result.learned >= CLOSURE
        assert result.learned > result.prior + 0.05
        assert min(result.answers) >= 500, "each role has a weight vector of its own"


@pytest.mark.deep
def test_it_does_so_for_twenty_seeds(programme: Programme) -> None:
    figures = learning.summary([learning.run(seed, programme) for seed in range(learning.SEEDS)])
    assert figures["closure_min"] >= CLOSURE
    assert figures["beats_prior_in"] == learning.SEEDS
    assert figures["rank_cost_points_mean"] <= COST


def test_ndcg_is_one_for_the_best_order_and_as_expected_for_chance() -> None:
    gains = np.array([0.9, 0.1, 0.5, 0.3, 0.0, 0.7, 0.2])
    assert learning.ndcg(gains, gains) == pytest.approx(1.0)
    rng = np.random.default_rng(0)
    drawn = np.mean([learning.ndcg(gains, rng.random(len(gains))) for _ in range(20_000)])
    assert learning.random_ndcg(gains) == pytest.approx(drawn, abs=0.005)


@pytest.mark.parametrize("gains", [np.zeros(3), np.array([0.4])])
def test_ndcg_of_no_choice_is_one(gains: np.ndarray) -> None:
    assert learning.ndcg(gains, gains) == 1.0
    assert learning.random_ndcg(gains) == pytest.approx(1.0)
