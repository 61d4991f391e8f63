"""Who must not be introduced again, as the columns of schema 4 tell it, for a schema that has no place for it."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, insert, select

from service.store.migrations import schema_4

BLOCKED: Final = "blocked"
INTRODUCED: Final = "introduced"
_NEVER: Final = 2**62
_OVER: Final = frozenset({"declined", "rejected", "expired", "withdrawn", "ended"})


def block(connection: Connection) -> int:
    """Block every pair that its introductions keep apart for good; return how many were not blocked before.

    That is where a report was made of one that no coordinator has looked at, where the last one is over and the two
    were kept apart all the same with nothing to come, and where it has been deleted since. Whoever is apart only for a
    while, or is being introduced, is not.
    """
    stands = _stands(connection)
    lasting = stands[INTRODUCED] - stands[BLOCKED]
    for key, (state, due, reported) in _last(connection).items():
        if not (reported or (state in _OVER and due == _NEVER)):
            lasting.discard(key)
    rows = [
        {"programme_id": programme_id, "member_id": name, "other_id": other, "kind": BLOCKED, "takes": 0}
        for programme_id, one, two in sorted(lasting)
        for name, other in ((one, two), (two, one))
    ]
    if rows:
        connection.execute(insert(schema_4.APART), rows)
    return len(lasting)


def _stands(connection: Connection) -> dict[str, set[tuple[str, str, str]]]:
    """Return by kind which pairs are blocked, and which are kept apart because of introductions."""
    apart = schema_4.APART.c
    found: dict[str, set[tuple[str, str, str]]] = {BLOCKED: set(), INTRODUCED: set()}
    query = select(apart.kind, apart.programme_id, apart.member_id, apart.other_id).where(apart.kind.in_(found))
    for kind, programme_id, one, other in connection.execute(query):
        found[kind].add((programme_id, min(one, other), max(one, other)))
    return found


def _last(connection: Connection) -> dict[tuple[str, str, str], tuple[str, int, bool]]:
    """Return state and due of the last introduction of each pair, and whether a report of any waits."""
    made = schema_4.INTRODUCTIONS.c
    query = select(made.programme_id, made.seeker, made.candidate, made.state, made.due, made.suspended)
    found: dict[tuple[str, str, str], tuple[str, int, bool]] = {}
    for programme_id, one, other, state, due, suspended in connection.execute(query.order_by(made.made_at, made.id)):
        key = (programme_id, min(one, other), max(one, other))
        waits = bool(suspended) or (key in found and found[key][2])
        found[key] = (state, due, waits)
    return found
