"""Random programmes written straight into the tables, and where everybody stands in them as the documents say it.

The second implementation asks for one member at a time and looks at every row; it shares no query with the first.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import delete, insert, select

from service.store import lists
from service.store.introduction_tables import IntroductionRow
from service.store.lists import Entry, StoredList
from service.store.live_tables import ApartRow, ListRow, LiveRow
from service.store.moments import FOREVER, micros, moment
from tests.service.installation import NOON, Installation

STATES: Final = (
    "in_review", "offered", "accepted", "connected", "ended", "ended", "declined", "expired", "withdrawn", "rejected",
)  # fmt: skip
EMPTY: Final = ("no_eligible", "small_pool", "below_quality", "low_information")
AGO: Final = (timedelta(0), timedelta(hours=1), timedelta(hours=13), timedelta(days=3), timedelta(days=13, hours=23))
LONG_AGO: Final = (*AGO, timedelta(days=14), timedelta(days=15), timedelta(days=31), timedelta(days=200))
TABLES: Final[Sequence[Any]] = (LiveRow, IntroductionRow, ApartRow, ListRow)


class Place(NamedTuple):
    """Where somebody stands."""

    state: str
    reason: str | None
    since: datetime


def before(rng: random.Random, some: Sequence[timedelta] = LONG_AGO) -> int:
    return micros(NOON - rng.choice(some))


def fill(made: Installation, programme_id: str, rng: random.Random) -> None:
    """Replace all of a programme's rows by random ones: few people, so that everything meets everything."""
    with made.store.transaction() as session:
        for table in TABLES:
            session.execute(delete(table).where(table.programme_id == programme_id))
        people = [_person(programme_id, f"m-{at}", rng) for at in range(rng.randint(2, 7))]
        session.execute(insert(LiveRow), people)
        names = [one["member_id"] for one in people]
        rows = [_introduction(programme_id, f"{at}", names, rng) for at in range(rng.randint(0, 4))]
        if rows:
            session.execute(insert(IntroductionRow), rows)
        apart = _apart(programme_id, names, rng)
        if apart:
            session.execute(insert(ApartRow), apart)
        query = select(LiveRow.id).where(LiveRow.programme_id == programme_id).order_by(LiveRow.member_id)
        numbers = list(session.scalars(query))
    with made.store.hot.writing() as writer:
        for at in range(rng.randint(0, 2 * len(numbers))):
            lists.add(writer, programme_id, _list(f"l-{programme_id}-{at}", numbers, rng))


def _person(programme_id: str, member_id: str, rng: random.Random) -> dict[str, Any]:
    accepted = int(rng.random() < 0.9)
    later = (0, 0, 0, 0, micros(NOON), micros(NOON) + 1, FOREVER)
    return {
        "programme_id": programme_id, "member_id": member_id, "revision": 1, "number": 1, "accepted": accepted,
        "shown": accepted * int(rng.random() < 0.8), "edge": FOREVER, "held_until": rng.choice(later), "capacity": 2,
        "free": rng.choice((-1, 0, 1, 1, 2)), "visible_from": 1, "rests_until": rng.choice(later),
        "seeker": int(rng.random() < 0.8), "seeks_since": accepted * rng.choice((0, 1, 1, 1)) * before(rng),
    }  # fmt: skip


def _introduction(programme_id: str, name: str, names: list[str], rng: random.Random) -> dict[str, Any]:
    seeker, candidate = rng.sample(names, 2)
    state = rng.choice(STATES)
    since = before(rng)
    connected = state == "connected" or (state == "ended" and rng.random() < 0.7)
    return {
        "programme_id": programme_id, "id": name, "seeker": seeker, "candidate": candidate, "state": state,
        "made_at": since, "since": since, "offered_at": None, "connected_at": since - 1 if connected else None,
        "due": FOREVER, "suspended": int(rng.random() < 0.1), "details": b"",
    }  # fmt: skip


def _apart(programme_id: str, names: list[str], rng: random.Random) -> list[dict[str, Any]]:
    found = []
    for at, one in enumerate(names):
        for other in names[at + 1 :]:
            if rng.random() < 0.7:
                continue
            kind = rng.choice(("blocked", "declined", "connected", "connected", "introduced"))
            takes = rng.choice(((0, 1), (1, 0), (1, 1), (0, 0))) if kind == "connected" else (0, 0)
            for mine, theirs, place in ((one, other, takes[0]), (other, one, takes[1])):
                row = {"programme_id": programme_id, "member_id": mine, "other_id": theirs}
                found.append({**row, "kind": kind, "takes": place})
    return found


