"""A history of mixed writes: what is asked of the service, and what must be stored after it."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

MEMBERS = tuple(f"m-{number}" for number in range(6))
PURPOSES = ("match_serve", "be_shown_as_peer", "train_model")
JOURNEYS = ("new", "later", "long")
KINDS = ("put", "put", "consent", "consent", "consent", "all", "hold", "block", "unblock", "erase")

Call = Callable[[str, str, Any], int]
"""Method, path and body → status."""


@dataclass
class Person:
    """What is stored of one member."""

    journey: str
    events: list[tuple[str, str]]
    """Purpose and decision."""
    holds: int = 0


@dataclass
class World:
    """What must be stored."""

    people: dict[str, Person] = field(default_factory=dict)
    blocks: set[tuple[str, str]] = field(default_factory=set)
    erased: set[str] = field(default_factory=set)

    def after(self, step: dict[str, Any]) -> World:
        """Return what must be stored once a step is done."""
        new = deepcopy(self)
        getattr(new, f"_{step['kind']}")(**{key: value for key, value in step.items() if key != "kind"})
        return new

    def _put(self, one: str, journey: str) -> None:
        if one in self.people:
            self.people[one].journey = journey
            return
        self.people[one] = Person(journey, [(purpose, "given") for purpose in PURPOSES[:2]])

    def _consent(self, one: str, purpose: str, decision: str) -> None:
        if one in self.people:
            self.people[one].events.append((purpose, decision))

    def _all(self, one: str) -> None:
        if one not in self.people:
            return
        latest = dict(self.people[one].events)
        given = [purpose for purpose in PURPOSES if latest.get(purpose) == "given"]
        self.people[one].events += [(purpose, "withdrawn") for purpose in given]

    def _hold(self, one: str) -> None:
        if one in self.people:
            self.people[one].holds += 1

    def _block(self, one: str, other: str) -> None:
        if one in self.people and other in self.people:
            self.blocks.add((min(one, other), max(one, other)))

    def _unblock(self, one: str, other: str) -> None:
        self.blocks.discard((min(one, other), max(one, other)))

    def _erase(self, one: str) -> None:
        if self.people.pop(one, None) is not None:
            self.blocks = {pair for pair in self.blocks if one not in pair}
            self.erased.add(one)


def draw(chance: random.Random) -> dict[str, Any]:
    """Return what is to be done next."""
    kind = chance.choice(KINDS)
    one, other = chance.sample(MEMBERS, 2)
    step: dict[str, Any] = {"kind": kind, "one": one}
    if kind == "put":
        step["journey"] = chance.choice(JOURNEYS)
    elif kind == "consent":
        step |= {"purpose": chance.choice(PURPOSES), "decision": chance.choice(("given", "refused", "withdrawn"))}
    elif kind in ("block", "unblock"):
        step["other"] = other
    return step


def do(step: dict[str, Any], call: Call) -> int:
    """Ask the service for one step; return the status."""
    path = f"/v1/members/{step['one']}"
    if step["kind"] == "put":
        there = call("GET", path, None) == 200
        return call("PUT", path, (_record if there else _new)(step["journey"]))
    if step["kind"] == "erase":
        return call("DELETE", path, None)
    if step["kind"] == "hold":
        return call("POST", f"{path}/holds", {"kind": "pause"})
    if step["kind"] == "block":
        return call("POST", "/v1/blocks", {"a": step["one"], "b": step["other"]})
    if step["kind"] == "unblock":
        return call("DELETE", f"/v1/blocks/{step['one']}/{step['other']}", None)
    purpose, decision = ("all", "withdrawn") if step["kind"] == "all" else (step["purpose"], step["decision"])
    return call("POST", f"{path}/consents", {"purpose": purpose, "decision": decision})


def written(step: dict[str, Any]) -> str:
    """Return a step as one line."""
    return json.dumps(step, separators=(",", ":"))


def _record(journey: str) -> dict[str, Any]:
    return {
        "roles": ["seeker", "supporter"],
        "age_band": "35-64",
        "vetted": True,
        "profile": {"experiences": ["lumpectomy"], "channel": ["phone"], "journey": journey},
    }


def _new(journey: str) -> dict[str, Any]:
    given = {"decision": "given", "policy_version": "1", "at": datetime.now(UTC).isoformat()}
    consents = [{"purpose": purpose, **given} for purpose in PURPOSES[:2]]
    return {**_record(journey), "consents": consents}
