"""Who is shown to whom after any sequence of changes, against a model that knows nothing of pools, lists or stores."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import examples
from tests.service.databases import Database, sampled
from tests.service.erased import again
from tests.service.installation import NOON, Installation, close, install, record

NAMES = ("m-0", "m-1", "m-2", "m-3", "m-4")
BOTH = ("match_serve", "be_shown_as_peer")
UNLIMITED = 'lists_per_day = 1000\nlists_per_30_days = "unlimited"'
SECONDS = (None, 30, 4000)


@dataclass
class Person:
    """What the model knows of somebody."""

    capacity: int = 1
    granted: dict[str, datetime | None] = field(default_factory=lambda: dict.fromkeys(BOTH))
    """Purpose that is on → until when."""
    holds: dict[str, datetime | None] = field(default_factory=dict)

    def on(self, purpose: str, now: datetime) -> bool:
        return purpose in self.granted and later(self.granted[purpose], now)

    def held(self, now: datetime) -> bool:
        return any(later(until, now) for until in self.holds.values())


def later(until: datetime | None, now: datetime) -> bool:
    return until is None or now < until


@dataclass
class World:
    """An installation, and the model that is told the same."""

    made: Installation
    key: str
    people: dict[str, Person] = field(default_factory=dict)
    blocks: set[frozenset[str]] = field(default_factory=set)
    began: datetime = NOON
    """When the last day began."""

    def call(self, method: str, path: str, body: Any = None, *, expect: tuple[int, ...]) -> Any:
        reply = self.made.call(method, path, body)
        assert reply.status_code in expect, (method, path, reply.get_data(as_text=True))
        return reply.get_json(silent=True)

    def begin(self) -> None:
        for name in NAMES:
            self.made.call("DELETE", f"/v1/members/{name}")
        self.made.add(*(record(name, "seeker", "supporter") for name in NAMES))
        self.people, self.blocks = {name: Person() for name in NAMES}, set()

    def until(self, number: int) -> datetime | None:
        seconds = SECONDS[number % len(SECONDS)]
        return None if seconds is None else self.made.clock() + timedelta(seconds=seconds)

    def block(self, one: str, other: str, number: int) -> None:
        pair = frozenset((one, other))
        if one != other and pair <= set(self.people):
            self.call("POST", "/v1/blocks", {"a": one, "b": other}, expect=(200 if pair in self.blocks else 201,))
            self.blocks.add(pair)

    def unblock(self, one: str, other: str, number: int) -> None:
        pair = frozenset((one, other))
        self.call("DELETE", f"/v1/blocks/{one}/{other}", expect=(204 if pair in self.blocks else 404,))
        self.blocks.discard(pair)

    def hold(self, one: str, _other: str, number: int) -> None:
        if one in self.people:
            until = self.until(number)
            body = {"kind": ("pause", "crisis", "safeguarding")[number % 3]}
            body |= {} if until is None else {"until": until.isoformat()}
            made = self.call("POST", f"/v1/members/{one}/holds", body, expect=(201,))
            self.people[one].holds[made["id"]] = until

    def lift(self, one: str, _other: str, number: int) -> None:
        for hold_id in list(self.people[one].holds if one in self.people else ())[: 1 + number]:
            until = self.people[one].holds.pop(hold_id)
            status = 204 if later(until, self.made.clock()) else 404
            self.call("DELETE", f"/v1/members/{one}/holds/{hold_id}", expect=(status,))

    def give(self, one: str, _other: str, number: int) -> None:
        if one in self.people:
            purpose, until = BOTH[number % 2], self.until(number // 2)
            body = {"purpose": purpose, "decision": "given"}
            body |= {} if until is None else {"valid_until": until.isoformat()}
            self.call("POST", f"/v1/members/{one}/consents", body, expect=(201,))
            self.people[one].granted[purpose] = until

    def withdraw(self, one: str, _other: str, number: int) -> None:
        if one in self.people:
            purposes = (BOTH[number] if number < 2 else "all",)
            body = {"purpose": purposes[0], "decision": "withdrawn" if number % 2 == 0 else "refused"}
            body["decision"] = "withdrawn" if body["purpose"] == "all" else body["decision"]
            self.call("POST", f"/v1/members/{one}/consents", body, expect=(200, 201))
            for purpose in BOTH if body["purpose"] == "all" else purposes:
                self.people[one].granted.pop(purpose, None)

    def places(self, one: str, _other: str, number: int) -> None:
        if one in self.people:
            changed = record(one, "seeker", "supporter", capacity=number % 3)
            del changed["consents"]  # those stored stay
            self.call("PUT", f"/v1/members/{one}", changed, expect=(200,))
            self.people[one].capacity = number % 3

    def erase_or_add(self, one: str, _other: str, number: int) -> None:
        if one not in self.people:
            body = again(record(one, "seeker", "supporter"), self.made.clock())  # a second later than the erasure
            self.call("PUT", f"/v1/members/{one}", body, expect=(201,))
            self.people[one] = Person()
            return
        self.call("DELETE", f"/v1/members/{one}", expect=(200,))
        del self.people[one]
        self.blocks = {pair for pair in self.blocks if one not in pair}

    def wait(self, _one: str, _other: str, number: int) -> None:
        self.made.clock.turn(seconds=(10, 25, 4000)[number % 3])

    def day(self, _one: str, _other: str, _number: int) -> None:
        self.made.clock.turn(days=1)
        self.began = self.made.clock()

    def eligible(self, seeker: str) -> set[str] | None:
        """Return who may be shown to a seeker now, as the model has it; None where a held seeker asks."""
        now = self.made.clock()
        if self.people[seeker].held(now):
            return None
        return {
            name
            for name, person in self.people.items()
            if name != seeker
            and person.on("be_shown_as_peer", now)
            and not person.held(now)
            and person.capacity > 0
            and frozenset((seeker, name)) not in self.blocks
        }

    def status(self, seeker: str) -> int:
        """Return the status of the reply to a seeker. Whoever is held is told so, whatever they consent to."""
        if seeker not in self.people:
            return 404
        person, now = self.people[seeker], self.made.clock()
        return 200 if person.held(now) or person.on("match_serve", now) else 403

    def faults(self, *, whole: bool) -> list[str]:
        """Return every difference between the model and the lists of everybody.

        With `whole` a list must have everybody who may be in it; otherwise nobody who may not.
        """
        return [fault for name in NAMES if (fault := self.fault(name, whole=whole))]

    def fault(self, seeker: str, *, whole: bool) -> str:
        reply = self.made.call("POST", "/v1/match", {"member_id": seeker, "limit": 10}, key=self.key)
        status = self.status(seeker)
        if reply.status_code != status:
            return f"{seeker}: {status} is right, {reply.status_code} is found: {reply.get_data(as_text=True)}"
        if status != 200:
            return ""
        found = reply.get_json()
        seen, right = {one["member_id"] for one in found["matches"]}, self.eligible(seeker)
        if right is None:
            return "" if (found["reason"], seen) == ("held", set()) else f"{seeker}: held, and has {found}"
        if found["reason"] == "held" or not seen <= right or (whole and not seen >= right):
            return f"{seeker}: {sorted(right)} is right, {sorted(seen)} is found ({found['reason']})"
        return ""


CHANGES: dict[str, Callable[[World, str, str, int], None]] = {
    "block": World.block, "unblock": World.unblock, "hold": World.hold, "lift": World.lift, "give": World.give,
    "withdraw": World.withdraw, "places": World.places, "erase_or_add": World.erase_or_add, "wait": World.wait,
    "day": World.day,
}  # fmt: skip
STEPS = st.lists(
    st.tuples(st.sampled_from(sorted(CHANGES)), st.sampled_from(NAMES), st.sampled_from(NAMES), st.integers(0, 5)),
    min_size=1,
    max_size=20,
)


@pytest.fixture(scope="module", params=["small", "standard"])
def world(
    request: pytest.FixtureRequest, database: Database, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """An installation whose lists have no budget. Of size `small` whoever may be shown again is so at once."""
    made = install(tmp_path_factory.mktemp("world"), database=database, size=request.param, more=UNLIMITED)
    yield World(made, made.new_key("match", "match:ids"))
    close(made)


@sampled("What happens in any order happens on both in test_any_order.py.")
@settings(max_examples=examples(40, 600))
@given(steps=STEPS)
def test_after_every_change_everybody_sees_whom_the_model_says(
    world: World, steps: list[tuple[str, str, str, int]]
) -> None:
    small = world.made.programme.additions == "at_once"
    world.begin()
    world.day("", "", 0)
    assert world.faults(whole=True) == []
    for what, one, other, number in steps:
        world.made.clock.turn(seconds=1)  # no two decisions fall into one instant
        CHANGES[what](world, one, other, number)
        # In other programmes whoever may be shown again, or is new, enters lists with the next day.
        assert world.faults(whole=small or what == "day") == [], (what, one, other, number)


@pytest.mark.parametrize("what", ["block", "hold", "withdraw", "places"])
def test_a_change_that_the_model_is_not_told_is_caught(world: World, what: str) -> None:
    world.begin()
    world.day("", "", 0)
    assert world.faults(whole=True) == []
    people = {name: Person() for name in NAMES}
    CHANGES[what](world, "m-1", "m-2", 3 if what != "withdraw" else 1)
    world.people, world.blocks = people, set()
    told = world.faults(whole=True)
    assert told
    # The other way about: the model knows of a hold, and the installation does not.
    world.begin()
    world.people["m-1"].holds["untold"] = None
    assert len(world.faults(whole=False)) == len(NAMES)
