"""The market orders as the product does: against `shortlist` on a real pool, part by part."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest

from benchmarks.market_policies import POLICIES, Policy, Scene, ranked
from matcher.consent import consented
from matcher.matching.circumstances import Standing
from matcher.matching.exposure import view
from matcher.matching.scoring import score
from matcher.matching.seeker import Seeker
from matcher.matching.shortlist import shortlist
from matcher.people import Member
from tests.properties.pairs import AT, fitted, person, programme

PAIRS = programme()
SIDES = list(itertools.product([["music"], ["chess"], ["music", "chess"]], ["woman", "man"], ["low", "middle", "high"]))
PEOPLE = [
    person(f"m{number:02d}", capacity=1 + number % 3, profile={"hobbies": hobbies, "gender": gender, "mood": mood})
    for number, (hobbies, gender, mood) in enumerate(SIDES)
]
SEEKER = person("seeker", roles=["seeker"], profile={"journey": "new", "hobbies": ["music"], "mood": "low"})
DECLINED, FULL = "m03", ("m00", "m07")


@pytest.fixture(scope="module")
def both():
    """A pool with attention, looks, a decline and two who are full; and the same as the market sees it."""
    matcher = fitted(PAIRS, [SEEKER, *PEOPLE])
    pool, affinity = matcher.pool_, matcher.model_.affinity
    views = {f"m{number:02d}": view(1 / (1 + number % 4), other_chosen=number % 2 == 0) for number in range(0, 18, 4)}
    standing = Standing(declined=frozenset({DECLINED}), views=views)
    rng = np.random.default_rng(0)
    for record in PEOPLE:
        row = pool.find(record["member_id"])
        pool.set_exposure(row, float(rng.exponential(2.0)))
        if record["member_id"] in FULL:
            pool.set_free(row, 0)
    profile = consented(Member.from_dict(SEEKER, PAIRS), PAIRS, AT)
    rows = np.array([pool.find(record["member_id"]) for record in PEOPLE])
    scored = score(pool, affinity, Seeker.of(profile, pool, standing), rows)
    scene = Scene(
        forward=scored.forward,
        backward=scored.backward,
        open=np.array([record["member_id"] != DECLINED for record in PEOPLE]),
        free=pool.free[rows].astype(np.int64),
        exposure=pool.exposure[rows],
        views=np.array([views.get(record["member_id"], 0.0) for record in PEOPLE]),
    )

    def listed(limit):
        found = shortlist([pool], affinity, profile, standing, limit, "")
        return [entry.member_id for entry in found]

    return listed, scene


def market(policy, scene, limit):
    return [PEOPLE[row]["member_id"] for row in ranked(policy, scene, limit, PAIRS.quality_floor)]


@pytest.mark.parametrize("limit", [1, 5, 40])
def test_full_is_the_order_of_the_product(both, limit):
    listed, scene = both
    assert market(POLICIES["full"], scene, limit) == listed(limit)
    assert len(listed(40)) == len(PEOPLE) - 3


@pytest.mark.parametrize("part", ["gate", "exposure", "views", "reciprocal"])
def test_without_any_part_it_is_another(both, part):
    listed, scene = both
    assert market(dataclasses.replace(POLICIES["full"], **{part: False}), scene, 40) != listed(40)


def test_below_the_floor_is_nobody():
    logits = np.array([2.0, -1.0, 1.0, -4.0])
    nothing = np.zeros(4)
    scene = Scene(logits, logits, np.array([True, True, False, True]), np.array([1, 1, 1, 1]), nothing, nothing)
    assert ranked(POLICIES["gate"], scene).tolist() == [0, 1]
    assert ranked(Policy(reciprocal=False), scene).tolist() == [0, 1, 3]
