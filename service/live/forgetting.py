"""Getting whoever was erased out of the files of pools, which still have their ids and what was encoded of them.

The workers have them out of what they rank over at once. A base without them is built soon, once for many, and takes
the place of the file; where none can be built, the file is removed all the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import select

from matcher.errors import PeermatchError
from matcher.matching import pool_file
from service.live import base as bases
from service.live.base import Base
from service.store import Store
from service.store.live_tables import GoneRow
from service.store.moments import moment

QUIET: Final = timedelta(seconds=2)
"""How long nobody must have been erased before a base is built only for that."""
LONGEST: Final = timedelta(seconds=30)
"""After which it is built whether others are erased or not."""


def since(store: Store, programme_id: str, number: int) -> Sequence[tuple[int, datetime]]:
    """Return who was erased after the change `number`: what stood for each in lists, and when."""
    query = select(GoneRow.live_id, GoneRow.at).where(GoneRow.programme_id == programme_id, GoneRow.number > number)
    with store.reading() as session:
        return [(row[0], moment(row[1])) for row in session.execute(query)]


def in_base(store: Store, programme_id: str, base: Base) -> list[datetime]:
    """Return when those were erased who are in a base."""
    return [at for live_id, at in since(store, programme_id, base.number) if base.names((live_id,))]


def wait(erased: Sequence[datetime], now: datetime) -> float:
    """Return for how many seconds more it is waited for others to be erased, so that one base is built for all."""
    if not erased:
        return 0.0
    due = min(max(erased) + QUIET, min(erased) + LONGEST)
    # A clock that was set back makes nobody wait longer.
    return max(0.0, min((due - now).total_seconds(), QUIET.total_seconds()))


def remove(store: Store, programme_id: str, folder: Path) -> None:
    """Remove the newest base of a programme if somebody may be in it who was erased since; nothing takes its place.

    For whoever builds in `folder` alone and cannot: workers go on with what they have mapped, others build for
    themselves. It fails for nothing.
    """
    name = bases.newest(folder)
    if name is None:
        return
    with suppress(PeermatchError, OSError, KeyError, ValueError, TypeError):
        head: dict[str, Any] = pool_file.read_head(folder / name)
        if since(store, programme_id, int(head["number"])):
            bases.prune(folder, newest_too=True)
