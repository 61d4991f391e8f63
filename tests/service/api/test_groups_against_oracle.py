"""Random programmes over HTTP: the groups that a seeker is shown are those of `tests/oracle/groups.py`."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from matcher.matching.group_reasons import phrase
from matcher.model.artefact import prior_model, save
from matcher.model.signing import signing_key
from matcher.people import Member
from matcher.programme import Programme
from matcher.support_group import Group
from service import create_app
from service.security import create_secret_key
from service.store import apart, groups, holds, keys, members, models, open_store, programmes
from tests.cohorts import Case, case
from tests.cohorts.groups import Drawn, draw
from tests.conftest import examples
from tests.oracle import Oracle
from tests.oracle.groups import OracleGroup, OracleGroups
from tests.properties import library
from tests.service.databases import Database, sampled
from tests.service.installation import Clock, Installation, close, settings_in

CASES = examples(12, 120)
WEEK = timedelta(days=7)
seen: Counter[Any] = Counter()


def install_case(folder: Path, database: Database, this: Case) -> Installation:
    """Set up an installation with the programme of a case and whoever belongs to it."""
    database.prepare(folder)
    settings, clock = settings_in(folder), Clock(this.at)
    create_secret_key(settings)
    programme = Programme.from_toml(this.write(folder / "files"))
    store = open_store(settings, create=True)
    with store.transaction() as session:
        programmes.save(session, programme, folder / "files", now=this.at)
        people = [Member.from_dict(record, programme) for record in this.records]
        members.upsert_many(session, programme, people, now=this.at, visible_from=this.at.date())
        known = {member.member_id for member in people}
        pairs = {pair for pair in this.circumstances["blocks"] if set(pair) <= known and len(set(pair)) == 2}
        apart.block(session, programme.id, pairs)
        for member_id in sorted(known & set(this.circumstances["held"])):
            holds.add(session, programme.id, member_id, "pause", until=None, now=this.at)
        key = keys.create(session, programme.id, ["match", "match:ids"], now=this.at).text
    made = Installation(folder, settings, store, programme, clock, create_app(settings, clock=clock), key, database)
    save(
        prior_model(programme, "1"), settings.model_folder(programme.id, "1"), signing_key(create_secret_key(settings))
    )
    with store.transaction() as session:
        models.add(session, programme.id, "1", {}, now=this.at)
        models.activate(session, programme.id, "1", now=this.at)
    return made


def of_members(drawn: Drawn, known: set[str]) -> Drawn:
    """Return a group of the same form, of members of the programme alone, of whom nobody is in it twice."""
    runs = drawn.facilitators & known
    inside, before = ((people & known) - runs for people in (drawn.members, drawn.roster))
    return replace(drawn, facilitators=runs, members=inside, roster=before, away=frozenset(), home=True)


def put(made: Installation, drawn: list[Drawn], this: Case) -> None:
    """Store the groups as they were last week, and then as they are."""
    with made.store.transaction() as session:
        for now, who in ((this.at - WEEK, "roster"), (this.at, "members")):
            for one in drawn:
                people = {"facilitators": sorted(one.facilitators), "members": sorted(getattr(one, who))}
                group = Group.from_dict({**one.record, **people}, made.programme)
                groups.upsert(session, made.programme, group, now=now)


def oracle_groups(this: Case, drawn: list[Drawn]) -> OracleGroups:
    # The service's first model has learned from nobody, and its ties are those of the library's first seed.
    oracle = Oracle(
        this.programme, this.parents, list(this.records), this.at, circumstances=this.circumstances, learned_from=[]
    )
    return OracleGroups(
        oracle, [OracleGroup(one.record, set(one.members), set(one.facilitators), set(one.roster)) for one in drawn]
    )


def answered(expected: dict[str, Any], programme: Programme) -> dict[str, Any]:
    """Return what a reply says of an oracle's list."""
    return {
        "outcome": expected["outcome"],
        "reason": expected["reason"],
        "matches": [
            {
                "rank": entry["rank"],
                "strength": entry["strength"],
                "reasons": [
                    {"facet": facet, "text": phrase(programme.facets[facet], value)}
                    for facet, value in entry["reasons"]
                ],
                "statement": None,
                "group_id": entry["group_id"],
            }
            for entry in expected["entries"]
        ],
    }


def run(seed: int, database: Database, folder: Path) -> None:
    this = replace(case(700_000 + seed, members=(10, 40), ease=1.0 if seed % 2 else None), foreign=frozenset())
    made = install_case(folder, database, this)
    rng = random.Random(f"groups over HTTP {seed}")
    known = {record["member_id"] for record in this.records}
    drawn = [
        of_members(one, known) for one in draw(rng, this.programme, this.parents, this.records, rng.choice([5, 15, 25]))
    ]
    put(made, drawn, this)
    naive = oracle_groups(this, drawn)
    for record in this.records:
        member_id = record["member_id"]
        asked = {"member_id": member_id, "kind": "group", "limit": this.limit or 10}
        reply = made.call("POST", "/v1/match", asked)
        if not library.may_seek(this, naive.oracle, member_id):
            # Who is held is told so first: the reply has the words for a crisis.
            held = member_id in this.circumstances["held"]
            assert reply.status_code in ({200} if held else {403, 409}), f"seed {seed}, seeker {member_id}"
            continue
        assert reply.status_code == 200, reply.get_data(as_text=True)
        expected = naive.rank(member_id, asked["limit"])
        found = reply.get_json()
        for match in found["matches"]:
            del match["handle"]
        told = {key: found[key] for key in ("outcome", "reason", "matches")}
        assert told == answered(expected, made.programme), f"seed {seed}, seeker {member_id}"
        again = made.call("POST", "/v1/match", asked)
        assert again.data == reply.data, f"seed {seed}, seeker {member_id}"
        seen[expected["outcome"], expected["reason"]] += 1
        seen["entries"] += len(expected["entries"])
        seen["reasons"] += sum(bool(entry["reasons"]) for entry in expected["entries"])
    seen["cases"] += 1
    close(made)


@sampled("test_group_lists.py asks the same of groups on both.")
@pytest.mark.parametrize("seed", range(CASES))
def test_lists_of_groups_are_the_oracles(seed: int, database: Database, tmp_path: Path) -> None:
    run(seed, database, tmp_path)


def test_the_generated_cases_are_not_vacuous() -> None:
    if seen["cases"] < CASES:  # another worker ran the others
        return
    assert seen["matched", None] > 20
    assert seen["entries"] > 50
    assert seen["reasons"] > 0
    for reason in ("held", "no_eligible"):
        assert seen["no_match", reason] > 0, reason
