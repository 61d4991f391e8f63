"""Exposure and looks: what they take from a candidate's place, and that they take nothing else."""

from __future__ import annotations

import dataclasses
import math
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matcher.matching import exposure, pool_file
from matcher.matching.circumstances import Circumstances, Standing
from matcher.matching.shortlist import shortlist
from tests.conftest import examples
from tests.properties.pairs import fitted, person, programme

PAIRS = programme()
PEOPLE = [person("seeker", profile={"journey": "new"}), *(person(f"m{n}", capacity=n + 1) for n in range(4))]
inside = st.floats(1e-6, 1 - 1e-6)
weights = st.floats(0, 1)


def pool():
    return fitted(PAIRS, PEOPLE).pool_


def ranked(circumstances=None, limit=10):
    found = fitted(PAIRS, PEOPLE, **vars(circumstances or Circumstances())).match("seeker", limit)
    return [entry.member_id for entry in found], found


class TestFormulas:
    @pytest.mark.parametrize(("rank", "expected"), [(1, 1.0), (3, 0.5), (7, 1 / 3)])
    def test_weight(self, rank, expected):
        assert exposure.weight(rank) == pytest.approx(expected)
        assert exposure.weight(np.array([rank, 1])).tolist() == pytest.approx([expected, 1.0])

    @given(p=inside, looks=st.lists(st.tuples(weights, st.booleans()), min_size=1, max_size=6))
    @settings(max_examples=examples(200, 2000))
    def test_a_look_is_bayes_rule(self, p, looks):
        logit, expected = math.log(p / (1 - p)), p
        for v, other_chosen in looks:
            v_counted = v / 2 if other_chosen else v
            expected = expected * (1 - 0.9 * v_counted) / (1 - 0.9 * v_counted * expected)
            logit += exposure.view(v, other_chosen=other_chosen)
        assert 1 / (1 + math.exp(-logit)) == pytest.approx(expected, rel=1e-9)

    @given(e=st.floats(0, 1e6), c=st.integers(1, 99), forward=st.floats(-30, 30), backward=st.floats(-30, 30))
    def test_key(self, e, c, forward, backward):
        r = math.sqrt(1 / (1 + math.exp(-forward)) / (1 + math.exp(-backward)))
        found = exposure.key(np.array([forward]), np.array([backward]), 0.0, [e], [c])[0]
        assert found == pytest.approx(math.log(r) - 0.25 * math.log(1 + e / c), rel=1e-9, abs=1e-9)
        assert exposure.crowding_odds(e, c) == pytest.approx((1 + e / c) ** 0.5)

    def test_no_exposure_and_no_look_take_nothing(self):
        assert exposure.crowding(0.0, 3) == 0.0
        assert exposure.crowding_odds(0.0, 3) == 1.0
        assert exposure.view(0.0) == 0.0
        logits = np.linspace(-40, 40, 81)
        assert (exposure.key(logits, -logits, 0.0, 0.0, 1) == exposure.log_reciprocal(logits, -logits)).all()

    def test_no_free_place_counts_as_one(self):
        assert exposure.crowding(3.0, [0, -2]).tolist() == [exposure.crowding(3.0, 1)] * 2


class TestPool:
    def test_starts_without(self):
        assert pool().exposure.tolist() == [0.0] * len(PEOPLE)
        assert pool().crowding is None

    def test_set(self):
        this = pool()
        before = this.nbytes
        this.set_exposure(1, 2.0)
        this.set_exposure(1, 2.5)
        assert this.exposure.tolist()[:4] == [0.0, 2.5, 0.0, 0.0]
        this.set_exposure(np.array([0, 3]), np.array([1.0, 4.0]))
        assert (this.crowding == exposure.crowding_odds(this.exposure, this.free)).all()
        this.set_free(3, 1)
        assert (this.crowding == exposure.crowding_odds(this.exposure, this.free)).all()
        assert this.nbytes == before + 8 * len(this)

    @pytest.mark.parametrize("value", [-0.1, math.nan, math.inf])
    def test_refuses_what_is_none(self, value):
        with pytest.raises(ValueError, match="exposure"):
            pool().set_exposure(0, value)

    @pytest.mark.parametrize("first", [0.0, 1.0])
    def test_of_two_who_change_it_at_once_neither_is_lost(self, first, monkeypatch):
        """One is stopped while it makes the odds, as threads may be: what the other sets meanwhile must count."""
        this, true, stopped = pool(), exposure.crowding_odds, threading.Event()
        this.set_exposure(0, first)
        other = threading.Thread(target=lambda: (this.set_free(2, 7), this.set_exposure(2, 3.0)))

        def slow(e, c):
            found = true(e, c)
            if not stopped.is_set():
                stopped.set()
                other.start()
                other.join(0.2)
            return found

        monkeypatch.setattr("matcher.matching.pool.crowding_odds", slow)
        this.set_exposure(2, 5.0)
        other.join()
        assert (this.exposure[2], this.free[2]) == (3.0, 7)
        assert (this.crowding == true(this.exposure, this.free)).all()

    def test_is_in_no_file(self, tmp_path):
        this = pool()
        this.set_exposure(1, 2.0)
        pool_file.save(this, tmp_path / "one", {}, {})
        assert b"exposure" not in (tmp_path / "one" / pool_file.HEAD).read_bytes()
        loaded, _, _ = pool_file.load(tmp_path / "one", PAIRS, this.encoder)
        assert loaded.exposure.tolist() == [0.0] * len(this)
        loaded.set_exposure(1, 3.0)  # what is mapped from a file may be changed


