"""One question for a list, within one read transaction: which list answers it, and what is to be written for it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import Final

from service.live.handles import Handles
from service.live.held import HeldPool
from service.live.listing import DEPTH, Computed, Kind, LiveList
from service.live.recheck import Rechecked
from service.live.seeking import Seeking
from service.store import lists, scene
from service.store.hot import Transaction
from service.store.lists import StoredList
from service.store.moments import moment

MONTH: Final = timedelta(days=30)
_MONTH: Final = MONTH // timedelta(microseconds=1)
_DAY: Final = timedelta(days=1) // timedelta(microseconds=1)


@dataclass(frozen=True)
class Change:
    """What is written once the reply is known."""

    made: StoredList
    before: int
    """Row of the seeker's newest list when this one was computed."""

    def apply(self, writer: Transaction, request: Request) -> bool:
        """Write it; return False, with nothing written, if another list of the seeker was stored meanwhile."""
        programme_id, made = request.held.programme.id, self.made
        if lists.last_id(writer, programme_id, made.seeker_id, made.kind) != self.before:
            return False
        if not scene.people(writer, programme_id, [made.seeker_id]):
            return False  # erased meanwhile, and so must their lists be
        if made.id == 0:
            lists.add(writer, programme_id, made)
        else:
            # Another request may have shown others of the list meanwhile.
            shown = made.shown | lists.shown(writer, programme_id, made.id)
            lists.show(writer, programme_id, made.id, shown, made.returned_at)
            lists.confirm(writer, programme_id, made.id, made.number, made.model_version)
        return True


