"""What a request reads of groups: which there are, who is in them, and of whom something is not as it should be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

import orjson
from sqlalchemy import BindParameter, and_, bindparam, func, or_, select, union_all

from service.store.groups import FACILITATOR
from service.store.hot import Statement, Transaction
from service.store.live_tables import GroupPersonRow, GroupRow, GroupWeekRow, LiveRow
from service.store.scene import WIDTH, Live, record
from service.store.tables import MemberRow


class GroupNow(NamedTuple):
    """How a group stands. For what `revision`, `number` and `week` are see `GroupRow`."""

    id: int
    revision: int
    number: int


class GroupContent(NamedTuple):
    """What a group is, as of one `number`."""

    record: dict[str, Any]
    """Without who is in it."""
    week: int
    facilitators: frozenset[str]
    members: frozenset[str]
    frozen: frozenset[str]
    """The roster of `week`."""


_PROGRAMME: Final[BindParameter[str]] = bindparam("programme")
_NAMES: Final = tuple(f"id{place}" for place in range(WIDTH))
_IDS: Final[list[BindParameter[int]]] = [bindparam(name) for name in _NAMES]
_LIVE: Final = tuple(getattr(LiveRow, name) for name in Live._fields)
_NOW: Final = select(*(getattr(GroupRow, name) for name in GroupNow._fields))
_ALL: Final = Statement(_NOW.where(GroupRow.programme_id == _PROGRAMME).order_by(GroupRow.id))
# As in `scene`: what `coalesce` returns is the same, and no index of the whole programme has it.
_FEW: Final = (func.coalesce(GroupRow.programme_id, "") == _PROGRAMME, GroupRow.id.in_(_IDS))
_SOME: Final = Statement(_NOW.where(*_FEW))
_RECORDS: Final = Statement(select(GroupRow.id, GroupRow.week, GroupRow.record).where(*_FEW))
_PEOPLE: Final = Statement(
    select(GroupPersonRow.group_number, GroupPersonRow.member_id, GroupPersonRow.role).where(
        GroupPersonRow.programme_id == _PROGRAMME, GroupPersonRow.group_number.in_(_IDS)
    )
)
_FROZEN: Final = Statement(
    select(GroupWeekRow.group_number, GroupWeekRow.member_id).where(
        GroupWeekRow.programme_id == _PROGRAMME, GroupWeekRow.group_number.in_(_IDS)
    )
)


_IN_SOME: Final = (GroupPersonRow.programme_id == _PROGRAMME, GroupPersonRow.group_number.in_(_IDS))
_SAME: Final = and_(GroupPersonRow.programme_id == LiveRow.programme_id, GroupPersonRow.member_id == LiveRow.member_id)
_OVER: Final = LiveRow.edge <= bindparam("now")
_CHANGED: Final = Statement(
    union_all(
        *(
            select(*_LIVE)
            .join(table, and_(table.programme_id == LiveRow.programme_id, table.member_id == LiveRow.member_id))
            .where(table.programme_id == _PROGRAMME, or_(_OVER, LiveRow.number > bindparam("after")))
            for table in (GroupPersonRow, GroupWeekRow)
        )
    )
)
_UNSURE: Final = Statement(
    select(*_LIVE)
    .join(GroupPersonRow, _SAME)
    .where(
        *_IN_SOME,
        or_(
            LiveRow.revision > bindparam("after"),
            and_(
                GroupPersonRow.role == FACILITATOR,
                or_(
                    _OVER,
                    LiveRow.accepted == 0,
                    LiveRow.shown == 0,
                    LiveRow.held_until > bindparam("now"),
                    LiveRow.visible_from > bindparam("day"),
                ),
            ),
        ),
    )
)
_WITH_RECORDS: Final = Statement(
    select(*_LIVE, MemberRow.record)
    .join(MemberRow, and_(MemberRow.programme_id == LiveRow.programme_id, MemberRow.member_id == LiveRow.member_id))
    .join(GroupPersonRow, _SAME)
    .where(
        *_IN_SOME,
        or_(GroupPersonRow.role == FACILITATOR, LiveRow.revision > bindparam("after")),
    )
)


def groups(reader: Transaction, programme_id: str) -> list[GroupNow]:
    """Return how all groups of a programme stand, in the order in which they came."""
    return [GroupNow(*row) for row in reader.all(_ALL, programme=programme_id)]


def some_groups(reader: Transaction, programme_id: str, ids: Iterable[int]) -> list[GroupNow]:
    """Return how those of `ids` stand that are there."""
    return [GroupNow(*row) for row in _of_some(reader, _SOME, programme_id, ids)]


def contents(reader: Transaction, programme_id: str, ids: Sequence[int]) -> dict[int, GroupContent]:
    """Return what those of `ids` are that are there."""
    people: dict[tuple[int, str], set[str]] = {}
    for number, member_id, role in _of_some(reader, _PEOPLE, programme_id, ids):
        people.setdefault((number, role), set()).add(member_id)
    for number, member_id in _of_some(reader, _FROZEN, programme_id, ids):
        people.setdefault((number, "frozen"), set()).add(member_id)
    return {
        number: GroupContent(
            orjson.loads(told),
            week,
            *(frozenset(people.get((number, role), ())) for role in (FACILITATOR, "member", "frozen")),
        )
        for number, week, told in _of_some(reader, _RECORDS, programme_id, ids)
    }


def changed(reader: Transaction, programme_id: str, *, now: int, after: int) -> list[Live]:
    """Return of whom, in any group and any roster, a pool that holds the change `after` may not be true any more.

    At `now` (µs since 1970) their consents mean something else than they did, or something was changed later. Whoever
    is in several groups comes several times.
    """
    return [Live(*row) for row in reader.all(_CHANGED, programme=programme_id, now=now, after=after)]


def unsure(reader: Transaction, programme_id: str, ids: Iterable[int], *, now: int, day: int, after: int) -> list[Live]:
    """Return who runs some groups and may not be shown at `now` on `day`, as far as a row tells, or is held.

    So are those who run them and whose consents mean something else than they did, and all in them whose records were
    changed after the change `after`.
    """
    found = _of_some(reader, _UNSURE, programme_id, ids, now=now, day=day, after=after)
    return [Live(*row) for row in found]


def people(
    reader: Transaction, programme_id: str, ids: Iterable[int], *, after: int
) -> list[tuple[Live, dict[str, Any]]]:
    """Return the facilitators of some groups, and those members whose records were changed after `after`; each once."""
    count = len(_LIVE)
    rows = {row[0]: row for row in _of_some(reader, _WITH_RECORDS, programme_id, ids, after=after)}
    people = [(Live(*row[:count]), row[count]) for row in rows.values()]
    return [(live, record(reader, programme_id, live.member_id, kept)) for live, kept in people]


def _of_some(
    reader: Transaction, statement: Statement, programme_id: str, ids: Iterable[int], **values: Any
) -> Iterator[Sequence[Any]]:
    wanted = list(ids)
    for start in range(0, len(wanted), WIDTH):
        some = wanted[start : start + WIDTH]
        some += [0] * (WIDTH - len(some))
        yield from reader.all(statement, programme=programme_id, **dict(zip(_NAMES, some, strict=True)), **values)
