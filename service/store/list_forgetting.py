"""Taking people who were erased out of the stored lists of others.

A list names people by numbers that mean nobody once they are gone, and says of each a strength and what both have in
common. Whoever is gone leaves a place in which nobody stands: who else was shown, and at which rank, is told by place.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from time import monotonic
from typing import Any, Final

import orjson
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from service.store import sealed
from service.store.live import CHUNK
from service.store.live_tables import GoneRow, ListRow
from service.store.moments import micros

NOBODY: Final[tuple[Any, ...]] = (0, 0, 0.0, "", ())
"""What stands in the place of an entry: see `service.store.lists.Entry`. No member ever has the number 0."""
_LISTS: Final = ListRow.__tablename__
_FEW: Final = 3
"""Up to so many numbers are looked for in the text of a list; for more it is read."""


def gone(session: Session, programme_id: str, *, since: datetime | None = None) -> set[int]:
    """Return the numbers, in lists, of those who were erased; with `since`, only of those erased from then on."""
    query = select(GoneRow.live_id).where(GoneRow.programme_id == programme_id)
    if since is not None:
        query = query.where(GoneRow.at >= micros(since))
    return set(session.scalars(query))


def forget_in_lists(
    session: Session,
    programme_id: str,
    numbers: Collection[int] | None = None,
    *,
    returned_since: datetime | None = None,
) -> int:
    """Take those who were erased out of the lists of others; return how many lists named them.

    A list that was being made when somebody was erased may name them yet: what runs later finds it.

    Parameters
    ----------
    numbers : collection of int, optional
        Theirs, in lists; left out: of all who were ever erased (`gone`).
    returned_since : datetime, optional
        Looks only at lists that were returned on the UTC day of this moment or later.
    """
    wanted = gone(session, programme_id) if numbers is None else set(numbers)
    found = lists_naming(session, programme_id, wanted, returned_since=returned_since)
    return strip(session, programme_id, found, wanted)


def lists_naming(
    session: Session,
    programme_id: str,
    numbers: Collection[int],
    *,
    returned_since: datetime | None = None,
    seconds: float | None = None,
) -> list[int]:
    """Return the ids of the lists of peers that name any of `numbers`, newest first; only reads.

    Every list is opened, which takes about 10 µs each; after `seconds` the rest is left.
    """
    if not numbers:
        return []
    end = None if seconds is None else monotonic() + seconds
    query = select(ListRow.id, ListRow.match_id, ListRow.entries).where(
        ListRow.programme_id == programme_id, ListRow.kind == "buddy"
    )
    if returned_since is not None:
        query = query.where(ListRow.returned_at >= micros(returned_since.replace(hour=0, minute=0, second=0)))
    ring, wanted = sealed.keyring(session), frozenset(numbers)
    marks = [f"[{number},".encode() for number in wanted] if len(wanted) <= _FEW else None
    found = []
    ordered = query.order_by(ListRow.id.desc()).execution_options(yield_per=CHUNK)
    for list_id, match_id, entries in session.execute(ordered):
        if end is not None and monotonic() > end:
            break
        text = ring.open(programme_id, _LISTS, match_id, entries)
        if (marks is None or any(mark in text for mark in marks)) and _names(text, wanted):
            found.append(list_id)
    return found


def strip(session: Session, programme_id: str, list_ids: Iterable[int], numbers: Collection[int]) -> int:
    """Take `numbers` out of some lists; return how many of these named any of them."""
    wanted, stripped = frozenset(numbers), 0
    for list_id, match_id, entries in _rows(session, programme_id, list(list_ids)):
        text = sealed.opened(session, programme_id, _LISTS, match_id, entries)
        if not _names(text, wanted):
            continue
        kept = [NOBODY if entry[0] in wanted else entry for entry in orjson.loads(text)]
        again = sealed.seal(session, programme_id, _LISTS, match_id, orjson.dumps(kept).decode())
        of_list = (ListRow.programme_id == programme_id, ListRow.id == list_id)
        session.execute(update(ListRow).where(*of_list).values(entries=again))
        stripped += 1
    return stripped


def _names(text: str | bytes, wanted: frozenset[int]) -> bool:
    return any(entry[0] in wanted for entry in orjson.loads(text))


def _rows(session: Session, programme_id: str, list_ids: list[int]) -> Iterator[Any]:
    query = select(ListRow.id, ListRow.match_id, ListRow.entries)
    for start in range(0, len(list_ids), CHUNK):
        some = list_ids[start : start + CHUNK]
        yield from session.execute(query.where(ListRow.programme_id == programme_id, ListRow.id.in_(some))).all()
