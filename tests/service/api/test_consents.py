"""Decisions about consent: recorded as they fall, and always the latest of their purpose."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from matcher.consent import PURPOSES
from service.intake import decisions
from service.security import split_token
from service.store import StoreError, audit, consent_check, members
from service.store.record_tables import AuditRow, ConsentEventRow
from service.store.tables import MemberRow
from tests.conftest import examples
from tests.service.api.replies import problem, told_apart
from tests.service.installation import NOON, Installation, another_programme, consent, record

PATH = "/v1/members/m-1/consents"
EVERYTHING = {"purpose": "all", "decision": "withdrawn"}


@pytest.fixture
def one(made: Installation) -> Installation:
    """An installation with one member, whose three consents of `record` are on."""
    made.add(record("m-1", "seeker", "supporter"))
    return made


def decide(made: Installation, status: int = 201, /, **body: Any) -> dict[str, Any]:
    reply = made.call("POST", PATH, body)
    assert reply.status_code == status, reply.get_data(as_text=True)
    found: dict[str, Any] = reply.get_json()
    return found


def errors(made: Installation, **body: Any) -> dict[str, str]:
    found: dict[str, str] = problem(made.call("POST", PATH, body), 422, "invalid")["errors"]
    return found


def on(made: Installation) -> set[str]:
    state: dict[str, bool] = made.call("GET", PATH).get_json()["state"]
    assert list(state) == list(PURPOSES)
    return {purpose for purpose, switched in state.items() if switched}


def key_id(made: Installation) -> str:
    parts = split_token(made.key)
    assert parts is not None
    return parts[0]


def test_a_grant_is_recorded_with_the_servers_moment_and_the_present_policy(one: Installation) -> None:
    given = decide(one, purpose="train_model", decision="given", valid_until="2027-01-01T00:00:00+01:00")
    state = given.pop("state")
    assert len(given.pop("id")) == 32
    assert (given.pop("recorded_at"), given.pop("recorded_by")) == ("2026-03-04T12:00:00Z", key_id(one))
    assert given == {
        "purpose": "train_model",
        "decision": "given",
        "policy_version": "1",
        "at": "2026-03-04T12:00:00Z",
        "valid_until": "2026-12-31T23:00:00Z",
        "actor": "self",
    }
    assert {purpose for purpose in PURPOSES if state[purpose]} == on(one)
    assert on(one) == {"match_serve", "be_shown_as_peer", "show_reasons", "train_model"}
    stored = one.call("GET", "/v1/members/m-1").get_json()["consents"]
    assert stored[-1] == given
    assert stored[:-1] == record("m-1")["consents"]


def test_what_is_on_is_listed_with_the_facets_that_it_covers(one: Installation) -> None:
    decide(one, purpose="train_model", decision="given", categories=["channel"])
    listed = one.call("GET", PATH)
    assert "ETag" not in listed.headers  # what is on changes with the clock alone
    everything = ["channel", "experiences", "journey", "statement"]
    assert listed.get_json()["covers"] == {
        "be_shown_as_peer": everything,
        "match_serve": everything,
        "show_reasons": everything,
        "train_model": ["channel"],
    }
    ids = [event["id"] for event in listed.get_json()["events"]]
    assert len(set(ids)) == 4
    assert one.call("GET", PATH).data == listed.data


def test_a_grant_ends_at_its_moment(one: Installation) -> None:
    decide(one, purpose="train_model", decision="given", valid_until="2026-03-04T12:00:10Z")
    one.clock.turn(seconds=9.999999)
    assert "train_model" in on(one)
    one.clock.turn(seconds=0.000001)
    assert "train_model" not in on(one)
    assert "train_model" not in one.call("GET", PATH).get_json()["covers"]


def test_a_withdrawal_counts_from_the_next_request_on(one: Installation) -> None:
    one.add(record("s", "seeker"))
    ids = one.new_key("match", "match:ids")
    assert [entry["member_id"] for entry in one.match("s", key=ids)["matches"]] == ["m-1"]
    state = decide(one, purpose="be_shown_as_peer", decision="withdrawn")["state"]
    assert (state["be_shown_as_peer"], state["match_serve"]) == (False, True)
    assert one.match("s", key=ids)["matches"] == []
    decide(one, purpose="match_serve", decision="withdrawn")
    problem(one.call("POST", "/v1/match", {"member_id": "m-1"}), 403, "consent-missing")


def test_everything_is_withdrawn_in_one_call(one: Installation) -> None:
    decide(one, purpose="train_model", decision="given", valid_until="2026-03-04T12:00:01Z")
    decide(one, purpose="fairness_audit", decision="given", policy_version="0")
    decide(one, purpose="outcome_followup", decision="refused")
    one.clock.turn(hours=1)
    told = decide(one, **EVERYTHING)
    # A grant of another policy could count again: it is withdrawn too. One that has ended is noted as expired instead.
    assert [event["purpose"] for event in told["events"]] == [
        "match_serve",
        "be_shown_as_peer",
        "show_reasons",
        "fairness_audit",
    ]
    assert {event["decision"] for event in told["events"]} == {"withdrawn"}
    assert not any(told["state"].values())
    assert on(one) == set()
    listed = one.call("GET", PATH).get_json()["events"]
    assert listed[-4:] == told["events"]
    assert (listed[-5]["purpose"], listed[-5]["decision"]) == ("train_model", "expired")
    etag = one.call("GET", "/v1/members/m-1").headers["ETag"]
    again = one.call("POST", PATH, EVERYTHING)
    assert (again.status_code, again.get_json()["events"], again.headers["ETag"]) == (200, [], etag)


def least(made: Installation, decision: str) -> tuple[int, int]:
    """Return how many calls and how many fields a decision takes at least: what is left out is refused."""
    whole = {"purpose": "train_model", "decision": decision}
    needed = 0
    for field in whole:
        less = {key: value for key, value in whole.items() if key != field}
        needed += made.call("POST", PATH, less).status_code == 422
    before = "train_model" in on(made)
    decide(made, **whole)
    return int(("train_model" in on(made)) != before), needed


def test_withdrawing_takes_no_more_calls_and_fields_than_giving(one: Installation) -> None:
    giving, withdrawing = least(one, "given"), least(one, "withdrawn")
    assert giving == withdrawing == (1, 2)
    decide(one, purpose="train_model", decision="given")
    decide(one, **EVERYTHING)
    assert on(one) == set()


def test_a_reason_that_were_asked_for_would_be_seen(one: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    real = decisions._check_fields

    def asks_why(body: Any, problems: dict[str, str]) -> None:
        real(body, problems)
        if body.get("decision") == "withdrawn" and "method" not in body:
            problems["method"] = "missing; expected why"

    assert least(one, "given") == (1, 2)
    monkeypatch.setattr(decisions, "_check_fields", asks_why)
    with pytest.raises(AssertionError, match="expected why"):
        least(one, "withdrawn")


def test_a_decision_counts_whatever_other_clocks_said(one: Installation) -> None:
    # Within the five minutes that clocks may differ by, a partner's grant is dated ahead.
    ahead = consent("train_model", at=NOON + timedelta(minutes=4))
    whole = {**record("m-1", "seeker", "supporter"), "consents": [*record("m-1")["consents"], ahead]}
    assert one.call("PUT", "/v1/members/m-1", whole).status_code == 200
    assert decide(one, purpose="train_model", decision="withdrawn")["at"] == "2026-03-04T12:04:00.000001Z"
    one.clock.turn(minutes=5)
    assert "train_model" not in on(one)
    decide(one, purpose="train_model", decision="given")
    assert "train_model" in on(one)
    one.clock.turn(days=-1)  # and a clock that is set back takes nothing back
    assert decide(one, purpose="train_model", decision="withdrawn")["state"]["train_model"] is False
    one.clock.turn(days=1)
    assert "train_model" not in on(one)
    assert not decide(one, **EVERYTHING)["state"]["match_serve"]


def test_a_grant_that_does_not_count_is_recorded_and_says_so(one: Installation) -> None:
    assert decide(one, purpose="train_model", decision="given", policy_version="2")["state"]["train_model"] is False
    one.add(record("m-1", "seeker", "supporter", age_band="13-17"))
    assert decide(one, purpose="match_serve", decision="given", guardian="form 7")["guardian"] == "form 7"


def test_every_problem_is_told_at_once_by_path(one: Installation) -> None:
    assert set(errors(one)) == {"purpose", "decision"}
    told = errors(
        one,
        purpose="match_server",
        decision="granted",
        policy_version=None,
        valid_until="2026-03-04T12:00:00Z",
        categories=["chanel"],
        guardian=7,
        at="2026-03-04T12:00:00Z",
        colour="red",
    )
    assert set(told) == {
        "purpose", "decision", "policy_version", "valid_until", "guardian", "at", "colour",
    }  # fmt: skip
    assert "did you mean 'match_serve'" in told["purpose"]
    assert "server's clock" in told["at"]
    assert set(errors(one, purpose="train_model", decision="given", categories=["chanel", 1])) == {
        "categories[0]",
        "categories[1]",
    }
    assert "channel" in errors(one, purpose="match_serve", decision="given", categories=[])["categories"]
    assert on(one) == {"match_serve", "be_shown_as_peer", "show_reasons"}


@pytest.mark.parametrize("decision", ["given", "refused", None, 3])
def test_all_can_only_be_withdrawn(one: Installation, decision: Any) -> None:
    assert "purpose" in errors(one, purpose="all", decision=decision)
    assert on(one) == {"match_serve", "be_shown_as_peer", "show_reasons"}


@pytest.mark.parametrize("decision", ["refused", "withdrawn"])
def test_only_a_grant_is_of_a_part_or_for_a_while(one: Installation, decision: str) -> None:
    more = {"categories": ["experiences"], "valid_until": "2027-01-01T00:00:00Z", "guardian": "form 7"}
    assert set(errors(one, purpose="match_serve", decision=decision, **more)) == set(more)
    assert set(errors(one, purpose="all", decision="withdrawn", **more)) == set(more)


def test_the_etag_is_that_of_the_record_and_if_match_is_honoured(one: Installation) -> None:
    given = {"purpose": "train_model", "decision": "given"}
    before = one.call("GET", "/v1/members/m-1").headers["ETag"]
    first = one.call("POST", PATH, given, headers={"If-Match": before})
    assert first.status_code == 201
    assert first.headers["ETag"] == one.call("GET", "/v1/members/m-1").headers["ETag"] != before
    problem(one.call("POST", PATH, given, headers={"If-Match": before}), 412, "precondition-failed")
    assert len(one.call("GET", PATH).get_json()["events"]) == 4


def test_unknown_foreign_and_erased_are_told_in_the_same_bytes(one: Installation) -> None:
    other = another_programme(one, "beacon")
    one.add(record("erased"))
    assert one.call("DELETE", "/v1/members/erased").status_code == 200
    asked = (("never", None), ("erased", None), ("m-1", other), ("m%00", None), ("x" * 99, None))
    replies = [one.call("GET", "/v1/members/never")]
    for method, body in (("GET", None), ("POST", EVERYTHING)):
        replies += [one.call(method, f"/v1/members/{name}/consents", body, key=key) for name, key in asked]
    problem(replies[0], 404, "no-such-member")
    assert told_apart(replies) == 1


def test_the_scope_is_consents_and_no_other(one: Installation) -> None:
    every = one.new_key("members", "match", "match:ids", "feedback", "groups", "coordinator", "admin", "audit")
    for method in ("GET", "POST"):
        problem(one.call(method, PATH, EVERYTHING if method == "POST" else None, key=every), 403, "scope-missing")
    assert one.call("POST", PATH, EVERYTHING, key=one.new_key("consents")).status_code == 201


def test_an_id_is_of_its_event_and_stays(one: Installation) -> None:
    decide(one, purpose="train_model", decision="given")
    decide(one, purpose="train_model", decision="given")
    ids = [event["id"] for event in one.call("GET", PATH).get_json()["events"]]
    assert len(set(ids)) == 5
    assert one.call("PUT", "/v1/members/m-1", record("m-1", capacity=7) | {"consents": []}).status_code == 409
    changed = {key: value for key, value in record("m-1", capacity=7).items() if key != "consents"}
    assert one.call("PUT", "/v1/members/m-1", changed).status_code == 200
    decide(one, purpose="train_model", decision="withdrawn")
    assert [event["id"] for event in one.call("GET", PATH).get_json()["events"]][:5] == ids


@pytest.fixture
def outdated(one: Installation) -> Installation:
    """The same, in a programme that no longer accepts the member's record."""
    one.apply(one.programme.source.replace('"new", "later", "long"', '"new", "long"'))
    one.publish("2")
    with one.store.reading() as session:
        stored = members.get(session, "lantern", "m-1")
        assert stored is not None
        assert not stored.accepted
    return one


