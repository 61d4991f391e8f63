"""From feedback to pairs: labels as in training, both views, and when each answer was known."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from matcher.audit.candidates import UNKNOWN, Candidates, candidates
from matcher.consent import consented
from matcher.errors import ModelError
from matcher.model.answers import answers
from matcher.model.encoder import ProfileEncoder
from matcher.model.features import pair_features
from tests.matcher.audit.town import pairs_between
from tests.matcher.model.village import AT, VILLAGE, event, history, members, people


def of(records, events, at=AT):
    profiles = [consented(member, VILLAGE, at) for member in members(records)]
    encoder = ProfileEncoder(VILLAGE).fit(profiles)
    return candidates(VILLAGE, encoder, profiles, events, at), encoder, profiles


@pytest.fixture(scope="module")
def village():
    records = people(30, 30, seed=2, train=0.9)
    return records, history(records, seed=2)


def days(pairs):
    """Return when each answer was known, in days before `AT`."""
    return ((AT.timestamp() - pairs.known) / 86_400).tolist()


class TestCandidates:
    def test_labels_weights_and_features_are_those_of_training(self, village):
        found, encoder, profiles = of(*village)
        trained = pair_features(VILLAGE, encoder, profiles, answers(village[1], VILLAGE, AT), AT)
        told = found.y != UNKNOWN
        row, role = np.nonzero(told)
        assert len(trained) == told.sum() > 100
        assert [found.people[place] for place in found.asker[row]] == [trained.people[p] for p in trained.asker]
        assert [found.people[place] for place in found.asked[row]] == [trained.people[p] for p in trained.asked]
        assert role.tolist() == trained.role.tolist()
        assert found.y[told].tolist() == trained.y.tolist()
        assert found.weight[told].tolist() == trained.weight.tolist()
        np.testing.assert_array_equal(found.X[told], trained.X)

    def test_the_other_side_has_features_though_it_never_answered(self, village):
        found, _, _ = of(*village)
        silent = found.y[:, 1] == UNKNOWN
        assert silent.any()
        assert (~np.isnan(found.X[silent, 1, :4])).any()
        assert not np.array_equal(found.X[:, 0], found.X[:, 1], equal_nan=True)

    def test_those_who_do_not_let_a_model_learn_are_left_out_and_counted(self, village):
        found, _, _ = of(*village)
        unwilling = {record["member_id"] for record in village[0] if len(record["consents"]) < 3}
        assert unwilling
        assert not unwilling & set(found.people)
        assert found.dropped["no_train_consent"] > 0

    def test_any_order_of_events_gives_the_same(self, village):
        records, events = village
        mixed = [events[place] for place in np.random.default_rng(0).permutation(len(events))]
        one, other = of(records, events)[0], of(records, mixed)[0]
        for name in ("X", "y", "weight", "known", "first", "asker", "asked"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))

    def test_an_answer_is_known_from_its_last_decision(self):
        records = people(1, 1, seed=0)
        pair = records[0]["member_id"], records[1]["member_id"]
        events = [
            event(*pair, "shown", 50, rank=1),
            event(*pair, "accepted", 49),
            event(*pair, "declined", 40),
            event(*pair, "accepted", 30),
            event(*pair, "accepted", 20, by="candidate"),
        ]
        found, _, _ = of(records, events)
        assert found.y.tolist() == [[1, 1]]
        assert days(found) == [[30.0, 20.0]]
        assert found.first.tolist() == [(AT - timedelta(days=50)).timestamp()]

    def test_a_look_that_came_to_nothing_is_known_when_the_patience_is_over(self):
        records = people(1, 1, seed=0)
        pair = records[0]["member_id"], records[1]["member_id"]
        last = VILLAGE.censor_days + 3
        events = [
            event(*pair, "shown", last + 9, rank=1),
            event(*pair, "shown", last, rank=1),
            event(*pair, "viewed", last),
        ]
        found, _, _ = of(records, events)
        assert found.y.tolist() == [[0, UNKNOWN]]
        assert days(found) == [[3.0, -np.inf]]

    def test_what_happened_later_is_not_there(self, village):
        records, events = village
        later = [replace(each, at=each.at + timedelta(days=400)) for each in events]
        assert len(of(records, later)[0]) == 0
        one, other = of(records, events)[0], of(records, [*events, *later])[0]
        for name in ("y", "weight", "known", "first"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))

    def test_an_answer_that_nobody_gave_is_never_known(self):
        """Shown, not looked at, and yet the other side said no: an end of patience that ends nothing."""
        records = people(1, 1, seed=0)
        pair = records[0]["member_id"], records[1]["member_id"]
        events = [event(*pair, "shown", 90, rank=1), event(*pair, "declined", 20, by="candidate")]
        found, _, _ = of(records, events)
        assert found.y.tolist() == [[UNKNOWN, 0]]
        assert days(found) == [[-np.inf, 20.0]]


class TestMutual:
    def test_is_yes_of_both_and_no_of_one(self):
        y = np.array([[1, 1], [1, 0], [0, 1], [0, UNKNOWN], [UNKNOWN, 0], [1, UNKNOWN], [UNKNOWN, 1]])
        assert pairs_between([0] * 7, range(1, 8), y=y).mutual.tolist() == [1, 0, 0, 0, 0, UNKNOWN, UNKNOWN]

    def test_is_taken_along(self):
        pairs = pairs_between([0, 1], [2, 3], y=np.array([[1, 1], [0, 1]]))
        assert pairs.take(np.array([False, True])).mutual.tolist() == [0]
        assert pairs.take(np.array([1, 0])).asker.tolist() == [1, 0]


class TestRefused:
    @pytest.mark.parametrize(
        ("name", "value", "words"),
        [
            ("y", np.zeros(2, dtype=int), r"y: found shape \(2,\)"),
            ("y", np.array([[2, 0], [0, 0]]), "y: found labels"),
            ("X", np.zeros((2, 4)), "X: found shape"),
            ("X", np.zeros((2, 2, 3)), "X: found shape"),
            ("known", np.zeros((1, 2)), "known: found shape"),
        ],
    )
    def test_arrays_that_do_not_fit(self, name, value, words):
        sound = pairs_between([0, 1], [2, 3])
        assert isinstance(sound, Candidates)
        with pytest.raises(ModelError, match=words):
            replace(sound, **{name: value})
