"""Introductions that were over long ago, and old events, are deleted; whoever is kept apart stays apart."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from matcher.introductions import FINAL, STATES
from matcher.programme import Programme
from matcher.programme_retention import REPORTED
from service.reports.retention import HORIZONS
from service.store import audit_chain, programmes, retention
from service.store.introduction_tables import IntroductionRow
from service.store.moments import micros
from service.store.retention import Due
from service.store.retention_kinds import KINDS
from tests.service.installation import Installation
from tests.service.introduced import act, heard, inbox, live, people, propose, shown
from tests.service.store.populated import all_rows

RETENTION = """
[retention]
lists_days = "unlimited"
feedback_days = "unlimited"
audit_days = "unlimited"
without_consent_days = "unlimited"
introductions_days = {introductions}
events_days = {events}
"""
PERIOD = 200


def made_with(small: Installation, introductions: Any = PERIOD, events: Any = '"unlimited"', more: str = "") -> Any:
    return people(small, more=RETENTION.format(introductions=introductions, events=events) + more)


@pytest.fixture
def kept(small: Installation) -> Installation:
    """People of a programme that keeps introductions for `PERIOD` days after they were over, and events for good."""
    made: Installation = made_with(small)
    return made


def programme_of(made: Installation) -> Programme:
    with made.store.reading() as session:
        return programmes.load(session, "lantern")


def run(made: Installation, **expected: int) -> None:
    """Check that a dry run counts what is expected, a real one deletes just that, and nothing is left to do."""
    programme, now = programme_of(made), made.clock()
    before = all_rows(made)
    with made.store.reading() as session:
        assert retention.due(session, programme, now) == Due(**expected)
    assert all_rows(made) == before
    assert retention.apply(made.store, programme, now) == Due(**expected)
    with made.store.reading() as session:
        assert retention.due(session, programme, now) == Due()
        assert audit_chain.verify(session, "lantern").broken is None


def introduced(made: Installation) -> set[tuple[str, str]]:
    """Return whom an introduction keeps apart."""
    return {(row["member_id"], row["other_id"]) for row in all_rows(made)["apart"] if row["kind"] == "introduced"}


BOTH = {("s-1", "m-1"), ("m-1", "s-1")}


# Introductions -----------------------------------------------------------------------------------------------------


def test_one_that_was_over_long_ago_goes_and_not_before(kept: Installation) -> None:
    one = propose(kept)
    act(kept, one, "accept", "m-1")
    kept.clock.turn(days=300)
    run(kept)
    act(kept, one, "end", "s-1", reason="finished")
    kept.clock.turn(days=PERIOD)
    run(kept)
    kept.clock.turn(seconds=1)
    run(kept, introductions=1)
    assert all_rows(kept)["introductions"] == []
    assert (inbox(kept, "s-1"), inbox(kept, "m-1")) == ([], [])
    assert introduced(kept) == set()
    assert live(kept, "m-1").free == 1
    told = [row["details"] for row in all_rows(kept)["audit"] if row["action"] == "retention.applied"]
    assert {"introductions": 1} in [json.loads(details) for details in told]


@pytest.mark.parametrize("how", ["declined", "rematched", "no fit", "for safety"])
def test_whoever_is_never_introduced_again_stays_apart_when_it_is_gone(kept: Installation, how: str) -> None:
    one = propose(kept)
    if how == "declined":
        act(kept, one, "decline", "m-1")
    else:
        act(kept, one, "accept", "m-1")
        why = {"no fit": "not_a_fit", "for safety": "safety"}.get(how, "other")
        act(kept, one, "rematch" if how == "rematched" else "end", "s-1", reason=why)
    kept.clock.turn(days=PERIOD + 1)
    before = introduced(kept)
    assert before == BOTH
    run(kept, introductions=1)
    assert all_rows(kept)["introductions"] == []
    assert introduced(kept) == before
    kept.clock.turn(days=5000)
    run(kept)
    assert introduced(kept) == before
    assert set(shown(kept)) == {"m-2"}
    reply = kept.call("POST", "/v1/review", {"seeker": "s-1", "candidate": "m-1", "override": True})
    assert reply.status_code == 409


def test_after_any_other_end_the_two_may_meet_again(kept: Installation) -> None:
    propose(kept)
    kept.clock.turn(days=8)
    inbox(kept, "s-1")
    assert introduced(kept) == BOTH, "control: not for a while"
    kept.clock.turn(days=PERIOD)
    run(kept, introductions=1)
    assert introduced(kept) == set()
    assert set(shown(kept)) == {"m-1", "m-2"}


def test_what_lapsed_and_nobody_noted_is_counted_by_a_dry_run_too(kept: Installation) -> None:
    propose(kept)
    kept.clock.turn(days=7 + PERIOD)
    run(kept)
    assert [row["state"] for row in all_rows(kept)["introductions"]] == ["expired"]
    kept.clock.turn(seconds=1)
    run(kept, introductions=1)
    propose(kept)
    kept.clock.turn(days=7 + PERIOD, seconds=1)
    run(kept, introductions=1)
    assert introduced(kept) == set()


def test_one_that_goes_on_is_never_deleted(kept: Installation) -> None:
    connected = propose(kept)
    act(kept, connected, "accept", "m-1")
    paused = propose(kept, "s-2", "m-2")
    assert kept.call("POST", f"/v1/review/{paused['introduction_id']}/suspend", {}).status_code == 200
    kept.clock.turn(days=5000)
    run(kept)
    assert {row["state"] for row in all_rows(kept)["introductions"]} == {"connected", "offered"}
    kinds = {kind.name: kind for kind in KINDS}
    for state in STATES:
        with kept.store.transaction() as session:
            old = {"state": state, "since": 0, "due": micros(kept.clock())}
            session.execute(update(IntroductionRow).where(IntroductionRow.programme_id == "lantern").values(**old))
            keys = [(one["introduction_id"],) for one in (connected, paused)]
            count = kinds["introductions"].delete(session, programme_of(kept), keys, kept.clock())
            assert count == (1 if state in FINAL else 0), f"{state}: what a report has suspended is never deleted"
            session.rollback()


def test_one_after_which_two_are_to_meet_later_stays_until_then(small: Installation) -> None:
    """Also where the programme has shortened that since: who is apart by it would be so for good."""
    made = made_with(small, introductions=1001, more="[introductions]\nagain_days = 1000\n")
    propose(made)
    made.clock.turn(days=7)
    inbox(made, "s-1")
    made.change_programme(size='small"\nreview = "none', more=RETENTION.format(introductions=PERIOD, events=90))
    made.clock.turn(days=PERIOD + 1)
    with made.store.reading() as session:
        assert retention.due(session, programme_of(made), made.clock()).introductions == 0
    retention.apply(made.store, programme_of(made), made.clock())
    assert len(all_rows(made)["introductions"]) == 1
    made.clock.turn(days=1000 - PERIOD)
    assert retention.apply(made.store, programme_of(made), made.clock()).introductions == 1
    assert introduced(made) == set()


def test_a_rest_is_not_shortened(kept: Installation) -> None:
    """No period is shorter than a rest: see `matcher.programme_retention`."""
    one = propose(kept)
    act(kept, one, "accept", "m-1")
    act(kept, one, "end", "s-1", reason="bereavement")
    until = live(kept, "m-1").rests_until
    assert until > micros(kept.clock())
    kept.clock.turn(days=89)
    run(kept)
    assert live(kept, "m-1").rests_until == until


def test_no_period_is_shorter_than_what_reports_look_back_at() -> None:
    assert max(HORIZONS.values()) == REPORTED


# Events ------------------------------------------------------------------------------------------------------------


def test_old_events_go_and_their_numbers_are_never_given_again(small: Installation) -> None:
    made = made_with(small, introductions='"unlimited"', events=30)
    one = propose(made)
    made.clock.turn(days=1)
    act(made, one, "accept", "m-1")
    made.clock.turn(days=29)
    run(made)
    made.clock.turn(seconds=1)
    run(made, events=2)
    assert heard(made) == [("s-1", "introduction.connected"), ("m-1", "introduction.connected")]
    reply = made.call("GET", "/v1/events?after=0").get_json()
    assert [event["number"] for event in reply["events"]] == [3, 4]
    made.clock.turn(days=1)
    run(made, events=2)
    assert made.call("GET", "/v1/events?after=4").get_json() == {"events": [], "next": 4, "more": False}
    act(made, one, "end", "m-1")
    assert [event["number"] for event in made.call("GET", "/v1/events?after=4").get_json()["events"]] == [5, 6]
    assert [row["state"] for row in all_rows(made)["introductions"]] == ["ended"]


def test_without_periods_both_stay(small: Installation) -> None:
    made = made_with(small, introductions='"unlimited"')
    act(made, propose(made), "decline", "m-1")
    made.clock.turn(days=90_000)
    run(made)
    assert len(all_rows(made)["introductions"]) == 1
    assert len(all_rows(made)["events"]) == 4


def test_what_is_no_longer_due_when_it_is_deleted_stays(kept: Installation) -> None:
    one = propose(kept)
    act(kept, one, "decline", "m-1")
    kinds = {kind.name: kind for kind in KINDS}
    (first, *_) = all_rows(kept)["events"]
    programme, later = programme_of(kept), kept.clock() + timedelta(days=PERIOD + 1)
    key = [(one["introduction_id"],)]
    with kept.store.transaction() as session:
        assert kinds["introductions"].delete(session, programme, key, kept.clock()) == 0
        assert kinds["introductions"].delete(session, programme, key, later) == 1
        assert kinds["events"].keys(session, programme, later) == []
    assert first["number"] == 1
