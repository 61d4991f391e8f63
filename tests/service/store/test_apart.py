"""Who stands apart from whom, against a plain set of pairs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from matcher.model.feedback import Feedback
from service.store import apart, deletion, feed, feedback, members
from service.store.live_tables import ApartRow, LiveRow
from tests.conftest import examples
from tests.service.installation import NOON, Installation, another_programme, record

NAMES = ("a", "b", "c", "d")
NOBODY = {kind: frozenset[str]() for kind in apart.KINDS}
START = datetime.fromisoformat("2026-02-01T10:00:00+00:00")


@pytest.fixture
def peopled(made: Installation) -> Installation:
    made.add(*(record(name, "seeker", "supporter", capacity=3) for name in NAMES))
    return made


@pytest.fixture
def session(peopled: Installation) -> Iterator[Session]:
    with peopled.store.transaction() as opened:
        yield opened


def blocked(session: Session, name: str, programme_id: str = "lantern") -> set[str]:
    return set(apart.around(session, programme_id, name)["blocked"])


def event(kind: str, seeker: str, candidate: str, day: int, by: str = "seeker") -> Feedback:
    return Feedback(seeker, candidate, kind, START + timedelta(days=day), by)


def free(session: Session, name: str) -> int:
    theirs = (LiveRow.programme_id == "lantern", LiveRow.member_id == name)
    return session.scalars(select(LiveRow.free).where(*theirs)).one()


def test_a_block_is_seen_from_both_sides_in_either_order(session: Session) -> None:
    assert apart.around(session, "lantern", "a") == NOBODY
    assert apart.block(session, "lantern", [("b", "a")]) == 1
    assert apart.block(session, "lantern", [("a", "b"), ("b", "a")]) == 0
    assert (blocked(session, "a"), blocked(session, "b"), blocked(session, "c")) == ({"b"}, {"a"}, set())
    assert apart.unblock(session, "lantern", ("a", "b"))
    assert not apart.unblock(session, "lantern", ("b", "a"))
    assert apart.around(session, "lantern", "a") == apart.around(session, "lantern", "b") == NOBODY


def test_the_change_is_told_to_both_and_only_lifting_adds(session: Session) -> None:
    number, additions = feed.latest(session, "lantern")
    apart.block(session, "lantern", [("a", "b")])
    assert feed.latest(session, "lantern") == (number + 1, additions)
    later = (LiveRow.programme_id == "lantern", LiveRow.number > number)
    changed = session.scalars(select(LiveRow.member_id).where(*later).order_by(LiveRow.member_id))
    assert changed.all() == ["a", "b"]
    apart.block(session, "lantern", [("b", "a")])
    assert feed.latest(session, "lantern") == (number + 1, additions)
    apart.unblock(session, "lantern", ("b", "a"))
    assert feed.latest(session, "lantern") == (number + 2, number + 2)


def test_many_blocks_in_one_go(made: Installation) -> None:
    names = [f"m-{number:04}" for number in range(1100)]
    made.add(*(record(name) for name in names))
    pairs = [*zip(names[::2], names[1::2], strict=True), *zip(names[1::2], names[2::2], strict=False)]
    with made.store.transaction() as session:
        assert apart.block(session, "lantern", pairs[:3]) == 3
        assert apart.block(session, "lantern", [*pairs, *pairs]) == len(pairs) - 3
        assert blocked(session, names[500]) == {names[499], names[501]}


def test_programmes_keep_their_own(peopled: Installation) -> None:
    another_programme(peopled, "beacon")
    with peopled.store.transaction() as session:
        apart.block(session, "lantern", [("a", "b")])
        assert blocked(session, "a", "beacon") == set()
        assert not apart.unblock(session, "beacon", ("a", "b"))


def test_erasure_takes_the_blocks_along(session: Session) -> None:
    apart.block(session, "lantern", [("a", "b"), ("b", "c")])
    deletion.delete(session, "lantern", "b", now=NOON)
    assert session.scalar(select(func.count()).where(ApartRow.programme_id == "lantern")) == 0


def test_a_block_outlasts_a_connection_and_takes_no_place(peopled: Installation) -> None:
    with peopled.store.transaction() as session:
        apart.block(session, "lantern", [("a", "b")])
        assert (free(session, "a"), free(session, "b")) == (3, 3)
        feedback.add(
            session, peopled.programme, [event("accepted", "a", "b", 1), event("accepted", "a", "b", 2, "candidate")]
        )
        around = apart.around(session, "lantern", "a")
        assert around["blocked"] == around["connected"] == {"b"}
        assert (free(session, "a"), free(session, "b")) == (3, 2)  # it takes a place of the supporter
        feedback.add(session, peopled.programme, [event("ended", "a", "b", 3)])
        around = apart.around(session, "lantern", "a")
        assert around["blocked"] == {"b"}
        assert not around["connected"]
        assert free(session, "b") == 3
        apart.unblock(session, "lantern", ("a", "b"))
        assert apart.around(session, "lantern", "a")["blocked"] == frozenset()


PAIRS = st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)).filter(lambda pair: pair[0] != pair[1])
STEPS = st.lists(
    st.tuples(st.sampled_from(["block", "unblock", "erase", "decline"]), PAIRS),
    max_size=20,
)


@settings(
    max_examples=examples(30, 300),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=STEPS)
def test_any_sequence_stands_as_a_set_of_pairs_does(
    made: Installation, steps: list[tuple[str, tuple[str, str]]]
) -> None:
    known, declined = set[frozenset[str]](), set[frozenset[str]]()
    with made.store.transaction() as session:
        for name in NAMES:
            deletion.delete(session, "lantern", name, now=NOON)
    made.add(*(record(name) for name in NAMES))
    with made.store.transaction() as session:
        for day, (what, pair) in enumerate(steps):
            both = frozenset(pair)
            if len(members.revisions(session, "lantern", pair)) < 2:
                continue  # nobody stores anything of somebody erased
            if what == "block":
                assert apart.block(session, "lantern", [pair]) == (both not in known)
                known.add(both)
            elif what == "unblock":
                assert apart.unblock(session, "lantern", pair) == (both in known)
                known.discard(both)
            elif what == "decline":
                feedback.add(session, made.programme, [event("declined", *pair, day)])
                declined.add(both)
            else:
                deletion.delete(session, "lantern", pair[0], now=NOON)
                known = {one for one in known if pair[0] not in one}
                declined = {one for one in declined if pair[0] not in one}
            for name in NAMES:
                around = apart.around(session, "lantern", name)
                for kind, pairs in (("blocked", known), ("declined", declined)):
                    assert around[kind] == {other for one in pairs if name in one for other in one - {name}}
