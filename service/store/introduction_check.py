"""Whether introductions, who stands apart by them, and the places that they take say the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import select
from sqlalchemy.orm import Session

from matcher.introductions import Introduction, TransitionError, again_from
from matcher.programme import Programme
from service.sealing import SealError
from service.store import apart, introduction_rows, live
from service.store.introduction_effects import takers
from service.store.introduction_tables import IntroductionRow
from service.store.live_tables import ApartRow, LiveRow
from service.store.moments import FOREVER, micros

Pair: TypeAlias = tuple[str, str]


@dataclass(frozen=True)
class Found:
    """How much is wrong; nobody is named."""

    introductions: int = 0
    """How many there are."""
    unreadable: int = 0
    """Damaged, or sealed with a key that is not at hand: no list of introductions shows them."""
    columns: int = 0
    """Of which the columns that they are looked up by say something else than their history."""
    pairs: int = 0
    """Pairs who are not kept apart as their introductions say, or of whom places are taken by none."""
    places: int = 0
    """Members whose free places are not their capacity less what is taken."""

    @property
    def wrong(self) -> dict[str, int]:
        """What is wrong, by kind."""
        found = {name: getattr(self, name) for name in ("unreadable", "columns", "pairs", "places")}
        return {name: count for name, count in found.items() if count}


def verify(session: Session, programme: Programme) -> Found:
    """Read every introduction of a programme from its history, and compare what should follow from it."""
    pairs: dict[Pair, list[Introduction]] = {}
    total = unreadable = columns = 0
    hidden: set[Pair] = set()
    for row in session.scalars(select(IntroductionRow).where(IntroductionRow.programme_id == programme.id)):
        total += 1
        pair = (min(row.seeker, row.candidate), max(row.seeker, row.candidate))
        try:
            one = introduction_rows.read(session, programme.id, row)
        except (SealError, TransitionError, ValueError, KeyError, TypeError):
            unreadable += 1
            hidden.add(pair)
            continue
        pairs.setdefault(pair, []).append(one)
        columns += not _says_the_same(row, one)
    known = {pair: found for pair, found in pairs.items() if pair not in hidden}
    return Found(
        introductions=total,
        unreadable=unreadable,
        columns=columns,
        pairs=sum(1 for _ in _wrong_pairs(session, programme, known, hidden)),
        places=_wrong_places(session, programme.id),
    )


def _says_the_same(row: IntroductionRow, one: Introduction) -> bool:
    due = micros(one.until) if one.until is not None else row.due
    if one.until is None and _comes_nothing(one):
        due = FOREVER
    said = (row.state, row.since, row.offered_at, row.connected_at, row.suspended, row.made_at, row.due)
    offered, connected = (None if at is None else micros(at) for at in (one.offered_at, one.connected_at))
    made = micros(one.history[0].at)
    return said == (one.state, micros(one.since), offered, connected, int(one.suspended), made, due)


def _comes_nothing(one: Introduction) -> bool:
    """Whether nothing of it comes by itself: it goes on without an end, or forbids another one for good."""
    return one.closing is None or one.reported


def _wrong_pairs(
    session: Session, programme: Programme, pairs: Mapping[Pair, list[Introduction]], hidden: set[Pair]
) -> Iterator[Pair]:
    """Yield the pairs who stand otherwise than their introductions say.

    When two may meet again is told by the programme as it was when that was written, so it is not asked; and whoever
    is kept apart for good stays so when the introduction is deleted.
    """
    stand = _standing(session, programme.id)
    for pair, some in pairs.items():
        gives = takers(some, programme)
        takes = {name: int(name in gives) for name in pair}
        kept = stand.get(pair)
        lasts = any(again_from(one, programme.introductions) is None for one in some)
        if (lasts or kept is not None) and kept != takes:
            yield pair
    for pair, takes in stand.items():
        if pair not in pairs and pair not in hidden and (len(takes) != len(pair) or any(takes.values())):
            yield pair


def _standing(session: Session, programme_id: str) -> dict[Pair, dict[str, int]]:
    """Return who is kept apart because of introductions, and how many places either gives."""
    found: dict[Pair, dict[str, int]] = {}
    query = select(ApartRow.member_id, ApartRow.other_id, ApartRow.takes).where(
        ApartRow.programme_id == programme_id, ApartRow.kind == apart.INTRODUCED
    )
    for one, other, takes in session.execute(query):
        found.setdefault((min(one, other), max(one, other)), {})[one] = takes
    return found


def _wrong_places(session: Session, programme_id: str) -> int:
    taken = live.taken(session, programme_id)
    query: Any = select(LiveRow.member_id, LiveRow.capacity, LiveRow.free).where(LiveRow.programme_id == programme_id)
    return sum(free != capacity - taken.get(name, 0) for name, capacity, free in session.execute(query))
