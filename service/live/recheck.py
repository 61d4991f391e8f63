"""The live re-check: of a stored list, who may still be shown to its seeker at the moment a request began.

A row whose record is the one that the list was made from is judged by the row alone. Whoever changed since is put
through every gate again, exactly, in a pool of just those.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from matcher.consent import consented
from matcher.matching import gates
from matcher.matching.seeker import Seeker
from matcher.model.encoder import ProfileEncoder
from service.live.few import pool_of
from service.live.seeking import Seeking
from service.store import scene, stored
from service.store.lists import Entry
from service.store.scene import Live

MARGIN = 3
"""Entries looked at beyond the limit at first: seldom more than so many of a list have gone."""


class Alive(NamedTuple):
    """An entry that may be shown."""

    place: int
    """In the stored list, from 0."""
    entry: Entry
    member_id: str
    """Of a group, its ``group_id``."""


class Rechecked(NamedTuple):
    """The first survivors of a list."""

    alive: list[Alive]
    dropped: int
    """How many were found before them who may no longer be shown."""


def first_alive(
    entries: Sequence[Entry],
    seeking: Seeking,
    encoder: ProfileEncoder,
    limit: int,
    *,
    again: bool = False,
    other_week: bool = False,
) -> Rechecked:
    """Return the first `limit` entries whose people may still be shown.

    `again` puts everybody through the gates and tells no reasons, as when the seeker or the programme is another than
    the list's; `other_week` only puts them through the gates, because two weeks may overlap in one and not in another.
    """
    alive: list[Alive] = []
    dropped = start = 0
    while start < len(entries) and len(alive) < limit:
        some = entries[start : start + limit - len(alive) + MARGIN]
        survivors = _alive(some, start, seeking, encoder, again=again, other_week=other_week)
        start += len(some)
        wanted = survivors[: limit - len(alive)]
        looked = wanted[-1].place + 1 if len(alive) + len(wanted) == limit else start
        alive += wanted
        dropped = looked - len(alive)
    return Rechecked(alive, dropped)


def _alive(
    some: Sequence[Entry], start: int, seeking: Seeking, encoder: ProfileEncoder, *, again: bool, other_week: bool
) -> list[Alive]:
    rows = scene.people(seeking.reader, seeking.programme.id, [entry.id for entry in some])
    apart = seeking.standing.blocked | seeking.standing.declined | seeking.standing.connected
    doubtful: list[int] = []
    found: list[Alive] = []
    for place, entry in enumerate(some, start):
        row = rows.get(entry.id)
        if row is None or row.member_id in apart or not row.accepted:
            continue
        other = again or row.revision != entry.revision or seeking.moment >= row.edge
        if other or other_week:
            doubtful.append(row.id)
            # What was said of them may rest on what they have taken back.
            found.append(Alive(place, entry._replace(reasons=()) if other else entry, row.member_id))
        elif row.may_be_shown(seeking.moment):
            found.append(Alive(place, entry, row.member_id))
    if not doubtful:
        return found
    passing = _passing([rows[number] for number in doubtful], seeking, encoder)
    refused = set(doubtful) - passing
    return [one for one in found if one.entry.id not in refused]


def _passing(rows: Iterable[Live], seeking: Seeking, encoder: ProfileEncoder) -> set[int]:
    """Return the numbers of those who pass every gate for the seeker, by their records as they are now."""
    programme = seeking.programme
    by_name = {row.member_id: row for row in rows}
    records = scene.records(seeking.reader, programme.id, [row.id for row in by_name.values()])
    people = (stored.member(record, programme) for record in records.values())
    pool = pool_of(
        programme,
        encoder,
        ((consented(one, programme, seeking.now), by_name[one.member_id]) for one in people if one is not None),
        seeking.now,
        seeking.now,
        b"re-check",
    )
    alive = gates.apply(pool, Seeker.of(seeking.profile, pool, seeking.standing)).alive
    return {by_name[member_id].id for member_id, passes in zip(pool.ids, alive.tolist(), strict=True) if passes}
