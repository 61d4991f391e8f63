"""How full each supporter of a programme is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from matcher.programme import Programme
from service.store import sealed
from service.store.live_tables import LiveRow
from service.store.moments import micros, moment
from service.store.tables import MemberRow

OVER, FULL, SOME, NONE, NO_PLACES = "over", "full", "some", "none", "no-places"
CLASSES: Final = (
    (NONE, "Nobody yet"),
    (SOME, "Some places taken"),
    (FULL, "Full"),
    (OVER, "Over capacity"),
    (NO_PLACES, "Offers no place"),
)
"""How full a supporter is, and what that is called."""


@dataclass(frozen=True)
class Load:
    """One supporter."""

    member_id: str
    capacity: int
    taken: int
    """Places that offers and connections take."""
    rests_until: datetime | None
    """Until then they are offered to nobody new."""
    held: bool
    shown: bool
    """Whether they agree to be shown as a peer."""

    @property
    def free(self) -> int:
        """Places left; less than nothing where the capacity was lowered below what is taken."""
        return self.capacity - self.taken

    @property
    def kind(self) -> str:
        """One of `CLASSES`."""
        if self.free < 0:
            return OVER
        if not self.capacity:
            return NO_PLACES
        if not self.free:
            return FULL
        return SOME if self.taken else NONE

    @property
    def called(self) -> str:
        """What that is called."""
        return dict(CLASSES)[self.kind]


def loads(session: Session, programme: Programme, now: datetime) -> list[Load]:
    """Return every supporter who agrees to be shown, or gives a place all the same, by their ids."""
    at = micros(now)
    query = (
        select(LiveRow, MemberRow.record)
        .join(MemberRow, (MemberRow.programme_id == LiveRow.programme_id) & (MemberRow.member_id == LiveRow.member_id))
        .where(LiveRow.programme_id == programme.id, or_(LiveRow.shown == 1, LiveRow.free < LiveRow.capacity))
        .order_by(LiveRow.member_id)
    )
    columns = query.with_only_columns(
        LiveRow.member_id, LiveRow.capacity, LiveRow.free, LiveRow.rests_until, LiveRow.held_until, LiveRow.shown,
        MemberRow.record,
    )  # fmt: skip
    found = []
    for name, capacity, free, rests_until, held_until, shown, record in session.execute(columns):
        # Roles are in the record alone; whoever gives a place is a supporter whatever it says.
        if free == capacity and not _supports(sealed.record(session, programme.id, name, record), programme):
            continue
        rests = moment(rests_until) if rests_until > at else None
        found.append(Load(name, capacity, capacity - free, rests, held_until > at, bool(shown)))
    return found


def counted(some: Iterable[Load]) -> dict[str, int]:
    """Return how many supporters are how full, by what that is called, in the order of `CLASSES`."""
    numbers = Counter(one.kind for one in some)
    return {called: numbers[kind] for kind, called in CLASSES}


def _supports(record: dict[str, object], programme: Programme) -> bool:
    roles = record.get("roles")
    return programme.mutual or (isinstance(roles, list) and "supporter" in roles)
