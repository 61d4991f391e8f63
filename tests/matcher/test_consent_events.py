"""Events read alone, as the consents endpoint does, and what must hold of those that are new."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from matcher.consent import fold
from matcher.consent_events import (
    ACTORS,
    ALL_DECISIONS,
    DECISIONS,
    SYSTEM_DECISIONS,
    ConsentEvent,
    check_new,
    is_system,
    new_event,
    usual_event,
    with_policy_hash,
)
from matcher.errors import RecordError
from tests.matcher.lantern import HASHES, LANTERN, member, with_texts

BOTH = with_texts("en", "pl")
ONE = with_texts("pl")
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
RAW: dict[str, Any] = {
    "purpose": "match_serve",
    "decision": "given",
    "policy_version": "2026-01",
    "at": "2026-02-03T10:00:00Z",
}
WHOLE: dict[str, Any] = {
    **RAW,
    "valid_until": "2028-02-03T10:00:00Z",
    "categories": sorted(LANTERN.required),
    "guardian": "form 12",
    "actor": "guardian",
    "method": "paper form 7, folder 3",
    "locale": "en",
    "policy_hash": HASHES["en"],
}


def event(decision: str = "given", at: str = RAW["at"], **more: Any) -> ConsentEvent:
    system = {"actor": "system"} if decision in SYSTEM_DECISIONS else {}
    return ConsentEvent.from_dict({**RAW, "decision": decision, "at": at, **system, **more}, LANTERN)


class TestReading:
    def test_round_trip(self):
        read = ConsentEvent.from_dict(WHOLE, BOTH)
        assert read.to_dict() == WHOLE
        assert list(read.to_dict()) == list(WHOLE)
        assert ConsentEvent.from_stored(read.to_dict()) == read
        assert (read.actor, read.method, read.locale) == ("guardian", "paper form 7, folder 3", "en")
        assert read.policy_hash == HASHES["en"]

    def test_what_is_not_told_is_none(self):
        read = ConsentEvent.from_dict(RAW, BOTH)
        assert (read.actor, read.method, read.locale, read.policy_hash) == (None, None, None, None)
        assert read.to_dict() == RAW
        assert read == new_event("match_serve", "given", "2026-01", read.at)

    @pytest.mark.parametrize("key", ["guardian", "actor", "method", "locale", "policy_hash"])
    def test_each_alone(self, key):
        raw = {**RAW, key: WHOLE[key]}
        read = ConsentEvent.from_dict(raw, LANTERN)
        assert read.to_dict() == raw
        assert ConsentEvent.from_stored(raw) == read

    def test_every_problem_by_path(self):
        wrong = {"purpose": "x", "decision": "given", "at": "now", "guardian": "\x00", "actor": "me", "method": ""}
        with pytest.raises(RecordError) as caught:
            ConsentEvent.from_dict({**wrong, "locale": "english", "policy_hash": "no"}, LANTERN)
        paths = {"purpose", "policy_version", "at", "guardian", "actor", "method", "locale", "policy_hash"}
        assert set(caught.value.errors) == paths

    @pytest.mark.parametrize("raw", [None, [], "given", {"at": {1}}])
    def test_what_is_no_event(self, raw):
        with pytest.raises(RecordError):
            ConsentEvent.from_dict(raw, LANTERN)

    def test_a_stored_event_is_read_whatever_the_programme_says_today(self):
        stored = {**WHOLE, "policy_hash": "0" * 64, "categories": ["a_facet_of_then"]}
        assert ConsentEvent.from_stored(stored).to_dict() == stored

    def test_an_event_made_fast_is_as_any_other(self):
        at, until = NOW, NOW + timedelta(days=1)
        made = new_event("match_serve", "given", "1", at, until)
        assert made == ConsentEvent("match_serve", "given", "1", at, until)
        assert type(made) is ConsentEvent
        assert hash(made) == hash(ConsentEvent("match_serve", "given", "1", at, until))
        assert repr(made) == repr(ConsentEvent("match_serve", "given", "1", at, until))
        assert made.to_dict() == ConsentEvent("match_serve", "given", "1", at, until).to_dict()
        with pytest.raises(AttributeError):
            made.purpose = "another"  # type: ignore[misc]


class TestDecisions:
    def test_the_five(self):
        assert DECISIONS == ("given", "refused", "withdrawn")
        assert SYSTEM_DECISIONS == ("expired", "superseded")
        assert (*DECISIONS, *SYSTEM_DECISIONS) == ALL_DECISIONS
        assert ACTORS == ("self", "guardian", "staff", "system")

    @pytest.mark.parametrize("decision", ALL_DECISIONS)
    @pytest.mark.parametrize("actor", [None, *ACTORS])
    @pytest.mark.parametrize("version", ["2026-01", "2019"])
    def test_the_service_notes_and_people_decide(self, decision, actor, version):
        raw = {**RAW, "decision": decision, "policy_version": version, **({"actor": actor} if actor else {})}
        if (decision in SYSTEM_DECISIONS) == (actor == "system"):
            read = ConsentEvent.from_dict(raw, LANTERN)
            assert (read.decision, read.actor) == (decision, actor)
            assert is_system(read) is (actor == "system")
            return
        with pytest.raises(RecordError) as caught:
            ConsentEvent.from_dict(raw, LANTERN)
        assert list(caught.value.errors) == ["actor"]
        assert ("expected 'system'" in caught.value.message) is (decision in SYSTEM_DECISIONS)

    @pytest.mark.parametrize("decision", SYSTEM_DECISIONS)
    def test_a_note_of_nobody_is_not_read_at_once_either(self, decision):
        for raw in (RAW, {**RAW, "valid_until": "2028-02-03T10:00:00Z"}):
            assert usual_event(raw, LANTERN) is not None
            assert usual_event({**raw, "decision": decision}, LANTERN) is None

    @pytest.mark.parametrize("decision", SYSTEM_DECISIONS)
    def test_a_record_may_have_them(self, decision):
        note = {**RAW, "decision": decision, "actor": "system"}
        assert member(consents=[RAW, note]).to_dict()["consents"] == [RAW, note]
        with pytest.raises(RecordError) as caught:
            member(consents=[RAW, {**RAW, "decision": decision}])
        assert list(caught.value.errors) == ["consents[1].actor"]


class TestPolicyHash:
    def test_is_filled_in_where_the_locale_names_a_text(self):
        for locale in ("en", "pl"):
            filled = with_policy_hash(event(locale=locale), BOTH)
            assert filled == replace(event(locale=locale), policy_hash=HASHES[locale])
            assert ConsentEvent.from_dict(filled.to_dict(), BOTH) == filled

    @pytest.mark.parametrize("decision", DECISIONS)
    def test_is_filled_in_with_its_locale_where_there_is_one_text(self, decision):
        filled = with_policy_hash(event(decision), ONE)
        assert filled == replace(event(decision), locale="pl", policy_hash=HASHES["pl"])

    @pytest.mark.parametrize(
        ("programme", "changes"),
        [
            (LANTERN, {}),
            (LANTERN, {"locale": "en"}),
            (BOTH, {}),
            (BOTH, {"locale": "de"}),
            (ONE, {"locale": "en"}),
            (ONE, {"policy_version": "2025-01"}),
            (ONE, {"policy_hash": "0" * 64}),
            (ONE, {"decision": "expired"}),
            (ONE, {"decision": "superseded", "locale": "pl"}),
        ],
    )
    def test_is_left_alone_where_nothing_says_which_text(self, programme, changes):
        one = event(**changes)
        assert with_policy_hash(one, programme) is one


class TestNew:
    """What is recorded must count as whoever records it believes."""

    def test_a_grant_that_is_yet_to_come_is_refused(self):
        events = [event("given", "2026-03-02T12:04:00Z"), event("given", "2026-03-02T12:06:00Z")]
        with pytest.raises(RecordError) as caught:
            check_new(events, NOW)
        assert list(caught.value.errors) == ["consents[1].at"]
        assert "yet to come" in caught.value.message

    def test_a_withdrawal_that_would_take_back_nothing_is_refused(self):
        events = [event("given", "2026-02-01T00:00:00Z"), event("withdrawn", "2026-01-01T00:00:00Z")]
        with pytest.raises(RecordError, match="which it would not change"):
            check_new(events, NOW, known=1)
        check_new(events, NOW)  # a history that is new as a whole may come in any order
        check_new([events[0], event("withdrawn", "2026-02-01T00:00:00Z")], NOW, known=1)

    @pytest.mark.parametrize("decision", SYSTEM_DECISIONS)
    def test_a_note_that_is_yet_to_come_is_refused(self, decision):
        with pytest.raises(RecordError, match="yet to come"):
            check_new([event(decision, "2026-03-02T12:06:00Z")], NOW)

    @pytest.mark.parametrize("decision", SYSTEM_DECISIONS)
    def test_a_note_may_be_dated_before_other_events(self, decision):
        check_new([event("given", "2026-02-01T00:00:00Z"), event(decision, "2026-01-01T00:00:00Z")], NOW, known=1)

    @pytest.mark.parametrize("note", SYSTEM_DECISIONS)
    @pytest.mark.parametrize("decision", ["refused", "withdrawn"])
    def test_what_takes_a_grant_back_need_not_be_later_than_a_note(self, note, decision):
        grant = event("given", "2026-02-01T00:00:00Z", valid_until="2026-02-20T00:00:00Z")
        events = [grant, event(note, "2026-02-20T00:00:00Z"), event(decision, "2026-02-10T00:00:00Z")]
        check_new(events, NOW, known=2)
        assert not fold(events, LANTERN, datetime(2026, 2, 15, tzinfo=UTC)).on("match_serve")
        with pytest.raises(RecordError, match="before the latest event of match_serve, 2026-02-01T00:00:00Z"):
            check_new([*events[:2], event(decision, "2026-01-10T00:00:00Z")], NOW, known=2)
