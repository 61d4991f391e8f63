"""Who of those in groups must not count at the moment of a request, whatever a pool says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from matcher.consent import consented
from service.live.held import HeldPool
from service.live.seeking import Seeking
from service.store import group_scene, scene, stored
from service.store.scene import Live


@dataclass(frozen=True)
class Unsure:
    """Of whom something is not as it should be, or not as it was."""

    away: frozenset[str]
    """Who is not shown as a peer."""
    held: frozenset[str]
    revisions: dict[str, int]
    """The revision of the record of each of these, and of those who were asked for besides."""

    def not_counted(self, facilitators: frozenset[str], everybody: frozenset[str]) -> frozenset[str]:
        """Return who of a group is away: of facilitators also whoever is held."""
        return (self.away & everybody) | (self.held & facilitators)


def in_all_groups(seeking: Seeking, held: HeldPool, after: int) -> Unsure:
    """Return who that is in all groups and rosters of the programme, as far as a pool that holds `after` errs."""
    rows = group_scene.changed(seeking.reader, held.programme.id, now=seeking.moment, after=after)
    return _unsure(seeking, held, rows)


def in_groups(seeking: Seeking, held: HeldPool, groups: Iterable[int], after: int) -> Unsure:
    """Return who that is of those who run some groups, and all in them whose records were changed after `after`.

    Whatever a pool says: it is not asked.
    """
    rows = group_scene.unsure(
        seeking.reader, held.programme.id, groups, now=seeking.moment, day=held.base.epoch, after=after
    )
    return _unsure(seeking, held, rows)


def _unsure(seeking: Seeking, held: HeldPool, rows: Sequence[Live]) -> Unsure:
    # What a row says of consents is true until its edge; later the record tells.
    over = _shown_by_record(seeking, held, [row.id for row in rows if row.accepted and row.edge <= seeking.moment])
    away = (
        row.member_id
        for row in rows
        if not (row.accepted and row.visible_from <= held.base.epoch and over.get(row.id, row.shown))
    )
    return Unsure(
        away=frozenset(away),
        held=frozenset(row.member_id for row in rows if row.held_until > seeking.moment),
        revisions={row.member_id: row.revision for row in rows},
    )


def _shown_by_record(seeking: Seeking, held: HeldPool, ids: Sequence[int]) -> dict[int, bool]:
    programme = held.programme
    records = scene.records(seeking.reader, programme.id, ids)
    people = ((number, stored.member(record, programme)) for number, record in records.items())
    return {
        number: member is not None and consented(member, programme, seeking.now).shown is not None
        for number, member in people
    }
