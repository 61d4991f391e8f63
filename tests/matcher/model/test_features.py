"""What an answered pair looked like to the one who answered, and whose answers may be learned from."""

from __future__ import annotations

import numpy as np
import pytest

from matcher.consent import consented
from matcher.model import features
from matcher.model.answers import Answer, answers
from matcher.model.encoder import ProfileEncoder
from matcher.model.features import pair_features
from tests.matcher.model.village import AT, VILLAGE, history, members, people, record

SEEKER = {"hobbies": ["chess", "music"], "region": "north", "journey": "new", "experiences": []}
SUPPORTER = {"hobbies": ["chess"], "region": "south", "journey": "settling"}


def pairs_of(records, given, of=VILLAGE):
    profiles = [consented(member, of, AT) for member in members(records, of)]
    encoder = ProfileEncoder(of).fit(profiles)
    return pair_features(of, encoder, profiles, given, AT)


def one(seeker, supporter, role):
    """Return the row of X of one answer."""
    records = [
        {**record("see-1", **SEEKER), **seeker},
        {**record("sup-1", roles=("supporter",), **SUPPORTER), **supporter},
    ]
    return pairs_of(records, [Answer("see-1", "sup-1", role, 1, 1.0)]).X[0]


class TestOneAnswer:
    def test_the_seekers_answer_looks_at_the_supporter(self):
        assert VILLAGE.features == ("hobbies", "region", "journey", "experiences")
        expected = [0.5, 0.0, 1.0, np.nan, 0.5, 0.5, 0.5, 0.5]
        assert one({}, {}, 0) == pytest.approx(expected, nan_ok=True)

    def test_the_supporters_answer_looks_at_the_seeker(self):
        # All the supporter's hobbies are the seeker's; being ahead says nothing about the seeker.
        expected = [1.0, 0.0, np.nan, np.nan, 0.5, 0.5, 0.0, 0.5]
        assert one({}, {}, 1) == pytest.approx(expected, nan_ok=True)

    def test_each_side_has_its_own_importance_and_a_must_counts_as_important(self):
        seeker = {"wants": {"region": {"importance": 3, "prefer": ["south"]}, "hobbies": {"importance": 0}}}
        supporter = {"wants": {"region": {"importance": 2, "prefer": ["west"]}}}
        forward, backward = one(seeker, supporter, 0), one(seeker, supporter, 1)
        assert (forward[1], forward[5], forward[4]) == (1.0, 1.0, 0.0)
        assert (backward[1], backward[5], backward[4]) == (0.0, 1.0, 0.5)


class TestWhoIsLearnedFrom:
    @pytest.mark.parametrize("who", ["see-1", "sup-1"])
    def test_neither_side_without_train_model(self, who):
        records = [
            record(name, train=name != who, roles=(role,))
            for name, role in (("see-1", "seeker"), ("sup-1", "supporter"))
        ]
        found = pairs_of(records, [Answer("see-1", "sup-1", role, 1, 1.0) for role in (0, 1)])
        assert len(found) == 0
        assert found.dropped == {"no_train_consent": 2}
        assert found.people == ()
        assert found.X.shape == (0, 8)

    def test_not_whom_nobody_knows(self):
        found = pairs_of([record("see-1")], [Answer("see-1", "gone", 0, 1, 1.0), Answer("gone", "see-1", 0, 1, 1.0)])
        assert found.dropped == {"unknown_member": 2}

    @pytest.mark.parametrize(("side", "purpose"), [("see-1", "match_serve"), ("sup-1", "be_shown_as_peer")])
    def test_not_whose_view_is_no_longer_allowed(self, side, purpose):
        records = [record("see-1"), record("sup-1", roles=("supporter",))]
        for each in records:
            if each["member_id"] == side:
                each["consents"] = [event for event in each["consents"] if event["purpose"] != purpose]
        assert pairs_of(records, [Answer("see-1", "sup-1", 0, 1, 1.0)]).dropped == {"no_train_consent": 1}

    def test_nothing_that_train_model_does_not_cover(self):
        records = [record("see-1", **SEEKER), record("sup-1", roles=("supporter",), **SUPPORTER)]
        records[0]["consents"][2]["categories"] = ["hobbies"]
        found = pairs_of(records, [Answer("see-1", "sup-1", 0, 1, 1.0)]).X[0]
        assert np.isnan(found[:4]).tolist() == [False, True, True, True]

    def test_flipping_what_is_not_covered_changes_nothing(self):
        rows = []
        for region in ("north", "south"):
            records = [
                record("see-1", **{**SEEKER, "region": region}),
                record("sup-1", roles=("supporter",), **SUPPORTER),
            ]
            records[0]["consents"][2]["categories"] = ["hobbies", "journey", "experiences"]
            rows.append(pairs_of(records, [Answer("see-1", "sup-1", role, 1, 1.0) for role in (0, 1)]).X.tobytes())
        assert rows[0] == rows[1]


class TestMany:
    def test_equals_one_by_one_in_any_order_and_any_batch(self, monkeypatch):
        records = people(30, 30, seed=3, train=0.8)
        given = answers(history(records, seed=3), VILLAGE, AT)
        found = pairs_of(records, given)
        assert len(found) > 50
        shuffled = [given.rows[place] for place in np.random.default_rng(0).permutation(len(given))]
        monkeypatch.setattr(features, "BATCH", 7)
        again = pairs_of(records, shuffled)
        for name in ("X", "y", "weight", "role", "asker", "asked"):
            assert np.array_equal(getattr(found, name), getattr(again, name), equal_nan=name == "X"), name
        assert (found.people, found.dropped) == (again.people, again.dropped)
        for row in range(0, len(found), 17):
            pair = found.people[found.asker[row]], found.people[found.asked[row]]
            alone = pairs_of(records, [Answer(*pair, int(found.role[row]), int(found.y[row]), 1.0)])
            assert np.array_equal(alone.X[0], found.X[row], equal_nan=True)

    def test_take_keeps_everything_of_some_rows(self):
        found = pairs_of(records := people(10, 10), answers(history(records), VILLAGE, AT))
        some = found.take(found.y == 1)
        assert len(some) == found.y.sum()
        assert (some.y == 1).all()
        assert some.people == found.people
