"""What reports read: every connection there was, and who takes part."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

import orjson
from sqlalchemy import bindparam, select

from matcher.people import Member
from matcher.programme import Programme
from service.sealing import MissingKeyError, SealError
from service.store import scene, stored
from service.store.hot import Statement, Transaction
from service.store.introduction_tables import IntroductionRow
from service.store.live_tables import LiveRow

INTRODUCTIONS: Final = IntroductionRow.__tablename__
ENDED, REMATCH = "ended", "rematch"


class Connection(NamedTuple):
    """Two who were connected once, and perhaps still are. Moments are µs since 1970."""

    id: str
    seeker: str
    candidate: str
    made_at: int
    """When it was proposed."""
    connected_at: int
    ended_at: int | None
    """None: it goes on."""


class Supporter(NamedTuple):
    """The places of somebody, as their live row tells."""

    member_id: str
    shown: int
    held_until: int
    rests_until: int
    capacity: int
    free: int


_CONNECTED: Final = (
    IntroductionRow.programme_id == bindparam("programme"), IntroductionRow.connected_at.is_not(None),
)  # fmt: skip
_CONNECTIONS: Final = Statement(
    select(
        IntroductionRow.id, IntroductionRow.seeker, IntroductionRow.candidate, IntroductionRow.made_at,
        IntroductionRow.connected_at, IntroductionRow.since, IntroductionRow.state,
    )
    .where(*_CONNECTED)
    .order_by(IntroductionRow.connected_at, IntroductionRow.id)
)  # fmt: skip
_ENDED: Final = Statement(
    select(IntroductionRow.id, IntroductionRow.details).where(*_CONNECTED, IntroductionRow.state == ENDED)
)
_SUPPORTERS: Final = Statement(
    select(LiveRow.id, *(getattr(LiveRow, name) for name in Supporter._fields)).where(
        LiveRow.programme_id == bindparam("programme"), LiveRow.accepted == 1
    )
)
_NUMBERS: Final = Statement(
    select(LiveRow.member_id, LiveRow.id).where(
        LiveRow.programme_id == bindparam("programme"), LiveRow.accepted == 1
    )
)  # fmt: skip


def connections(reader: Transaction, programme_id: str) -> list[Connection]:
    """Return every connection that introductions made, the first of them first."""
    rows = reader.all(_CONNECTIONS, programme=programme_id)
    return [
        Connection(name, seeker, candidate, made_at, connected_at, since if state == ENDED else None)
        for name, seeker, candidate, made_at, connected_at, since, state in rows
    ]


def rematched(reader: Transaction, programme_id: str) -> set[str]:
    """Return the ids of the connections that ended by a rematch. Of one that is damaged nobody can tell."""
    found = set()
    for name, details in reader.all(_ENDED, programme=programme_id):
        try:
            history = orjson.loads(reader.keyring.open(programme_id, INTRODUCTIONS, name, details))["history"]
        except MissingKeyError:
            raise
        except SealError:
            continue
        if history[-1][0] == REMATCH:
            found.add(name)
    return found


def supporters(reader: Transaction, programme: Programme) -> Iterator[tuple[Supporter, Member]]:
    """Yield everybody whose record can be read, with their places."""
    rows = {row[0]: Supporter(*row[1:]) for row in reader.all(_SUPPORTERS, programme=programme.id)}
    for number, member in _members(reader, programme, rows):
        yield rows[number], member


def members(reader: Transaction, programme: Programme, member_ids: Iterable[str]) -> dict[str, Member]:
    """Return those of `member_ids` who are there and whose records can be read."""
    wanted = set(member_ids)
    numbers = [row[1] for row in reader.all(_NUMBERS, programme=programme.id) if row[0] in wanted]
    return {member.member_id: member for _, member in _members(reader, programme, numbers)}


def _members(reader: Transaction, programme: Programme, numbers: Iterable[Any]) -> Iterator[tuple[int, Member]]:
    for number, record in scene.records(reader, programme.id, numbers).items():
        member = stored.member(record, programme)
        if member is not None:
            yield number, member
