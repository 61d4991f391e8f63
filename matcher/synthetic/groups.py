"""A few support groups of a synthetic programme, as group records."""

from __future__ import annotations

from typing import Any

import numpy as np

from matcher.synthetic import eligible, world
from matcher.synthetic.decisions import member_id
from matcher.synthetic.population import CONCEPTS, CONDITIONS, SITES
from matcher.synthetic.views import People

KINDS: tuple[tuple[str, dict[str, list[str]], str, str], ...] = (
    # name, topics, slot, channel
    ("Breast cancer, Tuesday evenings", {"conditions": ["C50.9"]}, "tue 18:00-19:30", "video"),
    ("Prostate cancer, Thursday evenings", {"conditions": ["C61"]}, "thu 18:00-19:30", "video"),
    ("Back to work", {"experiences": ["back_to_work", "reduced_hours"]}, "wed 19:30-21:00", "phone"),
    ("Waiting and worry", {"experiences": ["waiting_for_scans", "fear_of_recurrence"]}, "mon 19:30-21:00", "text"),
    ("Living with a stoma", {"experiences": ["stoma"]}, "sat 09:30-11:00", "in_person"),
    ("Blood cancers", {"conditions": ["C81-C96"]}, "sat 14:00-15:30", "video"),
    ("Parents of young children", {"experiences": ["young_children", "telling_children"]}, "sun 09:30-11:00", "video"),
    ("Sunday walkers", {"interests": ["walking"]}, "sun 14:00-16:00", "in_person"),
)
CAPACITY, MIN_SIZE, MOST_MEMBERS = 10, 4, 7


def groups(people: People, rng: np.random.Generator) -> list[dict[str, Any]]:
    """Return group records: run by vetted supporters, joined by seekers who share the topic."""
    facilitators = rng.permutation(eligible.candidates(people))
    seekers = eligible.seekers(people)
    found = []
    for number, (name, topics, slot, channel) in enumerate(KINDS):
        if number >= len(facilitators):
            break
        fitting = [int(row) for row in seekers if row != facilitators[number] and _fits(people, int(row), topics)]
        size = min(int(rng.integers(MIN_SIZE, MOST_MEMBERS + 1)), len(fitting))
        found.append(
            {
                "group_id": f"g-{number + 1:02d}",
                "name": name,
                "facilitators": [member_id(int(facilitators[number]))],
                "topics": topics,
                "slot": slot,
                "tz": world.ZONES[0],
                "channel": channel,
                "capacity": CAPACITY,
                "min_size": MIN_SIZE,
                "open": True,
                "members": sorted(member_id(row) for row in rng.permutation(fitting)[:size].tolist()),
            }
        )
    return found


def _fits(people: People, row: int, topics: dict[str, list[str]]) -> bool:
    population = people.population
    names = {"conditions": CONDITIONS, "experiences": CONCEPTS, "interests": world.INTERESTS}
    for facet, codes in topics.items():
        if not population.told[facet][row]:
            return False
        held = {names[facet][i] for i in np.flatnonzero(getattr(population, facet)[row])}
        blood = "C81-C96" in codes and SITES[population.site[row]] in ("lymphoma", "leukaemia", "myeloma")
        if not (blood or held & set(codes)):
            return False
    return True
