"""What a request reads before it looks at any list: how the programme stands, and how the seeker and others do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

import orjson
from sqlalchemy import and_, bindparam, case, func, or_, select

from service.sealing import MissingKeyError, SealError
from service.store.hot import Statement, Transaction
from service.store.introduction_tables import IntroductionRow
from service.store.live_tables import ApartRow, GoneRow, LiveRow
from service.store.moments import FOREVER
from service.store.sealed import MEMBERS
from service.store.tables import ActiveModelRow, MemberRow, PoolRow, ProgrammeRow

WIDTH: Final = 16
"""People whom one statement looks up; the last places are filled up with nobody."""


class Scene(NamedTuple):
    """A programme at one moment."""

    programme_id: str
    digest: str
    """Of the programme's configuration."""
    number: int
    """Of the last change to a member."""
    additions: int
    """Of the last change that may have let somebody into lists."""
    active: str | None
    """Version of the active model."""
    previous: str | None


class Live(NamedTuple):
    """A member at one moment. Moments are µs since 1970, days are ordinals."""

    id: int
    member_id: str
    revision: int
    number: int
    accepted: int
    shown: int
    edge: int
    held_until: int
    free: int
    visible_from: int
    rests_until: int

    def may_be_shown(self, now: int) -> bool:
        """Whether others may see the member, as far as this row tells; only true until `edge`."""
        return bool(self.accepted and self.shown) and self.held_until <= now and self.places(now) > 0

    def places(self, now: int) -> int:
        """Return how many places are left for somebody new: none while the member rests."""
        return 0 if self.rests_until > now else self.free


class Apart(NamedTuple):
    """Who stands apart from a member."""

    blocked: frozenset[str]
    declined: frozenset[str]
    connected: frozenset[str]
    """Those who are being introduced, or were a while ago, are among them."""


_PROGRAMME: Final = (
    ProgrammeRow.digest, PoolRow.number, PoolRow.additions, ActiveModelRow.version, ActiveModelRow.previous,
)  # fmt: skip
_LIVE: Final = tuple(getattr(LiveRow, name) for name in Live._fields)
_SCENE: Final = Statement(
    select(*_PROGRAMME)
    .join(PoolRow, PoolRow.programme_id == ProgrammeRow.id)
    .outerjoin(ActiveModelRow, ActiveModelRow.programme_id == ProgrammeRow.id)
    .where(ProgrammeRow.id == bindparam("programme"))
)
_SCENE_AND_SEEKER: Final = Statement(
    select(*_PROGRAMME, *_LIVE)
    .join(PoolRow, PoolRow.programme_id == ProgrammeRow.id)
    .outerjoin(ActiveModelRow, ActiveModelRow.programme_id == ProgrammeRow.id)
    .outerjoin(LiveRow, and_(LiveRow.programme_id == ProgrammeRow.id, LiveRow.member_id == bindparam("member")))
    .where(ProgrammeRow.id == bindparam("programme"))
)
# Without statistics SQLite would rather read all of a programme by its index than a few rows by their numbers; what
# `coalesce` returns is the same, and no index has it.
_FEW: Final = (
    func.coalesce(LiveRow.programme_id, "") == bindparam("programme"),
    LiveRow.id.in_([bindparam(f"id{place}") for place in range(WIDTH)]),
)
_PEOPLE: Final = Statement(select(*_LIVE).where(*_FEW))
_SAME: Final = and_(MemberRow.programme_id == LiveRow.programme_id, MemberRow.member_id == LiveRow.member_id)
_EVERYBODY: Final = Statement(
    select(*_LIVE, case((or_(LiveRow.shown == 1, LiveRow.edge <= bindparam("at")), MemberRow.record)))
    .join(MemberRow, _SAME)
    .where(LiveRow.programme_id == bindparam("programme"), LiveRow.visible_from <= bindparam("day"))
    .order_by(LiveRow.member_id)
)
_RECORD: Final = Statement(
    select(LiveRow.id, LiveRow.member_id, MemberRow.record)
    .join(MemberRow, _SAME)
    .where(func.coalesce(LiveRow.programme_id, "") == bindparam("programme"), LiveRow.id == bindparam("id0"))
)
_RECORDS: Final = Statement(select(LiveRow.id, LiveRow.member_id, MemberRow.record).join(MemberRow, _SAME).where(*_FEW))
_CHANGED: Final = Statement(
    select(*_LIVE)
    .where(LiveRow.programme_id == bindparam("programme"), LiveRow.number > bindparam("after"))
    .order_by(LiveRow.number, LiveRow.id)
    .limit(bindparam("most"))
)
_GONE: Final = Statement(
    select(GoneRow.live_id).where(GoneRow.programme_id == bindparam("programme"), GoneRow.number > bindparam("after"))
)
_FIRST_EDGE: Final = Statement(select(func.min(LiveRow.edge)).where(LiveRow.programme_id == bindparam("programme")))
_FIRST_RELEASE: Final = Statement(
    select(func.min(LiveRow.held_until)).where(LiveRow.programme_id == bindparam("programme"), LiveRow.held_until > 0)
)
_FIRST_REST: Final = Statement(
    select(func.min(LiveRow.rests_until)).where(LiveRow.programme_id == bindparam("programme"), LiveRow.rests_until > 0)
)
_FIRST_INTRODUCTION: Final = Statement(
    select(func.min(IntroductionRow.due)).where(
        IntroductionRow.programme_id == bindparam("programme"), IntroductionRow.due > 0
    )
)
_DUE: Final = (_FIRST_EDGE, _FIRST_RELEASE, _FIRST_REST, _FIRST_INTRODUCTION)
_APART: Final = Statement(
    select(ApartRow.kind, ApartRow.other_id).where(
        ApartRow.programme_id == bindparam("programme"), ApartRow.member_id == bindparam("member")
    )
)
_NAMES: Final = tuple(f"id{place}" for place in range(WIDTH))


