"""The order of a list, its length, and why there is none."""

from __future__ import annotations

import hashlib
import math
import random

import numpy as np
import pytest

from matcher.facade import Matcher
from matcher.matching.shortlist import Entry, Shortlist, strength
from matcher.model.affinity import PairAffinity, prior_weights
from matcher.model.artefact import Model
from matcher.model.encoder import ProfileEncoder
from matcher.people import Member
from tests.properties.pairs import AT, fitted, ids, person, programme

PAIRS = programme()
SEEKER = person("a", profile={"journey": "new", "needs": ["lumpectomy"]})
FEATURES = PAIRS.features


def crowd(count, **changes):
    return [person(f"b{n:02d}", **changes) for n in range(count)]


def matcher(records, *, of=PAIRS, state=0, **weights):
    """Return a matcher with a weight for each named feature, the same both ways, and none for others."""
    affinity = PairAffinity(prior_weights(of)).prior()
    affinity.intercept_ = np.array([weights.pop("base", 0.0)] * 2)
    affinity.coef_ = np.array([[weights.get(name, 0.0) for name in FEATURES]] * 2)
    model = Model(of.id, ProfileEncoder(of).fit([]), affinity, "m-7", {})
    members = [Member.from_dict(record, of) for record in records]
    return Matcher.from_model(of, model, members, at=AT, random_state=state)


def tie(seeker, candidate, key=b"pairs:0"):
    def h(member):
        return int.from_bytes(hashlib.blake2b(member.encode(), digest_size=8, key=key).digest(), "big")

    mask = 2**64 - 1
    z = ((h(seeker) ^ h(candidate)) + 0x9E3779B97F4A7C15) & mask
    z = ((z ^ z >> 30) * 0xBF58476D1CE4E5B9) & mask
    z = ((z ^ z >> 27) * 0x94D049BB133111EB) & mask
    return z ^ z >> 31


@pytest.mark.parametrize(
    ("r", "word"),
    [
        (1.0, "strong"),
        (0.5, "strong"),
        (math.nextafter(0.5, 0), "good"),
        (0.3, "good"),
        (math.nextafter(0.3, 0), "possible"),
        (0.0, "possible"),
    ],
)
def test_strength(r, word):
    assert strength(r) == word


def test_a_list_is_its_entries():
    entry = Entry("b", 1, 0.4, "good", ())
    found = Shortlist("a", "matched", None, (entry,))
    assert list(found) == [entry]
    assert len(found) == 1
    assert (found.excluded, found.eligible, found.model_version) == ({}, 0, "")
    assert found.excluded is not Shortlist("a", "matched", None).excluded


class TestTies:
    @pytest.mark.parametrize("state", [0, 1])
    def test_equals_are_in_the_order_of_the_keyed_hash(self, state):
        found = matcher([SEEKER, *crowd(30)], state=state, gender=1)
        expected = sorted((f"b{n:02d}" for n in range(30)), key=lambda it: tie("a", it, f"pairs:{state}".encode()))
        assert ids(found, "a", 10) == expected[:10]

    def test_shorter_lists_are_beginnings_of_longer_ones(self):
        rng = random.Random(5)
        people = [person(f"b{n:02d}", profile={"gender": rng.choice(["man", "woman", None])}) for n in range(40)]
        found = matcher([SEEKER, *people], gender=1)
        longest = ids(found, "a", 10)
        for limit in range(1, 11):
            assert ids(found, "a", limit) == longest[:limit]

    def test_another_seeker_meets_equals_in_another_order(self):
        again = {**SEEKER, "member_id": "a2"}
        found = matcher([SEEKER, again, *crowd(30)], gender=1)
        assert ids(found, "a", 10) != ids(found, "a2", 10)

    def test_below_a_billionth_is_equal(self):
        """One whose score is higher by less than rounding shows is not preferred; by more, it is."""
        people = [person(f"b{n:02d}", profile={"hobbies": ["music"] if n % 2 else ["chess"]}) for n in range(20)]
        expected = sorted((f"b{n:02d}" for n in range(20)), key=lambda it: tie("a", it))
        assert ids(matcher([SEEKER, *people], base=-1.0, hobbies=1e-12, gender=1e-3), "a", 10) == expected[:10]
        liked = [it for it in expected if int(it[1:]) % 2]
        assert ids(matcher([SEEKER, *people], base=-1.0, hobbies=1e-6, gender=1e-3), "a", 10) == liked

    def test_scores_come_first(self):
        people = [person(f"b{n:02d}", profile={"gender": "man"}) for n in range(20)] + [person("z1"), person("z0")]
        found = matcher([SEEKER, *people], gender=3)
        assert sorted(ids(found, "a", 2)) == ["z0", "z1"]
        assert sorted(ids(found, "a", 3))[1:] == ["z0", "z1"]

    def test_the_order_of_members_changes_nothing(self):
        records = [SEEKER, *crowd(15), *[person(f"c{n}", profile={"gender": "man"}) for n in range(5)]]
        expected = ids(matcher(records, gender=1), "a", 10)
        for seed in range(5):
            random.Random(seed).shuffle(records)
            assert ids(matcher(records, gender=1), "a", 10) == expected


