"""One side of many pairs, as far as consent lets it be known."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from matcher.synthetic import world
from matcher.synthetic.consents import Consents
from matcher.synthetic.families import CONCEPT_UP, CONDITION_UP, rarity
from matcher.synthetic.population import Floats, Ints, Mask, Population
from matcher.synthetic.wants import DEFAULT, Wants


@dataclass(frozen=True)
class People:
    """A population with what it wants and agreed to."""

    population: Population
    wants: Wants
    consents: Consents

    def __len__(self) -> int:
        return len(self.population)

    @cached_property
    def condition_rarity(self) -> Floats:
        """What sharing each node above `CONDITIONS` counts."""
        return rarity(self.population.conditions, CONDITION_UP)

    @cached_property
    def experience_rarity(self) -> Floats:
        """What sharing each of `CONCEPTS` counts."""
        return rarity(self.population.experiences, CONCEPT_UP)


@dataclass(frozen=True)
class Side:
    """The rows of one side, read through one purpose."""

    people: People
    rows: Ints
    purpose: str

    def knows(self, facet: str) -> Mask:
        """Return for which rows the facet is told and covered."""
        if facet == "age":  # derived from a required field: in every view
            return self.people.population.told["age"][self.rows]
        told = self.people.population.told[facet][self.rows]
        return np.asarray(told & self.people.consents.covers(self.purpose, facet)[self.rows])

    def asks(self, facet: str) -> Mask:
        """Return for which rows the wants of the facet are covered."""
        if facet == "age":
            return np.ones(len(self.rows), dtype=bool)
        covered: Mask = self.people.consents.covers(self.purpose, facet)[self.rows]
        return covered

    def importance(self, facet: str) -> Ints:
        """Return each row's importance, 0–3."""
        column = world.FEATURES.index(facet)
        stated = self.people.wants.importance[self.rows, column]
        importance: Ints = np.where((stated < 0) | ~self.asks(facet), DEFAULT[column], stated)
        return importance

    def prefers(self, facet: str) -> Mask | None:
        """Return what each row prefers (an empty row: nothing), or None where nobody can in this world."""
        wanted = {"gender": "gender", "age": "ages", "experiences": "experiences"}.get(facet)
        if wanted is None:
            return None
        preferred: Mask = getattr(self.people.wants, wanted)[self.rows]
        return preferred & self.asks(facet)[:, None]

    def values(self, facet: str) -> Mask:
        """Return each row's own values as columns, as told."""
        population = self.people.population
        if facet in ("gender", "age", "region"):
            width = {"gender": len(world.GENDERS), "age": len(world.AGE_BANDS), "region": len(world.REGIONS)}[facet]
            one: Mask = np.eye(width, dtype=bool)[getattr(population, facet)[self.rows]]
            return one
        held: Mask = getattr(population, facet)[self.rows]
        return held