@pytest.mark.parametrize("decision", ["withdrawn", "refused", "given"])
def test_a_decision_is_recorded_where_the_programme_no_longer_accepts_the_record(
    outdated: Installation, decision: str
) -> None:
    told = decide(outdated, purpose="match_serve", decision=decision)
    assert told["state"]["match_serve"] is (decision == "given")
    listed = outdated.call("GET", PATH).get_json()["events"]
    assert [event["decision"] for event in listed] == ["given", "given", "given", decision]
    assert not any(decide(outdated, **EVERYTHING)["state"].values())
    # Nobody is matched before their record fits again, and then what was decided meanwhile counts.
    problem(outdated.call("POST", "/v1/match", {"member_id": "m-1"}), 409, "record-outdated")
    outdated.apply(outdated.programme.source.replace('"new", "long"', '"new", "later", "long"'))
    outdated.publish("3")
    problem(outdated.call("POST", "/v1/match", {"member_id": "m-1"}), 403, "consent-missing")
    with outdated.store.reading() as session:
        assert consent_check.verify(session, outdated.programme, outdated.clock()) == []


def test_a_decision_is_recorded_where_the_record_is_damaged(one: Installation) -> None:
    with one.store.transaction() as session:
        session.execute(update(MemberRow).where(MemberRow.programme_id == "lantern").values(record=b"damaged"))
    assert on(one) == {"match_serve", "be_shown_as_peer", "show_reasons"}
    decide(one, **EVERYTHING)
    assert on(one) == set()
    one.clock.turn(seconds=1)
    assert one.call("PUT", "/v1/members/m-1", {"roles": ["seeker"]}).status_code == 200
    assert len(one.call("GET", "/v1/members/m-1").get_json()["consents"]) == 6


