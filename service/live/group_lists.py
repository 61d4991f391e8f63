"""Lists of support groups, as `docs/reference/groups.md` ranks them.

An entry bears, as its revision, the number of the last change that it was ranked with. A group is put through every
gate again, exactly, if anything of it, or the record of anybody in it, has changed since.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date

from matcher.consent import consented
from matcher.facets.week import monday_from
from matcher.matching import group_gates
from matcher.matching.group_state import Places, Question
from matcher.matching.groups import GroupState, Topics, rank_groups
from matcher.matching.pool import Pool
from matcher.matching.seeker import Seeker
from service.live import unsure
from service.live.few import pool_of
from service.live.held import HeldPool
from service.live.known_groups import Known, beside
from service.live.listing import DEPTH, Computed
from service.live.recheck import MARGIN, Alive, Rechecked
from service.live.seeking import Seeking
from service.live.unsure import Unsure
from service.store import group_scene
from service.store.groups import week
from service.store.lists import Entry, StoredList
from service.store.stored import member as stored_member

NOBODY: frozenset[str] = frozenset()
EVERY_CHANGE = 0
"""All changes come after this one."""


class Groups:
    """Ranks the groups of the programme for a seeker."""

    name = "group"

    def compute(self, seeking: Seeking, held: HeldPool) -> Computed:
        """Rank all groups for a seeker, `DEPTH` deep."""
        # Read before the view is taken, which holds these changes or more.
        number = min(seeking.seen.number, held.number)
        view, model, known = held.view, held.base.model, beside(held)
        groups = known.all(seeking.reader)
        people, monday = unsure.in_all_groups(seeking, held, number), week(seeking.now)
        found = rank_groups(
            view.pools,
            known.topics(groups),
            model.affinity,
            seeking.profile,
            seeking.standing,
            [_state(one, monday, people) for one in groups],
            DEPTH,
            model.version,
        )
        numbers = {one.group.group_id: one.id for one in groups}
        entries = tuple(
            Entry(
                numbers[one.group_id],
                number,
                round(one.score, 6),
                one.strength,
                tuple((reason.facet, reason.text) for reason in one.reasons),
            )
            for one in found.entries
        )
        return Computed(found.outcome, found.reason, entries, found.excluded, found.eligible)

    def recheck(self, stored: StoredList, seeking: Seeking, held: HeldPool, limit: int, *, again: bool) -> Rechecked:
        """Return the first survivors of a stored list."""
        other_week = monday_from(date.fromordinal(stored.epoch)) != monday_from(seeking.now.astimezone(UTC).date())
        check = _Check(seeking, held, again=again, other_week=other_week)
        alive: list[Alive] = []
        start = 0
        while start < len(stored.entries) and len(alive) < limit:
            some = stored.entries[start : start + limit - len(alive) + MARGIN]
            alive += check.survivors(some, start)
            start += len(some)
        wanted = alive[:limit]
        looked = wanted[-1].place + 1 if len(wanted) == limit else start
        return Rechecked(wanted, looked - len(wanted))


def _state(one: Known, monday: int, people: Unsure) -> GroupState:
    """Return a group as it stands in the week that began on a Monday."""
    roster = one.roster(monday)
    away = people.not_counted(one.facilitators, one.people | roster)
    return GroupState(one.group, one.members, one.facilitators, roster, away)


@dataclass(frozen=True)
class _Check:
    """The re-check of one list."""

    seeking: Seeking
    held: HeldPool
    again: bool
    """The seeker, or the programme, is another than the list's: all are looked at anew, and no reasons are told."""
    other_week: bool
    """A seeker may be free for a group in one week and not in another."""

    def survivors(self, some: Sequence[Entry], start: int) -> list[Alive]:
        """Return which of some entries, the first of them at `start` in their list, may still be shown."""
        ids, oldest = [entry.id for entry in some], min(entry.revision for entry in some)
        groups = beside(self.held).some(self.seeking.reader, ids)
        people = unsure.in_groups(self.seeking, self.held, ids, oldest)
        found: list[Alive] = []
        doubtful: list[tuple[Known, Entry]] = []
        for place, entry in enumerate(some, start):
            one = groups.get(entry.id)
            if one is None or not self._may_be_shown(one, people):
                continue
            if self._is_other(one, entry, people):
                doubtful.append((one, entry))
            # What was said of the group may no longer be what it is about.
            other = self.again or one.revision > entry.revision
            found.append(Alive(place, entry._replace(reasons=()) if other else entry, one.group.group_id))
        refused = set(self._refused(doubtful, oldest)) if doubtful else set()
        return [alive for alive in found if alive.entry.id not in refused]

    def _may_be_shown(self, one: Known, people: Unsure) -> bool:
        """Whether the seeker may be shown a group, as far as rows tell: no record of a person is read."""
        return (
            one.group.open
            and len(one.members) < one.group.capacity
            and self.seeking.live.member_id not in one.people
            and self.seeking.standing.blocked.isdisjoint(one.people)
            and bool(one.facilitators)
            and one.facilitators.isdisjoint(people.away | people.held)
        )

    def _is_other(self, one: Known, entry: Entry, people: Unsure) -> bool:
        """Whether anything that the gates look at may be another than when the list was made."""
        if self.again or self.other_week or one.number > entry.revision:
            return True
        return any(people.revisions[member_id] > entry.revision for member_id in people.revisions.keys() & one.people)

    def _refused(self, doubtful: Sequence[tuple[Known, Entry]], oldest: int) -> Iterator[int]:
        """Yield the numbers of those that do not pass every gate for the seeker, by the records as they are now."""
        groups = [one for one, _ in doubtful]
        # Whoever was in a group and is as they were has passed already, unless the seeker is another.
        passed = not self.again and all(one.number <= entry.revision for one, entry in doubtful)
        pool = self._pool(groups, oldest if passed else EVERY_CHANGE)
        question = Question(
            [pool],
            Seeker.of(self.seeking.profile, pool, self.seeking.standing),
            [GroupState(one.group, one.members, one.facilitators, roster=NOBODY) for one in groups],
            Topics.of(pool.programme, pool.encoder, [one.group for one in groups]),
            Places([pool]),
        )
        alive = group_gates.apply(question).alive
        yield from (one.id for one, passes in zip(groups, alive.tolist(), strict=True) if not passes)

    def _pool(self, groups: Sequence[Known], after: int) -> Pool:
        """Return a pool of those who run some groups, and of their members whose records changed after `after`."""
        seeking, programme = self.seeking, self.held.programme
        found = group_scene.people(seeking.reader, programme.id, [one.id for one in groups], after=after)
        there = [(row, record) for row, record in found if row.accepted and row.visible_from <= self.held.base.epoch]
        people = ((stored_member(record, programme), row) for row, record in there)
        return pool_of(
            programme,
            self.held.base.model.encoder,
            ((consented(one, programme, seeking.now), row) for one, row in people if one is not None),
            seeking.now,
            seeking.now,
            b"re-check",
        )
