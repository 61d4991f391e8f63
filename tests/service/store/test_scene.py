"""What requests read first: who may be shown, who stands apart, and when something is due by itself."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import insert

from service.store import apart, live, scene
from service.store.introduction_tables import IntroductionRow
from service.store.moments import FOREVER, micros
from service.store.scene import Live
from tests.service.installation import NOON, Installation, record

AT = micros(NOON)
HERE = Live(1, "m", 1, 1, 1, 1, FOREVER, 0, 2, 1, 0)


@pytest.mark.parametrize(
    ("changes", "shown", "places"),
    [
        ({}, True, 2),
        ({"free": 0}, False, 0),
        ({"free": -1}, False, -1),
        ({"rests_until": AT}, True, 2),
        ({"rests_until": AT + 1}, False, 0),
        ({"held_until": AT}, True, 2),
        ({"held_until": AT + 1}, False, 2),
        ({"accepted": 0}, False, 2),
        ({"shown": 0}, False, 2),
    ],
)
def test_who_may_be_shown(changes: dict[str, int], shown: bool, places: int) -> None:
    row = HERE._replace(**changes)
    assert (row.may_be_shown(AT), row.places(AT)) == (shown, places)


def test_whoever_is_being_introduced_stands_apart_as_if_connected(made: Installation) -> None:
    made.add(record("s", "seeker"), *(record(name) for name in "abc"))
    with made.store.transaction() as session:
        apart.introduce(session, "lantern", ("s", "a"), {"a"})
        apart.introduce(session, "lantern", ("b", "s"), ())
        apart.block(session, "lantern", [("c", "s")])
    with made.store.hot.reading() as reader:
        assert scene.apart(reader, "lantern", "s") == (frozenset("c"), frozenset(), frozenset("ab"))
        assert scene.apart(reader, "lantern", "a") == (frozenset(), frozenset(), frozenset("s"))
        assert scene.apart(reader, "lantern", "nobody") == (frozenset(),) * 3


def test_what_is_first_due(made: Installation) -> None:
    def due() -> tuple[int, int]:
        with made.store.hot.reading() as reader:
            return scene.first_due(reader, "lantern"), scene.first_introduction_due(reader, "lantern")

    made.add(record("s", "seeker"), record("a"))
    assert due() == (FOREVER, FOREVER)
    rest, lapse = (micros(NOON + timedelta(days=days)) for days in (3, 2))
    with made.store.transaction() as session:
        live.touch(session, "lantern", "a", adds=False, rests_until=rest)
    assert due() == (rest, FOREVER)
    with made.store.transaction() as session:
        for name, when in (("i", lapse), ("j", FOREVER), ("k", 0)):
            values = {"id": name, "seeker": "s", "candidate": "a", "state": "offered", "made_at": 1, "since": 1}
            values |= {"due": when, "suspended": 0, "details": b"", "programme_id": "lantern"}
            session.execute(insert(IntroductionRow).values(**values))
    assert due() == (lapse, lapse)