def scene(reader: Transaction, programme_id: str) -> Scene | None:
    """Return how a programme stands, or None if it is gone."""
    row = reader.one(_SCENE, programme=programme_id)
    return None if row is None else Scene(programme_id, *row)


def scene_and_member(reader: Transaction, programme_id: str, member_id: str) -> tuple[Scene, Live | None] | None:
    """Return how a programme and one of its members stand; unknown, foreign and erased members are None."""
    row = reader.one(_SCENE_AND_SEEKER, programme=programme_id, member="" if "\x00" in member_id else member_id)
    if row is None:
        return None
    count = len(_PROGRAMME)
    return Scene(programme_id, *row[:count]), None if row[count] is None else Live(*row[count:])


def people(reader: Transaction, programme_id: str, ids: Iterable[int]) -> dict[int, Live]:
    """Return how those of `ids` stand who are there."""
    return {row[0]: Live(*row) for row in _some(reader, _PEOPLE, programme_id, ids)}


def records(reader: Transaction, programme_id: str, ids: Iterable[int]) -> dict[int, dict[str, Any]]:
    """Return the records of those of `ids` who are there."""
    if len(wanted := list(ids)) == 1:
        row = reader.one(_RECORD, programme=programme_id, id0=wanted[0])
        rows: Iterable[Sequence[Any]] = () if row is None else (row,)
    else:
        rows = _some(reader, _RECORDS, programme_id, wanted)
    return {row[0]: record(reader, programme_id, row[1], row[2]) for row in rows}


def everybody(
    reader: Transaction, programme_id: str, day: int, now: int
) -> Iterator[tuple[Live, dict[str, Any] | None]]:
    """Yield by member_id whoever may be seen on a UTC day, as far as the programme goes.

    With the record of those who consent to be shown at `now`, µs since 1970, and perhaps of others; None of the rest.
    """
    count = len(_LIVE)
    for row in reader.all(_EVERYBODY, programme=programme_id, day=day, at=now):
        live = Live(*row[:count])
        yield live, None if row[count] is None else record(reader, programme_id, live.member_id, row[count])


def record(reader: Transaction, programme_id: str, member_id: str, kept: bytes) -> dict[str, Any]:
    """Return a record as the table keeps it; an empty one where it is damaged: one member is missing, not all."""
    try:
        found = orjson.loads(reader.keyring.open(programme_id, MEMBERS, member_id, kept))
    except MissingKeyError:
        raise
    except (SealError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _some(reader: Transaction, statement: Statement, programme_id: str, ids: Iterable[int]) -> Iterator[Sequence[Any]]:
    wanted = list(ids)
    for start in range(0, len(wanted), WIDTH):
        some = wanted[start : start + WIDTH]
        some += [0] * (WIDTH - len(some))
        yield from reader.all(statement, programme=programme_id, **dict(zip(_NAMES, some, strict=True)))


def changed(reader: Transaction, programme_id: str, after: int, most: int) -> list[Live]:
    """Return whoever changed after the change `after`, at most `most` of them, in the order of their changes."""
    return [Live(*row) for row in reader.all(_CHANGED, programme=programme_id, after=after, most=most)]


def gone(reader: Transaction, programme_id: str, after: int) -> list[int]:
    """Return the numbers of whoever was erased after the change `after`."""
    return [int(row[0]) for row in reader.all(_GONE, programme=programme_id, after=after)]


def first_due(reader: Transaction, programme_id: str) -> int:
    """Return when something of a programme first begins or ends by itself: µs since 1970, or FOREVER.

    That may be a consent, a hold, a rest, or something of an introduction.
    """
    return min(_first(reader, programme_id, statement) for statement in _DUE)


def first_introduction_due(reader: Transaction, programme_id: str) -> int:
    """Return when something of an introduction first happens by itself: µs since 1970, or FOREVER."""
    return _first(reader, programme_id, _FIRST_INTRODUCTION)


def _first(reader: Transaction, programme_id: str, statement: Statement) -> int:
    row = reader.one(statement, programme=programme_id)
    return FOREVER if row is None or row[0] is None else int(row[0])


def apart(reader: Transaction, programme_id: str, member_id: str) -> Apart:
    """Return who stands apart from a member."""
    found: dict[str, set[str]] = {"blocked": set(), "declined": set(), "connected": set(), "introduced": set()}
    for kind, other in reader.all(_APART, programme=programme_id, member=member_id):
        found[kind].add(other)
    blocked, declined, connected, introduced = map(frozenset, found.values())
    return Apart(blocked, declined, connected | introduced)