class TestLists:
    def test_exposure_takes_the_place_and_nothing_else(self):
        ids, before = ranked()
        first = ids[0]
        after_ids, after = ranked(Circumstances(exposure={first: 50.0, "nobody": 3.0}))
        assert after_ids == [*ids[1:], first]
        told = {entry.member_id: entry._replace(rank=0) for entry in before}
        assert {entry.member_id: entry._replace(rank=0) for entry in after} == told

    def test_free_places_share_exposure(self):
        ids, _ = ranked(Circumstances(exposure={f"m{n}": 3.0 for n in range(4)}))
        assert ids == ["m3", "m2", "m1", "m0"]
        assert ranked(Circumstances(exposure={f"m{n}": float(n + 1) for n in range(4)}))[0] == ranked()[0]

    def test_a_look_is_only_that_seekers(self):
        ids, before = ranked()
        after_ids, after = ranked(Circumstances(views={"seeker": {ids[0]: exposure.view(1.0), "nobody": -1.0}}))
        assert after_ids == [*ids[1:], ids[0]]
        assert after.entries[-1].score == next(iter(before)).score
        assert ranked(Circumstances(views={"m1": {ids[0]: exposure.view(1.0)}}))[1].entries == before.entries

    def test_what_the_own_list_gives_does_not_count(self):
        ids, before = ranked()
        this = fitted(PAIRS, PEOPLE, **vars(Circumstances(exposure={ids[0]: 50.0, ids[3]: 2.0})))
        for own, expected in (
            ({}, [ids[1], ids[2], ids[3], ids[0]]),
            ({ids[0]: 50.0, "nobody": 1.0}, [*ids[:3], ids[3]]),
            ({ids[0]: 50.0, ids[3]: 2.0}, ids),
        ):
            whom = Standing(own_exposure=own)
            found = shortlist([this.pool_], this.model_.affinity, this._members["seeker"], whom, 10, "m")
            assert [entry.member_id for entry in found] == expected
        assert [entry._replace(rank=0) for entry in found] == [entry._replace(rank=0) for entry in before]

    def test_the_floor_asks_r_alone(self):
        ids, found = ranked()
        r = found.entries[0].score
        views = {member_id: 100 * exposure.view(1.0) for member_id in ids}
        heavy = Circumstances(exposure=dict.fromkeys(ids, 1e6), views={"seeker": views})
        assert len(ranked(heavy)[0]) == len(ids)
        this = fitted(PAIRS, PEOPLE, **vars(heavy))
        whom = this._members["seeker"]
        for floor, expected in ((r, len(ids)), (math.nextafter(r, 1), 0)):
            at_the_floor = dataclasses.replace(PAIRS, quality_floor=floor)
            parts = [dataclasses.replace(this.pool_, programme=at_the_floor)]
            parts[0].set_exposure(0, 1.0)
            standing = Standing(views=views)
            assert len(shortlist(parts, this.model_.affinity, whom, standing, 3, "m")) == min(3, expected)

    def test_nobody_below_the_floor_takes_the_place_of_somebody_above(self):
        people = [*PEOPLE, *(person(f"low{n}", profile={"gender": "man"}) for n in range(3))]
        this = fitted(PAIRS, people)
        scores = {entry.member_id: entry.score for entry in this.match("seeker", 10)}
        assert len(scores) == 7
        least = min(r for name, r in scores.items() if name[0] == "m")
        assert least > max(r for name, r in scores.items() if name[0] == "l")
        pool_ = dataclasses.replace(this.pool_, programme=dataclasses.replace(PAIRS, quality_floor=least))
        for n in range(4):
            pool_.set_exposure(pool_.find(f"m{n}"), 1e6)
        found = shortlist([pool_], this.model_.affinity, this._members["seeker"], Standing(), 2, "m")
        assert len(found) == 2
        assert all(entry.score >= least for entry in found)


class TestCircumstances:
    def test_either(self):
        one = Circumstances(exposure={"a": 1.0, "b": 2.0}, views={"s": {"a": -1.0, "b": -2.0}, "t": {"a": -3.0}})
        other = Circumstances(exposure={"a": 3.0}, views={"s": {"a": -2.0, "c": -1.0}})
        both = one | other
        assert both.exposure == {"a": 3.0, "b": 2.0}
        assert both.views == {"s": {"a": -2.0, "b": -2.0, "c": -1.0}, "t": {"a": -3.0}}
        assert both.standing("s").views == both.views["s"]
        assert both.standing("nobody") == Standing()
