"""What the affinities are made of: by hand, with weights set by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from matcher.facade import Matcher
from matcher.model.affinity import PairAffinity, prior_weights
from matcher.model.artefact import Model
from matcher.model.encoder import ProfileEncoder
from matcher.people import Member
from tests.properties.pairs import AT, PROGRAMME, fitted, person, programme

PAIRS = programme()
FEATURES = ("experiences", "needs", "gender", "hobbies")
SEEKER = {"journey": "new", "needs": ["lumpectomy"]}


def sigmoid(logit):
    return 1 / (1 + math.exp(-logit))


def matcher(records, *, forward=(1, 2, 3, 4), backward=(5, 6, 7, 8), base=(-1.0, -2.0), neutral=0.25, of=PAIRS):
    """Return a matcher whose weights are these, in the order of FEATURES."""
    assert of.features == FEATURES
    affinity = PairAffinity(prior_weights(of)).prior()
    affinity.coef_ = np.array([forward, backward], dtype=float)
    affinity.intercept_ = np.array(base)
    affinity.neutral_ = np.full((2, 4), neutral)
    model = Model(of.id, ProfileEncoder(of).fit([]), affinity, "by hand", {})
    return Matcher.from_model(of, model, [Member.from_dict(record, of) for record in records], at=AT)


def score(a, b, **more):
    return matcher([a, b], **more).score("a", "b")


def test_by_hand():
    a = person("a", profile={**SEEKER, "hobbies": ["music", "chess"]}, wants={"gender": {"importance": 2}})
    b = person("b", profile={"gender": "woman", "hobbies": ["music"]}, wants={"hobbies": {"importance": 3}})
    found = score(a, b)
    # experiences are the same; b has been through what a needs, a not through what b needs
    assert found.contributions["forward"] == pytest.approx(
        {"base": -1, "experiences": 0.5, "needs": 1.0, "gender": 3, "hobbies": 4 / 2 / 2}, abs=1e-12
    )
    assert found.contributions["backward"] == pytest.approx(
        {"base": -2, "experiences": 2.5, "needs": 0, "gender": 3.5, "hobbies": 8}, abs=1e-12
    )
    assert found.forward == pytest.approx(sigmoid(4.5), abs=1e-12)
    assert found.backward == pytest.approx(sigmoid(12), abs=1e-12)
    assert found.reciprocal == pytest.approx(math.sqrt(sigmoid(4.5) * sigmoid(12)), abs=1e-12)
    assert found.gate is None


@pytest.mark.parametrize(("importance", "half"), [(0, 0), (1, 0.5), (2, 1), (3, 1)])
def test_importance_is_the_askers(importance, half):
    wants = {"gender": {"importance": importance}}
    found = score(person("a", profile=SEEKER, wants=wants), person("b"))
    assert found.contributions["forward"]["gender"] == 3 * half
    assert found.contributions["backward"]["gender"] == 3.5
    found = score(person("a", profile=SEEKER), person("b", wants=wants))
    assert found.contributions["forward"]["gender"] == 1.5
    assert found.contributions["backward"]["gender"] == 7 * half


@pytest.mark.parametrize("neutral", [0.0, 0.25, 1.0])
def test_what_is_unknown_counts_as_neutral_both_ways(neutral):
    for profile in ({"gender": None}, {"hobbies": None}):
        facet = next(iter(profile))
        at = FEATURES.index(facet)
        for a, b in (({**SEEKER, **profile}, {}), (SEEKER, profile)):
            found = score(person("a", profile=a), person("b", profile=b), neutral=neutral)
            assert found.contributions["forward"][facet] == pytest.approx((1, 2, 3, 4)[at] * neutral / 2)
            assert found.contributions["backward"][facet] == pytest.approx((5, 6, 7, 8)[at] * neutral / 2)


def test_unknown_is_not_none():
    empty = score(person("a", profile=SEEKER), person("b", profile={"hobbies": []}))
    assert empty.contributions["forward"]["hobbies"] == 0
    unknown = score(person("a", profile=SEEKER), person("b", profile={"hobbies": None}))
    assert unknown.contributions["forward"]["hobbies"] == 0.5


def test_nothing_known_of_anything():
    nothing = dict.fromkeys(FEATURES)
    found = score(person("a", profile={**SEEKER, **nothing}), person("b", profile=nothing))
    assert found.forward == pytest.approx(sigmoid(-1 + 10 * 0.25 / 2))
    assert found.backward == pytest.approx(sigmoid(-2 + 26 * 0.25 / 2))


def test_the_sum_of_parts_is_the_logit():
    for number in range(30):
        rng = np.random.default_rng(number)
        a = person("a", profile={**SEEKER, "hobbies": [["music"], [], None][number % 3]})
        b = person("b", profile={"gender": ["man", None][number % 2]}, wants={"gender": {"importance": number % 3}})
        found = score(a, b, forward=rng.uniform(0, 6, 4), backward=rng.uniform(0, 6, 4), base=rng.uniform(-4, 2, 2))
        for side in ("forward", "backward"):
            assert sigmoid(sum(found.contributions[side].values())) == pytest.approx(getattr(found, side), abs=1e-12)
            assert list(found.contributions[side]) == ["base", *FEATURES]
        assert 0 < found.reciprocal < 1
        low, high = sorted([found.forward, found.backward])
        assert low - 1e-12 <= found.reciprocal <= high + 1e-12


def test_the_list_has_the_scores_of_the_pairs():
    records = [person("a", profile=SEEKER)]
    for n, (gender, hobbies) in enumerate([("man", ["music"]), (None, []), ("woman", None), ("woman", ["chess"])]):
        records.append(person(f"b{n}", profile={"gender": gender, "hobbies": hobbies}))
    made = matcher(records)
    found = made.match("a")
    assert len(found) == 4
    for entry in found:
        assert entry.score == pytest.approx(made.score("a", entry.member_id).reciprocal, abs=1e-12)
    assert [entry.score for entry in found] == sorted((entry.score for entry in found), reverse=True)


def test_ahead_adds_nothing_backward():
    raw = {"kind": "ordinal", "levels": ["new", "treated", "after"], "direction": "ahead", "by": 1, "weight": 1.0}
    ahead = programme(facets={"journey": raw, "gender": PROGRAMME["facets"]["gender"]})
    found = fitted(ahead, [person("a", profile=SEEKER), person("b")]).score("a", "b")
    assert found.contributions["forward"]["journey"] > 0
    assert found.contributions["backward"].get("journey", 0.0) == 0.0


class TestInformative:
    """A list needs at least one thing known of both that is asked for."""

    NOTHING = dict.fromkeys(FEATURES)

    @pytest.mark.parametrize(
        ("mine", "theirs", "wants", "expected"),
        [
            ({}, {}, {}, False),
            ({"gender": "woman"}, {}, {}, False),
            ({}, {"gender": "woman"}, {}, False),
            ({"gender": "woman"}, {"gender": "man"}, {}, True),  # known, if not liked
            ({"hobbies": ["music"]}, {"hobbies": []}, {}, False),
            ({"hobbies": []}, {"hobbies": ["music"]}, {}, False),
            ({"hobbies": ["music"]}, {"hobbies": ["chess"]}, {}, True),
            ({}, {"gender": "man"}, {"gender": {"prefer": ["woman"]}}, True),
            ({}, {"gender": "man"}, {"gender": {"prefer": ["woman"], "importance": 0}}, False),
            ({"needs": ["driving"]}, {"experiences": ["fatigue"]}, {}, True),
            ({"experiences": ["driving"]}, {"needs": ["fatigue"]}, {}, True),
            ({"needs": ["driving"]}, {"needs": ["driving"]}, {}, False),
            ({"needs": []}, {"experiences": ["fatigue"]}, {}, False),
            ({"mood": "low"}, {"mood": "low"}, {}, False),  # no feature
        ],
    )
    def test_both_ways(self, mine, theirs, wants, expected):
        plain = programme(shortlist={"quality_floor": 0.0})
        one = {**self.NOTHING, "boundaries": None, **mine}
        other = {**self.NOTHING, "boundaries": None, **theirs}
        for a, b, my, your in ((one, other, wants, {}), (other, one, {}, wants)):
            records = [person("a", profile={"journey": "new", **a}, wants=my), person("b", profile=b, wants=your)]
            found = fitted(plain, records).match("a")
            assert (found.outcome, found.reason) == (("matched", None) if expected else ("no_match", "low_information"))
            assert found.eligible == 1

    def test_importance_0_of_both_asks_for_nothing(self):
        careless = {"gender": {"importance": 0}}
        profile = {**self.NOTHING, "gender": "woman"}
        for mine, theirs, expected in (
            (careless, careless, "no_match"),
            (careless, {}, "matched"),
            ({}, careless, "matched"),
        ):
            records = [
                person("a", profile={**profile, "journey": "new"}, wants=mine),
                person("b", profile=profile, wants=theirs),
            ]
            assert fitted(PAIRS, records).match("a").outcome == expected

    def test_an_age_tells_nothing(self):
        age = {"kind": "ordinal", "source": "age_band", "weight": 1.0}
        aged = programme(facets={"age": age})
        records = [person("a", profile={**self.NOTHING, "journey": "new"}), person("b", profile=self.NOTHING)]
        found = fitted(aged, records)
        assert found.match("a").reason == "low_information"
        assert found.score("a", "b").contributions["forward"]["age"] > 0


def test_more_is_asked_for_by_who_said_nothing():
    mood = {"kind": "ordinal", "levels": ["low", "middle", "high"], "direction": "more", "weight": 1.0}
    more = programme(facets={"mood": mood})
    nothing = {**dict.fromkeys(FEATURES), "mood": None}
    records = [person("a", profile={**nothing, "journey": "new"}), person("b", profile={**nothing, "mood": "high"})]
    assert fitted(more, records).match("a").outcome == "matched"


def test_extreme_weights_stay_probabilities():
    found = score(person("a", profile=SEEKER), person("b"), base=(-40.0, 40.0), forward=(0, 0, 0, 0))
    assert 0 < found.forward < 1e-17
    assert 0 < found.reciprocal < 1e-8
