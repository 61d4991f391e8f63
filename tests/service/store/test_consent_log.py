"""The consent log tells what was decided, and the record and the live row say the same."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from matcher.consent import fold
from matcher.consent_events import PURPOSES, ConsentEvent
from service.sealing import SealError
from service.store import StoreError, consent_check, consent_log, live, members, recording, sealed
from service.store.consent_log import Added, Recorded
from service.store.live_tables import LiveRow
from service.store.moments import FOREVER
from service.store.record_tables import ConsentEventRow
from service.store.tables import MemberRow
from tests.conftest import examples
from tests.service.databases import only
from tests.service.installation import NOON, Installation, another_programme, consent, record

DAY = timedelta(days=1)
WHOLE = ConsentEvent(
    "match_serve",
    "given",
    "1",
    NOON - DAY,
    valid_until=NOON + DAY + timedelta(microseconds=1),
    categories=frozenset({"channel", "journey"}),
    guardian="form 9",
    actor="guardian",
    method="der Bogen „12“",
    locale="de",
    policy_hash="0" * 64,
)
PLAIN = ConsentEvent("be_shown_as_peer", "refused", "2", NOON)


def history(made: Installation, member_id: str = "m-1") -> list[Recorded]:
    with made.store.reading() as session:
        return consent_log.history(session, "lantern", member_id)


def differing(made: Installation, now: datetime | None = None) -> list[str]:
    with made.store.reading() as session:
        return consent_check.verify(session, made.programme, now or made.clock())


def decide(made: Installation, *events: ConsentEvent, by: str = "command") -> None:
    with made.store.transaction() as session:
        stored = members.get(session, "lantern", "m-1")
        assert stored is not None
        recording.append(session, made.programme, stored, events, now=made.clock(), by=by)


def test_an_event_is_read_back_as_it_was_written(made: Installation) -> None:
    with made.store.transaction() as session:
        consent_log.append(session, made.programme, "m-1", 0, [WHOLE, PLAIN], now=NOON, by="0123456789abcdef")
        consent_log.append(session, made.programme, "m-1", 2, [WHOLE], now=NOON + DAY, by="service")
    found = history(made)
    assert [one.event for one in found] == [WHOLE, PLAIN, WHOLE]
    assert [one.place for one in found] == [0, 1, 2]
    assert [one.event_id for one in found] == [consent_log.event_id(one.place, one.event) for one in found]
    assert [(one.recorded_at, one.recorded_by) for one in found] == [
        (NOON, "0123456789abcdef"),
        (NOON, "0123456789abcdef"),
        (NOON + DAY, "service"),
    ]
    assert history(made, "m-2") == []


def test_what_says_more_is_sealed_and_nothing_else(made: Installation) -> None:
    with made.store.transaction() as session:
        consent_log.append(session, made.programme, "m-1", 0, [WHOLE, PLAIN], now=NOON, by="service")
    with made.store.reading() as session:
        query = select(ConsentEventRow.details).where(ConsentEventRow.programme_id == "lantern")
        details = list(session.scalars(query.order_by(ConsentEventRow.place)))
        assert details[1] is None
        assert b"form" not in details[0]
        told = sealed.opened(session, "lantern", "consent_events", "m-1 0", details[0])
        assert "form 9" in told
        with pytest.raises(SealError):
            sealed.opened(session, "lantern", "consent_events", "m-1 1", details[0])


def test_many_are_written_in_the_order_of_the_table(made: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consent_log, "ROWS", 3)
    added = [Added(f"m-{number}", 0, [WHOLE, PLAIN], "command") for number in (3, 1, 2)]
    with made.store.transaction() as session:
        consent_log.append_many(session, made.programme, added, now=NOON)
        rows = [row[:2] for row in consent_log.histories(session, "lantern", ["m-1", "m-2", "m-3"])]
    assert rows == [(f"m-{number}", place) for number in (1, 2, 3) for place in (0, 1)]


def test_a_place_is_taken_once(made: Installation) -> None:
    twice = [Added("m-1", 0, [WHOLE], "service"), Added("m-1", 0, [PLAIN], "service")]
    with pytest.raises(StoreError, match="refused"), made.store.transaction() as session:
        consent_log.append_many(session, made.programme, twice, now=NOON)
    assert history(made) == []


def test_a_programme_has_its_own(made: Installation) -> None:
    another_programme(made, "beacon")
    made.add(record("m-1"))
    with made.store.reading() as session:
        assert consent_log.history(session, "beacon", "m-1") == []


def test_whoever_stores_a_record_writes_the_log(made: Installation) -> None:
    made.add(record("m-1"))
    assert [one.recorded_by for one in history(made)] == ["command"] * 3
    again = record("m-1", consents=[consent("match_serve"), consent("train_model")])
    with made.store.transaction() as session:
        changed = made.member(again)
        kept, new = members.upsert(
            session, made.programme, changed, now=NOON, visible_from=NOON.date(), by="0123456789abcdef"
        )
    assert not new
    assert [one.event.purpose for one in history(made)] == [
        "match_serve", "be_shown_as_peer", "show_reasons", "train_model",
    ]  # fmt: skip
    assert history(made)[-1].recorded_by == "0123456789abcdef"
    assert kept.record["consents"] == [one.event.to_dict() for one in history(made)]
    assert differing(made) == []


def test_what_has_ended_already_is_noted_at_once(made: Installation) -> None:
    made.add(record("m-1", consents=[consent("match_serve", valid_until="2026-03-01T00:00:00Z")]))
    made.add(record("m-2", consents=[{**consent("match_serve"), "policy_version": "0"}]))
    (_, expired), (_, superseded) = history(made), history(made, "m-2")
    assert (expired.event.decision, expired.recorded_by) == ("expired", "service")
    assert (superseded.event.decision, superseded.event.policy_version) == ("superseded", "1")
    made.add(record("m-1", consents=[consent("match_serve", valid_until="2026-03-01T00:00:00Z")]))
    assert len(history(made)) == 2
    assert differing(made) == []


def test_time_that_passes_is_noted_in_log_and_record(made: Installation) -> None:
    made.add(record("m-1", consents=[consent("be_shown_as_peer", valid_until="2026-03-04T12:00:10Z")]))
    for seconds, noted in ((9, 1), (10, 2), (11, 2)):
        with made.store.transaction() as session:
            live.let_time_pass(session, made.programme, NOON + timedelta(seconds=seconds))
            stored = members.get(session, "lantern", "m-1")
            assert stored is not None
            assert len(stored.record["consents"]) == len(consent_log.history(session, "lantern", "m-1")) == noted
    assert history(made)[1].event.at == NOON + timedelta(seconds=10)
    assert differing(made, NOON + timedelta(seconds=11)) == []


def test_another_policy_supersedes_and_every_record_says_so(made: Installation) -> None:
    made.add(record("m-1"), record("m-2", consents=[consent("match_serve", "refused")]))
    with made.store.reading() as session:
        before = members.revisions(session, "lantern", ["m-1", "m-2"])
    made.apply(made.programme.source.replace('policy_version = "1"', 'policy_version = "2"'))
    noted = history(made)[3:]
    assert [(one.event.purpose, one.event.decision, one.event.policy_version) for one in noted] == [
        (purpose, "superseded", "2") for purpose in ("match_serve", "be_shown_as_peer", "show_reasons")
    ]
    assert len(history(made, "m-2")) == 1
    with made.store.reading() as session:
        after = members.revisions(session, "lantern", ["m-1", "m-2"])
    assert after["m-1"] > before["m-1"]
    assert after["m-2"] == before["m-2"]
    assert differing(made) == []
    made.apply(made.programme.source.replace("A programme of the tests", "Another name"))
    assert len(history(made)) == 6


def test_decisions_are_appended_to_a_record_that_the_programme_does_not_accept(made: Installation) -> None:
    made.add(record("m-1", consents=[consent("be_shown_as_peer", valid_until="2026-03-04T12:00:10Z")]))
    made.apply(made.programme.source.replace('"new", "later", "long"', '"new", "long"'))
    decide(made, PLAIN, by="service")
    with made.store.reading() as session:
        stored = members.get(session, "lantern", "m-1")
        assert stored is not None
        assert not stored.accepted
        assert stored.record["profile"]["journey"] == "later"
        shown, edge = session.execute(
            select(LiveRow.shown, LiveRow.edge).where(LiveRow.programme_id == "lantern")
        ).one()
    assert shown == 0
    assert edge < FOREVER
    with made.store.transaction() as session:
        live.let_time_pass(session, made.programme, NOON + DAY)
    assert [one.event.decision for one in history(made)] == ["given", "refused"]  # refused before it ended
    assert differing(made, NOON + DAY) == []


# What is found ------------------------------------------------------------------------------------------------------


@pytest.fixture
def sound(made: Installation) -> Installation:
    """An installation with two members, of whom all is as it should be."""
    made.add(record("m-1"), record("m-2", consents=[consent("match_serve", method="form 1")]))
    assert differing(made) == []
    return made


def test_a_record_that_says_something_else_is_found(sound: Installation) -> None:
    with sound.store.transaction() as session:
        stored = members.get(session, "lantern", "m-1")
        assert stored is not None
        less = {**stored.record, "consents": stored.record["consents"][:2]}
        text = sealed.seal(session, "lantern", sealed.MEMBERS, "m-1", json.dumps(less))
        which = (MemberRow.programme_id == "lantern", MemberRow.member_id == "m-1")
        session.execute(update(MemberRow).where(*which).values(record=text))
    assert differing(sound) == ["m-1"]


@pytest.mark.parametrize("values", [{"shown": 0}, {"edge": 1}, {"accepted": 0}])
def test_a_live_row_that_says_something_else_is_found(sound: Installation, values: dict[str, Any]) -> None:
    with sound.store.transaction() as session:
        which = (LiveRow.programme_id == "lantern", LiveRow.member_id == "m-1")
        session.execute(update(LiveRow).where(*which).values(**values))
    assert differing(sound) == ["m-1"]


def test_a_damaged_record_and_events_of_nobody_are_found(sound: Installation) -> None:
    with sound.store.transaction() as session:
        which = (MemberRow.programme_id == "lantern", MemberRow.member_id == "m-1")
        session.execute(update(MemberRow).where(*which).values(record=b"damaged"))
        consent_log.append(session, sound.programme, "nobody", 0, [PLAIN], now=NOON, by="service")
    assert differing(sound) == ["m-1", "nobody"]


@only("sqlite", "It is the same check on both; here the triggers are taken off by hand.")
@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE consent_events SET decision = 'refused' WHERE member_id = 'm-1' AND place = 0",
        "UPDATE consent_events SET at = at + 1 WHERE member_id = 'm-1' AND place = 0",
        "UPDATE consent_events SET details = x'00' WHERE member_id = 'm-2'",
        "UPDATE consent_events SET event_id = 'x' WHERE member_id = 'm-2'",
        "DELETE FROM consent_events WHERE member_id = 'm-1' AND place = 2",
        "DELETE FROM consent_events WHERE member_id = 'm-1' AND place = 0",
        "DELETE FROM consent_events WHERE member_id = 'm-1'",
    ],
)
def test_a_log_that_was_changed_is_found(sound: Installation, sql: str) -> None:
    with sound.store.engine.connect().execution_options(every_programme=True) as connection, connection.begin():
        for what in ("update", "delete"):
            connection.exec_driver_sql(f"DROP TRIGGER consent_events_no_{what}")
        connection.exec_driver_sql(sql)
    assert differing(sound) == ["m-1" if "m-1" in sql else "m-2"]


def test_a_clock_that_was_set_back_is_no_difference(sound: Installation) -> None:
    decide(sound, replace(PLAIN, decision="given", policy_version="1"))
    assert differing(sound, NOON - DAY) == []
    assert differing(sound, NOON + DAY) == []


# Any history --------------------------------------------------------------------------------------------------------

SECONDS = st.sampled_from([0, 1, 59, 3600])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("decide"), st.sampled_from(PURPOSES[:3]), st.sampled_from(["given", "withdrawn"]), SECONDS),
        st.tuples(st.just("put"), st.sampled_from(PURPOSES[:3]), st.sampled_from(["given", "refused"]), SECONDS),
        st.tuples(st.just("import"), st.sampled_from(PURPOSES[:3]), st.sampled_from(["given", "refused"]), SECONDS),
        st.tuples(st.just("time"), st.just(""), st.just(""), SECONDS),
        st.tuples(st.just("policy"), st.just(""), st.sampled_from(["1", "2"]), SECONDS),
        st.tuples(st.just("set_back"), st.just(""), st.just(""), SECONDS),
    ),
    max_size=10,
)


def step(made: Installation, what: str, purpose: str, word: str, seconds: int) -> None:
    now = made.clock()
    if what == "time":
        made.clock.turn(seconds=seconds)
        with made.store.transaction() as session:
            live.let_time_pass(session, made.programme, made.clock())
    elif what == "set_back":
        made.clock.turn(days=-1)
    elif what == "policy":
        source = made.programme.source
        made.apply(source.replace(f'policy_version = "{made.programme.policy_version}"', f'policy_version = "{word}"'))
    else:
        until = now + timedelta(seconds=seconds) if word == "given" and seconds else None
        event = ConsentEvent(purpose, word, made.programme.policy_version, now, until)
        if what == "decide":
            decide(made, event)
        else:
            told = record("m-1", consents=[event.to_dict()])
            with made.store.transaction() as session:
                store = members.upsert if what == "put" else members.upsert_many
                member = made.member(told)
                people: Any = member if what == "put" else [member]
                store(session, made.programme, people, now=now, visible_from=now.date())


@settings(
    max_examples=examples(25, 500), suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(steps=STEPS)
def test_the_log_read_anew_is_the_record_and_the_live_row(made: Installation, steps: list[Any]) -> None:
    with made.store.transaction() as session:
        for table in (MemberRow, LiveRow, ConsentEventRow):
            session.execute(delete(table).where(table.programme_id == "lantern"))
    made.clock.now = NOON
    made.add(record("m-1"))
    for one in steps:
        step(made, *one)
        assert differing(made) == []
        events = [told.event for told in history(made)]
        with made.store.reading() as session:
            stored = members.get(session, "lantern", "m-1")
        assert stored is not None
        assert [event.to_dict() for event in events] == stored.record["consents"]
        # Naively: the last word of each purpose, and no more.
        on = {purpose for purpose in PURPOSES if fold(events, made.programme, made.clock()).on(purpose)}
        assert on == {purpose for purpose in PURPOSES if last_word(events, purpose, made)}


def last_word(events: list[ConsentEvent], purpose: str, made: Installation) -> bool:
    """Whether a purpose is on, as somebody would tell it who reads the log from top to bottom."""
    said = [event for event in events if event.purpose == purpose and event.decision != "superseded"]
    people = [event for event in said if event.decision != "expired"]
    if not people:
        return False
    latest = max(event.at for event in people)
    last = [event for event in people if event.at == latest]
    if any(event.decision != "given" for event in last):
        return False
    event, now = last[-1], made.clock()
    behind = said[max(place for place, one in enumerate(said) if one is event) + 1 :]
    if any(one.decision == "expired" and one.at >= event.at for one in behind):
        return False
    running = event.at <= now and (event.valid_until is None or now < event.valid_until)
    return running and event.policy_version == made.programme.policy_version
