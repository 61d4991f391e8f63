"""Places, whatever happens in whatever order: never more are taken than there are, and each is given back.

A naive count over the introductions themselves stands against what the store keeps in its narrow rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from matcher.errors import PeermatchError
from matcher.introductions import takes_place
from service.live import introducing
from service.live.handles import Named
from service.store import apart, closing, erasure, holds, introduction_effects, introduction_rows, introductions
from service.store.introduction_rows import Kept
from service.store.live_tables import ApartRow, LiveRow
from tests.conftest import examples
from tests.service.databases import POSTGRESQL
from tests.service.installation import Installation, record
from tests.service.introduced import FIRST

RULES = "[introductions]\nopen_at_once = 2\nper_week = 3\ncool_down_days = 2\noffer_days = 3\nagain_days = 4\n"
SEEKERS, SUPPORTERS = 3, 3
ACTS = ("accept", "decline", "withdraw", "end", "rematch", "approve", "reject", "suspend", "resume")
PARTIES = ("seeker", "candidate", "coordinator")
STEP = st.one_of(
    st.tuples(st.just("propose"), st.integers(0, SEEKERS - 1), st.integers(0, SUPPORTERS - 1)),
    st.tuples(st.just("by_hand"), st.integers(0, SEEKERS - 1), st.integers(0, SUPPORTERS - 1)),
    st.tuples(st.just("act"), st.sampled_from(ACTS), st.sampled_from(PARTIES), st.integers(0, 7)),
    st.tuples(st.just("act"), st.just("accept"), st.just("candidate"), st.integers(0, 7)),
    st.tuples(st.just("capacity"), st.integers(0, SUPPORTERS - 1), st.integers(0, 2)),
    st.tuples(st.just("time"), st.integers(1, 5)),
    st.tuples(st.just("hold"), st.integers(0, SEEKERS + SUPPORTERS - 1)),
    st.tuples(st.just("block"), st.integers(0, SEEKERS - 1), st.integers(0, SUPPORTERS - 1)),
    st.tuples(st.just("erase"), st.integers(0, SEEKERS + SUPPORTERS - 1)),
)
_worlds = count()


class World:
    """A few people in an installation that others have lived in before; who they are is in their names."""

    def __init__(self, made: Installation) -> None:
        self.made, self.mark = made, next(_worlds)
        self.seekers = [f"s-{self.mark}-{at}" for at in range(SEEKERS)]
        self.supporters = [f"p-{self.mark}-{at}" for at in range(SUPPORTERS)]
        self.capacity = dict.fromkeys(self.supporters, 1)
        self.made_here: list[str] = []
        self.gone: set[str] = set()
        self.later: Callable[[], None] | None = None
        made.add(*(record(name, "seeker") for name in self.seekers), *(record(name) for name in self.supporters))

    @property
    def everybody(self) -> list[str]:
        return [*self.seekers, *self.supporters]

    def do(self, step: tuple[Any, ...]) -> None:
        """Do one thing, or be refused; what was offered by it must have had a place."""
        before = self.loads()
        with suppress(PeermatchError), self.made.store.transaction() as session:
            closing.pass_time(session, self.made.programme, self.made.clock())
            getattr(self, f"_{step[0]}")(session, *step[1:])
        for name, load in self.loads().items():
            assert load <= max(before[name], self.capacity[name]), "somebody has more than they can take"

    def _propose(self, session: Session, seeker: int, supporter: int) -> None:
        models = self.made.app.extensions["peermatch"].pools.models
        pair = (self.seekers[seeker], self.supporters[supporter])
        self.made_here.append(
            introducing.by_handle(
                session, models, self.made.programme, Named("buddy", *pair, 1, "match"), self.made.clock()
            ).id
        )

    def _by_hand(self, session: Session, seeker: int, supporter: int) -> None:
        models = self.made.app.extensions["peermatch"].pools.models
        pair = (self.seekers[seeker], self.supporters[supporter])
        now = self.made.clock()
        kept, _ = introducing.by_hand(session, models, self.made.programme, *pair, now, override=True)
        self.made_here.append(kept.id)

    def _act(self, session: Session, what: str, by: str, which: int) -> None:
        if not self.made_here:
            return
        kept = introduction_rows.one(session, "lantern", self.made_here[-1 - which % len(self.made_here)])
        if kept is not None:
            introductions.act(session, self.made.programme, kept, what, by=by, now=self.made.clock())

    def _capacity(self, _session: Session, supporter: int, places: int) -> None:
        name = self.supporters[supporter]
        if name not in self.gone:
            self.later = lambda: self._put(name, places)

    def _put(self, name: str, places: int) -> None:
        self.capacity[name] = places
        self.made.add(record(name, capacity=places))

    def _time(self, _session: Session, days: int) -> None:
        self.made.clock.now += timedelta(days=days)
        closing.pass_time(_session, self.made.programme, self.made.clock())

    def _hold(self, session: Session, who: int) -> None:
        name, now = self.everybody[who], self.made.clock()
        if name in self.gone:
            return
        holds.add(session, "lantern", name, "pause", until=now + timedelta(days=1), now=now)
        closing.close_unallowed(session, self.made.programme, now, [name])

    def _block(self, session: Session, seeker: int, supporter: int) -> None:
        pair = (self.seekers[seeker], self.supporters[supporter])
        apart.block(session, "lantern", [pair])
        closing.close_unallowed(session, self.made.programme, self.made.clock(), pair)

    def _erase(self, session: Session, who: int) -> None:
        erasure.erase(session, "lantern", self.everybody[who], now=self.made.clock(), by="service")
        self.gone.add(self.everybody[who])

    def all_done(self) -> None:
        """Do what could not be done within the transaction."""
        if self.later is not None:
            self.later()
            self.later = None

    def kept(self) -> list[Kept]:
        with self.made.store.reading() as session:
            found = (introduction_rows.one(session, "lantern", name) for name in self.made_here)
            return [one for one in found if one is not None]

    def loads(self) -> dict[str, int]:
        """Count how many places of each supporter are taken, over the introductions alone."""
        taken = Counter(one.introduction.candidate for one in self.kept() if takes_place(one.introduction.state))
        return {name: taken[name] for name in self.supporters}

    def check(self) -> None:
        """What the narrow rows say is what the introductions say."""
        with self.made.store.reading() as session:
            rows = (
                session.query(LiveRow)
                .filter(LiveRow.programme_id == "lantern", LiveRow.member_id.in_(self.everybody))
                .all()
            )
            free = {row.member_id: (row.capacity, row.free) for row in rows}
            pairs = (
                session.query(ApartRow.member_id, ApartRow.other_id)
                .filter(ApartRow.programme_id == "lantern", ApartRow.kind == apart.INTRODUCED)
                .all()
            )
        there = {tuple(pair) for pair in pairs}
        for name, load in self.loads().items():
            if name in free:
                capacity, left = free[name]
                assert left == capacity - load
        for one in self.kept():
            pair = (one.introduction.seeker, one.introduction.candidate)
            going = one.introduction.state in {"in_review", "offered", "accepted", "connected"}
            if going:
                assert set(pair) <= set(free), "nobody who is gone is in what goes on"
                assert pair in there, "who is being introduced is apart"
                assert pair[::-1] in there


@pytest.fixture
def world(small: Installation) -> Installation:
    small.change_programme(size=FIRST, more=RULES)
    return small


def lived(made: Installation, steps: list[tuple[Any, ...]]) -> None:
    world = World(made)
    for step in steps:
        world.do(step)
        world.all_done()
    world.check()


@settings(max_examples=examples(60, 1000), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEP, min_size=4, max_size=30))
def test_never_more_places_are_taken_than_there_are(world: Installation, steps: list[tuple[Any, ...]]) -> None:
    if world.database.name == POSTGRESQL:
        steps = steps[:8]
    lived(world, steps)


OFFERS: list[tuple[Any, ...]] = [("propose", at, 0) for at in range(SEEKERS)]
OFFERED = [*OFFERS, *(("act", "approve", "coordinator", at) for at in range(SEEKERS))]


def test_without_the_look_for_a_free_place_it_is_seen(world: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    lived(world, OFFERED)
    monkeypatch.setattr(introductions, "check_places", lambda *_, **__: None)
    with pytest.raises(AssertionError, match="more than they can take"):
        lived(world, OFFERED)


def test_a_place_that_is_not_given_back_is_seen(world: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = [*OFFERED, ("act", "decline", "candidate", 2)]
    lived(world, steps)
    monkeypatch.setattr(introduction_effects, "takes_place", lambda _: True)
    with pytest.raises(AssertionError):
        lived(world, steps)
