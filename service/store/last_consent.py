"""Until when something was agreed to: after that only so long may a member be kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from matcher.consent import guarded_purposes
from matcher.consent_events import ConsentEvent
from matcher.consent_words import EXPIRED, SUPERSEDED
from matcher.programme import Programme


def last_on(
    history: Sequence[ConsentEvent], programme: Programme, now: datetime, *, minor: bool = False
) -> datetime | None:
    """Return the last moment up to `now` at which any purpose was on; None: there was none.

    When the policy moved on from that of a grant is not known unless it was noted: until then the grant counts as on.

    Parameters
    ----------
    history : sequence of ConsentEvent
        In the order of the record.
    minor : bool
        Whether the member is one: some grants then need a guardian's evidence, and without it were never on.
    """
    guarded = guarded_purposes(programme, minor)
    ends = [
        end
        for place, event in enumerate(history)
        if event.decision == "given" and not (event.purpose in guarded and event.guardian is None)
        if (end := _end(place, history, programme, now)) is not None
    ]
    return max(ends, default=None)


def _end(place: int, history: Sequence[ConsentEvent], programme: Programme, now: datetime) -> datetime | None:
    """Return the last moment up to `now` at which a grant counted; None: there was none."""
    grant = history[place]
    mine = _order(place, grant)
    others = [(at, event) for at, event in enumerate(history) if event.purpose == grant.purpose]
    ends = [
        event.at
        for at, event in others
        if event.decision != SUPERSEDED and _order(at, event) > mine and (event.decision != EXPIRED or at > place)
    ]
    if grant.valid_until is not None:
        ends.append(grant.valid_until)
    if grant.policy_version != programme.policy_version:
        ends.append(_moved_on(grant, [event for at, event in others if at > place]) or now)
    end = min(ends, default=None)
    if grant.at > now or (end is not None and end <= grant.at):
        return None
    return now if end is None else min(end, now)


def _order(place: int, event: ConsentEvent) -> tuple[datetime, bool, int]:
    """Return what orders the events of a purpose, as `matcher.consent.deciding` does."""
    return event.at, event.decision != "given", place


def _moved_on(grant: ConsentEvent, after: Sequence[ConsentEvent]) -> datetime | None:
    """Return since when the policy is another one than that of a grant, as far as it was noted."""
    since = None
    for event in after:
        if event.decision == SUPERSEDED:
            since = None if event.policy_version == grant.policy_version else since or event.at
    return since
