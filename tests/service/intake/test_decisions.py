"""Decisions as they come over HTTP: what they add to a history."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from matcher.consent import ConsentEvent, fold
from matcher.consent_events import PURPOSES
from matcher.errors import RecordError
from matcher.programme import Programme
from service.intake.decisions import ALL, decided, event_id, moment
from tests.service.installation import NOON, Installation

TICK = timedelta(microseconds=1)


@pytest.fixture
def programme(made: Installation) -> Programme:
    return made.programme


def event(purpose: str, decision: str = "given", at: datetime = NOON, **more: Any) -> ConsentEvent:
    return ConsentEvent(purpose, decision, "1", at, **more)


def test_a_decision_comes_after_every_other_of_its_purpose() -> None:
    events = (event("match_serve", at=NOON + 2 * TICK), event("match_serve", at=NOON), event("train_model"))
    assert moment(events, "match_serve", NOON) == NOON + 3 * TICK
    assert moment(events, "match_serve", NOON + 2 * TICK) == NOON + 3 * TICK
    assert moment(events, "match_serve", NOON + 3 * TICK) == NOON + 3 * TICK
    assert moment(events, "show_reasons", NOON) == NOON
    assert moment((), "match_serve", NOON) == NOON


def test_everything_is_what_was_given_last(programme: Programme) -> None:
    later = NOON + timedelta(hours=1)
    events = (
        event("match_serve"),
        event("be_shown_as_peer", at=later),  # stands first, and is the later one
        event("be_shown_as_peer", "withdrawn"),
        event("show_reasons", "withdrawn"),  # at the same instant a withdrawal is the later one
        event("show_reasons"),
        event("train_model", valid_until=later),
        event("fairness_audit", "refused"),
    )
    added = decided({"purpose": ALL, "decision": "withdrawn"}, events, programme, NOON + timedelta(hours=2))
    assert [one.purpose for one in added] == ["match_serve", "be_shown_as_peer", "train_model"]
    state = fold((*events, *added), programme, NOON + timedelta(days=1))
    assert not any(state.on(purpose) for purpose in PURPOSES)
    assert decided({"purpose": ALL, "decision": "withdrawn"}, (*events, *added), programme, NOON) == ()


def test_a_withdrawal_of_everything_is_of_the_policy_it_names(programme: Programme) -> None:
    body = {"purpose": ALL, "decision": "withdrawn", "policy_version": "0"}
    (added,) = decided(body, (event("match_serve"),), programme, NOON)
    assert (added.purpose, added.policy_version, added.at) == ("match_serve", "0", NOON + TICK)


@pytest.mark.parametrize("body", [{"purpose": 2**70}, {"purpose": {"a": 1}}, {"decision": ["withdrawn"]}, {"a\x00": 1}])
def test_what_is_no_decision_is_refused_by_path(programme: Programme, body: dict[str, Any]) -> None:
    with pytest.raises(RecordError) as caught:
        decided(body, (), programme, NOON)
    assert caught.value.errors


def test_an_id_tells_place_and_event_apart() -> None:
    ids = {event_id(place, one) for place in (0, 1) for one in (event("match_serve"), event("match_serve", "refused"))}
    assert len(ids) == 4
    # It names receipts: never to be changed.
    assert event_id(0, event("match_serve")) == "e9187197b9758399a6d06c534f1b648e"


def test_a_grant_counts_at_once_though_a_note_is_dated_in_the_future(programme: Programme) -> None:
    ahead = NOON + timedelta(days=9)
    events = (event("match_serve", at=NOON - TICK, valid_until=ahead), event("match_serve", "expired", ahead))
    added = decided({"purpose": "match_serve", "decision": "given"}, events, programme, NOON)
    assert [one.at for one in added] == [NOON]
    assert fold((*events, *added), programme, NOON).on("match_serve")
