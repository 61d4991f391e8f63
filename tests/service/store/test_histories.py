"""Histories only grow, whoever tells them and however much less they know."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from matcher.consent import fold
from matcher.consent_ends import due
from matcher.consent_events import ConsentEvent, is_system
from matcher.programme import Programme
from service.store.histories import History, ends, grown, history_of, is_same, known_in
from tests.conftest import examples
from tests.matcher.lantern import programme

AT = datetime(2026, 2, 1, tzinfo=UTC)
VERSION = "2026-01"
GIVEN = ConsentEvent("match_serve", "given", VERSION, AT)
WITHDRAWN = replace(GIVEN, decision="withdrawn", at=AT + timedelta(days=1))
OTHER = replace(GIVEN, purpose="train_model")
EXPIRED = replace(GIVEN, decision="expired", actor="system")
HASHED = replace(GIVEN, locale="en", policy_hash="0" * 64)

EVENTS = st.builds(
    ConsentEvent,
    st.sampled_from(["match_serve", "train_model"]),
    st.sampled_from(["given", "withdrawn", "expired", "superseded"]),
    st.sampled_from([VERSION, "2025-01"]),
    st.integers(0, 3).map(lambda days: AT + timedelta(days=days)),
    valid_until=st.sampled_from([None, AT + timedelta(days=5)]),
    method=st.sampled_from([None, "form 12"]),
).map(lambda event: replace(event, actor="system" if is_system(event) else None))
HISTORIES = st.lists(EVENTS, max_size=6).map(tuple)


def plain() -> Programme:
    """The programme without texts, so that nothing is filled in."""
    return replace(programme(), policy_texts={})


@pytest.mark.parametrize(
    ("told", "kept", "known"),
    [
        ((), (), 0),
        ((GIVEN,), (), 0),
        ((GIVEN,), (GIVEN,), 1),
        ((GIVEN, WITHDRAWN), (GIVEN,), 1),
        ((GIVEN, WITHDRAWN), (GIVEN, EXPIRED), 1),  # a partner does not know what the service noted
        ((GIVEN, EXPIRED, WITHDRAWN), (GIVEN, EXPIRED), 2),
        ((GIVEN, WITHDRAWN), (GIVEN, EXPIRED, WITHDRAWN), 2),
        ((GIVEN, GIVEN), (GIVEN,), 1),
        ((GIVEN,), (HASHED,), 1),  # nor the hash that it filled in
        ((replace(GIVEN, locale="en"),), (HASHED,), 1),
        ((), (EXPIRED,), 0),
        ((), (GIVEN,), None),
        ((WITHDRAWN,), (GIVEN,), None),
        ((WITHDRAWN, GIVEN), (GIVEN, WITHDRAWN), None),
        ((GIVEN, OTHER), (GIVEN, WITHDRAWN, OTHER), None),
        ((GIVEN, EXPIRED), (GIVEN,), None),  # nobody but the service notes
        ((GIVEN, WITHDRAWN, EXPIRED), (GIVEN, EXPIRED), None),
        ((HASHED,), (GIVEN,), None),
        ((replace(HASHED, policy_hash="1" * 64),), (HASHED,), None),
        ((replace(GIVEN, locale="de"),), (HASHED,), None),
    ],
)
def test_what_of_a_history_is_known(told: History, kept: History, known: int | None) -> None:
    assert known_in(told, kept) == known


@settings(max_examples=examples(200, 2000))
@given(kept=HISTORIES, new=HISTORIES, data=st.data())
def test_a_copy_without_some_notes_is_known_and_what_comes_after_it_is_new(
    kept: History, new: History, data: Any
) -> None:
    copy = tuple(event for event in kept if not is_system(event) or data.draw(st.booleans()))
    people = tuple(event for event in new if not is_system(event))
    known = known_in((*copy, *people), kept)
    assert known is not None
    # An event told again may be taken for a known one where notes stand between; what is left is new all the same.
    assert known >= len(copy) or copy[known:] == people[: len(copy) - known]


@settings(max_examples=examples(200, 2000))
@given(kept=HISTORIES, data=st.data())
def test_no_decision_of_people_is_left_out_or_changed(kept: History, data: Any) -> None:
    people = [place for place, event in enumerate(kept) if not is_system(event)]
    assume(people)
    place = data.draw(st.sampled_from(people))
    changed = replace(kept[place], at=kept[place].at - timedelta(days=9))
    assert known_in((*kept[:place], changed, *kept[place + 1 :]), kept) is None
    less = (*kept[:place], *kept[place + 1 :])
    assert known_in(less, kept) is None or kept[place] in less


def test_a_file_adds_and_never_reorders() -> None:
    assert grown((GIVEN, WITHDRAWN), (GIVEN, OTHER), plain()) == (GIVEN, WITHDRAWN, OTHER)
    assert grown((), (GIVEN, OTHER), plain()) == (GIVEN, OTHER)
    assert grown((GIVEN,), (), plain()) == (GIVEN,)
    assert grown((GIVEN,), (OTHER, OTHER), plain()) == (GIVEN, OTHER)


def test_an_event_told_twice_is_kept_twice_so_that_the_copy_is_known_again() -> None:
    twice = grown((GIVEN,), (GIVEN, GIVEN), plain())
    assert twice == (GIVEN, GIVEN)
    assert known_in((GIVEN, GIVEN), twice) == 2
    assert grown(twice, (GIVEN, GIVEN), plain()) == twice


def test_a_file_that_is_read_again_adds_nothing_where_it_tells_one_thing_twice_and_a_note_between() -> None:
    told = (GIVEN, OTHER, EXPIRED, GIVEN)
    once = grown((GIVEN,), told, plain())
    assert once == told
    assert grown(once, told, plain()) == once


def test_a_file_that_is_read_again_adds_nothing_though_a_hash_was_filled_in() -> None:
    lantern = replace(programme(), policy_texts={"en": "0" * 64})
    once = grown((), (GIVEN,), lantern)
    assert once == (HASHED,)
    assert grown(once, (GIVEN,), lantern) == once
    moved_on = replace(programme(), policy_version="2027-01", policy_texts={"en": "1" * 64})
    assert grown(once, (GIVEN,), moved_on) == once


@settings(max_examples=examples(200, 2000))
@given(kept=HISTORIES, told=HISTORIES)
def test_what_is_kept_stays_and_what_is_told_is_there(kept: History, told: History) -> None:
    history = grown(kept, told, plain())
    assert history[: len(kept)] == kept
    assert all(any(is_same(event, one) for one in history) for event in told)
    assert not kept or grown(history, told, plain()) == history


@settings(max_examples=examples(200, 2000))
@given(history=HISTORIES, days=st.integers(-1, 7))
def test_what_has_ended_is_told_at_less_cost_and_just_the_same(history: History, days: int) -> None:
    now = AT + timedelta(days=days)
    noted = ends(history, plain(), now, minor=False)
    assert noted == due(history, plain(), now)
    assert ends((*history, *noted), plain(), now, minor=False) == ()
    assert fold((*history, *noted), plain(), now) == fold(history, plain(), now)


@pytest.mark.parametrize(
    "record", [{}, {"consents": None}, {"consents": [{}]}, {"consents": [7]}, {"consents": 7}, {"consents": ["x"]}]
)
def test_a_damaged_record_has_no_history(record: dict[str, Any]) -> None:
    assert history_of(record) is None


def test_a_record_has_its_history() -> None:
    assert history_of({"consents": [GIVEN.to_dict(), EXPIRED.to_dict()]}) == (GIVEN, EXPIRED)
    assert history_of({"consents": []}) == ()


@settings(max_examples=examples(200, 2000))
@given(kept=HISTORIES, told=HISTORIES)
def test_a_copy_that_was_taken_is_known_afterwards(kept: History, told: History) -> None:
    if known_in(told, kept) is not None:
        assert known_in(told, grown(kept, told, plain())) == len(told)
