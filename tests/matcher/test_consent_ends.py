"""Which notes of the service are due: what has expired, and what a new policy version supersedes, each once."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from matcher.consent import fold
from matcher.consent_ends import due
from matcher.consent_events import DECISIONS, PURPOSES, ConsentEvent
from matcher.errors import PeermatchError
from matcher.people import Member
from tests.matcher.lantern import LANTERN, programme, record

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
TICK = timedelta(microseconds=1)
NEXT = programme(('policy_version = "2026-01"', 'policy_version = "2027-01"'))
LAST = programme(('policy_version = "2026-01"', 'policy_version = "2028-01"'))
SEPARATE = programme(('minors_policy = "refuse"', 'minors_policy = "separate"'))


def event(decision: str = "given", at: datetime = NOW - DAY, purpose: str = "match_serve", **more: Any) -> ConsentEvent:
    return ConsentEvent(purpose, decision, more.pop("policy_version", "2026-01"), at, **more)


def expired(at: datetime, purpose: str = "match_serve", **more: Any) -> ConsentEvent:
    return event("expired", at, purpose, actor="system", **more)


def superseded(version: str, at: datetime = NOW, purpose: str = "match_serve") -> ConsentEvent:
    return event("superseded", at, purpose, actor="system", policy_version=version)


class TestExpired:
    @pytest.mark.parametrize("purpose", PURPOSES)
    def test_is_noted_at_the_end_of_the_grant(self, purpose):
        grant = event(purpose=purpose, valid_until=NOW)
        assert due([grant], LANTERN, NOW - TICK) == ()
        for moment in (NOW, NOW + TICK, NOW + 700 * DAY):
            assert due([grant], LANTERN, moment) == (expired(NOW, purpose),)

    def test_is_of_the_version_of_the_grant(self):
        grant = event(valid_until=NOW, policy_version="2025-01")
        assert due([grant], LANTERN, NOW) == (expired(NOW, policy_version="2025-01"),)

    @pytest.mark.parametrize("decision", DECISIONS)
    def test_is_not_noted_of_what_is_not_the_latest(self, decision):
        events = [event(at=NOW - 3 * DAY, valid_until=NOW - DAY), event(decision, NOW - 2 * DAY)]
        assert due(events, LANTERN, NOW) == ()
        assert due(events[::-1], LANTERN, NOW) == ()

    def test_a_shorter_grant_ends_though_an_earlier_one_would_not_have(self):
        events = [event(at=NOW - 3 * DAY), event(at=NOW - 2 * DAY, valid_until=NOW - DAY)]
        assert due(events, LANTERN, NOW) == (expired(NOW - DAY),)

    @pytest.mark.parametrize("decision", ["refused", "withdrawn"])
    def test_what_was_no_grant_does_not_end(self, decision):
        assert due([event(decision, valid_until=NOW)], LANTERN, NOW) == ()

    def test_once(self):
        grant = event(valid_until=NOW)
        events = [grant, *due([grant], LANTERN, NOW)]
        for of, moment in itertools.product((LANTERN, NEXT), (NOW, NOW + DAY)):
            assert due(events, of, moment) == ()

    def test_each_grant_of_its_own(self):
        first, second = event(at=NOW - 9 * DAY, valid_until=NOW - 5 * DAY), event(valid_until=NOW)
        events = [first, *due([first], LANTERN, NOW - 4 * DAY), second]
        assert due(events, LANTERN, NOW) == (expired(NOW),)

    def test_a_clock_set_back_revives_nothing(self):
        grant = event(valid_until=NOW)
        events = [grant, *due([grant], LANTERN, NOW)]
        assert fold([grant], LANTERN, NOW - TICK).on("match_serve")
        assert not fold(events, LANTERN, NOW - TICK).on("match_serve")

    def test_a_note_of_a_clock_that_ran_ahead_ends_nothing_that_is_given_after_it(self):
        first, second = event(valid_until=NOW + 9 * DAY), event(at=NOW)
        events = [first, expired(NOW + 9 * DAY), second]
        assert not fold(events[:2], LANTERN, NOW).on("match_serve")
        assert fold(events, LANTERN, NOW).on("match_serve")
        assert due(events, LANTERN, NOW) == ()
        earlier = event(at=first.at - TICK)  # an older grant that is told only now
        assert not fold([*events[:2], earlier], LANTERN, NOW).on("match_serve")

    def test_goes_before_superseded(self):
        grant = event(valid_until=NOW)
        assert due([grant], NEXT, NOW) == (expired(NOW),)
        assert due([grant, superseded("2027-01", NOW - TICK)], NEXT, NOW) == (expired(NOW),)


class TestSuperseded:
    def test_is_noted_now_under_the_present_version(self):
        assert due([event()], LANTERN, NOW) == ()
        assert due([event()], NEXT, NOW) == (superseded("2027-01"),)
        assert due([event(policy_version="2025-01")], LANTERN, NOW) == (superseded("2026-01"),)

    def test_the_moment_is_told_in_utc(self):
        [note] = due([event()], NEXT, NOW.astimezone(timezone(timedelta(hours=5))))
        assert note.at.tzinfo is UTC
        assert note == superseded("2027-01")

    @pytest.mark.parametrize("decision", ["refused", "withdrawn"])
    def test_what_was_no_grant_is_not_superseded(self, decision):
        assert due([event(decision)], NEXT, NOW) == ()
        assert due([event(), event(decision, NOW)], NEXT, NOW) == ()

    def test_once_a_change(self):
        events = [event()]
        for step, (of, version) in enumerate([(NEXT, "2027-01"), (LAST, "2028-01"), (NEXT, "2027-01")]):
            moment = NOW + step * DAY
            assert due(events, of, moment) == (superseded(version, moment),)
            events += due(events, of, moment)
            assert due(events, of, moment + TICK) == ()

    def test_a_way_back_is_a_change_too_and_the_grant_is_on_again(self):
        """Without its note, the second change to the same version would look as the first."""
        events = [event(), superseded("2027-01")]
        assert due(events, LANTERN, NOW + DAY) == (superseded("2026-01", NOW + DAY),)
        events += due(events, LANTERN, NOW + DAY)
        assert fold(events, LANTERN, NOW + DAY).on("match_serve")
        assert due(events, NEXT, NOW + 2 * DAY) == (superseded("2027-01", NOW + 2 * DAY),)

    def test_a_change_that_nobody_looked_at_is_none(self):
        assert due([event()], LANTERN, NOW + 9 * DAY) == ()

    def test_notes_of_an_earlier_grant_are_none_of_this_one(self):
        events = [event(), superseded("2027-01"), event(at=NOW + DAY, policy_version="2026-01")]
        assert due(events, NEXT, NOW + 2 * DAY) == (superseded("2027-01", NOW + 2 * DAY),)
        events = [superseded("2027-01"), event()]
        assert due(events, NEXT, NOW) == (superseded("2027-01"),)

    def test_of_the_same_event_told_twice_the_later_counts(self):
        one = event()
        assert due([one, superseded("2027-01"), one], NEXT, NOW) == (superseded("2027-01"),)

    def test_the_clock_of_a_note_may_have_been_behind(self):
        events = [event(), superseded("2027-01", NOW - 300 * DAY)]
        assert due(events, NEXT, NOW) == ()


class TestEach:
    def test_purposes_in_the_order_of_the_record(self):
        names = ("train_model", "match_serve", "show_reasons")
        events = [event(purpose=name, valid_until=NOW if name == "match_serve" else None) for name in names]
        found = due(events, NEXT, NOW)
        assert [one.purpose for one in found] == list(names)
        assert [one.decision for one in found] == ["superseded", "expired", "superseded"]

    def test_notes_of_one_purpose_are_none_of_another(self):
        events = [event(), event(purpose="show_reasons"), superseded("2027-01", purpose="show_reasons")]
        assert due(events, NEXT, NOW) == (superseded("2027-01"),)

    def test_an_empty_history(self):
        assert due([], NEXT, NOW) == ()

    def test_of_a_grant_that_is_yet_to_begin_nothing_ends(self):
        assert due([event(at=NOW + TICK, valid_until=NOW + DAY)], NEXT, NOW) == ()
        assert due([event(at=NOW)], NEXT, NOW) == (superseded("2027-01"),)

    @pytest.mark.parametrize("purpose", PURPOSES)
    @pytest.mark.parametrize("guardian", [None, "form 12"])
    @pytest.mark.parametrize("minor", [False, True])
    @pytest.mark.parametrize("policy", [LANTERN, SEPARATE])
    def test_of_what_was_never_on_nothing_ends(self, purpose, guardian, minor, policy):
        grant = event(purpose=purpose, guardian=guardian, valid_until=NOW)
        was_on = fold([grant], policy, NOW - TICK, minor=minor).on(purpose)
        assert due([grant], policy, NOW, minor) == ((expired(NOW, purpose),) if was_on else ())

    def test_the_moment_needs_an_offset(self):
        with pytest.raises(PeermatchError, match="without an offset"):
            due([event()], LANTERN, datetime(2026, 6, 1))  # noqa: DTZ001

    def test_a_record_takes_what_is_due(self):
        raw = record(consents=[event(valid_until=NOW).to_dict(), event(purpose="show_reasons").to_dict()])
        one = Member.from_dict(raw, NEXT)
        added = due(one.consents, NEXT, NOW)
        assert [note.decision for note in added] == ["expired", "superseded"]
        again = Member.from_dict({**raw, "consents": [*raw["consents"], *(note.to_dict() for note in added)]}, NEXT)
        assert again.consents == (*one.consents, *added)
        assert Member.from_stored(again.to_dict(), NEXT).consents == again.consents
