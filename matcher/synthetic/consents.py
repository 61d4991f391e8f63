"""Who agreed to what in a synthetic programme: the state of each purpose at the end, and the events that led there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Any

import numpy as np

from matcher.synthetic import world
from matcher.synthetic.population import Ints, Mask, Population

FACETS = (*world.OPTIONAL, *world.REQUIRED)
NARROWABLE = ("match_serve", "be_shown_as_peer")
JOINED = timedelta(days=60)
"""The programme began this long before the end; everybody consented within its first four days."""


class State(IntEnum):
    """What a purpose has come to."""

    NEVER_ASKED = 0
    GIVEN = 1
    REFUSED = 2
    WITHDRAWN = 3
    EXPIRED = 4


@dataclass(frozen=True)
class Consents:
    """N people's purposes."""

    state: dict[str, Ints]
    left_out: dict[str, Ints]
    """By purpose: the facet that its `categories` omits, by its place in `world.OPTIONAL`; -1: none."""
    minutes: Ints
    """When each consented, in minutes after the programme began."""

    def on(self, purpose: str) -> Mask:
        """Return for whom the purpose is on."""
        return np.asarray(self.state[purpose] == State.GIVEN)

    def covers(self, purpose: str, facet: str) -> Mask:
        """Return for whom the purpose is on and covers the facet."""
        if facet not in world.OPTIONAL:
            return self.on(purpose)
        return np.asarray(self.on(purpose) & (self.left_out[purpose] != world.OPTIONAL.index(facet)))


def draw(people: Population, rng: np.random.Generator) -> Consents:
    """Return the consents of `people`, drawn with `rng`."""
    n = len(people)
    state = {}
    for purpose, share in world.PURPOSES.items():
        luck = rng.random(n)
        given = np.where(luck < share * world.WITHDRAWN, State.WITHDRAWN, State.GIVEN)
        given = np.where(luck > share * (1 - world.EXPIRED), State.EXPIRED, given)
        state[purpose] = np.where(luck < share, given, State.REFUSED)
    # A role is asked for the purpose it needs.
    state["match_serve"] = np.where(people.seeker, state["match_serve"], State.NEVER_ASKED)
    state["be_shown_as_peer"] = np.where(people.supporter, state["be_shown_as_peer"], State.NEVER_ASKED)
    left_out = {
        purpose: np.where(rng.random(n) < world.NARROWED, rng.integers(len(world.OPTIONAL), size=n), -1)
        for purpose in NARROWABLE
    }
    return Consents(state, left_out, rng.integers(4 * 24 * 60, size=n))


def events(consents: Consents, row: int, at: datetime) -> list[dict[str, Any]]:
    """Return the consent events of member `row` as a record has them, up to the moment `at`."""
    joined = at - JOINED + timedelta(minutes=int(consents.minutes[row]))
    found: list[dict[str, Any]] = []
    for purpose, states in consents.state.items():
        state = State(int(states[row]))
        if state is State.NEVER_ASKED:
            continue
        event = _event(purpose, "refused" if state is State.REFUSED else "given", joined)
        if state is State.EXPIRED:
            event["valid_until"] = stamp(joined + timedelta(days=30))
        facet = int(consents.left_out[purpose][row]) if purpose in NARROWABLE and state is State.GIVEN else -1
        if facet >= 0:
            event["categories"] = [name for name in FACETS if name != world.OPTIONAL[facet]]
        found.append(event)
        if state is State.WITHDRAWN:
            found.append(_event(purpose, "withdrawn", joined + timedelta(days=41)))
    return found


def _event(purpose: str, decision: str, at: datetime) -> dict[str, Any]:
    return {"purpose": purpose, "decision": decision, "policy_version": world.POLICY_VERSION, "at": stamp(at)}


def stamp(moment: datetime) -> str:
    """Return a UTC moment as records write it, to the second."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
