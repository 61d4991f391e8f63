"""The private fit: nobody changes it by more than is accounted for, and it learns all the same."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from matcher.errors import ModelError, PeermatchError
from matcher.model import private
from matcher.model.accounting import Noise, epsilon
from matcher.model.affinity import NEUTRAL, PairAffinity
from matcher.model.features import Pairs
from matcher.model.private import CLIP, Members, cut, fit_private, system_generator
from tests.conftest import examples

PRIOR = (2.0,) * 8


def world(users=1000, each=5, seed=0, d=8, roles=1, beta=None, unknown=0.15) -> Pairs:
    """Return answers of members who want different things; truth is linear."""
    rng = np.random.default_rng(seed)
    beta = np.random.default_rng(99 + seed).uniform(0, 6, d) if beta is None else beta
    n = users * each
    satisfy, importance = rng.beta(1, 2, (n, d)), rng.choice([0.5, 0.5, 1.0, 0.0], (n, d))
    role = rng.integers(0, roles, n)
    y = (rng.random(n) < 1 / (1 + np.exp(3 - (importance * satisfy) @ beta))).astype(np.intp)
    X = np.hstack([np.where(rng.random((n, d)) < unknown, np.nan, satisfy), importance])
    who, other = np.repeat(np.arange(users), each), rng.integers(0, users, n) + users
    asker, asked = np.where(role == 0, who, other), np.where(role == 0, other, who)
    people = tuple(f"m-{number:05}" for number in range(2 * users))
    return Pairs(X, y, np.ones(n), role.astype(np.intp), asker, asked, people, {})


def fitted(pairs, users=1000, seed=1, eps=1.0):
    return fit_private(pairs, PairAffinity(PRIOR), users, eps, np.random.default_rng(seed))


def auc(model, pairs):
    return roc_auc_score(pairs.y, model.decision_function(pairs.X, pairs.role))


class TestWhatItLearns:
    def test_at_epsilon_one_it_is_nearly_as_good_as_without_noise(self):
        away, gained = [], []
        for seed in range(6):
            beta = np.random.default_rng(99 + seed).uniform(0, 6, 8)
            train, test = world(seed=seed, beta=beta), world(users=2000, seed=1000 + seed, beta=beta)
            plain = PairAffinity(PRIOR).fit(train.X, train.y, sample_weight=train.weight, role=train.role)
            found = fitted(train, seed=seed).affinity
            away.append(auc(plain, test) - auc(found, test))
            gained.append(auc(found, test) - auc(PairAffinity(PRIOR).prior(), test))
        assert np.mean(away) <= 0.01
        assert np.mean(gained) > 0.01

    def test_with_hardly_any_noise_it_is_the_mean_gradients_own_minimum(self, monkeypatch):
        """Oracle: scipy's minimum of the same loss, of members who count alike."""
        from scipy.optimize import minimize

        pairs = world(users=700, seed=3, unknown=0.0)
        monkeypatch.setattr(private, "multiplier", lambda _: 1e-4)
        found = fitted(pairs, users=700).affinity
        d = 8
        x = np.hstack([np.ones((len(pairs), 1)), pairs.X[:, d:] * pairs.X[:, :d]])
        share = 1 / np.bincount(pairs.asker)[pairs.asker]
        centre = np.concatenate([[np.log(0.05 / 0.95)], PRIOR])

        def loss(theta):
            missed = np.logaddexp(0, np.where(pairs.y == 1, -1, 1) * (x @ theta))
            return share @ missed + 0.5 * ((theta - centre) ** 2).sum()

        exact = minimize(loss, centre, bounds=[(None, None)] + [(0, None)] * d).x
        told = np.concatenate([[found.intercept_[0]], found.coef_[0]])
        assert loss(told) - loss(exact) < 0.002 * (loss(centre) - loss(exact)), "but for what was cut"
        assert np.allclose(told, exact, atol=0.35)

    def test_roles_are_learned_apart_where_enough_answered(self):
        assert fitted(world(users=1200, roles=2), users=1200).affinity.shared_ is False
        few = fitted(world(users=300, roles=2), users=300).affinity
        assert few.shared_ is True
        assert np.array_equal(few.coef_[0], few.coef_[1])

    def test_neutral_values_are_near_the_means_of_members(self):
        pairs = world(users=2000)
        mean = np.nanmean(pairs.X[:, :8], axis=0)
        assert np.allclose(fitted(pairs, users=2000).affinity.neutral_[0], mean, atol=0.1)
        assert np.allclose(fitted(world(users=20), users=20).affinity.neutral_, NEUTRAL, atol=0.35)

    def test_without_answers_it_stays_near_the_prior(self):
        nobody = world(users=10).take(np.zeros(50, dtype=np.bool_))
        found = fitted(nobody, users=2000).affinity
        assert np.allclose(found.coef_, PRIOR, atol=0.5)


EPSILONS = st.sampled_from([0.05, 1.0, 8.0])


