"""A seeker's list: stored once for a day, re-checked each time it is returned, computed anew when it must be.

DESIGN §7 states the rules; ``docs/reference/http.md`` tells them to those who ask.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from matcher.errors import UnknownMemberError
from service.live.asking import Change, Request
from service.live.handles import Handles
from service.live.listing import Kind, LiveList
from service.live.pool_cache import PoolCache
from service.live.seeking import Seeking
from service.live.waiting_cache import WaitingCache
from service.logs import log_failure
from service.store import StoreError, scene
from service.store.hot import PATIENCE_MS

ATTEMPTS: Final = 4
LOG_PATIENCE_MS: Final = 50
"""How long it waits for others to have written only to log who was shown: the next reply logs it too."""


class Shortlists:
    """Answers for lists of all programmes of an installation.

    Parameters
    ----------
    pools : PoolCache
    handles : Handles
    """

    def __init__(self, pools: PoolCache, handles: Handles) -> None:
        self.pools = pools
        self.handles = handles
        self.waits = WaitingCache(pools)

    def of(
        self, programme_id: str, member_id: str, kind: Kind, *, limit: int | None, now: datetime, keep: bool = True
    ) -> LiveList:
        """Return the list of a member, who may be one that others do not see yet.

        Parameters
        ----------
        limit : int or None
            How many; the programme's own where it is None.
        now : datetime
            When the request began: whatever was committed before is honoured.
        keep : bool
            Whether a list computed anew is stored, and who is returned is logged.

        Raises
        ------
        UnknownMemberError, ConsentMissingError, OutdatedRecordError, SeekerError
            If the member cannot have a list.
        StoreError
            If the database is away or busy, or others keep computing the same list.
        """
        for attempt in range(ATTEMPTS):
            found = self._attempt(programme_id, member_id, kind, limit, now, keep=keep, first=attempt == 0)
            if found is not None:
                return found
        raise StoreError("the same list was computed elsewhere again and again; try again")

    def _attempt(
        self,
        programme_id: str,
        member_id: str,
        kind: Kind,
        limit: int | None,
        now: datetime,
        *,
        keep: bool,
        first: bool,
    ) -> LiveList | None:
        self.pools.let_time_pass(programme_id, now)
        with self.pools.store.hot.reading() as reader:
            found = scene.scene_and_member(reader, programme_id, member_id)
            if found is None or found[1] is None:
                raise UnknownMemberError("no such member")
            seen, live = found[0], found[1]
            held = self.pools.current(reader, seen, now)
            if first and held.is_due(now):
                return None  # it heard only now of something that has begun or ended already
            seeking = Seeking(reader, seen, live, held.programme, now)
            request = Request(self.handles, reader, seeking, held, kind, limit or held.programme.limit)
            answer, change = request.answer()
        if change is not None and keep and not self._stored(change, request, answer):
            return None
        return answer

    def _stored(self, change: Change, request: Request, answer: LiveList) -> bool:
        """Store a list, or who was shown of it; False if another list of the seeker was stored meanwhile."""
        try:
            patience = PATIENCE_MS if answer.result == "new" else LOG_PATIENCE_MS
            with self.pools.store.hot.writing(patience) as writer:
                return change.apply(writer, request)
        except StoreError as problem:
            if answer.result == "new":
                raise
            log_failure(problem)  # what is stored already can be returned all the same
            return True
