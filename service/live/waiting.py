"""Where everybody stands who seeks, and who waits in which order: told by what is stored, and kept nowhere else.

``docs/reference/introductions.md`` says what the states and reasons mean.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Final, NamedTuple

from matcher.consent import consented
from matcher.programme import Programme
from matcher.waiting import MATCHED, NAMES, WAITING, Facts, State, Waiter, order_of, state_of
from service.live.asking import MONTH
from service.live.handles import VALID
from service.store import scene, seekers, stored
from service.store.hot import Transaction
from service.store.moments import micros, moment
from service.store.seekers import Bonds, Last, Person

NEVER_LISTED: Final = -1


class Stood(NamedTuple):
    """Where one seeker stands."""

    person: Person
    facts: Facts
    state: State
    since: int
    """From when on they have waited, if they wait: µs since 1970."""
    number: int
    """Of the last change that their newest list knows; `NEVER_LISTED`: they never had one."""


class Waiting(NamedTuple):
    """Somebody who waits."""

    waiter: Waiter
    reason: str
    number: int
    """As in `Stood`."""


@dataclass(frozen=True)
class Snapshot:
    """Where everybody stood at one moment."""

    as_of: datetime
    states: Mapping[str, int]
    """How many seekers were in each state."""
    waiting: tuple[Waiting, ...]
    """First comes first."""
    tried: dict[str, int] = field(default_factory=dict)
    """Who has been tried again since, and up to which change of the pool."""


def snapshot(reader: Transaction, programme: Programme, now: datetime) -> Snapshot:
    """Return where everybody stands now."""
    states, waiting = Counter(dict.fromkeys(NAMES, 0)), []
    for one in everybody(reader, programme, now):
        states[one.state.name] += 1
        if one.state.name == WAITING:
            waiting.append(one)
    facet = programme.waiting.facet
    values = {} if facet is None else _values(reader, programme, [one.person.id for one in waiting], facet, now)
    rows = [
        Waiting(
            Waiter(one.person.member_id, moment(one.since), values.get(one.person.id)),
            str(one.state.reason),
            one.number,
        )
        for one in waiting
    ]
    key = order_of(programme.waiting)
    return Snapshot(now, dict(states), tuple(sorted(rows, key=lambda row: key(row.waiter))))


def everybody(reader: Transaction, programme: Programme, now: datetime) -> Iterator[Stood]:
    """Yield where each seeker of a programme stands, in no order: every seeker once."""
    at = micros(now)
    people = seekers.people(reader, programme.id)
    bonds = seekers.bonds(reader, programme)
    lasts = seekers.newest_lists(reader, programme.id)
    some = [one for one in people if one.seeker]
    looking = {one.id: one for one in some if _looks(one, bonds, at) and _is_valid(lasts.get(one.id), at)}
    choices = _choices(reader, programme, people, looking, lasts, at)
    emptied = [one.id for one in some if _had(lasts.get(one.id)) and not choices.get(one.id) and _looks(one, bonds, at)]
    over = _over_budget(reader, programme, emptied, now)
    for one in some:
        last = lasts.get(one.id)
        facts = _facts(one, bonds, last, at, choices.get(one.id, 0), over_budget=one.id in over)
        number = NEVER_LISTED if last is None else last.number
        yield Stood(one, facts, state_of(facts), _since(one, bonds), number)


def waiter(reader: Transaction, programme: Programme, member_id: str, now: datetime) -> Waiter | None:
    """Return one member as somebody who waits, if nothing but a list could give them somebody; None: they do not wait.

    The caller has just found that no list does.
    """
    one = seekers.person(reader, programme.id, member_id)
    if one is None or not one.seeker:
        return None
    bonds = seekers.bonds(reader, programme, member_id)
    if not _looks(one, bonds, micros(now)):
        return None
    facet = programme.waiting.facet
    values = {} if facet is None else _values(reader, programme, [one.id], facet, now)
    return Waiter(member_id, moment(_since(one, bonds)), values.get(one.id))


def _looks(one: Person, bonds: Bonds, at: int) -> bool:
    """Whether a seeker is in none of the states that come before `LISTED`."""
    free = one.accepted and one.seeks_since and one.held_until <= at
    return bool(free) and not bonds.connected.get(one.member_id) and not bonds.open.get(one.member_id)


def _had(last: Last | None) -> bool:
    """Whether a list had somebody."""
    return last is not None and last.outcome == MATCHED


def _is_valid(last: Last | None, at: int) -> bool:
    """Whether a list had somebody, and its handles still name them."""
    return last is not None and last.outcome == MATCHED and last.returned_at > at - VALID // timedelta(microseconds=1)


def _facts(one: Person, bonds: Bonds, last: Last | None, at: int, choices: int, *, over_budget: bool) -> Facts:
    outcome = None if last is None else MATCHED if last.outcome == MATCHED else last.reason or "no_eligible"
    return Facts(
        # The row tells no consent of a record that cannot be read: that it cannot is what is to be heard.
        consented=one.seeks_since > 0 or not one.accepted,
        outdated=not one.accepted,
        held=one.held_until > at,
        connections=len(bonds.connected.get(one.member_id, ())),
        introductions=bonds.open.get(one.member_id, 0),
        choices=choices,
        outcome=outcome,
        valid=_is_valid(last, at),
        over_budget=over_budget,
    )


def _since(one: Person, bonds: Bonds) -> int:
    return max(one.seeks_since, bonds.ended.get(one.member_id, 0))


def _choices(
    reader: Transaction,
    programme: Programme,
    people: list[Person],
    looking: Mapping[int, Person],
    lasts: Mapping[int, Last],
    at: int,
) -> dict[int, int]:
    """Return for each who is `looking` how many of their list they may propose to."""
    names = {one.id: one.member_id for one in people if one.takes(at)}
    apart = seekers.apart(reader, programme.id, [one.member_id for one in looking.values()])
    found = {}
    for seeker, shown in seekers.choices(reader, programme.id, [lasts[number] for number in looking]):
        mine = looking[seeker].member_id
        found[seeker] = sum(number in names and (mine, names[number]) not in apart for number in shown)
    return found


def _over_budget(reader: Transaction, programme: Programme, numbers: list[int], now: datetime) -> set[int]:
    """Return those who have had as many lists as there are for now, as `service.live.asking` counts."""
    today = micros(datetime.combine(now.astimezone(UTC).date(), time(), UTC))
    a_day, a_month = programme.lists_per_day, programme.lists_per_30_days
    made = seekers.made_since(reader, programme.id, numbers, micros(now - MONTH))
    return {
        number
        for number, moments in made.items()
        if sum(at >= today for at in moments) >= a_day or (a_month is not None and len(moments) >= a_month)
    }


def _values(
    reader: Transaction, programme: Programme, numbers: list[int], facet: str, now: datetime
) -> dict[int, str | None]:
    """Return the value of a facet of each, as their consent to be matched shows it."""
    found: dict[int, str | None] = {}
    for number, record in scene.records(reader, programme.id, numbers).items():
        member = stored.member(record, programme)
        view = None if member is None else consented(member, programme, now).seeking
        value = None if view is None else view.values.get(facet)
        found[number] = value if isinstance(value, str) else None
    return found
