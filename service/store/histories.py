"""Histories of consent: how the one that is kept, and what somebody tells of it, become the one that is kept next.

A history only grows. Whoever tells it may know less than is kept: not what the service notes by itself, and not the
hash and the language of a text that it filled in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeAlias

from matcher.consent_ends import due
from matcher.consent_events import ConsentEvent, is_system, with_policy_hash
from matcher.programme import Programme

History: TypeAlias = tuple[ConsentEvent, ...]


def history_of(record: Mapping[str, Any]) -> History | None:
    """Return the history in a record as stored; None where it is damaged."""
    try:
        # Trusted: an event that today's programme would refuse is on record all the same.
        return tuple([ConsentEvent.from_stored(event) for event in record["consents"]])
    except (KeyError, TypeError, ValueError, AttributeError):  # somebody wrote it by hand
        return None


def is_minor(record: Mapping[str, Any], programme: Programme) -> bool:
    """Whether the member of a record as stored is a minor, as far as is known."""
    return record.get("age_band") in programme.minors


def is_same(told: ConsentEvent, kept: ConsentEvent) -> bool:
    """Whether an event that was told is the one kept, of which it may say less of the text that was decided about."""
    return told == kept or told == replace(
        kept,
        locale=None if told.locale is None else kept.locale,
        policy_hash=None if told.policy_hash is None else kept.policy_hash,
    )


def known_in(told: Sequence[ConsentEvent], kept: Sequence[ConsentEvent]) -> int | None:
    """Return how many events of a history as told, from its first, are kept already; None: it rewrites what is kept.

    It must tell every decision of people that is kept, in order, before anything new. Notes of the service may be
    missing; one that is not kept is nobody's to tell.
    """
    after = 0
    for place, event in enumerate(told):
        found = _next_same(event, kept, after)
        if found is None:
            new = all(map(is_system, kept[after:])) and not any(map(is_system, told[place:]))
            return place if new else None
        after = found + 1
    return len(told) if all(map(is_system, kept[after:])) else None


def _next_same(event: ConsentEvent, kept: Sequence[ConsentEvent], after: int) -> int | None:
    """Return where `event` is kept from the place `after` on, with nothing but notes of the service before it."""
    for place in range(after, len(kept)):
        if is_same(event, kept[place]):
            return place
        if not is_system(kept[place]):
            return None
    return None


def grown(kept: History, told: Sequence[ConsentEvent], programme: Programme) -> History:
    """Return what is kept, and after it what `told` adds, with the hashes of the programme's texts.

    Where `told` is not the kept history with more after it, none of its events is added that is kept already.
    """
    known = known_in(told, kept)
    if known is not None:
        return (*kept, *(with_policy_hash(event, programme) for event in told[known:]))
    merged = _merged(kept, told, programme)
    # It may be told by this very history now, and with more after it: then that is what is new the next time.
    return merged if known_in(told, merged) is None else grown(merged, told, programme)


def _merged(kept: History, told: Sequence[ConsentEvent], programme: Programme) -> History:
    """Return what is kept, and after it what `told` has that is not kept, each once."""
    there: dict[ConsentEvent, list[ConsentEvent]] = {}
    for event in kept:
        there.setdefault(_bare(event), []).append(event)
    added: list[ConsentEvent] = []
    for event in told:
        alike = there.setdefault(_bare(event), [])
        if not any(is_same(event, one) for one in alike):
            whole = with_policy_hash(event, programme)
            alike.append(whole)
            added.append(whole)
    return (*kept, *added)


def ends(history: Sequence[ConsentEvent], programme: Programme, now: datetime, *, minor: bool) -> History:
    """Return what the service is to note in a history at a moment: see `matcher.consent_ends.due`."""
    version = programme.policy_version
    for event in history:
        # Nearly always nothing has ended, which this tells at a tenth of the cost.
        if event.policy_version != version or (event.valid_until is not None and event.valid_until <= now):
            return due(history, programme, now, minor)
    return ()


def _bare(event: ConsentEvent) -> ConsentEvent:
    if event.locale is None and event.policy_hash is None:
        return event
    return replace(event, locale=None, policy_hash=None)