def test_who_told_it_and_how_is_recorded(one: Installation) -> None:
    evidence = {"actor": "staff", "method": "paper form 12", "locale": "EN-gb", "policy_hash": "0" * 64}
    told = decide(one, purpose="train_model", decision="given", **evidence)
    assert {key: told[key] for key in evidence} == {**evidence, "locale": "en-GB"}
    assert decide(one, purpose="train_model", decision="withdrawn", actor="guardian")["actor"] == "guardian"
    assert {event["actor"] for event in decide(one, **EVERYTHING, actor="guardian")["events"]} == {"guardian"}
    wrong = {"actor": "system", "method": "", "locale": "not a tag", "policy_hash": "ABC"}
    assert set(errors(one, purpose="train_model", decision="given", **wrong)) == set(wrong)


@pytest.mark.parametrize("decision", ["expired", "superseded"])
def test_what_the_service_notes_nobody_decides(one: Installation, decision: str) -> None:
    told = errors(one, purpose="match_serve", decision=decision, actor="system")
    assert told["decision"] == f"found {decision!r}; expected one of given, refused, withdrawn"


@pytest.fixture
def with_texts(one: Installation) -> Installation:
    """The same, in a programme with texts in two languages."""
    for name in ("en", "de"):
        (one.folder / "files" / f"{name}.txt").write_text(f"Policy in {name}.", "utf-8")
    more = '[consent.texts]\nen = "en.txt"\nde = "de.txt"\n[ages]'
    one.apply(one.programme.source.replace("[ages]", more))
    return one