@dataclass(frozen=True)
class Request:
    """One question, within one read transaction."""

    handles: Handles
    reader: Transaction
    seeking: Seeking
    held: HeldPool
    kind: Kind
    limit: int

    def answer(self) -> tuple[LiveList, Change | None]:
        """Return the list, and what is to be written once the read transaction has ended."""
        if self.seeking.held:
            return self._held(), None
        seeking, kind = self.seeking, self.kind.name
        last = lists.latest(self.reader, seeking.programme.id, seeking.live.id, kind)
        if last is not None and self._is_true(last):
            checked = self._recheck(last)
            enough = last.outcome == "no_match" or len(checked.alive) >= self.limit or not last.cut
            if enough and not self._has_emptied(last, checked):
                return self._reply(last, checked, "repeat")
        frees = self._frees_at()
        if frees is not None:
            return self._previous(frees)
        return self._new(last)

    def _is_true(self, stored: StoredList) -> bool:
        """Whether a stored list is the one of today for this seeker as they are now."""
        seen = self.seeking.seen
        if stored.digest != seen.digest or stored.epoch < self.held.base.epoch or not self._same_profile(stored):
            return False
        if stored.outcome == "no_match":
            return stored.number == seen.number  # who waits is tried again with every change
        at_once = self.held.programme.additions == "at_once"
        newer = stored.number < seen.additions or stored.model_version != self.held.base.model.version
        return not (at_once and newer)

    def _has_emptied(self, stored: StoredList, checked: Rechecked) -> bool:
        """Whether all whom a list showed have gone, and something has changed since it was last looked for others."""
        return bool(stored.entries) and not checked.alive and stored.number != self.seeking.seen.number

    def _same_profile(self, stored: StoredList) -> bool:
        untouched = stored.revision == self.seeking.live.revision and self.seeking.moment < stored.good_until
        return untouched or stored.profile == self.seeking.digest

    def _same_question(self, last: StoredList, made: StoredList) -> bool:
        return (last.epoch, last.digest, last.profile) == (made.epoch, made.digest, made.profile)

    def _recheck(self, stored: StoredList, *, again: bool = False) -> Rechecked:
        return self.kind.recheck(stored, self.seeking, self.held, self.limit, again=again)

    def _frees_at(self) -> datetime | None:
        """Return when the seeker may have a new list, or None if they may now."""
        programme, now = self.held.programme, self.seeking.now
        seeker = (programme.id, self.seeking.live.id, self.kind.name)
        made = [moment(at) for at in lists.made_since(self.reader, *seeker, self.seeking.moment - _MONTH)]
        tomorrow = datetime.combine(now.astimezone(UTC).date() + timedelta(days=1), time(), UTC)
        today = sum(at >= tomorrow - timedelta(days=1) for at in made)
        free: list[datetime] = []
        if today >= programme.lists_per_day:
            free.append(tomorrow)
        if programme.lists_per_30_days is not None and len(made) >= programme.lists_per_30_days:
            free.append(made[len(made) - programme.lists_per_30_days] + MONTH)
        return max(free, default=None)

    def _previous(self, frees: datetime) -> tuple[LiveList, Change | None]:
        """Answer with the list before, because the seeker has had as many as there are for now."""
        seeking = self.seeking
        stored = lists.latest_matched(self.reader, seeking.programme.id, seeking.live.id, self.kind.name)
        assert stored is not None  # the budget counts such lists
        same = stored.digest == seeking.seen.digest and self._same_profile(stored)
        if not same:
            seeking.check()
        reply, change = self._reply(stored, self._recheck(stored, again=not same), "over_budget")
        return replace(reply, fresh_at=frees), change

    def _new(self, last: StoredList | None) -> tuple[LiveList, Change | None]:
        """Compute a list. One that says what the last one said is that one again, and costs nothing."""
        computed = self.kind.compute(self.seeking, self.held)
        made = self._made(computed, 0 if last is None else last.id)
        if last is not None and self._same_question(last, made) and self._same_answer(last, made):
            made = replace(last, number=made.number, model_version=made.model_version)
        checked = self._recheck(made)
        reply, change = self._reply(made, checked, "new" if made.id == 0 else "repeat")
        return replace(reply, excluded=computed.excluded), change or Change(made, 0 if last is None else last.id)

    def _same_answer(self, last: StoredList, made: StoredList) -> bool:
        """Whether a new list says what the last one does. An emptied one is kept for when its people come back."""
        return last.same_content(made) or (not made.entries and self._has_emptied(last, self._recheck(last)))

    def _made(self, computed: Computed, before: int) -> StoredList:
        seeking, held = self.seeking, self.held
        parts = (str(seeking.live.id), self.kind.name, str(before), str(held.base.epoch), seeking.digest)
        said = (computed.outcome, str(computed.reason), *(str(entry.id) for entry in computed.entries))
        return StoredList(
            match_id=self.handles.of_list(held.programme.id, *parts, held.base.model.version, *said),
            seeker_id=seeking.live.id,
            kind=self.kind.name,
            epoch=held.base.epoch,
            made_at=seeking.moment,
            returned_at=seeking.moment,
            # A pool that is behind knows less than the store: who waits is tried again when it has caught up.
            number=min(seeking.seen.number, held.number),
            profile=seeking.digest,
            revision=seeking.live.revision,
            good_until=seeking.good_until,
            digest=seeking.seen.digest,
            model_version=held.base.model.version,
            outcome=computed.outcome,
            reason=computed.reason,
            cut=len(computed.entries) >= DEPTH,
            entries=computed.entries,
        )

    def _reply(self, stored: StoredList, checked: Rechecked, result: str) -> tuple[LiveList, Change | None]:
        """Return the reply that the survivors of a list make, and what it shows for the first time."""
        shown = dict(stored.shown)
        at = self.seeking.moment
        if stored.id and at == stored.made_at:
            at += 1  # at `made_at` itself stands who was shown when it was made: see `service.store.valid_lists`
        for rank, one in enumerate(checked.alive, 1):
            shown.setdefault(one.place, (rank, at))
        matched = bool(checked.alive)
        reply = LiveList(
            programme=self.held.programme,
            kind=stored.kind,
            match_id=stored.match_id,
            outcome="matched" if matched else "no_match",
            reason=None if matched else stored.reason or "no_eligible",
            model_version=stored.model_version,
            result=result,
            alive=tuple(checked.alive),
            dropped=checked.dropped,
        )
        today = stored.returned_at // _DAY == self.seeking.moment // _DAY
        if shown == stored.shown and stored.id and today:
            return reply, None
        returned = replace(stored, shown=shown, returned_at=self.seeking.moment)
        return reply, Change(returned, self._last_id(stored))

    def _last_id(self, stored: StoredList) -> int:
        return lists.last_id(self.reader, self.held.programme.id, stored.seeker_id, stored.kind)

    def _held(self) -> LiveList:
        programme, seeking = self.held.programme, self.seeking
        day = seeking.now.astimezone(UTC).date().isoformat()
        return LiveList(
            programme=programme,
            kind=self.kind.name,
            match_id=self.handles.of_list(programme.id, str(seeking.live.id), self.kind.name, "held", day),
            outcome="no_match",
            reason="held",
            model_version=self.held.base.model.version,
            result="held",
        )
