"""Generated programmes, members and groups: the library ranks groups as the naive ranking of tests/oracle does."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from matcher.errors import SeekerError
from matcher.facade import Matcher
from matcher.matching.circumstances import Circumstances
from matcher.matching.group_reasons import phrase
from matcher.matching.groups import GroupShortlist, GroupState, Topics, rank_groups
from matcher.matching.pool import Pool
from matcher.programme import Programme
from matcher.support_group import Group
from tests.cohorts import Case, case
from tests.cohorts.groups import Drawn, draw
from tests.conftest import examples
from tests.oracle.groups import OracleGroup, OracleGroups
from tests.properties import library
from tests.properties.test_noninterference import cells, prepared, variants

BATCHES, IN_A_BATCH = 10, examples(12, 120)
seen: Counter[Any] = Counter()


def drawn_groups(this: Case) -> list[Drawn]:
    rng = random.Random(f"groups {this.seed}")
    return draw(rng, this.programme, this.parents, this.records, rng.choice([0, 5, 15, 25]))


def read_states(groups: list[Drawn], programme: Programme) -> list[GroupState]:
    states = []
    for one in groups:
        group = Group.from_dict(one.record, programme)
        assert Group.from_dict(group.to_dict(), programme) == group
        if not one.home:
            group = replace(group, programme_id=library.ELSEWHERE)
        states.append(GroupState(group, one.members, one.facilitators, one.roster, one.away))
    return states


def plain(found: GroupShortlist) -> dict[str, Any]:
    return {
        "outcome": found.outcome,
        "reason": found.reason,
        "eligible": found.eligible,
        "excluded": dict(found.excluded),
        "entries": [
            (entry.group_id, entry.rank, entry.strength, [(reason.facet, reason.text) for reason in entry.reasons])
            for entry in found
        ],
    }


def agree(where: str, expected: dict[str, Any], found: GroupShortlist, programme: Programme) -> None:
    told = plain(found)
    for key in ("outcome", "reason", "eligible", "excluded"):
        assert told[key] == expected[key], f"{where}: {key}"
    for entry, other in zip(found, expected["entries"], strict=True):
        assert entry.score == pytest.approx(other["score"], abs=1e-9, rel=0), where
    assert told["entries"] == [
        (
            other["group_id"],
            other["rank"],
            other["strength"],
            [(facet, phrase(programme.facets[facet], value)) for facet, value in other["reasons"]],
        )
        for other in expected["entries"]
    ], where


def count(expected: dict[str, Any]) -> None:
    seen[expected["outcome"], expected["reason"]] += 1
    seen["tied"] += expected["tied"]
    for gate, number in expected["excluded"].items():
        seen["gate", gate] += number
    for entry in expected["entries"]:
        seen["strength", entry["strength"]] += 1
        seen["reasons"] += len(entry["reasons"])
        for facet, _ in entry["reasons"]:
            seen["reason", facet] += 1


def run(seed: int) -> None:
    this = case(200_000 + seed, members=(10, 40))
    programme = library.read_programme(this)
    members = library.read_members(this, programme)
    groups = drawn_groups(this)
    states = read_states(groups, programme)
    model, naive = library.random_model(this, programme, members)
    circumstances = library.read_circumstances(this)
    matcher = Matcher.from_model(
        programme, model, members, at=this.at, circumstances=circumstances, random_state=this.random_state
    )
    if seed % 2:  # the prior
        matcher, naive = library.fit(this, programme, members), None
    oracle = library.oracle_of(this, naive)
    naive_groups = OracleGroups(
        oracle,
        [
            OracleGroup(g.record, set(g.members), set(g.facilitators), set(g.roster), set(g.away), g.home)
            for g in groups
        ],
    )
    for record in this.records:
        member_id = record["member_id"]
        if not library.may_seek(this, oracle, member_id):
            with pytest.raises(SeekerError):
                matcher.rank_groups(member_id, states)
            continue
        limit = this.limit or 10
        expected, found = naive_groups.rank(member_id, limit), matcher.rank_groups(member_id, states, limit)
        agree(f"seed {this.seed}, seeker {member_id}", expected, found, programme)
        if expected["reason"] != "held":
            assert found.eligible + sum(found.excluded.values()) == len(groups)
        count(expected)
    seen["cases"] += 1


@pytest.mark.parametrize("batch", range(BATCHES))
def test_lists_of_groups_are_the_oracles(batch: int) -> None:
    for number in range(IN_A_BATCH):
        run(batch * IN_A_BATCH + number)


def test_the_generated_cases_are_not_vacuous() -> None:
    if not seen["cases"]:  # another worker ran the batches
        for seed in range(2 * IN_A_BATCH):
            run(seed)
    if seen["cases"] < BATCHES * IN_A_BATCH:
        return
    gates = {
        "programme", "open", "full", "member", "age", "agreement", "blocked", "facilitator", "channel", "languages",
        "availability", "must", "avoid", "boundaries", "silence", "gender", "region",
    }  # fmt: skip
    for gate in gates:
        assert seen["gate", gate] > 0, gate
    for reason in ("held", "no_eligible", "low_information", "below_quality"):
        assert seen["no_match", reason] > 0, reason
    assert seen["matched", None] > 200
    assert seen["tied"] > 20
    for strength in ("strong", "good", "possible"):
        assert seen["strength", strength] > 0, strength
    for facet in ("conditions", "experiences", "needs", "hobbies"):
        assert seen["reason", facet] > 0, facet


@pytest.mark.parametrize("seed", range(examples(6, 60)))
def test_any_order_and_any_parts_of_the_pool_give_the_same_list(seed: int) -> None:
    this = case(210_000 + seed, members=(15, 40), ease=0.95)
    programme = library.read_programme(this)
    members = library.read_members(this, programme)
    matcher = library.fit(this, programme, members)
    states = read_states(drawn_groups(this), programme)
    rng = random.Random(seed)
    profiles = list(matcher._members.values())
    rng.shuffle(profiles)
    cut = len(profiles) // 3
    parts = [
        Pool.build(programme, matcher.model_.encoder, part, this.at, matcher._circumstances, matcher.pool_.key)
        for part in (profiles[:cut], profiles[cut:])
    ]
    for profile in profiles:
        try:
            whole = matcher.rank_groups(profile.member_id, states, 10)
        except SeekerError:
            continue
        shuffled = rng.sample(states, len(states))
        standing = matcher._circumstances.standing(profile.member_id)
        model = matcher.model_
        topics = Topics.of(programme, model.encoder, [state.group for state in shuffled])
        split = rank_groups(parts, topics, model.affinity, profile, standing, shuffled, 10, model.version)
        assert split == whole


@pytest.mark.parametrize("seed", range(examples(6, 60)))
def test_who_withdraws_drops_out_at_once_whichever_way_it_is_told(seed: int) -> None:
    """Away, retired from the pool, or never built into it: the same bytes."""
    this = case(220_000 + seed, members=(15, 30), ease=0.95)
    programme = library.read_programme(this)
    members = library.read_members(this, programme)
    matcher = library.fit(this, programme, members)
    groups = [group for group in drawn_groups(this) if not group.away]
    states = read_states(groups, programme)
    rng = random.Random(seed)
    rosters = sorted({who for state in states for who in state.roster if matcher.pool_.find(who) is not None})
    if not rosters:
        return
    gone = rng.choice(rosters)
    away = [replace(state, away=frozenset({gone})) for state in states]
    model = matcher.model_
    topics = Topics.of(programme, model.encoder, [state.group for state in states])

    def ranked(pool: Pool, states: list[GroupState]) -> dict[str, Any]:
        lists: dict[str, Any] = {}
        for profile in matcher._members.values():
            standing = matcher._circumstances.standing(profile.member_id)
            try:
                lists[profile.member_id] = rank_groups(
                    [pool], topics, model.affinity, profile, standing, states, 10, model.version
                )
            except SeekerError:
                continue
        return lists

    def bare(lists: dict[str, Any]) -> dict[str, Any]:
        """Leave out reasons, which count holders: who is away from a group holds what they hold."""
        return {
            who: replace(found, entries=tuple(replace(entry, reasons=()) for entry in found))
            for who, found in lists.items()
        }

    told = ranked(matcher.pool_, away)
    rest = [profile for profile in matcher._members.values() if profile.member_id != gone]
    never = Pool.build(programme, model.encoder, rest, this.at, matcher._circumstances, matcher.pool_.key)
    matcher.pool_.forget(gone)
    assert ranked(matcher.pool_, states) == ranked(never, states)
    assert bare(ranked(never, states)) == bare(told)


def test_what_was_not_consented_to_changes_no_list_of_groups() -> None:
    compared = 0
    for seed in range(60):
        this, programme, members, rng = prepared(300_000 + seed)
        free = cells(this, covered=False)
        states = read_states(drawn_groups(this), programme)
        if not free or not states:
            continue
        before = every_list(library.fit(this, programme, members), states)
        for other in variants(this, programme, members, free, rng):
            assert every_list(library.fit(this, programme, other), states) == before, f"seed {seed}"
            compared += any(len(found) for found in before.values())
    assert compared > 20


def every_list(matcher: Matcher, states: list[GroupState]) -> dict[str, GroupShortlist]:
    lists = {}
    for member_id in matcher._members:
        try:
            lists[member_id] = matcher.rank_groups(member_id, states, 10)
        except SeekerError:
            continue
    return lists


def test_a_hold_of_a_member_shows_in_no_list() -> None:
    """That somebody in a group is in a crisis must not change what anybody sees of the group."""
    compared = 0
    for seed in range(230_000, 230_010):
        this = replace(case(seed, members=(15, 30), ease=0.95), circumstances={})
        programme = library.read_programme(this)
        members = library.read_members(this, programme)
        states = read_states(drawn_groups(this), programme)
        runs = {who for state in states for who in state.facilitators}
        held = next((who for state in states for who in sorted(state.members) if who not in runs), None)
        if held is None:
            continue
        free, paused = (
            Matcher(programme).fit(members, at=this.at, circumstances=Circumstances(held=frozenset(who)))
            for who in ((), (held,))
        )
        for member in members:
            if member.member_id == held:
                continue
            try:
                before = free.rank_groups(member.member_id, states)
            except SeekerError:
                continue
            assert paused.rank_groups(member.member_id, states) == before
            compared += len(before)
    assert compared > 20
