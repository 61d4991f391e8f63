"""One seeker's list: matched over the pool, then checked against the store once more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from matcher.errors import RecordError, SeekerError, UnknownMemberError
from matcher.matching.shortlist import Entry, Shortlist
from matcher.people import Member
from service.live.pool_cache import HeldPool, PoolCache
from service.store import StoreError, members

ATTEMPTS = 3


class OutdatedRecordError(SeekerError):
    """The programme has changed since the seeker's record was stored, and no longer accepts it."""

    title = "The stored record no longer fits the programme"


@dataclass(frozen=True)
class LiveShortlist:
    """A shortlist all of whose candidates are in the store as the pool knew them."""

    pool: HeldPool
    shortlist: Shortlist
    entries: tuple[Entry, ...]


def shortlist_for(
    pools: PoolCache, programme_id: str, member_id: str, *, limit: int | None, now: datetime
) -> LiveShortlist:
    """Return the list of a member, who may be one that others do not see yet.

    1. Take a pool that holds every change committed so far, and the seeker as stored.
    2. Match.
    3. Read the revisions of seeker and candidates. If all are what the match was made from, answer; else again.

    After `ATTEMPTS` rounds of changes the candidates who did not change are the list.

    Raises
    ------
    UnknownMemberError, ConsentMissingError, OutdatedRecordError, SeekerError
        As `Matcher.match` does, and if the member is not in this programme's store.
    StoreError
        If the seeker's own record keeps changing.
    """
    for attempt in range(1, ATTEMPTS + 1):
        pool = pools.current(programme_id, now)
        seeker, revision = _seeker(pools, pool, programme_id, member_id)
        shortlist = pool.match(seeker, limit, now)
        entries = tuple(shortlist)
        stored = _revisions(pools, programme_id, [member_id, *(entry.member_id for entry in entries)])
        if stored.get(member_id) != revision:
            continue
        alive = [entry for entry in entries if stored.get(entry.member_id) == pool.revisions[entry.member_id]]
        if len(alive) == len(entries) or (attempt == ATTEMPTS and alive):
            ranked = tuple(replace(entry, rank=rank) for rank, entry in enumerate(alive, 1))
            return LiveShortlist(pool, shortlist, ranked)
    raise StoreError("the members changed faster than a list could be made of them; try again")


def _seeker(pools: PoolCache, pool: HeldPool, programme_id: str, member_id: str) -> tuple[Member, int]:
    with pools.store.reading() as session:
        stored = members.get(session, programme_id, member_id)
    if stored is None:
        raise UnknownMemberError("no such member")
    try:
        return Member.from_dict(stored.record, pool.programme), stored.revision
    except RecordError:
        # What is wrong with it is for who may read members, not for who may ask for lists.
        raise OutdatedRecordError("the stored record no longer fits the programme") from None


def _revisions(pools: PoolCache, programme_id: str, member_ids: Sequence[str]) -> dict[str, int]:
    with pools.store.reading() as session:
        return members.revisions(session, programme_id, member_ids)
