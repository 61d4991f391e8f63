"""Same input, same seed, any row order, any PYTHONHASHSEED: the same output.

The 40 values of PYTHONHASHSEED are in tests/issues/test_hash_order.py.
"""

from __future__ import annotations

import random

from tests.cohorts import case
from tests.properties import library
from tests.properties.digest import digest


def test_the_digest_would_tell_a_difference() -> None:
    assert digest(0, state=1) != digest(0)
    assert digest(0, seeds=(700_004,)) != digest(0)


def test_a_repeated_call_and_a_second_fit_and_any_order_say_the_same() -> None:
    for seed in range(710_000, 710_012):
        this = case(seed, members=(10, 25), ease=0.9)
        programme = library.read_programme(this)
        members = library.read_members(this, programme)
        ids = [record["member_id"] for record in this.records]
        feedback = library.random_feedback(this, programme) if seed % 2 else None
        matcher = library.fit(this, programme, members, feedback=feedback)
        first = library.everything(matcher, ids)
        assert library.everything(matcher, ids[::-1]) == {member_id: first[member_id] for member_id in ids[::-1]}
        assert library.everything(library.fit(this, programme, members, feedback=feedback), ids) == first
        random.Random(seed).shuffle(members)
        if feedback:
            random.Random(seed).shuffle(feedback)
        assert library.everything(library.fit(this, programme, members, feedback=feedback), ids) == first


def test_another_random_state_moves_only_ties() -> None:
    moved = 0
    for seed in range(720_000, 720_030):
        this = case(seed, members=(15, 30), ease=1.0)
        programme = library.read_programme(this)
        members = library.read_members(this, programme)
        one, two = (library.fit(this, programme, members, random_state=state) for state in (0, 1))
        oracle = library.oracle_of(this)
        for record in this.records:
            member_id = record["member_id"]
            if not library.may_seek(this, oracle, member_id):
                continue
            first, second = (library.plain(matcher.match(member_id, 10)) for matcher in (one, two))
            scores = [[round(entry["score"], 9) for entry in found["entries"]] for found in (first, second)]
            assert scores[0] == scores[1]
            moved += first["entries"] != second["entries"]
            for score in set(scores[0][:-1]):  # the last may be one of a tie that the limit cuts
                if len(scores[0]) == 10 and score == scores[0][-1]:
                    continue
                who = [{e["member_id"] for e in f["entries"] if round(e["score"], 9) == score} for f in (first, second)]
                assert who[0] == who[1]
    assert moved > 20