def test_the_text_that_was_agreed_to_is_named_by_its_hash(with_texts: Installation) -> None:
    texts = with_texts.programme.policy_texts
    assert decide(with_texts, purpose="train_model", decision="given", locale="en")["policy_hash"] == texts["en"]
    assert "policy_hash" not in decide(with_texts, purpose="train_model", decision="given")
    other = {"locale": "en", "policy_hash": texts["de"]}
    assert set(errors(with_texts, purpose="train_model", decision="given", **other)) == {"policy_hash"}


@pytest.mark.parametrize("decision", ["refused", "withdrawn"])
def test_no_decision_against_something_fails_by_its_hash(with_texts: Installation, decision: str) -> None:
    texts = with_texts.programme.policy_texts
    same = {"locale": "en", "policy_hash": texts["en"]}
    assert decide(with_texts, purpose="match_serve", decision=decision, **same)["policy_hash"] == texts["en"]
    other = {"locale": "EN", "policy_hash": texts["de"]}  # an app that shows another text than it says
    told = decide(with_texts, purpose="match_serve", decision=decision, **other)
    assert (told["locale"], told.get("policy_hash"), told["state"]["match_serve"]) == ("en", None, False)


def test_a_replay_is_one_event(one: Installation) -> None:
    given = {"purpose": "train_model", "decision": "given"}
    replies = [one.call("POST", PATH, given, headers={"Idempotency-Key": "once"}) for _ in range(3)]
    assert [reply.status_code for reply in replies] == [201, 201, 201]
    assert len({reply.data for reply in replies}) == 1
    assert len(one.call("GET", PATH).get_json()["events"]) == 4


def test_what_has_ended_is_noted_when_the_history_is_listed(one: Installation) -> None:
    decide(one, purpose="train_model", decision="given", valid_until="2026-03-04T12:00:10Z")
    one.clock.turn(seconds=9)
    assert len(one.call("GET", PATH).get_json()["events"]) == 4
    one.clock.turn(seconds=1)
    expired = one.call("GET", PATH).get_json()["events"][-1]
    assert (expired["decision"], expired["at"], expired["actor"]) == ("expired", "2026-03-04T12:00:10Z", "system")
    assert (expired["recorded_by"], expired["recorded_at"]) == ("service", "2026-03-04T12:00:10Z")
    one.clock.turn(days=-1)  # what was seen to have ended does not come back
    one.clock.turn(hours=23, minutes=59)
    assert "train_model" not in on(one)


