"""What a worker ranks over: a base, kept true by the change feed, and beside it those whose records changed since."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Final

import numpy as np

from matcher.consent import ConsentedProfile, consented
from matcher.matching.circumstances import Standing
from matcher.matching.pool import Pool
from matcher.matching.shortlist import Shortlist, shortlist
from matcher.programme import Programme
from service.live.attention import Attention
from service.live.base import Base
from service.live.few import pool_of
from service.store import scene, stored
from service.store.hot import Transaction
from service.store.moments import FOREVER, day, micros
from service.store.scene import Live, Scene

MOST_FOLLOWED: Final = 500
"""Changes that are followed one by one; with more than that a new base is quicker."""


@dataclass(frozen=True)
class _Changed:
    """Somebody whose record is another one than in the base."""

    profile: ConsentedProfile
    row: Live


@dataclass(frozen=True)
class View:
    """A pool as one request sees it, whatever others take in meanwhile.

    Whoever is taken out of the base while the request ranks is named by the record that the base had: the re-check sees
    that there is another one.
    """

    base: Base
    edited: Mapping[int, _Changed]
    delta: Pool | None
    """Those of `edited`."""

    @property
    def pools(self) -> Sequence[Pool]:
        """The parts, which have nobody in common."""
        return [self.base.pool] if self.delta is None else [self.base.pool, self.delta]

    def match(self, profile: ConsentedProfile, standing: Standing, limit: int) -> Shortlist:
        """Rank everybody for a seeker, known to the pool or not."""
        model = self.base.model
        return shortlist(self.pools, model.affinity, profile, standing, limit, model.version)

    def identify(self, member_ids: Sequence[str]) -> list[tuple[int, int]]:
        """Return of people who are in the pool the number, and the revision of the record that it knows of each."""
        edited = {one.row.member_id: (one.row.id, one.row.revision) for one in self.edited.values()}
        elsewhere = [name for name in member_ids if name not in edited]
        table = self.base.pool.ids.table  # also of those taken out since
        rows = table.searchsorted(np.array([name.encode() for name in elsewhere], dtype=table.dtype))
        pairs = zip(self.base.numbers[rows].tolist(), self.base.revisions[rows].tolist(), strict=True)
        known = dict(zip(elsewhere, pairs, strict=True)) | edited
        return [known[name] for name in member_ids]


class HeldPool:
    """A pool of one programme in one worker.

    Parameters
    ----------
    programme : Programme
    base : Base
        Its arrays are this worker's own to change: they are mapped copy-on-write.
    """

    def __init__(self, programme: Programme, base: Base) -> None:
        self.programme = programme
        self.base = base
        self.number = base.number
        """The last change that it holds."""
        self.behind = False
        """Whether so much has changed that a new base is due. What must not be shown, the re-check still stops."""
        self.due: int | None = None
        """When a consent or hold next begins or ends by itself, µs since 1970; None: not looked up yet."""
        self.view = View(base, {}, None)
        """What requests rank over: another one with each change to whoever has another record than in the base."""
        self._attention = Attention(base)
        self._lock = Lock()

    @property
    def pools(self) -> Sequence[Pool]:
        """The parts, which have nobody in common."""
        return self.view.pools

    def __len__(self) -> int:
        return sum(len(pool) for pool in self.pools)

    def follow(self, reader: Transaction, seen: Scene, now: datetime) -> None:
        """Take in every change up to `seen`, which `reader` sees too."""
        if self.due is None:
            self.due = scene.first_due(reader, seen.programme_id)
        if seen.number <= self.number or self.behind:
            return
        with self._lock:
            if seen.number <= self.number:
                return
            changed = scene.changed(reader, seen.programme_id, self.number, MOST_FOLLOWED + 1)
            if len(changed) > MOST_FOLLOWED or len(self.view.edited) > MOST_FOLLOWED:
                self.behind = True
                return
            self._take_in(reader, changed, scene.gone(reader, seen.programme_id, self.number), now)
            self.number = seen.number

    def _take_in(self, reader: Transaction, changed: Sequence[Live], gone: Sequence[int], now: datetime) -> None:
        kept = dict(self.view.edited)
        for number in gone:
            kept.pop(number, None)
            self.base.forget(number)
        attended = self._attention.forget(gone)
        moment = micros(now)
        edited = []
        self.due = min(self.due or FOREVER, scene.first_introduction_due(reader, self.programme.id))
        for live in changed:
            self.due = min(self.due, live.edge, live.held_until or FOREVER, live.rests_until or FOREVER)
            row = self.base.row(live.id, live.member_id)
            if row is not None and live.accepted and self.base.encodes(row, live):
                self.base.pool.set_held(row, live.held_until > moment)
                self.base.pool.set_free(row, live.places(moment))
            else:
                self.base.pool.forget(live.member_id)
                kept.pop(live.id, None)
                edited.append(live)
        kept |= self._read(reader, edited, now)
        if kept != self.view.edited:
            self.view = View(self.base, kept, self._built(list(kept.values()), now))
        self._spread(attended)

    def _read(self, reader: Transaction, edited: Sequence[Live], now: datetime) -> dict[int, _Changed]:
        """Return the new records of those who may be seen today."""
        visible = [live for live in edited if live.accepted and live.visible_from <= self.base.epoch]
        records = scene.records(reader, self.programme.id, [live.id for live in visible])
        people = ((live, stored.member(records[live.id], self.programme)) for live in visible if live.id in records)
        return {live.id: _Changed(consented(one, self.programme, now), live) for live, one in people if one is not None}

    def _built(self, people: Sequence[_Changed], now: datetime) -> Pool | None:
        if not people:
            return None
        pool, encoder = self.base.pool, self.base.model.encoder
        pairs = [(one.profile, one.row) for one in people]
        exposure = {row.member_id: self._attention.of(row.id) for _, row in pairs}
        return pool_of(self.programme, encoder, pairs, now, pool.at, pool.key, exposure)

    def attend(self, reader: Transaction) -> None:
        """Take in what attention everybody had in the lists that `reader` sees."""
        with self._lock:
            self._spread(self._attention.follow(reader, self.programme.id, self.base.epoch))

    def _spread(self, numbers: Collection[int]) -> None:
        """Tell the pool beside the base too of whose exposure is another."""
        view = self.view
        for number in view.edited.keys() & numbers:
            if view.delta is not None and (row := view.delta.find(view.edited[number].row.member_id)) is not None:
                view.delta.set_exposure(row, self._attention.of(number))

    def given_by(self, seeker: int) -> dict[int, float]:
        """Return to whom the newest list of the seeker with a number gave exposure, and how much."""
        return dict(self._attention.given_by(seeker))

    def names(self, numbers: Collection[int]) -> dict[int, str]:
        """Return the ids of those in the pool who have these numbers."""
        base, edited = self.base, self.view.edited
        rows = zip(numbers, base.look_up(numbers), strict=True)
        known = {number: base.pool.ids[row] for number, row in rows if row >= 0 and number not in base.erased}
        return known | {number: edited[number].row.member_id for number in edited.keys() & numbers}

    def is_due(self, now: datetime) -> bool:
        """Whether a consent or hold has begun or ended by itself, and nobody has made a change of it yet."""
        return self.due is not None and micros(now) >= self.due

    def is_of(self, now: datetime) -> bool:
        """Whether the base is of the UTC day of `now`."""
        return self.base.epoch == day(now)
