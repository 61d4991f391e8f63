"""Whoever waits is tried again when the pool has changed; who has somebody now is told so by an event."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from time import perf_counter
from typing import Final, cast

from matcher.errors import ConsentMissingError, ModelError, SeekerError
from matcher.waiting import NEVER_ASKED, OVER_BUDGET
from service.live.asking import Change, Request
from service.live.peers import Peers
from service.live.seeking import Seeking
from service.live.shortlists import Shortlists
from service.live.waiting import Snapshot, Waiting
from service.logs import log_failure
from service.store import StoreError, events, lists, scene
from service.store.hot import Cursor, Transaction
from service.store.lists import StoredList

SECONDS: Final = 0.05
"""For how long a request that is about something else tries others again."""
PATIENCE_MS: Final = 50
"""How long such a request waits for others to have written."""
PEERS: Final = Peers()


def retry(shortlists: Shortlists, programme_id: str, now: datetime, *, most: int | None = None) -> int:
    """Try again whoever waits and has a list from before somebody was added; return for how many there is somebody now.

    Their list is stored as any other, but nobody counts as shown before it is returned, so that it costs nothing till
    then. Whoever never asked for a list gets none, and whoever has had as many as there are is not tried.

    Parameters
    ----------
    most : int, optional
        At most so many are tried, for `SECONDS` at most, and nothing is raised: for a request that is about something
        else. None: all are.

    Raises
    ------
    StoreError, ModelError, UnknownMemberError
        If they cannot be tried, where `most` is None.
    """
    ready = 0
    try:
        for one in _waiting(shortlists, programme_id, now, most):
            ready += _tried(shortlists, programme_id, one.waiter.member_id, now, brief=most is not None)
    except (StoreError, ModelError) as problem:
        if most is None:
            raise
        log_failure(problem)
    return ready


def _waiting(shortlists: Shortlists, programme_id: str, now: datetime, most: int | None) -> Iterator[Waiting]:
    """Yield those who are to be tried, first comes first."""
    began = perf_counter()
    waits = shortlists.waits
    found = waits.fresh(programme_id, now) if most is None else waits.recent(programme_id, now, busy=True)
    with shortlists.pools.store.hot.reading() as reader:
        seen = scene.scene(reader, programme_id)
    additions = 0 if seen is None else seen.additions
    count = 0
    for one in found.waiting:
        if not _is_behind(found, one, additions):
            continue
        if most is not None and (count == most or perf_counter() - began > SECONDS):
            return
        count += 1
        found.tried[one.waiter.member_id] = additions
        yield one


def _is_behind(found: Snapshot, one: Waiting, additions: int) -> bool:
    """Whether a new list might have somebody for one who waits."""
    known = max(one.number, found.tried.get(one.waiter.member_id, 0))
    return one.reason not in {NEVER_ASKED, OVER_BUDGET} and known < additions


def _tried(shortlists: Shortlists, programme_id: str, member_id: str, now: datetime, *, brief: bool) -> bool:
    """Look whether there is somebody for a seeker; return whether there is."""
    with shortlists.pools.store.hot.reading() as reader:
        request = _request(shortlists, reader, programme_id, member_id, now)
        if request is None:
            return False
        seeker = request.seeking.live.id
        last = lists.latest(reader, programme_id, seeker, PEERS.name)
        if last is None or last.number >= request.seeking.seen.additions:
            return False  # another worker was quicker
        try:
            answer, change = request.answer()
        except (ConsentMissingError, SeekerError):
            return False
    if change is None or answer.result in {"over_budget", "held"}:
        return False
    return _stored(shortlists, request, _unshown(change, request, last), now, bool(answer.alive), brief=brief)


def _request(
    shortlists: Shortlists, reader: Transaction, programme_id: str, member_id: str, now: datetime
) -> Request | None:
    """Return the question for a seeker's list, or None if they are gone."""
    found = scene.scene_and_member(reader, programme_id, member_id)
    if found is None or found[1] is None:
        return None
    seen, live = found[0], found[1]
    held = shortlists.pools.current(reader, seen, now)
    seeking = Seeking(reader, seen, live, held.programme, now)
    return Request(shortlists.handles, reader, seeking, held, PEERS, held.programme.limit)


def _unshown(change: Change, request: Request, last: StoredList) -> Change:
    """Return a change that says what is true now and shows nobody."""
    number = max(change.made.number, min(request.seeking.seen.number, request.held.number))
    made = replace(change.made, shown={}, number=number)
    if made.id:
        made = replace(made, returned_at=last.returned_at)  # its handles are valid no longer for this
    return replace(change, made=made)


def _stored(
    shortlists: Shortlists, request: Request, change: Change, now: datetime, ready: bool, *, brief: bool
) -> bool:
    """Store what was found, and the event in the same transaction if there is somebody; return whether there is."""
    store, programme_id = shortlists.pools.store, request.held.programme.id
    if not ready:
        with store.hot.writing(PATIENCE_MS) as writer:
            change.apply(writer, request)
        return False
    with store.transaction(PATIENCE_MS if brief else None) as session:
        cursor = cast("Cursor", session.connection().connection.cursor())
        if not change.apply(Transaction(store.hot, cursor), request):
            return False  # somebody asked for a list meanwhile, and has it
        events.add(session, programme_id, request.seeking.live.member_id, events.LISTED, None, now)
    return True
