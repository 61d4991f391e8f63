"""The hidden tastes: not the prior, not of the model's family, and at the levels that were set."""

from __future__ import annotations

import numpy as np
import pytest

from matcher.model.affinity import prior_weights
from matcher.programme import Programme
from matcher.synthetic import Cohort, eligible, tastes, world
from matcher.synthetic.cohort import _people, moment
from matcher.synthetic.decisions import CANDIDATES
from matcher.synthetic.likeness import likeness
from matcher.synthetic.population import Floats
from matcher.synthetic.tastes import Tastes
from matcher.synthetic.views import Side


@pytest.fixture(scope="module")
def sides() -> tuple[Side, Side, Floats]:
    """Some seekers, some candidates, and which of their pairs no rule excludes."""

    people, _ = _people(1_000, 4)
    seeking = Side(people, eligible.seekers(people)[:150], "match_serve")
    shown = Side(people, eligible.candidates(people)[:CANDIDATES], "be_shown_as_peer")
    return seeking, shown, eligible.eligible(seeking, shown, moment()).astype(np.float64)


def drawn(sides: tuple[Side, Side, Floats], seed: int = 0) -> Tastes:
    return tastes.draw(*sides, np.random.default_rng(seed))


def test_they_are_not_the_prior(programme: Programme) -> None:
    prior = np.array(prior_weights(programme))
    for role in (0, 1):
        true = np.array([tastes.WEIGHTS[facet][role] for facet in world.FEATURES])
        assert np.corrcoef(prior, true)[0, 1] < 0.6
    assert set(tastes.WEIGHTS) == set(programme.features)
    seekers, supporters = np.array([tastes.WEIGHTS[facet] for facet in world.FEATURES]).T
    assert (seekers > supporters).sum() >= 2, "seekers and supporters care for different things"
    assert (seekers < supporters).sum() >= 2


def test_each_cohort_has_tastes_of_its_own(sides: tuple[Side, Side, Floats]) -> None:
    one, other = drawn(sides, 0), drawn(sides, 1)
    assert np.all(one.weights > 0)
    assert not np.allclose(one.weights, other.weights, rtol=0.05)


def test_acceptance_is_at_the_levels_that_were_set(sides: tuple[Side, Side, Floats]) -> None:
    seeking, shown, allowed = sides
    both = tastes.acceptance(drawn(sides), seeking, shown, np.random.default_rng(5))
    for probability, level in zip(both, tastes.LEVELS, strict=True):
        assert probability.shape == allowed.shape
        assert probability[allowed > 0].mean() == pytest.approx(level, abs=0.02)


def explained(target: Floats, columns: list[Floats]) -> float:
    """Return the share of the variance of `target` that least squares on `columns` explains."""
    X = np.column_stack([np.ones(len(target)), *columns])
    residual = target - X @ np.linalg.lstsq(X, target, rcond=None)[0]
    return float(1 - residual.var() / target.var())


def test_a_seekers_logit_has_an_interaction_and_noise_that_no_profile_tells(sides: tuple[Side, Side, Floats]) -> None:
    seeking, shown, allowed = sides
    forward, _ = tastes.acceptance(drawn(sides), seeking, shown, np.random.default_rng(5))
    likes = likeness(seeking, shown)
    halves = {facet: np.minimum(seeking.importance(facet), 2)[:, None] / 2 for facet in world.FEATURES}
    known = (allowed > 0) & np.logical_and.reduce([~np.isnan(likes[facet]) for facet in world.FEATURES])
    linear = [(halves[facet] * likes[facet])[known] for facet in world.FEATURES]
    together = (likes["conditions"] * likes["experiences"])[known]
    raw = [likes[facet][known] for facet in ("conditions", "experiences")]
    logit = np.log(forward / (1 - forward))[known]
    without, with_it = explained(logit, linear + raw), explained(logit, [*linear, *raw, together])
    assert with_it > without + 0.001, "the interaction is there"
    assert with_it < 0.995, "and so is noise"


def test_pair_noise_is_of_the_size_that_was_set(sides: tuple[Side, Side, Floats]) -> None:
    seeking, shown, _ = sides
    made = [tastes.acceptance(drawn(sides), seeking, shown, np.random.default_rng(seed))[0] for seed in (1, 2)]
    logits = [np.log(p / (1 - p)) for p in made]
    assert (logits[0] - logits[1]).std() / np.sqrt(2) == pytest.approx(tastes.NOISE[0], rel=0.05)


def test_the_truth_spreads_widely_enough_to_rank_by(cohort: Cohort) -> None:
    mutual = np.array([record["mutual"] for record in cohort.truth])
    assert np.quantile(mutual, 0.95) > 10 * np.quantile(mutual, 0.25)
