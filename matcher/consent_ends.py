"""What the service is to note in a member's history: which grants have expired, and which a new policy supersedes.

What is on follows from the events that people decided, the clock and the programme. These notes make it last: once a
grant is noted as expired, no clock set back revives it. And they make the history tell what happened.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from matcher.consent import check_moment, deciding, guarded_purposes
from matcher.consent_events import ConsentEvent
from matcher.consent_words import EXPIRED, SUPERSEDED, SYSTEM
from matcher.programme import Programme


def due(
    events: Sequence[ConsentEvent], programme: Programme, at: datetime, minor: bool = False
) -> tuple[ConsentEvent, ...]:
    """Return the events that the service is to append to a history at the moment `at`, at most one a purpose.

    For a purpose whose latest event is a grant that has begun:

    - ``expired`` at the end of the grant, where that has come, under the policy version of the grant;
    - else ``superseded`` at `at`, under the present policy version, where this is not the version noted last for this
      grant: that of the last ``superseded`` behind it in `events`, or without one its own. So each change of the
      version is noted once, one back to an earlier version too: there the grant may count again.

    A grant that needs a guardian's evidence and has none was never on, and nothing of it ends. With the result
    appended nothing is due, and nothing is on or off at any moment from `at` that was not so before.

    Parameters
    ----------
    events : sequence of ConsentEvent
        The whole history, in the order of the record.
    programme : Programme
        Tells the present policy version, and how minors are treated.
    at : datetime
        With an offset.
    minor : bool
        Whether the member is one.

    Raises
    ------
    PeermatchError
        If `at` has no offset.
    """
    check_moment(at)
    guarded = guarded_purposes(programme, minor)
    latest = {
        purpose: event
        for purpose, event in deciding(events).items()
        if event.decision == "given" and event.at <= at and not (purpose in guarded and event.guardian is None)
    }
    return tuple(_ends(latest, _noted(events, latest), programme, at))


def _noted(events: Sequence[ConsentEvent], latest: Mapping[str, ConsentEvent]) -> dict[str, str]:
    """Return the policy version noted last for each grant of `latest`, by purpose: its own, where none is."""
    versions: dict[str, str] = {}
    for event in events:
        grant = latest.get(event.purpose)
        if event is grant or (event.decision == SUPERSEDED and event.purpose in versions):
            versions[event.purpose] = event.policy_version
    return versions


def _ends(
    latest: Mapping[str, ConsentEvent], noted: Mapping[str, str], programme: Programme, at: datetime
) -> Iterator[ConsentEvent]:
    now = programme.policy_version
    for purpose, grant in latest.items():
        if grant.valid_until is not None and grant.valid_until <= at:
            yield ConsentEvent(purpose, EXPIRED, grant.policy_version, grant.valid_until, actor=SYSTEM)
        elif noted[purpose] != now:
            yield ConsentEvent(purpose, SUPERSEDED, now, at.astimezone(UTC), actor=SYSTEM)
