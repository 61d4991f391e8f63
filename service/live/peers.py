"""Lists of peers."""

from __future__ import annotations

from datetime import UTC, date

from matcher.facets.week import monday_from
from service.live import looks
from service.live.held import HeldPool
from service.live.listing import DEPTH, Computed
from service.live.recheck import Rechecked, first_alive
from service.live.seeking import Seeking
from service.store.lists import Entry, StoredList


class Peers:
    """Ranks the members of the pool for a seeker."""

    name = "buddy"

    def compute(self, seeking: Seeking, held: HeldPool) -> Computed:
        """Rank everybody for a seeker, `DEPTH` deep."""
        held.attend(seeking.reader)
        view = held.view
        found = view.match(seeking.profile, looks.standing(seeking, held), DEPTH)
        known = view.identify([one.member_id for one in found.entries])
        entries = tuple(
            Entry(number, revision, round(one.score, 6), one.strength, one.reasons)
            for (number, revision), one in zip(known, found.entries, strict=True)
        )
        return Computed(found.outcome, found.reason, entries, found.excluded, found.eligible)

    def recheck(self, stored: StoredList, seeking: Seeking, held: HeldPool, limit: int, *, again: bool) -> Rechecked:
        """Return the first survivors of a stored list."""
        other_week = monday_from(date.fromordinal(stored.epoch)) != monday_from(seeking.now.astimezone(UTC).date())
        encoder = held.base.model.encoder
        return first_alive(stored.entries, seeking, encoder, limit, again=again, other_week=other_week)
