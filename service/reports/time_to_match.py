"""How long it took until two were connected."""

from __future__ import annotations

from collections.abc import Iterable

from service.reports.asking import Asking
from service.reports.shape import Table, days
from service.store import report_rows, seekers
from service.store.report_rows import Connection


def tables(asking: Asking) -> tuple[Table, ...]:
    """Return for the connections made in the period how long they took, from the proposal and from the wait on.

    A seeker waits from when they agreed to be matched, or from the end of the connection before. Of whom that is no
    longer known, because they have said no since, only the first is told.
    """
    k = asking.programme.reason_k
    people = {one.member_id: one for one in seekers.people(asking.reader, asking.programme.id)}
    every = report_rows.connections(asking.reader, asking.programme.id)
    ended = _ends(every, mutual=asking.programme.mutual)
    offered, waited = [], []
    for one in every:
        if not asking.period.has(one.connected_at):
            continue
        offered.append(one.connected_at - one.made_at)
        person = people.get(one.seeker)
        agreed = 0 if person is None else person.seeks_since
        if 0 < agreed <= one.connected_at:
            before = [at for at, which in ended.get(one.seeker, ()) if at <= one.connected_at and which != one.id]
            waited.append(one.connected_at - max([agreed, *before]))
    unknown = len(offered) - len(waited)
    few = len(waited) < k or 0 < unknown < k
    return (
        Table("from_proposal", (days("all", offered, suppressed=len(offered) < k),)),
        Table("from_waiting", (days("all", waited, suppressed=few),)),
    )


def _ends(every: Iterable[Connection], *, mutual: bool) -> dict[str, list[tuple[int, str]]]:
    """Return by seeker, in a mutual programme by either, when their connections ended, and which these were."""
    found: dict[str, list[tuple[int, str]]] = {}
    for one in every:
        if one.ended_at is not None:
            for name in (one.seeker, one.candidate)[: 1 + mutual]:
                found.setdefault(name, []).append((one.ended_at, one.id))
    return found
