"""Writes the rows of a synthetic population as member records, the way a partner would send them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, TypeAlias

import numpy as np

from matcher.synthetic import consents, world
from matcher.synthetic.decisions import member_id
from matcher.synthetic.population import CONCEPTS, CONDITIONS, Mask
from matcher.synthetic.views import People

Record: TypeAlias = dict[str, Any]
Lists: TypeAlias = list[list[str]]


def members(people: People, at: datetime) -> Iterator[Record]:
    """Yield the record of each member, consents up to the moment `at` included."""
    population = people.population
    told = {facet: mask.tolist() for facet, mask in population.told.items()}
    columns = _columns(people)
    wants = _wants(people)
    for row in range(len(people)):
        record: Record = {"member_id": member_id(row), "roles": _roles(people, row)}
        if told["age"][row]:
            record["age_band"] = world.AGE_BANDS[population.age[row]]
        if population.supporter[row]:
            record |= {"capacity": int(population.capacity[row]), "vetted": bool(population.vetted[row])}
        record["agreements"] = [world.AGREEMENT] if population.agreed[row] else []
        record["profile"] = {facet: values[row] for facet, values in columns.items() if told[facet][row]}
        if wants[row]:
            record["wants"] = wants[row]
        strata = {
            name: tuple(shares)[population.strata[name][row]]
            for name, shares in world.STRATA.items()
            if told[name][row]
        }
        if strata:
            record["strata"] = strata
        record["consents"] = consents.events(people.consents, row, at)
        yield record


def _roles(people: People, row: int) -> list[str]:
    held = (("seeker", people.population.seeker[row]), ("supporter", people.population.supporter[row]))
    return [role for role, has in held if has]


def _columns(people: People) -> dict[str, list[Any]]:
    """Return the profile values of everybody by facet, in the order in which a record has them."""
    population = people.population
    return {
        "conditions": _names(population.conditions, CONDITIONS),
        "experiences": _names(population.experiences, CONCEPTS),
        "needs": _names(population.needs, CONCEPTS),
        "journey": [world.JOURNEY[i] for i in population.journey],
        "gender": [world.GENDERS[i] for i in population.gender],
        "interests": _names(population.interests, world.INTERESTS),
        "availability": [
            {"tz": world.ZONES[zone], "slots": slots}
            for zone, slots in zip(population.zone, _names(population.slots, world.SLOTS), strict=True)
        ],
        "languages": _names(population.languages, world.LANGUAGES),
        "channel": _names(population.channel, world.CHANNELS),
        "region": [world.REGIONS[i] for i in population.region],
        "severity": [world.SEVERITY[i] for i in population.severity],
        "boundaries": _names(population.boundaries, CONCEPTS),
        "statement": [world.STATEMENTS[i] for i in population.statement],
    }


def _wants(people: People) -> list[dict[str, Record]]:
    """Return each member's wants; an empty one for who asks nothing."""
    wants = people.wants
    lists: dict[str, dict[str, Lists]] = {
        "gender": {"prefer": _names(wants.gender, world.GENDERS)},
        "age": {"prefer": _names(wants.ages, world.AGE_BANDS)},
        "experiences": {"prefer": _names(wants.experiences, CONCEPTS), "avoid": _names(wants.avoid, CONCEPTS)},
    }
    found: list[dict[str, Record]] = []
    for row, stated in enumerate(wants.importance.tolist()):
        asked: dict[str, Record] = {}
        for facet, importance in zip(world.FEATURES, stated, strict=True):
            want: Record = {"importance": importance} if importance >= 0 else {}
            want |= {key: values[row] for key, values in lists.get(facet, {}).items() if values[row]}
            if want:
                asked[facet] = want
        found.append(asked)
    return found


def _names(held: Mask, names: Sequence[str]) -> Lists:
    """Return the names of the columns that each row holds."""
    rows, columns = np.nonzero(held)
    found: Lists = [[] for _ in range(len(held))]
    for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
        found[row].append(names[column])
    return found
