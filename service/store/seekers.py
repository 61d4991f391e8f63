"""What is stored of everybody who seeks: the narrow rows that tell where they stand, read for a whole programme."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import orjson
from sqlalchemy import bindparam, func, literal, or_, select

from matcher.introductions import FINAL, OPEN
from matcher.programme import Programme
from service.sealing import MissingKeyError, SealError
from service.store.hot import Statement, Transaction
from service.store.introduction_tables import IntroductionRow
from service.store.lists import NOBODY_SHOWN
from service.store.live_tables import ApartRow, ListRow, LiveRow

WIDTH: Final = 250
"""People or lists that one statement looks up; the last places are filled up with nobody."""
CONNECTED: Final = "connected"


class Person(NamedTuple):
    """Somebody's live row. Moments are µs since 1970."""

    id: int
    member_id: str
    accepted: int
    shown: int
    held_until: int
    free: int
    rests_until: int
    seeker: int
    seeks_since: int

    def takes(self, now: int) -> bool:
        """Whether they may be proposed to, as far as this row tells."""
        return bool(self.accepted and self.shown) and max(self.held_until, self.rests_until) <= now and self.free > 0


class Last(NamedTuple):
    """The newest list of peers of a seeker."""

    id: int
    seeker_id: int
    """`LiveRow.id`."""
    outcome: str
    reason: str | None
    number: int
    """`PoolRow.number` when it was last found to be true."""
    returned_at: int
    """µs since 1970."""


@dataclass(frozen=True)
class Bonds:
    """How members stand in introductions and connections, by `member_id`."""

    connected: dict[str, set[str]] = field(default_factory=dict)
    """To whom, as a seeker; in a mutual programme on either side."""
    open: dict[str, int] = field(default_factory=dict)
    """Open introductions, as a seeker."""
    ended: dict[str, int] = field(default_factory=dict)
    """When their last connection ended: µs since 1970."""


_MINE: Final = LiveRow.programme_id == bindparam("programme")
_PERSON: Final = tuple(getattr(LiveRow, name) for name in Person._fields)
_PEOPLE: Final = Statement(select(*_PERSON).where(_MINE))
_ONE: Final = Statement(select(*_PERSON).where(_MINE, LiveRow.member_id == bindparam("member")))
_BUDDY: Final = (ListRow.programme_id == bindparam("programme"), ListRow.kind == "buddy")
_NEWEST: Final = select(func.max(ListRow.id)).where(*_BUDDY).group_by(ListRow.seeker_id)
_LAST: Final = Statement(
    select(*(getattr(ListRow, name) for name in Last._fields)).where(
        ListRow.programme_id == bindparam("programme"), ListRow.id.in_(_NEWEST)
    )
)
_NAMES: Final = tuple(f"key{place}" for place in range(WIDTH))
_KEYS: Final[list[Any]] = [bindparam(name) for name in _NAMES]
# What `coalesce` returns is the same, and no index has it: SQLite is to read a few rows by their numbers.
_CONTENT: Final = Statement(
    select(ListRow.seeker_id, ListRow.match_id, ListRow.entries, ListRow.shown).where(
        func.coalesce(ListRow.programme_id, "") == bindparam("programme"), ListRow.id.in_(_KEYS)
    )
)
_MADE: Final = Statement(
    select(ListRow.seeker_id, ListRow.made_at).where(
        *_BUDDY, ListRow.seeker_id.in_(_KEYS), ListRow.made_at > bindparam("since"), ListRow.outcome == "matched",
        ListRow.shown != NOBODY_SHOWN,
    )
)  # fmt: skip
_APART: Final = Statement(
    select(ApartRow.member_id, ApartRow.other_id).where(
        ApartRow.programme_id == bindparam("programme"), ApartRow.member_id.in_(_KEYS)
    )
)
_STEPS: Final = (
    IntroductionRow.seeker, IntroductionRow.candidate, IntroductionRow.state, IntroductionRow.since,
    IntroductionRow.connected_at,
)  # fmt: skip
_UNFINISHED: Final[list[Any]] = [literal(state) for state in sorted({*OPEN, CONNECTED})]
_GOING: Final = select(*_STEPS).where(
    IntroductionRow.programme_id == bindparam("programme"),
    or_(IntroductionRow.state.in_(_UNFINISHED), IntroductionRow.connected_at.is_not(None)),
)
_INTRODUCTIONS: Final = Statement(_GOING)
_INTRODUCTIONS_OF: Final = Statement(
    _GOING.where(or_(IntroductionRow.seeker == bindparam("member"), IntroductionRow.candidate == bindparam("member")))
)
_TOGETHER: Final = select(ApartRow.member_id, ApartRow.other_id, ApartRow.takes).where(
    ApartRow.programme_id == bindparam("programme"), ApartRow.kind == CONNECTED
)
_CONNECTIONS: Final = Statement(_TOGETHER)
_CONNECTIONS_OF: Final = Statement(
    _TOGETHER.where(or_(ApartRow.member_id == bindparam("member"), ApartRow.other_id == bindparam("member")))
)


