"""Who was shown to whom, at which rank and when: what the stored lists logged, as feedback tells it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from matcher.records import written
from service.store import sealed
from service.store.live import CHUNK
from service.store.live_tables import ListRow, LiveRow
from service.store.moments import moment


def events(session: Session, programme_id: str) -> Iterator[dict[str, Any]]:
    """Yield one ``shown`` for each peer of each list that was returned, in the order of the lists.

    Whoever has been erased, on either side, is in none.
    """
    names = _names(session, programme_id)
    query = (
        select(ListRow.match_id, ListRow.seeker_id, ListRow.entries, ListRow.shown)
        .where(ListRow.programme_id == programme_id, ListRow.kind == "buddy")
        .order_by(ListRow.id)
    )
    ring = sealed.keyring(session)
    for match_id, seeker_id, entries, shown in session.execute(query.execution_options(yield_per=CHUNK)):
        listed = orjson.loads(ring.open(programme_id, ListRow.__tablename__, match_id, entries))
        for place, rank, at in orjson.loads(shown):
            candidate = names.get(listed[place][0])
            if seeker_id in names and candidate is not None:
                yield {
                    "seeker": names[seeker_id],
                    "candidate": candidate,
                    "event": "shown",
                    "rank": rank,
                    "at": written(moment(at)),
                }


def _names(session: Session, programme_id: str) -> dict[int, str]:
    rows = session.execute(select(LiveRow.id, LiveRow.member_id).where(LiveRow.programme_id == programme_id))
    return {row[0]: row[1] for row in rows}
