"""Random exposure, free places and looks give the lists of the naive matcher, in one pool and in several."""

from __future__ import annotations

import dataclasses
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matcher.consent import consented
from matcher.errors import SeekerError
from matcher.facade import Matcher
from matcher.matching import exposure, pool, ranking
from matcher.matching.circumstances import Circumstances
from matcher.matching.pool import Pool
from matcher.matching.shortlist import shortlist
from tests.cohorts import Case, case
from tests.conftest import examples
from tests.oracle import Oracle
from tests.properties import library
from tests.properties.test_equivalence import agree

COUNT = examples(100, 1000)


def crowded(seed: int) -> Case:
    """Return a case in which some had attention and some were looked at."""
    rng = random.Random(f"capacity {seed}")
    this = case(seed, members=(10, 30), ease=1.0 if seed % 3 else None)
    ids = [record["member_id"] for record in this.records]
    records = [{**record, "capacity": rng.randint(1, 4)} if rng.random() < 0.7 else record for record in this.records]
    facts: dict[str, Any] = dict(this.circumstances)
    facts["exposure"] = {m: rng.choice([0.0, 1.0, rng.uniform(0, 40)]) for m in ids if rng.random() < 0.6}
    facts["views"] = {
        m: {
            other: [(1 / rng.randint(1, 6), rng.random() < 0.3) for _ in range(rng.randint(1, 3))]
            for other in ids
            if other != m and rng.random() < 0.3
        }
        for m in ids
        if rng.random() < 0.7
    }
    facts["own"] = {
        m: {other: e * rng.choice([0.5, 1.0]) for other, e in facts["exposure"].items() if rng.random() < 0.2}
        for m in ids
        if rng.random() < 0.7
    }
    return dataclasses.replace(this, records=tuple(records), circumstances=facts)


def facts_of(this: Case) -> Circumstances:
    """Read what is true of the members, looks as the service would sum them."""
    views = {
        seeker: {
            other: sum(exposure.view(v, other_chosen=chosen) for v, chosen in looks) for other, looks in seen.items()
        }
        for seeker, seen in this.circumstances["views"].items()
    }
    return dataclasses.replace(library.read_circumstances(this), exposure=this.circumstances["exposure"], views=views)


def compare(seed: int, limit: int) -> int:
    """Assert that every seeker gets the oracle's list, of one pool and of two; return how many lists had entries."""
    this = crowded(seed)
    programme = library.read_programme(this)
    members = library.read_members(this, programme)
    model, naive = library.random_model(this, programme, members)
    facts, key = facts_of(this), f"{programme.id}:{this.random_state}".encode()
    profiles = [consented(member, programme, this.at) for member in members]
    halves = [Pool.build(programme, model.encoder, profiles[start::2], this.at, facts, key) for start in range(2)]
    whole = Matcher.from_model(
        programme, model, members, at=this.at, circumstances=facts, random_state=this.random_state
    ).pool_
    oracle, lists = library.oracle_of(this, naive), 0
    for profile in profiles[:8]:
        if library.may_seek(this, oracle, profile.member_id):
            lists += alike(
                f"seed {seed}, seeker {profile.member_id}", oracle, profile, limit, model, facts, whole, halves
            )
    return lists


def compare_many(seeds: range) -> None:
    for seed in seeds:
        compare(seed, 3)


def alike(where: str, oracle: Oracle, profile: Any, limit: int, model: Any, facts: Any, whole: Any, halves: Any) -> int:
    own = oracle.circumstances["own"].get(profile.member_id, {})
    standing = dataclasses.replace(facts.standing(profile.member_id), own_exposure=own)
    expected = oracle.match(profile.member_id, limit)
    for pools in ([whole], halves, halves[::-1]):
        try:
            found = shortlist(pools, model.affinity, profile, standing, limit, "m")
        except SeekerError:
            return 0
        agree(where, expected, library.plain(found), whole.programme.facets)
    return bool(expected["entries"])


@settings(max_examples=COUNT)
@given(seed=st.integers(0, 100_000), limit=st.sampled_from([1, 3, 10, 40]))
def test_lists_are_the_oracles(seed: int, limit: int) -> None:
    compare(seed, limit)


def test_the_cases_have_lists() -> None:
    assert sum(compare(seed, 10) for seed in range(10)) > 20


@pytest.mark.parametrize("fault", ["crowding", "views", "odds", "own", "own in the odds"])
def test_a_planted_fault_is_seen(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    true_key, true_odds = exposure.key, exposure.crowding_odds
    if fault == "crowding":
        monkeypatch.setattr(
            ranking, "key", lambda f, b, views, e, c: true_key(f, b, views, 0.0, 1) + exposure.crowding(e, c)
        )
    elif fault == "views":
        monkeypatch.setattr(ranking, "key", lambda f, b, views, e, c: true_key(f, b, -views, e, c))
    elif fault == "own":
        true_apart = ranking._Apart
        monkeypatch.setattr(ranking, "_Apart", lambda places, looks, own: true_apart(places, looks, 0 * own))
    elif fault == "own in the odds":
        monkeypatch.setattr(ranking, "crowding_odds", lambda e, c: true_odds(e, c) * 1e6)
    else:
        monkeypatch.setattr(pool, "crowding_odds", lambda e, c: 1 / true_odds(e, c))
    with pytest.raises(AssertionError, match="seed"):
        compare_many(range(30))