def people(reader: Transaction, programme_id: str) -> list[Person]:
    """Return the live row of everybody."""
    return [Person(*row) for row in reader.all(_PEOPLE, programme=programme_id)]


def person(reader: Transaction, programme_id: str, member_id: str) -> Person | None:
    """Return the live row of one member."""
    row = reader.one(_ONE, programme=programme_id, member=member_id)
    return None if row is None else Person(*row)


def newest_lists(reader: Transaction, programme_id: str) -> dict[int, Last]:
    """Return the newest list of peers of everybody who ever had one, by `LiveRow.id`."""
    return {row[1]: Last(*row) for row in reader.all(_LAST, programme=programme_id)}


def bonds(reader: Transaction, programme: Programme, member_id: str | None = None) -> Bonds:
    """Return the introductions and connections of a programme; of one member's if one is named."""
    if member_id is None:
        going = reader.all(_INTRODUCTIONS, programme=programme.id)
        together = reader.all(_CONNECTIONS, programme=programme.id)
    else:
        going = reader.all(_INTRODUCTIONS_OF, programme=programme.id, member=member_id)
        together = reader.all(_CONNECTIONS_OF, programme=programme.id, member=member_id)
    found = Bonds()
    for seeker, candidate, state, since, connected_at in going:
        if state in OPEN:
            found.open[seeker] = found.open.get(seeker, 0) + 1
            continue
        for one, other in ((seeker, candidate), (candidate, seeker))[: 1 + programme.mutual]:
            if state == CONNECTED:
                found.connected.setdefault(one, set()).add(other)
            elif state in FINAL and connected_at is not None:
                found.ended[one] = max(found.ended.get(one, 0), since)
    _told(found, together, mutual=programme.mutual)
    return found


def _told(found: Bonds, together: Iterable[Sequence[Any]], *, mutual: bool) -> None:
    """Add the connections that feedback tells of: a seeker is whose place it does not take, but takes the other's."""
    places = {(one, other): takes for one, other, takes in together}
    for (one, other), takes in places.items():
        if mutual or (not takes and places.get((other, one))):
            found.connected.setdefault(one, set()).add(other)


def choices(reader: Transaction, programme_id: str, lists: Collection[Last]) -> Iterator[tuple[int, list[int]]]:
    """Yield of each of `lists` its seeker, and who was shown of it; everybody in it where it was never returned.

    All are `LiveRow.id`. A list that is damaged has nobody: one seeker waits, and not all are unheard of.
    """
    for row in _some(reader, _CONTENT, programme_id, [last.id for last in lists], 0):
        seeker_id, match_id, kept, shown = row
        try:
            entries = orjson.loads(reader.keyring.open(programme_id, ListRow.__tablename__, match_id, kept))
        except MissingKeyError:
            raise
        except SealError:
            continue
        places = [one[0] for one in orjson.loads(shown)] or range(len(entries))
        yield seeker_id, [entries[place][0] for place in places]


def apart(reader: Transaction, programme_id: str, member_ids: Collection[str]) -> set[tuple[str, str]]:
    """Return whoever stands apart from one of `member_ids`, for whatever reason, as pairs with that one first."""
    return {(row[0], row[1]) for row in _some(reader, _APART, programme_id, list(member_ids), "")}


def made_since(reader: Transaction, programme_id: str, seekers: Collection[int], since: int) -> dict[int, list[int]]:
    """Return when the lists were made that each seeker was shown since a moment: µs since 1970, in no order."""
    found: dict[int, list[int]] = {}
    for seeker_id, made_at in _some(reader, _MADE, programme_id, list(seekers), 0, since=since):
        found.setdefault(seeker_id, []).append(made_at)
    return found


def _some(
    reader: Transaction, statement: Statement, programme_id: str, keys: list[Any], nobody: Any, **more: Any
) -> Iterator[Sequence[Any]]:
    for start in range(0, len(keys), WIDTH):
        some = keys[start : start + WIDTH]
        some += [nobody] * (WIDTH - len(some))
        yield from reader.all(statement, programme=programme_id, **more, **dict(zip(_NAMES, some, strict=True)))
