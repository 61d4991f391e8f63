"""What a member may ask for, over HTTP."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from sqlalchemy import select

from service.store import audit
from service.store.derived_keys import derived
from service.store.export import LEFT_OUT
from service.store.record_tables import AuditRow
from tests.service.api.replies import problem
from tests.service.erased import again
from tests.service.installation import NOON, Installation, another_programme, consent, record
from tests.service.introduced import act, people, propose
from tests.service.learned import learn
from tests.service.store.whole_person import OTHERS, X, populate, texts_of

SCHEMA = json.loads(Path(__file__).parents[3].joinpath("docs/schemas/export.schema.json").read_text("utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker())


def entries(made: Installation, member_id: str) -> list[tuple[str, str]]:
    """Return what the audit log tells of a member: action and details."""
    with made.store.reading() as session:
        subject = derived(session).subject("lantern", member_id)
        found = select(AuditRow).where(AuditRow.programme_id == "lantern", AuditRow.subject == subject)
        return [(row.action, row.details) for row in session.scalars(found.order_by(AuditRow.number))]


# Export ------------------------------------------------------------------------------------------------------------


def test_an_export_fits_its_schema_and_names_nobody_else(small: Installation) -> None:
    populate(small)
    learn(small, "2", X)
    for name in (X, *OTHERS):
        reply = small.call("GET", f"/v1/members/{name}/export")
        assert reply.status_code == 200
        document = reply.get_json()
        assert list(document) == SCHEMA["required"]
        VALIDATOR.validate(document)
        text = reply.get_data(as_text=True)
        assert not [one for other in (X, *OTHERS) if other != name for one in texts_of(other) if one in text]
        assert document["models"] == [
            {"version": "1", "active": True, "included": False},
            {"version": "2", "active": False, "included": name == X},
        ]
        assert document["left_out"] == LEFT_OUT
        assert reply.headers["Cache-Control"] == "no-store"


def test_the_schema_refuses_more_than_it_tells(small: Installation) -> None:
    populate(small)
    document = small.call("GET", f"/v1/members/{X}/export").get_json()
    for planted in (
        {**document, "blocks": []},
        {**document, "feedback": [{**document["feedback"][0], "candidate": OTHERS[0]}]},
        {**document, "lists": [{**document["lists"][0], "entries": []}]},
        {**document, "groups": [{**document["groups"][0], "members": []}]},
    ):
        with pytest.raises(jsonschema.ValidationError):
            VALIDATOR.validate(planted)


def test_introductions_and_events_fit_the_schema_and_no_more_than_these(small: Installation) -> None:
    people(small)
    one = propose(small)
    offered = small.call("GET", "/v1/members/m-1/export").get_json()
    act(small, one, "accept", "m-1")
    connected = small.call("GET", "/v1/members/m-1/export").get_json()
    act(small, one, "rematch", "m-1", reason="moved")
    ended = small.call("GET", "/v1/members/m-1/export").get_json()
    for document in (offered, connected, ended):
        VALIDATOR.validate(document)
    assert [document["introductions"][0]["member_id"] for document in (offered, connected, ended)] == [
        None,
        "s-1",
        None,
    ]
    (mine,), (event, *_) = offered["introductions"], offered["events"]
    for planted in (
        {"introductions": [{**mine, "member_id": "s-1"}]},
        {"introductions": [{**mine, "history": []}]},
        {"introductions": [{**mine, "state": "expired"}]},
        {"introductions": [{**connected["introductions"][0], "member_id": None}]},
        {"introductions": [{**mine, "acts": [{"act": "accept", "at": mine["made_at"], "reason": None, "by": "s-1"}]}]},
        {"events": [{**event, "member_id": "s-1"}]},
    ):
        with pytest.raises(jsonschema.ValidationError):
            VALIDATOR.validate({**offered, **planted})


def test_that_it_was_read_is_in_the_log_and_in_the_next_export(made: Installation) -> None:
    made.add(record("m-1"))
    assert made.call("GET", "/v1/members/m-1/export").get_json()["audit"] == []
    key_id = made.key.split("_")[1]
    told = {"at": "2026-03-04T12:00:00Z", "action": "member.exported", "by": key_id}
    assert made.call("GET", "/v1/members/m-1/export").get_json()["audit"] == [told]
    assert entries(made, "m-1") == [("member.exported", "{}")] * 2


@pytest.mark.parametrize("what", ["export", "models"])
def test_no_audit_no_answer(made: Installation, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    made.add(record("m-1", profile={"channel": ["phone"], "statement": "canary"}))

    def fail(*_: Any, **__: Any) -> None:
        raise ValueError("a test says no")

    monkeypatch.setattr(audit, "record", fail)
    reply = made.call("GET", f"/v1/members/m-1/{what}")
    problem(reply, 500, "internal")
    assert "canary" not in reply.get_data(as_text=True)


@pytest.mark.parametrize("what", ["export", "models"])
def test_unknown_foreign_and_erased_are_told_in_the_same_bytes(made: Installation, what: str) -> None:
    other = another_programme(made, "beacon")
    made.add(record("erased"), record("m-1"))
    made.call("DELETE", "/v1/members/erased")
    replies = [
        made.call("GET", f"/v1/members/{name}/{what}", key=key)
        for name, key in (("never", None), ("erased", None), ("m-1", other), ("m%00", None))
    ]
    for reply in replies:
        problem(reply, 404, "no-such-member")
    assert len({reply.data for reply in replies}) == 1
    assert entries(made, "never") == []


@pytest.mark.parametrize("what", ["export", "models"])
def test_it_needs_the_scope_members(made: Installation, what: str) -> None:
    made.add(record("m-1"))
    other = made.new_key("consents", "match", "match:ids", "feedback", "groups", "coordinator", "admin", "audit")
    problem(made.call("GET", f"/v1/members/m-1/{what}", key=other), 403, "scope-missing")
    assert made.call("GET", f"/v1/members/m-1/{what}", key=made.new_key("members")).status_code == 200


# Was I in this model? ----------------------------------------------------------------------------------------------


def test_which_models_learned_from_a_member(made: Installation) -> None:
    made.add(record("m-1"), record("m-2"))
    learn(made, "2", "m-1")
    (learn(made, "3", "m-1") / "manifest.sig").unlink()
    told = made.call("GET", "/v1/members/m-1/models").get_json()
    assert told == {
        "models": [
            {"version": "1", "active": True, "included": False},
            {"version": "2", "active": False, "included": True},
            {"version": "3", "active": False, "included": None},
        ]
    }
    assert made.call("GET", "/v1/members/m-2/models").get_json()["models"][1]["included"] is False
    assert entries(made, "m-1") == [("member.exported", '{"what":"models"}')]


# Stored again ------------------------------------------------------------------------------------------------------


@pytest.fixture
def gone(made: Installation) -> Installation:
    """An installation from which ``m-1`` was erased at noon; it is a day later."""
    made.add(record("m-1"))
    assert made.call("DELETE", "/v1/members/m-1").status_code == 200
    made.clock.turn(days=1)
    return made


def put(made: Installation, *consents: dict[str, Any], member_id: str = "m-1") -> Any:
    return made.call("PUT", f"/v1/members/{member_id}", record(member_id, consents=list(consents)))


def given(at: datetime, purpose: str = "match_serve", decision: str = "given") -> dict[str, Any]:
    return consent(purpose, decision, at)


BEFORE, AT, AFTER = NOON - timedelta(seconds=1), NOON, NOON + timedelta(seconds=1)


@pytest.mark.parametrize(
    ("consents", "paths"),
    [
        ([], ["consents"]),
        ([given(AFTER, decision="refused")], ["consents"]),
        ([given(BEFORE)], ["consents[0].at", "consents"]),
        ([given(AT)], ["consents[0].at", "consents"]),
        ([given(AFTER), given(BEFORE, "train_model")], ["consents[1].at"]),
        ([given(BEFORE, decision="withdrawn"), given(AFTER)], ["consents[0].at"]),
    ],
)
def test_an_old_record_brings_nobody_back(gone: Installation, consents: list[dict[str, Any]], paths: list[str]) -> None:
    told = problem(put(gone, *consents), 409, "erased-before")
    assert list(told["errors"]) == paths
    assert "another person needs another id" in told["detail"]
    assert all("2026-03-04T12:00:00Z" in message for message in told["errors"].values())
    problem(gone.call("GET", "/v1/members/m-1"), 404, "no-such-member")


def test_a_purpose_given_since_does(gone: Installation) -> None:
    assert put(gone, given(AFTER, "train_model")).status_code == 201
    told = [action for action, _ in entries(gone, "m-1") if action in ("member.erased", "member.restored")]
    assert told == ["member.erased", "member.restored"]
    # From then on they are as anybody: an edit needs nothing new, and none of the old comes back.
    assert put(gone, given(AFTER, "train_model"), given(AFTER)).status_code == 200
    edit = record("m-1", capacity=4)
    del edit["consents"]
    assert gone.call("PUT", "/v1/members/m-1", edit).status_code == 200
    late = put(gone, given(AFTER, "train_model"), given(AFTER), given(BEFORE, "show_reasons"))
    assert list(problem(late, 409, "erased-before")["errors"]) == ["consents[2].at"]
    actions = [action for action, _ in entries(gone, "m-1") if action.startswith("member.re")]
    assert actions == ["member.restored"]


def test_nobody_else_is_asked_for_anything_new(gone: Installation) -> None:
    assert put(gone, given(BEFORE), member_id="m-2").status_code == 201
    key = another_programme(gone, "beacon")
    assert gone.call("PUT", "/v1/members/m-1", record("m-1"), key=key).status_code == 201


def test_the_problems_of_the_record_itself_are_told_first(gone: Installation) -> None:
    bad = record("m-1", capacity=-1)
    assert "capacity" in problem(gone.call("PUT", "/v1/members/m-1", bad), 422, "invalid")["errors"]


def test_somebody_who_came_back_is_erased_again(gone: Installation) -> None:
    assert gone.call("PUT", "/v1/members/m-1", again(record("m-1"), gone.clock())).status_code == 201
    first = gone.call("DELETE", "/v1/members/m-1").get_json()
    assert first["erased_at"] == "2026-03-05T12:00:00Z"
    problem(put(gone, given(AFTER)), 409, "erased-before")
