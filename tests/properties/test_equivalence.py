"""Every generated programme and cohort gives the same lists, scores and counts as the naive matcher of tests/oracle."""

from __future__ import annotations

import dataclasses
import math
import os
import random
import sys
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest

from matcher.errors import SeekerError
from matcher.facade import Matcher
from matcher.facets import Facet
from tests.cohorts import Case, case
from tests.oracle import Oracle
from tests.properties import library

DEEP = os.environ.get("PEERMATCH_DEEP") == "1"
BATCHES, IN_A_BATCH = 20, 100 if DEEP else 10
TOLERANCE = 1e-9
FIXED_GATES = {
    "programme", "consent", "role", "age", "vetted", "agreement", "held", "blocked", "declined", "connected",
    "capacity", "must", "avoid",
}  # fmt: skip
FACET_GATES = {"journey", "channel", "severity", "availability", "languages", "boundaries", "silence"}
seen: Counter[Any] = Counter()
"""What the generated cases covered, over all batches of this process."""


def agree_on_lists(case: Case, matcher: Matcher, oracle: Oracle) -> None:
    """Assert that every member of the cohort gets the oracle's list."""
    for record in case.records:
        member_id = record["member_id"]
        where = f"seed {case.seed}, seeker {member_id}"
        if not library.may_seek(case, oracle, member_id):
            seen["not a seeker"] += 1
            with pytest.raises(SeekerError):
                matcher.match(member_id)
            continue
        expected, found = oracle.match(member_id, case.limit), library.plain(matcher.match(member_id, case.limit))
        agree(where, expected, found, matcher.programme.facets)
        if expected["reason"] != "held":
            assert found["eligible"] + sum(found["excluded"].values()) == len(case.records) - 1, where
        if found["outcome"] == "matched":
            limit = case.limit or oracle.size["limit"]
            assert len(found["entries"]) == min(limit, expected["good"]), where
        count(case, expected)


def agree(where: str, expected: dict[str, Any], found: dict[str, Any], facets: Mapping[str, Facet]) -> None:
    """Assert that two lists are the same: order, scores within 1e-9, outcome, counts, what is shared."""
    keys = ("outcome", "reason") if expected["reason"] == "held" else ("outcome", "reason", "excluded", "eligible")
    for key in keys:
        assert found[key] == expected[key], f"{where}: {key}"
    assert [e["member_id"] for e in found["entries"]] == [e["member_id"] for e in expected["entries"]], where
    for one, two in zip(found["entries"], expected["entries"], strict=True):
        assert one["score"] == pytest.approx(two["score"], abs=TOLERANCE, rel=0), where
        assert (one["rank"], one["strength"]) == (two["rank"], two["strength"]), where
        told = [(facet, facets[facet].phrase(value)) for facet, value in two["reasons"]]
        assert [tuple(reason) for reason in one["reasons"]] == told, where


def agree_on_scores(case: Case, matcher: Matcher, oracle: Oracle) -> None:
    """Assert that `score` gives the oracle's affinities and gate, and that contributions sum to the logits."""
    rng = random.Random(case.seed)
    seekers = [r["member_id"] for r in case.records if library.may_seek(case, oracle, r["member_id"])]
    seekers = [member_id for member_id in seekers if member_id not in case.circumstances["held"]]
    for seeker in rng.sample(seekers, min(6, len(seekers))):
        for candidate in rng.sample([r["member_id"] for r in case.records], 6):
            if candidate == seeker:
                continue
            where = f"seed {case.seed}, {seeker} and {candidate}"
            expected, found = oracle.score(seeker, candidate), matcher.score(seeker, candidate)
            assert found.gate == expected["gate"], where
            if found.gate is not None:
                assert (found.forward, found.backward, found.reciprocal) == (None, None, None), where
                assert not found.contributions, where
                continue
            for name in ("forward", "backward", "reciprocal"):
                assert getattr(found, name) == pytest.approx(expected[name], abs=TOLERANCE, rel=0), where
            for way in ("forward", "backward"):
                parts = found.contributions[way]
                agree_on_parts(where, parts, expected["contributions"][way], getattr(found, way))


def agree_on_parts(where: str, parts: Any, expected: dict[str, float], p: float) -> None:
    """Assert that contributions are the oracle's, and sum to the logit of `p` within 1e-12."""
    present = {name: value for name, value in expected.items() if name in parts}
    assert all(value == 0 for name, value in expected.items() if name not in parts), where
    assert dict(parts) == pytest.approx(present, abs=TOLERANCE, rel=0), where
    # The last bit of p is worth eps / min(p, 1 - p) of its logit.
    slack = 1e-12 + 2 * sys.float_info.epsilon / min(p, 1 - p)
    assert abs(math.log(p / (1 - p)) - math.fsum(parts.values())) <= slack, where


