"""Random members and connections for reports to count."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any, NamedTuple

import orjson
from sqlalchemy import delete, insert, update

from service.store import sealed
from service.store.introduction_tables import IntroductionRow
from service.store.live_tables import LiveRow
from service.store.moments import FOREVER, micros, moment
from service.store.record_tables import ConsentEventRow
from service.store.tables import MemberRow
from tests.service.installation import NOON, Installation, consent, record

MEMBERS = [f"m-{at:02}" for at in range(14)]
SPANS = [timedelta(days=days) for days in (0, 1, 6, 29, 30, 31, 90, 91, 92, 181, 182, 183, 300)]


class Pair(NamedTuple):
    seeker: str
    candidate: str
    made_at: int
    connected_at: int
    ended_at: int | None
    act: str


class Person(NamedTuple):
    roles: tuple[str, ...]
    strata: dict[str, str]
    fairness: bool
    followed: bool
    since: int | None
    capacity: int
    taken: int
    vetted: bool
    shown: bool
    rests: bool


class World(NamedTuple):
    people: dict[str, Person]
    pairs: list[Pair]


def person(rng: random.Random) -> Person:
    roles = rng.choice([("seeker",), ("seeker",), ("supporter",), ("seeker", "supporter")])
    strata = {
        name: rng.choice(values) for name, values in (("ethnicity", "abc"), ("faith", "xy")) if rng.random() < 0.8
    }
    since = None if rng.random() < 0.1 else micros(NOON - rng.choice(SPANS) - timedelta(hours=1))
    capacity = rng.randint(0, 3)
    return Person(
        roles, strata, rng.random() < 0.7, rng.random() < 0.8, since, capacity, rng.randint(0, 4),
        rng.random() < 0.8, rng.random() < 0.8, rng.random() < 0.2,
    )  # fmt: skip


def pair(rng: random.Random) -> Pair:
    seeker, candidate = rng.sample(MEMBERS, 2)
    connected = micros(NOON - rng.choice(SPANS))
    made_at = connected - rng.randint(0, 9) * 86_400_000_000 // 2
    ended = (
        None if rng.random() < 0.4 else min(connected + rng.choice(SPANS) // timedelta(microseconds=1), micros(NOON))
    )
    return Pair(seeker, candidate, made_at, connected, ended, rng.choice(["end", "rematch"]))


def consents(one: Person) -> list[dict[str, Any]]:
    since = [] if one.since is None else [consent("match_serve", at=moment(one.since))]
    told_ = {"fairness_audit": one.fairness, "outcome_followup": one.followed, "be_shown_as_peer": one.shown}
    purposes = [name for name, on in told_.items() if on]
    return [*since, *(consent(name) for name in purposes)]


def introduction(one: Pair, name: str) -> dict[str, Any]:
    history = [["propose", "seeker", None, "proposed", one.made_at, None, None]]
    if one.ended_at is not None:
        history.append([one.act, "seeker", "connected", "ended", one.ended_at, None, None])
    return {
        "id": name, "seeker": one.seeker, "candidate": one.candidate, "made_at": one.made_at,
        "since": one.connected_at if one.ended_at is None else one.ended_at, "offered_at": one.made_at,
        "state": "connected" if one.ended_at is None else "ended", "connected_at": one.connected_at,
        "due": FOREVER, "suspended": 0, "details": orjson.dumps({"history": history}).decode(),
    }  # fmt: skip


def fill(made: Installation, seed: int) -> World:
    rng = random.Random(seed)
    world = World({name: person(rng) for name in MEMBERS}, [pair(rng) for _ in range(rng.randint(0, 14))])
    with made.store.transaction() as session:
        for table in (MemberRow, LiveRow, ConsentEventRow):
            session.execute(delete(table).where(table.programme_id == "lantern"))
    made.add(*(
        record(name, *one.roles, strata=one.strata, capacity=one.capacity, vetted=one.vetted, consents=consents(one))
        for name, one in world.people.items()
    ))  # fmt: skip
    with made.store.transaction() as session:
        session.execute(delete(IntroductionRow).where(IntroductionRow.programme_id == "lantern"))
        for at, one in enumerate(world.pairs):
            values = introduction(one, str(at))
            values["details"] = sealed.seal(session, "lantern", "introductions", str(at), values["details"])
            session.execute(insert(IntroductionRow).values(programme_id="lantern", **values))
        for name, someone in world.people.items():
            mine = (LiveRow.programme_id == "lantern", LiveRow.member_id == name)
            rests = micros(NOON) + 1 if someone.rests else 0
            session.execute(
                update(LiveRow).where(*mine).values(free=LiveRow.capacity - someone.taken, rests_until=rests)
            )
    return world
