"""Lists of peers that still count, and whom each of them showed in the reply that made it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import orjson
from sqlalchemy import bindparam, func, select

from service.store.hot import Statement, Transaction
from service.store.live_tables import ListRow
from service.store.moments import start_of

VALID_DAYS: Final = 14
"""A list counts on the day it was ranked and for 13 days after; so long its handles are valid at least."""
CHUNK: Final = 500
"""Lists that one statement reads."""


class Showing(NamedTuple):
    """Whom a list showed when it was made. Whoever it shows later is not counted: no worker would hear of it."""

    id: int
    """Of the list: a newer one has a higher number."""
    seeker_id: int
    """`LiveRow.id`."""
    epoch: int
    people: tuple[int, ...]
    """`LiveRow.id` of each by rank, from 1; 0 means nobody: they were erased."""


_LISTS: Final = ListRow.__tablename__
_COLUMNS: Final = (
    ListRow.id, ListRow.seeker_id, ListRow.epoch, ListRow.match_id, ListRow.made_at, ListRow.entries, ListRow.shown,
)  # fmt: skip
_MATCHED: Final = (
    ListRow.programme_id == bindparam("programme"), ListRow.kind == "buddy", ListRow.outcome == "matched",
)  # fmt: skip
_DAYS: Final = tuple(f"day{number}" for number in range(VALID_DAYS))
# One day after the other, so that an index finds what is new without a look at what is not.
_NEWER: Final = Statement(
    select(*_COLUMNS)
    .where(*_MATCHED, ListRow.epoch.in_([bindparam(name) for name in _DAYS]), ListRow.id > bindparam("after"))
    .order_by(ListRow.id)
    .limit(bindparam("most"))
)
_OF_DAY: Final = Statement(
    select(*_COLUMNS)
    .where(*_MATCHED, ListRow.epoch == bindparam("epoch"), ListRow.id > bindparam("after"))
    .order_by(ListRow.id)
    .limit(bindparam("most"))
)
# Without statistics SQLite would rather read what all seekers got in these days than what one got; what `coalesce`
# returns is the same, and no index has it.
_EARLIER: Final = Statement(
    select(*_COLUMNS)
    .where(
        *_MATCHED,
        ListRow.seeker_id == bindparam("seeker"),
        ListRow.made_at >= bindparam("since"),
        func.coalesce(ListRow.epoch, 0) > bindparam("first"),
        func.coalesce(ListRow.epoch, 0) < bindparam("today"),
    )
    .order_by(ListRow.id)
)


def newer(reader: Transaction, programme_id: str, today: int, after: int) -> list[Showing]:
    """Return the lists that count on a UTC day and have a number above `after`, in their order; `CHUNK` at most."""
    days = {name: today - number for number, name in enumerate(_DAYS)}
    rows = reader.all(_NEWER, programme=programme_id, after=after, most=CHUNK, **days)
    return [_read(reader, programme_id, row) for row in rows]


def valid(reader: Transaction, programme_id: str, today: int) -> Iterator[Showing]:
    """Yield all lists that count on a UTC day, those of one epoch after those of the other."""
    for epoch in range(today - VALID_DAYS + 1, today + 1):
        after, count = 0, CHUNK
        while count == CHUNK:
            rows = reader.all(_OF_DAY, programme=programme_id, epoch=epoch, after=after, most=CHUNK)
            for row in rows:
                yield _read(reader, programme_id, row)
                after = row[0]
            count = len(rows)


def earlier(reader: Transaction, programme_id: str, seeker_id: int, today: int) -> list[Showing]:
    """Return the lists of a seeker that count on a UTC day and are of an earlier one, in their order."""
    first = today - VALID_DAYS
    # No list is made before its epoch, but where a clock was set back: that one has a day to spare.
    values = {"since": start_of(first), "first": first, "today": today}
    rows = reader.all(_EARLIER, programme=programme_id, seeker=seeker_id, **values)
    return [_read(reader, programme_id, row) for row in rows]


def _read(reader: Transaction, programme_id: str, row: Sequence[Any]) -> Showing:
    list_id, seeker_id, epoch, match_id, made_at, kept, shown = row
    entries = orjson.loads(reader.keyring.open(programme_id, _LISTS, match_id, kept))
    first = {rank: entries[place][0] for place, rank, at in orjson.loads(shown) if at == made_at}
    people = tuple(first.get(rank, 0) for rank in range(1, max(first, default=0) + 1))
    return Showing(list_id, seeker_id, epoch, people)
