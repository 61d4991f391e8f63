"""The pool: who is in it, in which order, and what stands between whom."""

from __future__ import annotations

import hashlib
import itertools
import random
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import numpy as np
import pytest

from matcher.consent import consented
from matcher.matching import pool as pool_module
from matcher.matching.pool import Circumstances, Pool, Standing, agreed, keyed_hash
from matcher.model.encoder import ProfileEncoder
from matcher.people import Member
from tests.properties.pairs import AT, consents, person, programme

PAIRS = programme()
KEY = b"pairs:0"


def profiles(*records):
    return [consented(Member.from_dict(record, PAIRS), PAIRS, AT) for record in records]


def pool(people, *, of=PAIRS, at=AT, key=KEY, **facts):
    return Pool.build(of, ProfileEncoder(of).fit([]), people, at, Circumstances(**facts), key)


PEOPLE = profiles(
    person("b", vetted=False, capacity=3),
    person("a", age_band="13-17"),
    person("d", age_band=None, agreements=[]),
    person("c", roles=["seeker"], consents=consents("be_shown_as_peer")),
    person("hidden", consents=consents("match_serve")),
)
FOREIGN = consented(replace(Member.from_dict(person("foreign"), PAIRS), programme_id="elsewhere"), PAIRS, AT)


def test_rows_are_sorted_by_id_and_hold_what_the_gates_need():
    found = pool([*PEOPLE, FOREIGN], held=frozenset({"c", "nobody"}), load={"b": 2, "a": 4, "nobody": 1})
    assert list(found.ids) == ["a", "b", "c", "d"]
    assert [found.find(it) for it in ("a", "b", "c", "d", "e", "hidden", "foreign")] == [0, 1, 2, 3, None, None, None]
    assert len(found) == 4
    assert found.supporter.tolist() == [True, True, False, True]
    assert found.vetted.tolist() == [True, False, True, True]
    assert found.agreed.tolist() == [True, True, True, False]
    assert found.minor.tolist() == [True, False, False, False]
    assert found.adult.tolist() == [False, True, True, False]  # an unknown age is neither
    assert found.held.tolist() == [False, False, True, False]
    assert found.free.tolist() == [-3, 1, 1, 1]
    assert list(found.hidden) == ["hidden"]
    assert list(found.foreign) == ["foreign"]
    assert list(found.columns) == list(PAIRS.facets)


def test_the_order_of_profiles_changes_nothing():
    expected = pool(PEOPLE)
    for order in itertools.permutations(PEOPLE):
        found = pool(iter(order))
        assert found.ids == expected.ids
        assert found.hashes.tobytes() == expected.hashes.tobytes()
        assert found.free.tobytes() == expected.free.tobytes()


def test_only_consented_profiles():
    hidden, foreign = Lookalike(), Lookalike()
    hidden.shown, foreign.programme_id = None, "elsewhere"
    for intruder in (Member.from_dict(person("z"), PAIRS), person("z"), object(), Lookalike(), hidden, foreign):
        with pytest.raises(TypeError, match="expected ConsentedProfile"):
            pool([*PEOPLE, intruder])


class Lookalike:
    """Has all that a pool looks at."""

    programme_id, member_id, roles, age_band, capacity = "pairs", "z", frozenset({"supporter"}), "31+", 1
    vetted, agreements, state, shown, seeking = True, frozenset({"agreement-1"}), PEOPLE[0].state, PEOPLE[0].shown, None


def test_a_bitmap_made_while_somebody_is_taken_out_is_not_kept(monkeypatch):
    found = pool(PEOPLE)
    pack = pool_module.pack

    def meanwhile(values):
        before = pack(values)
        monkeypatch.setattr(pool_module, "pack", pack)
        found.retire(1)
        return before

    monkeypatch.setattr(pool_module, "pack", meanwhile)
    found.packed("present")
    assert found.packed("present").tolist() == [0b10110000]


def test_nobody():
    found = pool([])
    assert (len(found), len(found.ids), len(found.hidden), len(found.foreign)) == (0, 0, 0, 0)
    assert found.find("a") is None
    assert found.nbytes >= 0
    assert found.ties(np.uint64(1), np.arange(0)).size == 0


def test_bytes_grow_by_less_than_a_kilobyte_a_member():
    def size(count):
        people = profiles(*[person(f"m{n}") for n in range(count)])
        return pool(people).nbytes

    assert 0 < (size(600) - size(200)) / 400 < 1024


