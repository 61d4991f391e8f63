"""Histories of all five decisions: library and oracle fold alike, and what the service notes changes only the past.

Each property is a function of what it checks, so that faults can be planted in it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matcher import consent, consent_ends
from matcher.consent_events import ALL_DECISIONS, PURPOSES, SYSTEM_DECISIONS, ConsentEvent
from matcher.programme import Programme
from tests.conftest import examples
from tests.oracle import consent as oracle
from tests.properties import pairs

Events = tuple[ConsentEvent, ...]
Due = Callable[[Sequence[ConsentEvent], Programme, datetime, bool], Events]

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR, TICK = timedelta(hours=1), timedelta(microseconds=1)
VERSIONS = ("1", "2", "3")
FEW = PURPOSES[:3]
"""Enough purposes to be mixed up, and few enough that events of one meet."""


@cache
def programme(version: str, policy: str = "separate") -> Programme:
    return pairs.programme(consent={"policy_version": version}, ages={"minors_policy": policy})


def told(purpose: str, decision: str, version: str, start: int, length: int, guardian: bool) -> ConsentEvent:
    """Return an event `start` hours from now; a grant with a length ends so many hours after it."""
    at = NOW + start * HOUR
    grant = decision == "given"
    return ConsentEvent(
        purpose,
        decision,
        version,
        at,
        at + length * HOUR if grant and length else None,
        guardian="form 12" if grant and guardian else None,
        actor="system" if decision in SYSTEM_DECISIONS else None,
    )


EVENTS = st.builds(
    told,
    st.sampled_from(FEW),
    st.sampled_from([*ALL_DECISIONS, "given", "given"]),
    st.sampled_from(VERSIONS),
    st.integers(-6, 3),
    st.integers(0, 8),
    st.booleans(),
)
HISTORIES = st.lists(EVENTS, max_size=10).map(tuple)
OFFSETS = st.integers(-8, 12).map(lambda hours: hours * HOUR)
PROGRAMMES = st.builds(programme, st.sampled_from(VERSIONS), st.sampled_from(["refuse", "separate"]))


def on(events: Events, of: Programme, at: datetime, minor: bool) -> set[str]:
    state = consent.fold(events, of, at, minor)
    return {purpose for purpose in PURPOSES if state.on(purpose)}


def edges(events: Events, *more: datetime) -> list[datetime]:
    """Return every moment at which something may change, and those just beside it."""
    moments = {*more, *(event.at for event in events), *(event.valid_until for event in events if event.valid_until)}
    return sorted({moment + beside for moment in moments for beside in (-TICK, timedelta(0), TICK)})


# --- library and oracle ----------------------------------------------------------------------------------------------


def folds_as_the_oracle(events: Events, of: Programme, at: datetime, minor: bool) -> None:
    age = "13-17" if minor else "31+"
    record = {"age_band": age, "consents": [event.to_dict() for event in events]}
    ages = {"minors": ["13-17"], "minors_policy": of.minors_policy}
    raw: dict[str, Any] = {"consent": {"policy_version": of.policy_version}, "ages": ages}
    expected = {purpose for purpose in PURPOSES if oracle.grant(record, raw, purpose, at) is not None}
    assert on(events, of, at, minor) == expected


@settings(max_examples=examples(400, 10_000))
@given(HISTORIES, PROGRAMMES, OFFSETS, st.booleans())
def test_library_and_oracle_fold_alike(events: Events, of: Programme, offset: timedelta, minor: bool) -> None:
    for moment in (NOW + offset, NOW + offset - TICK):
        folds_as_the_oracle(events, of, moment, minor)


# --- what the service notes ------------------------------------------------------------------------------------------


def notes_change_only_the_past(due: Due, events: Events, of: Programme, at: datetime, minor: bool) -> None:
    """At each moment from `at` the fold is the same; before it what expired is off, and nothing else is otherwise."""
    added = due(events, of, at, minor)
    longer = (*events, *added)
    ended = {event.purpose for event in added if event.decision == "expired"}
    for moment in edges(longer, at, at + 90 * 24 * HOUR):
        before, after = on(events, of, moment, minor), on(longer, of, moment, minor)
        assert after == (before if moment >= at else before - ended), moment
    assert ended.isdisjoint(on(longer, of, at - HOUR, minor))


def notes_are_sound(due: Due, events: Events, of: Programme, at: datetime, minor: bool) -> None:
    """Each is a note of the service, of the past or of now, at most one a purpose, and with them nothing is due."""
    added = due(events, of, at, minor)
    assert len({event.purpose for event in added}) == len(added)
    for event in added:
        assert (event.actor, event.decision in SYSTEM_DECISIONS, event.at <= at) == ("system", True, True)
        assert ConsentEvent.from_dict(event.to_dict(), of) == event
        assert ConsentEvent.from_stored(event.to_dict()) == event
    assert due((*events, *added), of, at, minor) == ()


def nothing_that_ended_is_left_to_the_clock(due: Due, events: Events, of: Programme, at: datetime, minor: bool) -> None:
    """With the notes, whatever is off at `at` because its time has passed is off at every earlier moment too."""
    longer = (*events, *due(events, of, at, minor))
    now = on(longer, of, at, minor)
    for moment in edges(longer, at):
        if moment < at:
            assert on(longer, of, moment, minor) <= now, moment


PROPERTIES = (notes_change_only_the_past, notes_are_sound, nothing_that_ended_is_left_to_the_clock)


@pytest.mark.parametrize("check", PROPERTIES)
@settings(max_examples=examples(300, 10_000))
@given(HISTORIES, PROGRAMMES, OFFSETS, st.booleans())
def test_notes(check: Callable[..., None], events: Events, of: Programme, offset: timedelta, minor: bool) -> None:
    check(consent_ends.due, events, of, NOW + offset, minor)


def changes_are_noted_once(due: Due, walk: Sequence[str]) -> None:
    """The versions of a programme one after the other, looked at several times each: one note a change."""
    events: Events = (told("match_serve", "given", walk[0], -1, 0, True),)
    for step, version in enumerate(walk):
        for look in range(3):
            events = (*events, *due(events, programme(version), NOW + step * HOUR + look * TICK, False))
    noted = [event.policy_version for event in events[1:]]
    assert noted == [version for before, version in pairwise(walk) if version != before]
    assert {event.decision for event in events[1:]} <= {"superseded"}


@settings(max_examples=examples(100, 2000))
@given(st.lists(st.sampled_from(VERSIONS), min_size=1, max_size=12))
def test_each_change_of_the_version_is_noted_once(walk: list[str]) -> None:
    changes_are_noted_once(consent_ends.due, walk)


# --- faults that are caught ------------------------------------------------------------------------------------------

GRANT = told("match_serve", "given", "1", -5, 2, True)
OPEN = told("match_serve", "given", "1", -5, 0, True)


def silent(events: Sequence[ConsentEvent], of: Programme, at: datetime, minor: bool) -> Events:
    return ()


def at_once(events: Sequence[ConsentEvent], of: Programme, at: datetime, minor: bool) -> Events:
    """Notes an end before it has come."""
    return tuple(consent_ends.due(events, of, at + 90 * 24 * HOUR, minor))


def again(events: Sequence[ConsentEvent], of: Programme, at: datetime, minor: bool) -> Events:
    """Notes the present version each time."""
    return (replace(OPEN, decision="superseded", policy_version=of.policy_version, at=at, actor="system"),)


def by_the_set(events: Sequence[ConsentEvent], of: Programme, at: datetime, minor: bool) -> Events:
    """Notes each version but once, so that a way back goes unnoticed."""
    known = {event.policy_version for event in events}
    return () if of.policy_version in known else again(events, of, at, minor)


def test_ends_that_are_not_noted_are_caught() -> None:
    nothing_that_ended_is_left_to_the_clock(consent_ends.due, (GRANT,), programme("1"), NOW, False)
    with pytest.raises(AssertionError):
        nothing_that_ended_is_left_to_the_clock(silent, (GRANT,), programme("1"), NOW, False)


def test_ends_that_are_noted_too_early_are_caught() -> None:
    moment = NOW - 4 * HOUR
    notes_change_only_the_past(consent_ends.due, (GRANT,), programme("1"), moment, False)
    with pytest.raises(AssertionError):
        notes_change_only_the_past(at_once, (GRANT,), programme("1"), moment, False)


def test_changes_that_are_noted_again_or_not_at_all_are_caught() -> None:
    for planted in (again, by_the_set, silent):
        with pytest.raises(AssertionError):
            changes_are_noted_once(planted, ["1", "2", "1", "2"])
    with pytest.raises(AssertionError):
        notes_are_sound(again, (OPEN,), programme("2"), NOW, False)


def test_a_fold_in_which_notes_decide_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    events = (OPEN, *again((), programme("1"), NOW, False))
    folds_as_the_oracle(events, programme("1"), NOW, False)
    monkeypatch.setattr(consent, "SUPERSEDED", "another word")
    with pytest.raises(AssertionError):
        folds_as_the_oracle(events, programme("1"), NOW, False)


def test_an_oracle_that_lets_the_expired_be_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    events = (GRANT, *consent_ends.due((GRANT,), programme("1"), NOW, False))
    folds_as_the_oracle(events, programme("1"), NOW - 4 * HOUR, False)
    monkeypatch.setattr(oracle, "latest", lambda record, purpose: record["consents"][0])
    with pytest.raises(AssertionError):
        folds_as_the_oracle(events, programme("1"), NOW - 4 * HOUR, False)
