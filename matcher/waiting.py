"""Where every seeker stands, in exactly one word, and in what order people wait."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from matcher.errors import PeermatchError, nearest, shown
from matcher.programme_introductions import SUPPORT_AT_HOME, Waiting

NO_CONSENT, OUTDATED, HELD, CONNECTED = "no_consent", "outdated", "held", "connected"
INTRODUCED, LISTED, WAITING = "introduced", "listed", "waiting"
NAMES = (NO_CONSENT, OUTDATED, HELD, CONNECTED, INTRODUCED, LISTED, WAITING)
"""Where a seeker may stand. The first that holds counts."""

NEVER_ASKED, OVER_BUDGET, DECLINED_ALL, LAPSED = "never_asked", "over_budget", "declined_all", "lapsed"
MATCHED: Final = "matched"
EMPTY = ("no_eligible", "small_pool", "below_quality", "low_information")
"""Why a list had nobody."""
REASONS = (NEVER_ASKED, *EMPTY, OVER_BUDGET, DECLINED_ALL, LAPSED)
"""Why somebody waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is true of one seeker now."""

    consented: bool
    """Whether ``match_serve`` is on."""
    outdated: bool = False
    """Whether the stored record no longer fits the programme, so that no list can be made of it."""
    held: bool = False
    """Whether a hold (crisis, safeguarding, pause) is on."""
    connections: int = 0
    """Connections that have not ended."""
    introductions: int = 0
    """Open introductions."""
    choices: int = 0
    """How many of a list that is still valid they may propose to."""
    outcome: str | None = None
    """What the last list came to, holds aside: ``matched`` or one of `EMPTY`; None: they never had one."""
    valid: bool = False
    """Whether the last list is still valid."""
    over_budget: bool = False
    """Whether no new list can be had at present."""


@dataclass(frozen=True, slots=True)
class State:
    """Where one seeker stands."""

    name: str
    """One of `NAMES`."""
    reason: str | None = None
    """Why they wait, one of `REASONS`; None in every other state."""


@dataclass(frozen=True, slots=True)
class Waiter:
    """Somebody who waits. How much time they have is no part of it, so that it can give nobody a better place."""

    member_id: str
    since: datetime
    """From when on, with an offset."""
    value: str | None = None
    """Theirs of the facet that the policy names, as their consent to be matched shows it; None: unknown."""


def state_of(facts: Facts) -> State:
    """Return the one state of a seeker: the first of `NAMES` that holds; whoever is in none of the others waits.

    Raises
    ------
    PeermatchError
        If the outcome is none that a list has.
    """
    if facts.outcome not in {None, MATCHED, *EMPTY}:
        valid = (MATCHED, *EMPTY)
        hint = nearest(str(facts.outcome), valid)
        raise PeermatchError(f"outcome: found {shown(facts.outcome)}; expected one of {', '.join(valid)}{hint}")
    holds = {
        NO_CONSENT: not facts.consented,
        OUTDATED: facts.outdated,
        HELD: facts.held,
        CONNECTED: facts.connections > 0,
        INTRODUCED: facts.introductions > 0,
        LISTED: facts.choices > 0,
    }
    name = next((name for name, true in holds.items() if true), WAITING)
    return State(name, _reason(facts) if name == WAITING else None)


def ordered(waiting: Iterable[Waiter], policy: Waiting) -> list[Waiter]:
    """Return those who wait, first comes first.

    With ``support_at_home`` those come first whose value is one of the policy's: unknown is none of them. Then, and
    else, who has waited longest; at the same instant by `member_id`.

    Parameters
    ----------
    waiting : iterable of Waiter
        In any order.
    policy : Waiting
        What the programme says: `Programme.waiting`.
    """
    return sorted(waiting, key=order_of(policy))


def order_of(policy: Waiting) -> Callable[[Waiter], tuple[bool, datetime, str]]:
    """Return the key by which `ordered` sorts: whose is less comes first."""
    first = frozenset(policy.values if policy.order == SUPPORT_AT_HOME else ())
    return lambda waiter: (waiter.value not in first, waiter.since, waiter.member_id)


def _reason(facts: Facts) -> str:
    """Return why a seeker waits who has nobody to propose to."""
    if facts.outcome is None:
        return NEVER_ASKED
    if facts.outcome != MATCHED:
        return facts.outcome
    if facts.over_budget:
        return OVER_BUDGET
    return DECLINED_ALL if facts.valid else LAPSED