def test_weeks_are_those_of_the_utc_day():
    """Late on Sunday in New York it is Monday in UTC, so the week after is compared."""
    winter = person("z", profile={"availability": {"tz": "Europe/London", "slots": ["mon 18:00-19:00"]}})
    for at, free in (
        (datetime(2026, 3, 29, 19, tzinfo=timezone(timedelta(hours=-4))), "mon 17:00-18:00"),
        (datetime(2026, 3, 22, 19, tzinfo=timezone(timedelta(hours=-4))), "mon 18:00-19:00"),
    ):
        found = pool(profiles(winter), at=at)
        seeker = profiles(person("y", profile={"availability": {"tz": "UTC", "slots": [free]}}))[0]
        sides = seeker.seeking.sides(PAIRS, seeker.age_band)
        assert found.columns["availability"].permit(sides).tolist() == [True]


def splitmix64(z):
    mask = 2**64 - 1
    z = (z + 0x9E3779B97F4A7C15) & mask
    z = ((z ^ z >> 30) * 0xBF58476D1CE4E5B9) & mask
    z = ((z ^ z >> 27) * 0x94D049BB133111EB) & mask
    return z ^ z >> 31


class TestTies:
    def test_splitmix64_itself(self):
        """The first outputs of the generator from seed 1234567, as its authors' C code gives them."""
        outputs, state = [], 1234567
        for _ in range(3):
            outputs.append(splitmix64(state))
            state = (state + 0x9E3779B97F4A7C15) % 2**64
        assert outputs == [6457827717110365317, 3203168211198807973, 9817491932198370423]

    def test_a_hash_is_blake2b_of_the_id(self):
        expected = int.from_bytes(hashlib.blake2b(b"m-1", digest_size=8, key=b"lantern:7").digest(), "big")
        assert keyed_hash(b"lantern:7", "m-1") == expected
        assert keyed_hash(b"lantern:8", "m-1") != expected

    def test_a_long_key_is_cut(self):
        assert keyed_hash(b"k" * 64, "m") == keyed_hash(b"k" * 80, "m")

    def test_by_the_book(self):
        found = pool(PEOPLE)
        for seeker in ("a", "stranger"):
            own = np.uint64(keyed_hash(KEY, seeker))
            expected = [splitmix64(keyed_hash(KEY, seeker) ^ keyed_hash(KEY, it)) for it in found.ids]
            assert found.ties(own, np.arange(4)).tolist() == expected
            assert found.ties(own, np.array([3, 1])).tolist() == [expected[3], expected[1]]

    def test_it_takes_two(self):
        one, two = (pool(PEOPLE).ties(np.uint64(it), np.arange(4)) for it in (1, 2))
        assert not set(one.tolist()) & set(two.tolist())


class TestStanding:
    def test_both_ways(self):
        facts = Circumstances(
            frozenset("a"), frozenset({("a", "b"), ("b", "a"), ("c", "a")}), frozenset({("a", "x")}), frozenset()
        )
        assert facts.standing("a") == Standing(True, frozenset("bc"), frozenset("x"), frozenset())
        assert facts.standing("b") == Standing(False, frozenset("a"))
        assert facts.standing("x") == Standing(declined=frozenset("a"))
        assert facts.standing("nobody") == Standing()

    def test_at_random(self):
        rng = random.Random(1)
        names = [f"m{n}" for n in range(12)]
        pairs = frozenset((rng.choice(names), rng.choice(names)) for _ in range(40))
        for facts in (Circumstances(blocks=pairs), Circumstances(connected=pairs)):
            for one in names:
                apart = {it for it in names if (one, it) in pairs or (it, one) in pairs}
                assert apart == facts.standing(one).blocked | facts.standing(one).connected


@pytest.mark.parametrize(
    ("accepted", "named", "expected"),
    [(["agreement-1"], True, True), (["agreement-0", "agreement-1"], True, True), ([], True, False), ([], False, True)],
)
def test_agreed(accepted, named, expected):
    of = PAIRS if named else replace(PAIRS, confidentiality=None)
    assert agreed(of, profiles(person("a", agreements=accepted))[0]) is expected


class TestCircumstances:
    def test_nothing_unless_said(self):
        none = Circumstances()
        assert (none.held, none.blocks, none.declined, none.connected, dict(none.load)) == (*[frozenset()] * 4, {})
        assert none.load is not Circumstances().load

    def test_both_are_true(self):
        one = Circumstances(frozenset("a"), frozenset({("a", "b")}), load={"x": 1, "y": 2})
        two = Circumstances(
            frozenset("b"), declined=frozenset({("c", "d")}), connected=frozenset({("e", "f")}), load={"x": 3}
        )
        both = one | two
        assert both == two | one
        assert (both.held, both.blocks) == ({"a", "b"}, {("a", "b")})
        assert (both.declined, both.connected) == ({("c", "d")}, {("e", "f")})
        assert both.load == {"x": 3, "y": 2}
        assert one | Circumstances() == one