def test_ranks_and_versions():
    found = matcher([SEEKER, *crowd(3)], gender=1).match("a")
    assert [entry.rank for entry in found] == [1, 2, 3]
    assert (found.seeker, found.outcome, found.reason, found.eligible) == ("a", "matched", None, 3)
    assert found.model_version == "m-7"
    assert {entry.strength for entry in found} == {"strong"}
    assert all(type(entry.score) is float for entry in found)


@pytest.mark.parametrize("limit", range(1, 11))
@pytest.mark.parametrize("size", [1, 4, 5, 10, 11])
def test_as_long_as_limit_and_pool_allow(limit, size):
    found = matcher([SEEKER, *crowd(size)], gender=1).match("a", limit)
    assert len(found) == min(limit, size)
    assert len({entry.member_id for entry in found}) == len(found)
    assert "a" not in {entry.member_id for entry in found}


def test_the_programmes_limit_unless_told():
    for limit in (1, 7):
        of = programme(shortlist={"limit": limit})
        assert len(fitted(of, [SEEKER, *crowd(12)]).match("a")) == limit
    assert len(fitted(PAIRS, [SEEKER, *crowd(12)]).match("a")) == PAIRS.limit == 5


class TestFloor:
    def test_at_the_floor_is_above_it(self):
        records = [SEEKER, person("b"), person("c", profile={"gender": "man"})]
        r = {it: matcher(records, base=-1.0, gender=1).score("a", it).reciprocal for it in ("b", "c")}
        assert r["c"] < r["b"]
        for floor, expected in ((r["c"], 2), (math.nextafter(r["c"], 1) + 1e-15, 1), (r["b"] + 1e-9, 0)):
            of = programme(shortlist={"quality_floor": floor})
            found = matcher(records, of=of, base=-1.0, gender=1).match("a")
            assert len(found) == expected
            assert found.eligible == 2
            assert found.reason == (None if expected else "below_quality")


class TestOutcomes:
    """In the order of docs/reference/matching.md §6: the first that holds."""

    @pytest.mark.parametrize(
        ("held", "others", "min_pool", "floor", "expected"),
        [
            ({"a"}, 0, 1, 0.0, ("no_match", "held", 0, 0)),
            ({"a"}, 9, 1, 0.0, ("no_match", "held", 0, 0)),
            (set(), 0, 3, 0.0, ("no_match", "no_eligible", 0, 0)),
            (set(), 2, 3, 0.0, ("no_match", "small_pool", 2, 0)),
            (set(), 2, 3, 1.0, ("no_match", "small_pool", 2, 0)),
            (set(), 3, 3, 0.0, ("matched", None, 3, 3)),
            (set(), 3, 3, 1.0, ("no_match", "below_quality", 3, 0)),
            ({"b00"}, 3, 3, 0.0, ("no_match", "small_pool", 2, 0)),
        ],
    )
    def test_by_hand(self, held, others, min_pool, floor, expected):
        of = programme(shortlist={"min_pool": min_pool, "quality_floor": floor})
        found = fitted(of, [SEEKER, *crowd(others)], held=frozenset(held)).match("a")
        assert (found.outcome, found.reason, found.eligible, len(found)) == expected

    def test_low_information_before_below_quality(self):
        nothing = {"gender": None, "hobbies": None, "experiences": None, "needs": None, "boundaries": None}
        of = programme(shortlist={"quality_floor": 1.0})
        one = person("a", profile={**nothing, "journey": "new"})
        found = fitted(of, [one, person("b", profile=nothing)]).match("a")
        assert (found.outcome, found.reason, found.eligible) == ("no_match", "low_information", 1)
        found = fitted(of, [one, person("b", profile=nothing), person("c")]).match("a")
        assert found.reason == "low_information"
        found = fitted(of, [{**one, "profile": {**one["profile"], "gender": "man"}}, person("c")]).match("a")
        assert found.reason == "below_quality"

    def test_who_tells_nothing_is_eligible_and_not_listed(self):
        nothing = dict.fromkeys(FEATURES)
        found = fitted(PAIRS, [SEEKER, person("b"), person("c", profile=nothing)]).match("a")
        assert (found.eligible, [entry.member_id for entry in found]) == (2, ["b"])


def test_a_seeker_whom_nobody_would_accept_gets_a_list_without_a_warning():
    found = matcher([SEEKER, *crowd(3)], base=-300.0, gender=1).match("a")
    assert len(found) == 3
    assert all(entry.score < 1e-100 for entry in found)