@given(seed=st.integers(0, 10**6), users=st.integers(1, 60), each=st.integers(1, 8), eps=EPSILONS)
@settings(max_examples=examples(15, 300))
def test_no_weight_is_below_nothing_and_all_are_finite(seed, users, each, eps):
    pairs = world(users, each, seed, d=8, roles=2)
    found = fit_private(pairs, PairAffinity(PRIOR), users, eps, np.random.default_rng(seed)).affinity
    assert (found.coef_ >= 0).all()
    assert np.isfinite(found.coef_).all()
    assert np.isfinite(found.intercept_).all()
    assert ((found.neutral_ >= 0) & (found.neutral_ <= 1)).all()


class TestPrivacy:
    """The sums that get noise: one member changes each by no more than the length to which members are cut."""

    @given(seed=st.integers(0, 10**6), who=st.integers(0, 29), wild=st.floats(0.1, 1e6))
    @settings(max_examples=examples(30, 500))
    def test_one_members_answers_change_a_sum_by_at_most_the_cut(self, seed, who, wild):
        rng = np.random.default_rng(seed)
        vectors = rng.normal(size=(30, 2, 9))
        vectors[who] *= wild
        without = vectors.copy()
        without[who] = 0.0
        change = cut(vectors, CLIP).sum(axis=0) - cut(without, CLIP).sum(axis=0)
        assert np.linalg.norm(change) <= CLIP * (1 + 1e-9)
        assert np.allclose(cut(cut(vectors, CLIP), CLIP), cut(vectors, CLIP))

    def test_without_the_cut_one_member_changes_more(self):
        """Positive control."""
        vectors = np.ones((3, 2, 9))
        assert np.linalg.norm(vectors.sum(axis=0) - vectors[1:].sum(axis=0)) > CLIP

    @given(seed=st.integers(0, 10**6), users=st.integers(1, 20), each=st.integers(1, 12), d=st.integers(1, 16))
    @settings(max_examples=examples(30, 500))
    def test_what_is_counted_first_is_within_its_length_uncut(self, seed, users, each, d):
        pairs = world(users, each, seed, d=d, roles=2, beta=np.ones(d))
        members = Members.of(pairs, 10.0)
        told = members.means(np.ones((len(pairs), 2 + 2 * d)))
        lengths = np.sqrt((told.reshape(members.count, -1) ** 2).sum(axis=1))
        assert (lengths <= (2 + 2 * d) ** 0.5 * (1 + 1e-12)).all()

    def test_nobody_elses_answers_change_what_one_member_gives(self):
        pairs = world(users=30, roles=2)
        members = Members.of(pairs, 10.0)
        values = np.nan_to_num(members.satisfy)
        alone = np.where(pairs.role == 0, pairs.asker, pairs.asked) == 7
        one = Members.of(pairs.take(alone), 10.0)
        assert np.allclose(members.means(values)[7], one.means(np.nan_to_num(one.satisfy))[0])

    def test_all_the_noise_is_what_was_asked_for(self, monkeypatch):
        added = []
        real = private._noisy_sum

        def listening(vectors, length, noise, random):
            added.append(Noise(noise))
            return real(vectors, length, noise, random)

        monkeypatch.setattr(private, "_noisy_sum", listening)
        found = fitted(world(users=200), users=200)
        assert len(added) == private.STEPS + 1
        assert epsilon(added) == pytest.approx(epsilon([found.noise]), rel=1e-6)
        assert epsilon(added) <= 1.0

    def test_the_noise_is_as_large_as_it_says(self):
        nothing = np.zeros((1, 2, 9))
        rng = np.random.default_rng(5)
        drawn = np.stack([private._noisy_sum(nothing, CLIP, 7.0, rng) for _ in range(2000)])
        assert drawn.std() == pytest.approx(7.0 * CLIP, rel=0.02)

    def test_two_fits_of_the_same_answers_differ(self):
        pairs = world(users=60)
        one, other = (fit_private(pairs, PairAffinity(PRIOR), 60, 1.0).affinity.coef_ for _ in range(2))
        assert not np.allclose(one, other)

    def test_the_generator_is_the_systems(self):
        one, other = (system_generator().integers(0, 2**63) for _ in range(2))
        assert one != other


class TestCap:
    def test_of_one_who_answered_often_so_many_are_looked_at(self):
        pairs = world(users=3, each=2 * private.CAP)
        kept = Members.of(pairs, 10.0).capped(np.random.default_rng(0))
        assert np.bincount(kept.member).tolist() == [private.CAP] * 3
        rare = Members.of(world(users=3, each=4), 10.0)
        assert np.array_equal(rare.capped(np.random.default_rng(0)).y, rare.y)


class TestRefused:
    def test_fewer_users_than_answered(self):
        with pytest.raises(ModelError, match="found 5, fewer than the 30 who answered"):
            fitted(world(users=30), users=5)

    def test_no_epsilon(self):
        with pytest.raises(PeermatchError, match="expected a number above 0"):
            fitted(world(users=30), users=30, eps=0.0)