def count(case: Case, expected: dict[str, Any]) -> None:
    """Remember what this list covered."""
    seen[expected["outcome"], expected["reason"]] += 1
    seen["tied"] += expected["tied"]
    for gate, number in expected["excluded"].items():
        seen["gate", gate] += number
    for entry in expected["entries"]:
        seen["strength", entry["strength"]] += 1
        for name, _ in entry["reasons"]:
            seen["reason", name] += 1
    if expected["entries"]:
        for name, facet in case.programme["facets"].items():
            if facet.get("weight", 0) > 0:
                seen["scored", facet["kind"], facet.get("direction", ""), "against" in facet] += 1
                seen["scored", name] += 1


def run(seed: int) -> None:
    """Compare one case, under the prior and under a random model that another cohort taught."""
    this = case(seed)
    programme = library.read_programme(this)
    members = library.read_members(this, programme)
    matcher, oracle = library.fit(this, programme, members), library.oracle_of(this)
    agree_on_lists(this, matcher, oracle)
    agree_on_scores(this, matcher, oracle)
    taught_here = seed % 2 == 0
    learners = members if taught_here else library.read_members(this, programme, this.others)
    model, naive = library.random_model(this, programme, learners)
    matcher = Matcher.from_model(
        programme,
        model,
        members,
        at=this.at,
        circumstances=library.read_circumstances(this),
        random_state=this.random_state,
    )
    oracle = library.oracle_of(this, naive, learned_from=None if taught_here else list(this.others))
    if len(this.records) <= 35:  # the slow side is the oracle's
        agree_on_lists(this, matcher, oracle)
    agree_on_scores(this, matcher, oracle)
    seen["cases"] += 1


@pytest.mark.parametrize("batch", range(BATCHES))
def test_lists_and_scores_are_the_oracles(batch: int) -> None:
    for number in range(IN_A_BATCH):
        run(batch * IN_A_BATCH + number)


def test_a_seeker_who_is_not_in_the_pool() -> None:
    for seed in range(5000, 5010):
        this = case(seed, members=(10, 20))
        programme = library.read_programme(this)
        outside, inside = this.records[0], this.records[1:]
        member = library.read_members(this, programme, [outside])[0]
        this = dataclasses.replace(this, records=inside, foreign=this.foreign - {outside["member_id"]})
        oracle = library.oracle_of(this)
        matcher = library.fit(this, programme, library.read_members(this, programme))
        seeks = this.programme["programme"]["pairing"] == "mutual" or "seeker" in outside["roles"]
        person = oracle.match(outside) if seeks else None
        if person is None or member.programme_id != programme.id:
            continue
        try:
            found = library.plain(matcher.match(member))
        except SeekerError:
            continue
        agree(f"seed {seed}", person, found, programme.facets)
        if found["reason"] != "held":
            assert found["eligible"] + sum(found["excluded"].values()) == len(inside)


def test_the_generated_cases_are_not_vacuous() -> None:
    """Every gate excluded somebody, every kind was scored, every outcome happened."""
    if seen["cases"] < BATCHES * IN_A_BATCH:  # another worker ran some batches: count what the oracle sees
        for seed in range(100):
            this = case(seed)
            oracle = library.oracle_of(this)
            for record in this.records:
                if library.may_seek(this, oracle, record["member_id"]):
                    count(this, oracle.match(record["member_id"], this.limit))
    for gate in FIXED_GATES | FACET_GATES:
        assert seen["gate", gate] > 0, gate
    for outcome in ("no_eligible", "small_pool", "low_information", "below_quality", "held"):
        assert seen["no_match", outcome] > 0, outcome
    assert seen["matched", None] > 100
    for kind, direction in (("concepts", ""), ("tags", ""), ("choice", ""), ("ordinal", "ahead"), ("ordinal", "more")):
        assert seen["scored", kind, direction, False] > 0, (kind, direction)
    assert seen["scored", "ordinal", "same", False] + seen["scored", "ordinal", "", False] > 0
    assert seen["scored", "concepts", "", True] > 0
    assert seen["scored", "age"] > 0
    assert seen["tied"] > 100
    for strength in ("strong", "good", "possible"):
        assert seen["strength", strength] > 0
    for name in ("conditions", "needs", "journey", "gender", "channel", "age"):
        assert seen["reason", name] > 0, name
