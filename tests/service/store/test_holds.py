"""Holds, and the end of the last of them beside the record."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.store import deletion, feed, holds
from service.store.live_tables import HoldRow, LiveRow
from service.store.moments import FOREVER, micros
from tests.conftest import examples
from tests.service.installation import NOON, Installation, another_programme, record

HOUR = timedelta(hours=1)


@pytest.fixture
def session(made: Installation) -> Iterator[Session]:
    """A transaction in which two members are."""
    made.add(record("m-1"), record("m-2"))
    with made.store.transaction() as opened:
        yield opened


def held_until(session: Session, member_id: str = "m-1") -> int:
    of_member = (LiveRow.programme_id == "lantern", LiveRow.member_id == member_id)
    return session.scalars(select(LiveRow.held_until).where(*of_member)).one()


def add(session: Session, kind: str = "pause", until: datetime | None = None, now: datetime = NOON) -> holds.Hold:
    return holds.add(session, "lantern", "m-1", kind, until=until, now=now)


def running(session: Session, now: datetime = NOON) -> list[str]:
    return [hold.id for hold in holds.running(session, "lantern", "m-1", now)]


def test_the_live_row_has_the_end_of_the_last_hold(session: Session) -> None:
    assert held_until(session) == 0
    short = add(session, until=NOON + HOUR)
    assert held_until(session) == micros(NOON + HOUR)
    long = add(session, "crisis", NOON + 2 * HOUR)
    assert held_until(session) == micros(NOON + 2 * HOUR)
    open_ended = add(session, "safeguarding")
    assert held_until(session) == open_ended.until == FOREVER
    assert running(session) == [hold.id for hold in sorted((short, long, open_ended), key=lambda hold: hold.id)]
    assert holds.lift(session, "lantern", "m-1", open_ended.id, NOON)
    assert held_until(session) == micros(NOON + 2 * HOUR)
    assert holds.lift(session, "lantern", "m-1", long.id, NOON)
    assert holds.lift(session, "lantern", "m-1", short.id, NOON)
    assert (held_until(session), running(session)) == (0, [])
    assert held_until(session, "m-2") == 0


def test_a_hold_ends_at_its_moment_and_is_forgotten(session: Session) -> None:
    hold = add(session, until=NOON + HOUR)
    assert running(session, NOON + HOUR - timedelta(microseconds=1)) == [hold.id]
    assert running(session, NOON + HOUR) == []
    assert not holds.lift(session, "lantern", "m-1", hold.id, NOON + HOUR)
    another = add(session, now=NOON + HOUR)
    assert session.scalars(select(HoldRow.id).where(HoldRow.programme_id == "lantern")).all() == [another.id]


def test_only_the_members_own_hold_is_lifted(session: Session, made: Installation) -> None:
    hold = add(session)
    assert not holds.lift(session, "lantern", "m-2", hold.id, NOON)
    assert not holds.lift(session, "elsewhere", "m-1", hold.id, NOON)
    assert not holds.lift(session, "lantern", "m-1", hold.id[:-1], NOON)
    assert running(session) == [hold.id]


def test_programmes_keep_their_own(made: Installation) -> None:
    another_programme(made, "beacon")
    made.add(record("m-1"))
    with made.store.transaction() as session:
        add(session)
        assert holds.running(session, "beacon", "m-1", NOON) == []


def test_a_change_is_numbered_and_only_less_of_a_hold_adds(session: Session) -> None:
    before = feed.latest(session, "lantern")
    first = add(session, until=NOON + HOUR)
    number, additions = feed.latest(session, "lantern")
    assert (number, additions) == (before[0] + 1, before[1])
    second = add(session, until=NOON + HOUR / 2)  # ends earlier: nothing that lists depend on has changed
    assert feed.latest(session, "lantern") == (number, additions)
    holds.lift(session, "lantern", "m-1", second.id, NOON)
    assert feed.latest(session, "lantern") == (number, additions)
    holds.lift(session, "lantern", "m-1", first.id, NOON)
    assert feed.latest(session, "lantern") == (number + 1, number + 1)


def test_erasure_takes_the_holds_along(session: Session) -> None:
    add(session)
    assert deletion.delete(session, "lantern", "m-1", now=NOON)
    assert session.scalar(select(func.count()).where(HoldRow.programme_id == "lantern")) == 0


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["add", "open", "lift", "wait"]),
        st.integers(1, 5),
    ),
    max_size=12,
)


@settings(
    max_examples=examples(30, 300),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=STEPS)
def test_any_sequence_leaves_the_end_of_what_still_runs(made: Installation, steps: list[tuple[str, int]]) -> None:
    now, known = NOON, dict[str, int]()
    with made.store.transaction() as session:
        deletion.delete(session, "lantern", "m-1", now=NOON)
    made.add(record("m-1"))
    with made.store.transaction() as session:
        for what, number in steps:
            if what == "wait":
                now += number * HOUR
            elif what == "lift":
                for wanted in list(known)[:number]:
                    assert holds.lift(session, "lantern", "m-1", wanted, now) == (known.pop(wanted) > micros(now))
            else:
                hold = add(session, until=now + number * HOUR if what == "add" else None, now=now)
                known[hold.id] = hold.until
            alive = {hold_id: until for hold_id, until in known.items() if until > micros(now)}
            assert set(running(session, now)) == set(alive)
            # What is over may still stand there, as long as it is over.
            assert max(held_until(session), micros(now)) == max([micros(now), *alive.values()])