def entries(made: Installation) -> list[tuple[str, dict[str, Any]]]:
    """Return action and details of the audit log."""
    with made.store.reading() as session:
        rows = session.execute(select(AuditRow.action, AuditRow.details).where(AuditRow.programme_id == "lantern"))
        return [(action, json.loads(details)) for action, details in rows.all()]


def test_the_audit_log_tells_who_decided_and_who_looked(one: Installation) -> None:
    decide(one, purpose="train_model", decision="given")
    decide(one, purpose="train_model", decision="given", policy_version="what m-1 wrote")
    decide(one, **EVERYTHING)
    one.call("GET", PATH)
    said = [entry for entry in entries(one) if entry[0].startswith("consent")]
    given = {"purpose": "train_model", "decision": "given"}
    assert said[:2] == [
        ("consent.recorded", {**given, "policy_version": "1"}),
        ("consent.recorded", {**given, "policy_version": "other"}),  # never what somebody wrote
    ]
    assert [details["decision"] for action, details in said if action == "consent.recorded"][2:] == ["withdrawn"] * 4
    assert said[-1] == ("consents.read", {})


def test_no_audit_no_answer(one: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    before = one.call("GET", "/v1/members/m-1")

    def fails(*_arguments: Any, **_more: Any) -> Any:
        raise StoreError("the audit log cannot be written")

    with monkeypatch.context() as patched:
        patched.setattr(audit, "record", fails)
        for method, body in (("GET", None), ("POST", EVERYTHING), ("POST", {**EVERYTHING, "purpose": "match_serve"})):
            refused = problem(one.call(method, PATH, body), 503, "not-ready")
            assert "events" not in refused
    after = one.call("GET", "/v1/members/m-1")
    assert (after.data, after.headers["ETag"]) == (before.data, before.headers["ETag"])
    assert len(one.call("GET", PATH).get_json()["events"]) == 3


def naive(history: list[tuple[str, str, datetime | None]], now: datetime) -> set[str]:
    """Return what is on after decisions in their order: the last word of each purpose."""
    last = {purpose: (decision, until) for purpose, decision, until in history}
    return {
        purpose for purpose, (decision, until) in last.items() if decision == "given" and (until is None or now < until)
    }


STEPS = st.lists(
    st.tuples(
        st.sampled_from([*PURPOSES, "all"]),
        st.sampled_from(["given", "given", "refused", "withdrawn"]),
        st.sampled_from([None, 5, 3000]),
        st.sampled_from([1, 7, 86400]),
    ),
    max_size=15,
)


@settings(
    max_examples=examples(15, 200), suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(steps=STEPS)
def test_any_sequence_of_decisions_stands_as_the_last_words_do(
    made: Installation, steps: list[tuple[str, str, int | None, int]]
) -> None:
    made.call("DELETE", "/v1/members/m-1")
    made.add(record("m-1", consents=[]))
    history: list[tuple[str, str, datetime | None]] = []
    for purpose, decision, seconds, pause in steps:
        made.clock.turn(seconds=pause)
        until = None if seconds is None or decision != "given" else made.clock() + timedelta(seconds=seconds)
        if purpose == "all":
            assert made.call("POST", PATH, EVERYTHING).status_code in (200, 201)
            history += [(one, "withdrawn", None) for one in PURPOSES]
        else:
            ends = {} if until is None else {"valid_until": until.isoformat()}
            decide(made, purpose=purpose, decision=decision, **ends)
            history.append((purpose, decision, until))
        assert on(made) == naive(history, made.clock())
    listed = made.call("GET", PATH).get_json()["events"]
    moments = [(event["purpose"], event["at"]) for event in listed]
    assert len(set(moments)) == len(moments)


@pytest.mark.parametrize("body", [{"purpose": "match_serve", "decision": "withdrawn"}, EVERYTHING])
def test_what_cannot_be_opened_keeps_nobody_from_taking_something_back(one: Installation, body: dict[str, Any]) -> None:
    decide(one, purpose="train_model", decision="given", method="form 7")
    with one.store.transaction() as session:
        which = (ConsentEventRow.programme_id == "lantern", ConsentEventRow.details.is_not(None))
        session.execute(update(ConsentEventRow).where(*which).values(details=b"0"))
    told = decide(one, 201, **body)
    assert not told["state"]["match_serve"]
