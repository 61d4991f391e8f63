"""Random support groups of a generated programme, raw, and what became of their people since."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from tests.cohorts.members import FAR, LANGUAGES, NEAR, Chances, value_of
from tests.cohorts.programmes import AGREEMENT, Facet

Record = dict[str, Any]


@dataclass(frozen=True)
class Drawn:
    """One group: its record, and who is in it now."""

    record: Record
    members: frozenset[str]
    facilitators: frozenset[str]
    roster: frozenset[str]
    away: frozenset[str]
    home: bool


def topical(facets: dict[str, Facet]) -> dict[str, Facet]:
    """Return the facets of which a group may have topics."""
    return {
        name: facet
        for name, facet in facets.items()
        if facet["kind"] in ("concepts", "tags", "choice")
        and not {"against", "excludes"} & set(facet)
        and name != "channel"
    }


def sound_person(record: Record) -> bool:
    """Tell whether somebody could run a group, consents aside."""
    return bool(record["vetted"] and "age_band" in record and AGREEMENT in record["agreements"])


def draw(rng: random.Random, raw: dict[str, Any], parents: Any, records: tuple[Record, ...], count: int) -> list[Drawn]:
    """Return `count` groups whose people are, for the most part, among `records`."""
    chances = Chances.draw(rng, 0.9)
    ids = [record["member_id"] for record in records]
    young = [r["member_id"] for r in records if r.get("age_band") in raw["ages"]["minors"]]
    ready = [record["member_id"] for record in records if sound_person(record)] or ids
    drawn: list[Drawn] = []
    for number in range(count):
        minors = raw["ages"]["minors_policy"] == "separate" and bool(young) and rng.random() < 0.15
        if drawn and rng.random() < 0.15:  # twins tie
            record = {**rng.choice(drawn).record, "group_id": f"g-{number:02}"}
        else:
            record = _record(rng, raw, parents, chances, number, young if minors else ids, ready)
            if minors:
                record["minors"] = True
        drawn.append(_now(rng, record, ids))
    return drawn


def _record(
    rng: random.Random,
    raw: dict[str, Any],
    parents: Any,
    chances: Chances,
    number: int,
    people: list[str],
    ready: list[str],
) -> Record:
    facets = raw["facets"]
    topics: Record = {}
    for name, facet in topical(facets).items():
        if rng.random() < 0.4:
            value = value_of(rng, facet, parents, chances)
            if value != []:
                topics[name] = value
    able = ready if rng.random() < 0.85 else people or ready
    facilitators = rng.sample(able, min(len(able), rng.choice([0, 1, 1, 1, 1, 1, 2])))
    others = [member_id for member_id in people if member_id not in facilitators]
    start, length = rng.randrange(8 * 60, 20 * 60, rng.choice([30, 15, 7])), rng.choice([10, 30, 60, 90, 90, 120])
    stop = start + length
    record: Record = {
        "group_id": f"{rng.choice('gG')}-{number:02}",
        "name": "Generated",
        "facilitators": facilitators,
        "topics": topics,
        "slot": f"{rng.choice(['mon', 'tue', 'sat', 'sat', 'sun'])} "
        f"{start // 60:02}:{start % 60:02}-{stop // 60:02}:{stop % 60:02}",
        "tz": rng.choice([*NEAR * 3, *FAR]),
        "capacity": rng.choice([0, 3, 12, 20, 20, 20, 30]),
        "min_size": 0,
        "open": rng.random() < 0.9,
        "members": rng.sample(others, min(len(others), rng.choice([0, 2, 4, 5, 8, 11]))),
    }
    if rng.random() < 0.5:
        record["languages"] = ["en"] if rng.random() < 0.7 else rng.sample(LANGUAGES, 2)
    if "channel" in facets:
        record["channel"] = rng.choice(facets["channel"]["values"])
    return record


def _now(rng: random.Random, record: Record, ids: list[str]) -> Drawn:
    """Return what became of a group since its record was written: some came, some left, some withdrew."""
    members, facilitators = set(record["members"]), set(record["facilitators"])
    roster = set(members)
    if rng.random() < 0.3:
        roster |= set(rng.sample(ids, 2)) - facilitators
    if rng.random() < 0.3:
        members |= set(rng.sample(ids, 1)) - facilitators
    if rng.random() < 0.2:
        members |= {"nobody-known"}
        roster |= {"nobody-known"}
    if members and rng.random() < 0.3:
        members -= {rng.choice(sorted(members))}
    people = sorted(members | facilitators | roster)
    away = set(rng.sample(people, 1)) if people and rng.random() < 0.15 else set()
    sets = (frozenset(part) for part in (members, facilitators, roster, away))
    return Drawn(record, *sets, home=rng.random() > 0.05)
