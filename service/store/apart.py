"""Who stands apart from whom: blocks, those being introduced, and what declined and connected pairs follow from."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, delete, insert, or_, select, update
from sqlalchemy.orm import Session

from matcher.model.answers import load, relations
from matcher.model.feedback import Feedback
from matcher.programme import Programme
from service.store import feed, live
from service.store.live_tables import ApartRow, LiveRow

BLOCKED, DECLINED, CONNECTED, INTRODUCED = "blocked", "declined", "connected", "introduced"
KINDS = (BLOCKED, DECLINED, CONNECTED, INTRODUCED)

Pair = tuple[str, str]


def around(session: Session, programme_id: str, member_id: str) -> dict[str, frozenset[str]]:
    """Return by kind who stands apart from a member."""
    found: dict[str, set[str]] = {kind: set() for kind in KINDS}
    query = select(ApartRow.kind, ApartRow.other_id).where(
        ApartRow.programme_id == programme_id, ApartRow.member_id == member_id
    )
    for kind, other in session.execute(query):
        found[kind].add(other)
    return {kind: frozenset(others) for kind, others in found.items()}


def block(session: Session, programme_id: str, pairs: Iterable[Pair]) -> int:
    """Keep pairs apart, both ways, whoever asked for it; return how many were not blocked before."""
    wanted = {(min(pair), max(pair)) for pair in pairs}
    new = wanted - _blocked(session, programme_id, {name for pair in wanted for name in pair})
    _insert(session, programme_id, BLOCKED, dict.fromkeys(new, ()))
    if new:
        _touch(session, programme_id, {name for pair in new for name in pair}, adds=False)
    return len(new)


def unblock(session: Session, programme_id: str, pair: Pair) -> bool:
    """Lift a block; return whether there was one."""
    if not _blocked(session, programme_id, set(pair)) & {(min(pair), max(pair))}:
        return False
    session.execute(delete(ApartRow).where(ApartRow.programme_id == programme_id, _is_pair(pair), _kind(BLOCKED)))
    _touch(session, programme_id, set(pair), adds=True)
    return True


def relate(session: Session, programme: Programme, events: Iterable[Feedback], pairs: Iterable[Pair]) -> None:
    """Write anew how `pairs` stand after `events`, which must be all decisions and endings between them.

    Places that connections take follow.
    """
    wanted = {(min(pair), max(pair)) for pair in pairs}
    told = [event for event in events if _pair(event) in wanted]
    after = max((event.at for event in told), default=datetime.min.replace(tzinfo=UTC))
    declined, connected = relations(told, after)
    supporters = _supporters(told, connected, after, mutual=programme.mutual)
    names = {name for pair in wanted for name in pair}
    for pair in sorted(wanted):
        kinds = ApartRow.kind.in_((DECLINED, CONNECTED))
        session.execute(delete(ApartRow).where(ApartRow.programme_id == programme.id, _is_pair(pair), kinds))
    _insert(session, programme.id, DECLINED, dict.fromkeys(declined, ()))
    _insert(session, programme.id, CONNECTED, supporters)
    taken = live.taken(session, programme.id, names)
    _touch(session, programme.id, names, adds=True, taken=taken)


def introduce(session: Session, programme_id: str, pair: Pair, supporters: Collection[str] | None) -> None:
    """Keep two apart because they are being introduced, or were not long ago; each of `supporters` gives a place.

    None: no longer.
    """
    here = (ApartRow.programme_id == programme_id, _is_pair(pair), _kind(INTRODUCED))
    session.execute(delete(ApartRow).where(*here))
    if supporters is not None:
        _insert(session, programme_id, INTRODUCED, {(min(pair), max(pair)): supporters})
    taken = live.taken(session, programme_id, pair)
    _touch(session, programme_id, set(pair), adds=not supporters, taken=taken)


def _supporters(
    events: Iterable[Feedback], connected: frozenset[Pair], at: datetime, *, mutual: bool
) -> dict[Pair, tuple[str, ...]]:
    """Return for each connected pair whose places it takes."""
    by_pair: dict[Pair, list[Feedback]] = {pair: [] for pair in connected}
    for event in events:
        if (pair := _pair(event)) in by_pair:
            by_pair[pair].append(event)
    return {pair: tuple(load(some, frozenset({pair}), at, mutual=mutual)) for pair, some in by_pair.items()}


def _pair(event: Feedback) -> Pair:
    return min(event.seeker, event.candidate), max(event.seeker, event.candidate)


def _insert(session: Session, programme_id: str, kind: str, pairs: Mapping[Pair, Iterable[str]]) -> None:
    rows = [
        {
            "programme_id": programme_id,
            "member_id": one,
            "other_id": other,
            "kind": kind,
            "takes": int(one in set(supporters)),
        }
        for pair, supporters in sorted(pairs.items())
        for one, other in (pair, pair[::-1])
    ]
    if rows:
        session.execute(insert(ApartRow), rows)


def _touch(
    session: Session, programme_id: str, names: set[str], *, adds: bool, taken: Mapping[str, int] | None = None
) -> None:
    """Write the change's number to all `names`, and where `taken` is told how many places are left."""
    number = feed.next_number(session, programme_id, adds=adds)
    ordered = sorted(names)
    for start in range(0, len(ordered), live.CHUNK):
        chunk = ordered[start : start + live.CHUNK]
        where = (LiveRow.programme_id == programme_id, LiveRow.member_id.in_(chunk))
        session.execute(update(LiveRow).where(*where).values(number=number))
        if taken is not None:
            rows = session.execute(select(LiveRow.id, LiveRow.member_id, LiveRow.capacity).where(*where)).all()
            free = [{"live_id": row[0], "free": row[2] - taken.get(row[1], 0)} for row in rows]
            if free:
                live.write(session, programme_id, free)


def _blocked(session: Session, programme_id: str, names: set[str]) -> set[Pair]:
    found: set[Pair] = set()
    ordered = sorted(names)
    for start in range(0, len(ordered), live.CHUNK):
        query = select(ApartRow.member_id, ApartRow.other_id).where(
            ApartRow.programme_id == programme_id,
            _kind(BLOCKED),
            ApartRow.member_id.in_(ordered[start : start + live.CHUNK]),
        )
        found.update((min(row), max(row)) for row in session.execute(query))
    return found


def _is_pair(pair: Pair) -> ColumnElement[bool]:
    one, other = pair
    return or_(
        (ApartRow.member_id == one) & (ApartRow.other_id == other),
        (ApartRow.member_id == other) & (ApartRow.other_id == one),
    )


def _kind(kind: str) -> ColumnElement[bool]:
    return ApartRow.kind == kind