def _list(name: str, numbers: list[int], rng: random.Random) -> StoredList:
    seeker = rng.choice(numbers)
    matched = rng.random() < 0.75
    people = rng.sample([*numbers, 10**6], rng.randint(1, len(numbers)))
    entries = tuple(Entry(one, 1, 0.5, "good", ()) for one in people if one != seeker) if matched else ()
    made = before(rng)
    places = rng.sample(range(len(entries)), rng.randint(0, len(entries)))
    return StoredList(
        match_id=name, seeker_id=seeker, kind="buddy" if rng.random() < 0.9 else "group", epoch=1, made_at=made,
        returned_at=max(made, before(rng)), number=rng.randint(1, 5), profile="", revision=1, good_until=FOREVER,
        digest="", model_version="1", outcome="matched" if matched else "no_match",
        reason=None if matched else rng.choice(EMPTY), cut=False, entries=entries,
        shown={place: (rank, made) for rank, place in enumerate(places, 1)},
    )  # fmt: skip


def naive(made: Installation, programme_id: str, *, mutual: bool, a_day: int, a_month: int) -> dict[str, Place]:
    """Return where each seeker stands at noon, told one by one."""
    with made.store.reading() as session:
        rows = {
            table: [
                {column.key: getattr(row, column.key) for column in table.__table__.columns}
                for row in session.scalars(select(table).where(table.programme_id == programme_id))
            ]
            for table in TABLES
        }
    with made.store.hot.reading() as reader:
        newest = {
            one["id"]: lists.latest(reader, programme_id, one["id"], "buddy")
            for one in rows[LiveRow]
        }  # fmt: skip
    return {
        one["member_id"]: _place(one, rows, newest[one["id"]], mutual, (a_day, a_month))
        for one in rows[LiveRow]
        if one["seeker"]
    }


def _place(me: Any, rows: Any, last: StoredList | None, mutual: bool, most: tuple[int, int]) -> Place:
    name = me["member_id"]
    since = moment(me["seeks_since"])
    state, connected = None, False
    for one in rows[IntroductionRow]:
        mine = name == one["seeker"] or (mutual and name == one["candidate"])
        if mine and one["state"] == "ended" and one["connected_at"] is not None:
            since = max(since, moment(one["since"]))
        connected = connected or (mine and one["state"] == "connected")
    for one in rows[ApartRow]:
        if one["kind"] == "connected" and one["member_id"] == name:
            back = [
                other["takes"]
                for other in rows[ApartRow]
                if (other["kind"], other["member_id"], other["other_id"]) == ("connected", one["other_id"], name)
            ]
            connected = connected or mutual or (one["takes"] == 0 and back == [1])
    asked = any(one["seeker"] == name and one["state"] in ("proposed", "in_review", "offered", "accepted")
                for one in rows[IntroductionRow])  # fmt: skip
    if not me["accepted"]:
        state = "outdated"
    elif me["seeks_since"] == 0:
        state = "no_consent"
    elif moment(min(me["held_until"], micros(datetime(3000, 1, 1, tzinfo=UTC)))) > NOON:
        state = "held"
    elif connected:
        state = "connected"
    elif asked:
        state = "introduced"
    elif _has_choice(me, rows, last):
        state = "listed"
    if state is not None:
        return Place(state, None, since)
    return Place("waiting", _reason(me, rows, last, most), since)


def _has_choice(me: Any, rows: Any, last: StoredList | None) -> bool:
    if last is None or last.outcome != "matched" or moment(last.returned_at) <= NOON - timedelta(days=14):
        return False
    places = list(last.shown) or list(range(len(last.entries)))
    for number in (last.entries[place].id for place in places):
        for one in rows[LiveRow]:
            away = [row for row in rows[ApartRow]
                    if (row["member_id"], row["other_id"]) == (me["member_id"], one["member_id"])]  # fmt: skip
            there = one["id"] == number and one["accepted"] and one["shown"] and one["free"] >= 1
            if there and one["held_until"] <= micros(NOON) and one["rests_until"] <= micros(NOON) and not away:
                return True
    return False


def _reason(me: Any, rows: Any, last: StoredList | None, most: tuple[int, int]) -> str:
    if last is None:
        return "never_asked"
    if last.outcome == "no_match":
        return str(last.reason)
    had = [moment(one["made_at"]) for one in rows[ListRow]
           if one["seeker_id"] == me["id"] and one["kind"] == "buddy" and one["outcome"] == "matched"
           and one["shown"] != b"[]"]  # fmt: skip
    midnight = NOON.replace(hour=0)
    today, month = sum(at >= midnight for at in had), sum(at > NOON - timedelta(days=30) for at in had)
    if today >= most[0] or month >= most[1]:
        return "over_budget"
    return "declined_all" if moment(last.returned_at) > NOON - timedelta(days=14) else "lapsed"
