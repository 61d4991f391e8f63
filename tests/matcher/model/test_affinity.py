"""`PairAffinity`: what is learned, held against scikit-learn and a slow solver; and what is refused."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression

from matcher.errors import ModelError
from matcher.model.affinity import BASE_LOGIT, NEUTRAL, PairAffinity, answer_weights, prior_weights
from tests.matcher.lantern import programme as lantern
from tests.matcher.model.village import VILLAGE, programme

PRIOR = (2.0, 1.0, 0.5)
D = len(PRIOR)


def answers(n, seed=0, *, unknown=0.2, truth=(3.0, 0.5, 1.0), base=-2.0):
    """Return X, y, weights, role of n answers whose chances are known."""
    rng = np.random.default_rng(seed)
    satisfy = rng.random((n, D)).round(3)
    importance = rng.choice([0.0, 0.5, 1.0], (n, D), p=[0.1, 0.5, 0.4])
    y = (rng.random(n) < expit(base + (importance * satisfy) @ np.array(truth))).astype(int)
    satisfy[rng.random((n, D)) < unknown] = np.nan
    return np.hstack([satisfy, importance]), y, rng.uniform(1, 10, n), rng.integers(0, 2, n)


def features(model, X, code=0):
    satisfy, importance = X[:, :D], X[:, D:]
    return importance * np.where(np.isnan(satisfy), model.neutral_[code], satisfy)


def loss(theta, x, y, weight, model):
    """The objective as docs/reference/model.md states it, summed in plain Python."""
    total = 0.0
    for row, label, each in zip(x, y, weight, strict=True):
        logit = theta[0] + sum(w * value for w, value in zip(theta[1:], row, strict=True))
        total += each * np.log1p(np.exp(-logit if label else logit))
    total += model.intercept_l2 / 2 * (theta[0] - BASE_LOGIT) ** 2
    return total + model.l2 / 2 * sum((w - prior) ** 2 for w, prior in zip(theta[1:], model.prior_weights, strict=True))


def bits(model):
    return b"".join(part.tobytes() for part in (model.coef_, model.intercept_, model.neutral_))


class TestPrior:
    def test_everything_at_default_importance_gives_90_percent_over_a_base_of_5(self):
        weights = np.array(prior_weights(VILLAGE))
        half = np.array([min(VILLAGE.facets[name].importance, 2) / 2 for name in VILLAGE.features])
        assert expit(BASE_LOGIT + weights @ half) == pytest.approx(0.90, abs=1e-12)
        assert expit(BASE_LOGIT) == pytest.approx(0.05, abs=1e-12)
        assert weights / weights[0] == pytest.approx([1, 2, 1, 1])

    def test_a_default_importance_of_must_counts_as_important(self):
        changed = programme(
            ('kind = "choice"', 'kind = "choice"\nimportance = 3'),
            ('version = "1"', 'version = "1"\nrequired = ["region"]'),
        )
        weights = prior_weights(changed)
        assert expit(BASE_LOGIT + np.array(weights) @ [0.5, 1.0, 0.5, 0.5]) == pytest.approx(0.90)

    def test_where_every_default_importance_is_0_importance_2_takes_its_place(self):
        changed = programme(
            *[
                (f'kind = "{kind}"', f'kind = "{kind}"\nimportance = 0')
                for kind in ("tags", "choice", "ordinal", "concepts")
            ]
        )
        assert expit(BASE_LOGIT + sum(prior_weights(changed))) == pytest.approx(0.90)

    def test_a_facet_that_counts_only_when_asked_for_keeps_its_weight(self):
        design = lantern()
        by_name = dict(zip(design.features, prior_weights(design), strict=True))
        assert by_name["gender"] == pytest.approx(by_name["conditions"] / 3)

    def test_without_answers_the_model_is_the_prior_exactly(self):
        untaught = PairAffinity(PRIOR).prior()
        taught = PairAffinity(PRIOR).fit(np.empty((0, 2 * D)), [], sample_weight=[], role=[])
        assert bits(taught) == bits(untaught)
        assert untaught.coef_.tolist() == [list(PRIOR)] * 2
        assert untaught.intercept_.tolist() == [BASE_LOGIT] * 2
        assert (untaught.neutral_ == NEUTRAL).all()
        assert untaught.shared_
        assert untaught.n_answers_.tolist() == [0, 0]

    def test_a_programme_without_features_learns_its_base_rate_only(self):
        model = PairAffinity(()).fit(np.empty((400, 0)), [1, 0] * 200)
        assert model.coef_.shape == (2, 0)
        assert expit(model.intercept_) == pytest.approx([0.5, 0.5], abs=0.01)


class TestFit:
    def test_the_gradient_is_zero_where_the_weight_is_free_and_positive_at_the_bound(self):
        X, y, weight, _ = answers(400, truth=(3.0, -4.0, 1.0))
        model = PairAffinity(PRIOR).fit(X, y, sample_weight=weight)
        theta = np.array([model.intercept_[0], *model.coef_[0]])
        x, weight = features(model, X), answer_weights(weight, np.zeros(400, dtype=int), model.clip)
        step = 1e-5
        for place in range(D + 1):
            away = step * np.eye(D + 1)[place]
            slope = (loss(theta + away, x, y, weight, model) - loss(theta - away, x, y, weight, model)) / (2 * step)
            if place == 2:
                assert theta[place] == 0.0
                assert slope > 1.0
            else:
                assert theta[place] > 0 or place == 0
                assert abs(slope) < 1e-4

    def test_equals_a_slow_projected_gradient(self):
        X, y, weight, _ = answers(300, seed=1, truth=(2.0, -3.0, 0.5))
        model = PairAffinity(PRIOR, l2=2.0).fit(X, y, sample_weight=weight)
        x, weight = features(model, X), answer_weights(weight, np.zeros(300, dtype=int), model.clip)
        theta = np.zeros(D + 1)
        centre, pull = np.array([BASE_LOGIT, *PRIOR]), np.array([0.25, 2.0, 2.0, 2.0])
        with_one = np.column_stack([np.ones(300), x])
        for _ in range(20_000):
            slope = with_one.T @ (weight * (expit(with_one @ theta) - y)) + pull * (theta - centre)
            theta -= 0.01 * slope
            theta[1:] = np.maximum(theta[1:], 0.0)
        assert np.array([model.intercept_[0], *model.coef_[0]]) == pytest.approx(theta, abs=1e-8)

    def test_equals_scikit_learn_where_prior_and_bounds_do_not_act(self):
        X, y, weight, _ = answers(500, seed=2, truth=(3.0, 2.0, 1.0))
        model = PairAffinity((0.0,) * D, l2=1.0, intercept_l2=1e-9, clip=100.0).fit(X, y, sample_weight=weight)
        assert model.coef_.min() > 0.1
        other = LogisticRegression(C=1.0, tol=1e-12, max_iter=10_000)
        other.fit(features(model, X), y, sample_weight=weight / weight.mean())
        assert model.coef_[0] == pytest.approx(other.coef_[0], abs=1e-5)
        assert model.intercept_[0] == pytest.approx(other.intercept_[0], abs=1e-5)

    def test_finds_the_truth_in_many_answers(self):
        X, y, _, _ = answers(40_000, seed=3, unknown=0.0)
        model = PairAffinity(PRIOR).fit(X, y)
        assert model.coef_[0] == pytest.approx([3.0, 0.5, 1.0], abs=0.15)
        assert model.intercept_[0] == pytest.approx(-2.0, abs=0.1)

    def test_few_answers_move_little_and_many_move_much(self):
        away = []
        for n in (5, 20, 2000):
            X, y, _, _ = answers(n, seed=4, truth=(6.0, 0.0, 0.0))
            away.append(abs(PairAffinity(PRIOR).fit(X, y).coef_[0] - PRIOR).max())
        assert away[0] < 0.5
        assert away[2] > 2
        assert away == sorted(away)

    def test_a_stronger_pull_stays_nearer_to_the_prior(self):
        X, y, _, _ = answers(500, seed=5)
        away = [np.abs(PairAffinity(PRIOR, l2=l2).fit(X, y).coef_ - PRIOR).max() for l2 in (0.1, 10.0, 1e6, 1e12)]
        assert away == sorted(away, reverse=True)
        assert away[-1] < 1e-8

    def test_corrects_for_where_one_looked(self):
        # Rank 1 is always looked at, rank 5 one time in five, and what is liked stands at rank 5 more often.
        rng = np.random.default_rng(6)
        rank = rng.choice([1, 5], 20_000)
        satisfy = np.where(rank == 5, rng.random(20_000) < 0.8, rng.random(20_000) < 0.2).astype(float)
        liked = rng.random(20_000) < np.where(rank == 5, 0.6, 0.1)
        looked = rng.random(20_000) < 1 / rank
        X, y, weight = np.column_stack([satisfy, np.ones(20_000)])[looked], liked[looked].astype(int), rank[looked]
        share = PairAffinity((1.0,)).fit(X, y, sample_weight=weight).predict_proba(X)[:, 1]
        everybody = liked.mean()
        assert np.average(share, weights=weight) == pytest.approx(everybody, abs=0.02)
        naive = PairAffinity((1.0,)).fit(X, y).predict_proba(X)[:, 1].mean()
        assert naive < everybody - 0.1


class TestRoles:
    def test_each_role_has_its_own_vector_from_500_answers_each(self):
        X, y, _, _ = answers(1000, seed=7)
        role = np.repeat([0, 1], 500)
        flipped = np.where(role == 1, 1 - y, y)
        apart = PairAffinity(PRIOR).fit(X, flipped, role=role)
        assert not apart.shared_
        assert apart.n_answers_.tolist() == [500, 500]
        assert abs(apart.coef_[0] - apart.coef_[1]).max() > 0.5
        alone = PairAffinity(PRIOR).fit(X[:500], y[:500])
        assert apart.coef_[0] == pytest.approx(alone.coef_[0], abs=1e-9)
        assert apart.neutral_[0] == pytest.approx(alone.neutral_[0], abs=1e-12)

    def test_one_answer_fewer_and_both_share(self):
        X, y, _, _ = answers(999, seed=7)
        model = PairAffinity(PRIOR).fit(X, y, role=np.repeat([0, 1], [500, 499]))
        assert model.shared_
        assert model.coef_[0].tolist() == model.coef_[1].tolist()
        assert model.neutral_[0].tolist() == model.neutral_[1].tolist()

    def test_a_facet_that_is_no_feature_for_a_role_stays_at_the_prior_there(self):
        X, y, _, role = answers(3000, seed=8)
        X[role == 1, 0], X[role == 1, D] = np.nan, 0.0
        model = PairAffinity(PRIOR).fit(X, y, role=role)
        assert model.coef_[1, 0] == PRIOR[0]
        assert model.neutral_[1, 0] == NEUTRAL
        assert model.coef_[0, 0] != PRIOR[0]

    def test_a_supporters_answer_counts_as_much_as_a_seekers(self):
        role = np.array([0, 0, 1, 1])
        weights = answer_weights(np.array([2.0, 6.0, 1.0, 1.0]), role, 10.0)
        assert weights.tolist() == [0.5, 1.5, 1.0, 1.0]


class TestNeutral:
    def test_is_the_mean_of_what_is_known_and_25_percent_where_nothing_is(self):
        X = np.array([[0.2, np.nan, 1.0, 1, 1, 1], [0.6, np.nan, np.nan, 1, 1, 1]])
        assert PairAffinity(PRIOR).fit(X, [1, 0]).neutral_[0] == pytest.approx([0.4, NEUTRAL, 1.0])

    def test_importance_still_multiplies_an_unknown(self):
        model = PairAffinity(PRIOR).prior()
        logits = model.decision_function([[np.nan] * D + [0.5] * D, [np.nan] * D + [1.0] * D])
        assert logits == pytest.approx([BASE_LOGIT + 0.125 * sum(PRIOR), BASE_LOGIT + 0.25 * sum(PRIOR)])


class TestDegenerate:
    @pytest.mark.parametrize("label", [0, 1])
    def test_all_alike_answers_give_finite_weights(self, label):
        X, _, _, role = answers(2000, seed=9)
        model = PairAffinity(PRIOR).fit(X, np.full(2000, label), role=role)
        assert np.isfinite(model.coef_).all()
        assert (model.coef_ >= 0).all()
        assert (model.predict(X, role) == label).all()

    def test_one_user_moves_it_within_bounds(self):
        X, _, _, _ = answers(5, seed=10)
        model = PairAffinity(PRIOR).fit(X, np.ones(5))
        assert (np.abs(model.coef_[0] - PRIOR) < 2).all()
        assert BASE_LOGIT < model.intercept_[0] < 2

    def test_a_propensity_of_0_counts_as_the_clip(self):
        X, y, weight, _ = answers(200, seed=11)
        infinite, clipped = weight.copy(), weight.copy()
        infinite[:20], clipped[:20] = np.inf, 10.0
        assert bits(PairAffinity(PRIOR).fit(X, y, sample_weight=infinite)) == bits(
            PairAffinity(PRIOR).fit(X, y, sample_weight=clipped)
        )

    def test_weights_that_are_all_0_teach_nothing_but_neutral_values(self):
        X, y, _, _ = answers(50, seed=12)
        model = PairAffinity(PRIOR).fit(X, y, sample_weight=np.zeros(50))
        assert model.coef_[0] == pytest.approx(PRIOR, abs=1e-9)

    def test_the_scale_of_the_weights_does_not_matter(self):
        X, y, weight, _ = answers(300, seed=13)
        one = PairAffinity(PRIOR, clip=1e9).fit(X, y, sample_weight=weight)
        other = PairAffinity(PRIOR, clip=1e9).fit(X, y, sample_weight=weight * 1000)
        assert one.coef_ == pytest.approx(other.coef_, abs=1e-9)


@st.composite
def small_sets(draw):
    n = draw(st.integers(1, 12))
    level = st.sampled_from([0.0, -0.0, 0.25, 0.5, 1.0, float("nan")])
    rows = [
        [draw(level) for _ in range(2)] + [draw(st.sampled_from([0.0, 0.5, 1.0])) for _ in range(2)] for _ in range(n)
    ]
    codes = st.lists(st.integers(0, 1), min_size=n, max_size=n)
    weights = draw(st.lists(st.sampled_from([0.0, 1.0, 3.7, 10.0, 1e30]), min_size=n, max_size=n))
    return np.array(rows), np.array(draw(codes)), np.array(weights), np.array(draw(codes))


class TestProperties:
    @given(small_sets(), st.integers(0, 3), st.randoms(use_true_random=False))
    def test_weights_are_never_negative_and_any_order_gives_the_same_bytes(self, given_set, min_answers, random):
        X, y, weight, role = given_set
        model = PairAffinity((1.0, 0.0), min_answers=min_answers).fit(X, y, sample_weight=weight, role=role)
        assert (model.coef_ >= 0).all()
        assert np.isfinite(model.coef_).all()
        order = list(range(len(y)))
        random.shuffle(order)
        again = PairAffinity((1.0, 0.0), min_answers=min_answers)
        again.fit(X[order], y[order], sample_weight=weight[order], role=role[order])
        assert bits(again) == bits(model)

    def test_any_order_of_many_answers_gives_the_same_bytes(self):
        X, y, weight, role = answers(5000, seed=14)
        expected = bits(PairAffinity(PRIOR).fit(X, y, sample_weight=weight, role=role))
        for seed in range(3):
            order = np.random.default_rng(seed).permutation(5000)
            model = PairAffinity(PRIOR).fit(X[order], y[order], sample_weight=weight[order], role=role[order])
            assert bits(model) == expected

    def test_an_answer_given_twice_counts_as_one_of_twice_the_weight(self):
        X, y, _, _ = answers(200, seed=15)
        twice = PairAffinity(PRIOR, l2=2.0, intercept_l2=0.5).fit(np.vstack([X, X]), np.hstack([y, y]))
        once = PairAffinity(PRIOR, l2=1.0, intercept_l2=0.25).fit(X, y)
        assert twice.coef_ == pytest.approx(once.coef_, abs=1e-9)


class TestManners:
    def test_init_only_stores(self):
        prior = object()
        model = PairAffinity(prior, l2="x", clip=None)
        assert model.get_params() == {
            "prior_weights": prior, "l2": "x", "intercept_l2": 0.25, "min_answers": 500, "clip": None,
        }  # fmt: skip

    def test_clone_takes_parameters_and_nothing_learned(self):
        X, y, _, _ = answers(100)
        model = PairAffinity(PRIOR, l2=3.0).fit(X, y)
        copy = clone(model)
        assert copy.get_params() == model.get_params()
        assert not hasattr(copy, "coef_")

    def test_unfitted_says_so(self):
        with pytest.raises(NotFittedError):
            PairAffinity(PRIOR).decision_function(np.zeros((1, 2 * D)))

    def test_probabilities_classes_and_score(self):
        X, y, _, role = answers(2000, seed=16)
        model = PairAffinity(PRIOR).fit(X, y, role=role)
        both = model.predict_proba(X, role)
        assert both.sum(axis=1) == pytest.approx(np.ones(2000), abs=1e-15)
        assert both[:, 1] == pytest.approx(expit(model.decision_function(X, role)), abs=1e-15)
        assert model.classes_.tolist() == [0, 1]
        assert model.score(X, y) > max(y.mean(), 1 - y.mean()) - 0.02

    def test_extreme_logits_do_not_overflow(self):
        model = PairAffinity((1e6,)).prior()
        assert model.predict_proba([[1.0, 1.0]])[0].tolist() == [0.0, 1.0]

    def test_a_refused_fit_leaves_the_model_as_it_was(self):
        X, y, _, _ = answers(100)
        model = PairAffinity(PRIOR).fit(X, y)
        before = bits(model)
        with pytest.raises(ModelError):
            model.fit(X, y + 1)
        assert bits(model) == before

    def test_does_not_change_what_it_is_given(self):
        X, y, weight, role = answers(100)
        kept = [part.copy() for part in (X, y, weight, role)]
        PairAffinity(PRIOR).fit(X, y, sample_weight=weight, role=role)
        for before, after in zip(kept, (X, y, weight, role), strict=True):
            assert np.array_equal(before, after, equal_nan=before.dtype.kind == "f")


def spoiled(what):
    X, y, weight, role = answers(4, unknown=0.0)
    given = {"X": X, "y": y.astype(float), "sample_weight": weight, "role": role.astype(float)}
    what(given)
    return given


class TestRefusals:
    @pytest.mark.parametrize(
        ("spoil", "words"),
        [
            (lambda g: g.update(X=g["X"][:, :-1]), "X: found shape (4, 5); expected (n, 6)"),
            (lambda g: g.update(X=g["X"][0]), "X: found shape (6,)"),
            (lambda g: g.update(X=[["a"] * 6] * 4), "X: found values that are no numbers"),
            (lambda g: g["X"].__setitem__((2, 1), np.inf), "X[2, 1]: found satisfy inf; expected 0 to 1"),
            (lambda g: g["X"].__setitem__((2, 1), -0.1), "X[2, 1]: found satisfy -0.1"),
            (lambda g: g["X"].__setitem__((2, 1), 1.1), "X[2, 1]: found satisfy 1.1"),
            (lambda g: g["X"].__setitem__((3, 4), np.nan), "X[3, 4]: found importance/2 nan; expected 0, 0.5 or 1"),
            (lambda g: g["X"].__setitem__((3, 4), 1.5), "X[3, 4]: found importance/2 1.5"),
            (lambda g: g["y"].__setitem__(0, 2), "y: found 2.0; expected 0 or 1"),
            (lambda g: g["y"].__setitem__(0, np.nan), "y: found nan"),
            (lambda g: g.update(y=g["y"][:3]), "y: found shape (3,); expected (4,)"),
            (lambda g: g["role"].__setitem__(0, 2), "role: found 2.0"),
            (lambda g: g.update(role=g["role"][:3]), "role: found shape (3,)"),
            (lambda g: g["sample_weight"].__setitem__(0, np.nan), "sample_weight: found nan"),
            (lambda g: g["sample_weight"].__setitem__(0, -1), "sample_weight: found -1.0"),
            (lambda g: g.update(sample_weight=[1.0]), "sample_weight: found shape (1,)"),
        ],
    )
    def test_what_is_wrong_is_named(self, spoil, words):
        given = spoiled(spoil)
        with pytest.raises(ModelError) as caught:
            PairAffinity(PRIOR).fit(given["X"], given["y"], sample_weight=given["sample_weight"], role=given["role"])
        assert words in caught.value.message

    def test_nothing_spoiled_is_accepted(self):
        given = spoiled(lambda g: None)
        PairAffinity(PRIOR).fit(given["X"], given["y"], sample_weight=given["sample_weight"], role=given["role"])

    @pytest.mark.parametrize(
        ("parameters", "words"),
        [
            ({"prior_weights": (1.0, float("nan"))}, "prior_weights"),
            ({"prior_weights": (-1.0,)}, "prior_weights"),
            ({"prior_weights": ((1.0,),)}, "prior_weights"),
            ({"l2": 0.0}, "l2"),
            ({"l2": float("inf")}, "l2"),
            ({"intercept_l2": -1.0}, "intercept_l2"),
            ({"clip": 0.5}, "clip: found 0.5; expected a finite number ≥ 1"),
        ],
    )
    def test_parameters_are_checked_when_fitting(self, parameters, words):
        with pytest.raises(ModelError, match=words):
            PairAffinity(**{"prior_weights": (1.0,), **parameters}).prior()

    def test_rounding_just_outside_is_taken(self):
        model = PairAffinity((1.0,)).prior()
        assert model.decision_function([[1 + 1e-12, 1.0]]) == model.decision_function([[1.0, 1.0]])


def test_all_combinations_of_known_and_unknown_score_as_written():
    model = PairAffinity((2.0, 1.0)).fit([[0.3, 0.7, 1.0, 0.5], [0.9, 0.1, 0.5, 0.5]], [1, 0])
    for first, second in itertools.product([0.0, 1.0, np.nan], repeat=2):
        values = [model.neutral_[0, k] if np.isnan(v) else v for k, v in enumerate((first, second))]
        expected = model.intercept_[0] + model.coef_[0, 0] * values[0] + model.coef_[0, 1] * 0.5 * values[1]
        assert model.decision_function([[first, second, 1.0, 0.5]])[0] == pytest.approx(expected, abs=1e-12)
