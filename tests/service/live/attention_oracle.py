"""What attention members had and what a seeker has looked at, counted naively over all stored lists."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.store import sealed
from service.store.live_tables import ListRow, LiveRow

DAYS = 14


class Listed(NamedTuple):
    """A list of peers, as the store has it."""

    id: int
    seeker: str
    day: int
    shown: list[tuple[str, int]]
    """Who was shown when it was made, and at which rank; nobody who was erased since."""


def stored(session: Session, programme_id: str) -> list[Listed]:
    """Return all lists that have somebody, in any order."""
    people = select(LiveRow.id, LiveRow.member_id).where(LiveRow.programme_id == programme_id)
    names = {row.id: row.member_id for row in session.execute(people)}
    query = select(ListRow).where(
        ListRow.programme_id == programme_id, ListRow.kind == "buddy", ListRow.outcome == "matched"
    )
    found = []
    for row in session.scalars(query):
        entries = json.loads(sealed.opened(session, programme_id, "lists", row.match_id, row.entries))
        shown = [
            (names[entries[place][0]], rank)
            for place, rank, at in json.loads(row.shown)
            if at == row.made_at and entries[place][0] in names
        ]
        found.append(Listed(row.id, names[row.seeker_id], row.epoch, shown))
    return found


def exposure(lists: list[Listed], seeker: str, today: int) -> dict[str, float]:
    """Return E of everybody for a seeker: one list of each other seeker, the newest that still counts."""
    found: dict[str, float] = defaultdict(float)
    for other in {one.seeker for one in lists} - {seeker}:
        theirs = [one for one in lists if one.seeker == other and today - DAYS < one.day <= today]
        for candidate, rank in max(theirs).shown if theirs else []:
            found[candidate] += 1 / math.log2(1 + rank)
    return dict(found)


def looks(lists: list[Listed], seeker: str, today: int) -> dict[str, list[tuple[float, bool]]]:
    """Return by candidate each look of a seeker: at which weight, and whether another one of that list was chosen."""
    found: dict[str, list[tuple[float, bool]]] = defaultdict(list)
    for one in lists:
        if one.seeker == seeker and today - DAYS < one.day < today:
            for candidate, rank in one.shown:
                found[candidate].append((1 / math.log2(1 + rank), False))
    return dict(found)
