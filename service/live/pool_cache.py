"""The pools of a worker: built from the store, and never older than the last change that was committed."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from threading import Lock
from typing import TypeAlias

from sqlalchemy.orm import Session

from matcher.errors import RecordError
from matcher.facade import Matcher
from matcher.matching.pool import Circumstances
from matcher.matching.shortlist import Shortlist
from matcher.model.answers import load, relations
from matcher.model.artefact import Model
from matcher.model.feedback import Feedback
from matcher.people import Member
from matcher.programme import Programme
from service.live.models import Models
from service.live.programmes import ProgrammeCache
from service.logs import log_event
from service.store import Store, feedback, members, models, programmes

Build: TypeAlias = Callable[[Programme, Model, Sequence[Member], datetime, Circumstances], Matcher]


def build_matcher(
    programme: Programme, model: Model, people: Sequence[Member], at: datetime, circumstances: Circumstances
) -> Matcher:
    """Build a matcher over a pool, without training."""
    return Matcher.from_model(programme, model, people, at=at, circumstances=circumstances)


@dataclass(frozen=True)
class Truth:
    """What the store says now; a pool built from the same is true."""

    revision: int
    digest: str | None
    active: str | None
    previous: str | None


@dataclass(frozen=True)
class HeldPool:
    """A matcher over those whom others may see today."""

    programme: Programme
    matcher: Matcher
    truth: Truth
    built_at: datetime
    good_until: datetime
    """The end of the UTC day, or the first moment at which somebody's consent begins or ends, if that is earlier."""
    revisions: dict[str, int]
    """Member id → the revision of the record that the pool was built from."""
    skipped: int
    """Stored records that the programme no longer accepts: they are in no list."""

    @property
    def epoch(self) -> date:
        """The UTC day this pool is of."""
        return self.built_at.astimezone(UTC).date()

    def is_true(self, truth: Truth, now: datetime) -> bool:
        """Return whether this pool may answer a request that begins `now`, the store saying `truth`."""
        return self.truth == truth and now.astimezone(UTC).date() == self.epoch and now < self.good_until

    def match(self, seeker: Member, limit: int | None, now: datetime) -> Shortlist:
        """Return the shortlist of a member, known to the pool or not, whose consents are read as of `now`.

        Everybody else's are the same `now` as when the pool was built, or the pool would not be true. The seeker's
        may be newer: one who gave them after the pool was built, and whom others do not see yet, seeks at once.
        """
        matcher = copy.copy(self.matcher)
        matcher.at_ = max(now, self.built_at)
        return matcher.match(seeker, limit=limit)


class PoolCache:
    """One pool a programme, rebuilt when its members, its model, its configuration or the day change.

    Parameters
    ----------
    store : Store
    models : Models
    build : callable
        Makes a matcher of programme, model, members, moment and circumstances.
    """

    def __init__(self, store: Store, models: Models, build: Build = build_matcher) -> None:
        self.store = store
        self.models = models
        self.programmes = ProgrammeCache()
        self._build = build
        self._held: dict[str, HeldPool] = {}
        self._locks: dict[str, Lock] = {}
        self._guard = Lock()

    def current(self, programme_id: str, now: datetime) -> HeldPool:
        """Return a pool that holds every change committed before this call.

        Raises
        ------
        ModelError, ProgrammeError
            If no pool can be built: no model can be loaded, or the stored programme cannot be read.
        """
        held = self._true(programme_id, now)
        if held is not None:
            return held
        with self._lock(programme_id):
            # Whoever waited here finds the pool that the first one built, unless something changed since.
            held = self._true(programme_id, now)
            if held is None:
                with self.store.reading() as session:
                    held = self._rebuilt(session, programme_id, now)
                self._held[programme_id] = held
        return held

    def held(self) -> dict[str, HeldPool]:
        """Return the pools this worker holds, by programme id, whether true or not."""
        return dict(self._held)

    def _true(self, programme_id: str, now: datetime) -> HeldPool | None:
        held = self._held.get(programme_id)
        if held is None:
            return None
        with self.store.reading() as session:
            truth = _truth(session, programme_id)
        self.models.retry(held.programme, now)
        # Another model than the active one serves only for as long as the active one cannot be loaded.
        best = held.matcher.model_.version == truth.active or programme_id in self.models.stale
        return held if best and held.is_true(truth, now) else None

    def _rebuilt(self, session: Session, programme_id: str, now: datetime) -> HeldPool:
        # The truth is read first: whatever is committed after it makes the pool newer than it claims, never older.
        truth = _truth(session, programme_id)
        programme = self.programmes.get(session, programme_id)
        serving = self._held.get(programme_id)
        fallback = serving.matcher.model_.version if serving else None
        model = self.models.best(programme, (truth.active, fallback, truth.previous), now)
        people: list[Member] = []
        revisions: dict[str, int] = {}
        skipped = 0
        for stored in members.visible_members(session, programme_id, now.astimezone(UTC).date()):
            try:
                people.append(Member.from_dict(stored.record, programme))
            except RecordError:
                skipped += 1
                continue
            revisions[stored.member_id] = stored.revision
        events = list(_decisions(session, programme))
        declined, connected = relations(events, now)
        taken = load(events, connected, now, mutual=programme.mutual)
        standing = Circumstances(declined=declined, connected=connected, load=taken)
        matcher = self._build(programme, model, people, now, standing)
        log_event("pool", programme=programme_id, members=len(people), skipped=skipped, model=model.version)
        return HeldPool(programme, matcher, truth, now, _good_until(people, events, now), revisions, skipped)

    def _lock(self, programme_id: str) -> Lock:
        with self._guard:
            return self._locks.setdefault(programme_id, Lock())


def _truth(session: Session, programme_id: str) -> Truth:
    revision = programmes.pool_revision(session, programme_id)
    active = models.active(session, programme_id)
    digest = programmes.digest(session, programme_id)
    return Truth(revision, digest, active.version if active else None, active.previous if active else None)


def _decisions(session: Session, programme: Programme) -> Iterator[Feedback]:
    for record in feedback.decisions(session, programme.id):
        try:
            yield Feedback.from_dict(record, programme)
        except RecordError:  # stored by another release; training reports it
            continue


def _good_until(people: Sequence[Member], events: Sequence[Feedback], now: datetime) -> datetime:
    """Return the first moment at which the same rows of the store make another pool."""
    edges = [datetime.combine(now.astimezone(UTC).date() + timedelta(days=1), time(), UTC)]
    for person in people:
        for event in person.consents:
            edges += [edge for edge in (event.at, event.valid_until) if edge is not None and edge > now]
    edges += [event.at for event in events if event.at > now]
    return min(edges)
