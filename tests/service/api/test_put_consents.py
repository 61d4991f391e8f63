"""Consents in a record that is put: they count, none is lost, and what the service noted nobody need know of."""

from __future__ import annotations

from typing import Any

import pytest

from service.store import StoreError, audit, consent_check
from tests.service.api.replies import problem
from tests.service.installation import Installation, consent, record

PATH = "/v1/members/m-1"
ENDS = consent("train_model", valid_until="2026-03-04T12:00:10Z")
NEW = {**consent("train_model"), "at": "2026-03-04T12:00:20Z"}


@pytest.fixture
def one(made: Installation) -> Installation:
    """A member whose partner keeps a copy of the record; since then one of its grants has ended."""
    put(made, 201, record("m-1", consents=[consent("match_serve"), ENDS]))
    made.clock.turn(seconds=20)
    made.call("GET", f"{PATH}/consents")
    return made


def put(made: Installation, status: int, body: dict[str, Any]) -> Any:
    reply = made.call("PUT", PATH, body)
    assert reply.status_code == status, reply.get_data(as_text=True)
    return reply.get_json()


def decisions(made: Installation) -> list[str]:
    found = [event["decision"] for event in made.call("GET", f"{PATH}/consents").get_json()["events"]]
    assert found == [event["decision"] for event in made.call("GET", PATH).get_json()["consents"]]
    with made.store.reading() as session:
        assert consent_check.verify(session, made.programme, made.clock()) == []
    return found


def test_who_recorded_what_is_told(one: Installation) -> None:
    events = one.call("GET", f"{PATH}/consents").get_json()["events"]
    key = one.key.split("_")[1]
    assert [event["recorded_by"] for event in events] == [key, key, "service"]


def test_a_copy_that_knows_no_note_is_no_other_history(one: Installation) -> None:
    assert decisions(one) == ["given", "given", "expired"]
    copy = record("m-1", consents=[consent("match_serve"), ENDS], capacity=3)
    put(one, 200, copy)
    assert decisions(one) == ["given", "given", "expired"]
    assert one.call("GET", PATH).get_json()["capacity"] == 3
    put(one, 200, {**copy, "consents": [*copy["consents"], NEW]})
    assert decisions(one) == ["given", "given", "expired", "given"]
    assert one.call("GET", f"{PATH}/consents").get_json()["state"]["train_model"]
    put(one, 200, {**copy, "consents": [*copy["consents"], NEW]})
    assert decisions(one) == ["given", "given", "expired", "given"]


def test_a_record_as_it_was_read_can_be_put_again(one: Installation) -> None:
    etag = one.call("GET", PATH).headers["ETag"]
    put(one, 200, one.call("GET", PATH).get_json())
    assert one.call("GET", PATH).headers["ETag"] == etag
    whole = one.call("GET", PATH).get_json()
    put(one, 200, {**whole, "consents": [*whole["consents"], NEW]})
    assert decisions(one) == ["given", "given", "expired", "given"]


def test_without_consents_the_stored_ones_stay(one: Installation) -> None:
    put(one, 200, {key: value for key, value in record("m-1", capacity=2).items() if key != "consents"})
    assert decisions(one) == ["given", "given", "expired"]


EXPIRED = {**ENDS, "decision": "expired", "at": "2026-03-04T12:00:10Z", "actor": "system"}
EXPIRED.pop("valid_until")


@pytest.mark.parametrize(
    "consents",
    [
        [],
        [consent("match_serve")],
        [ENDS, consent("match_serve")],
        [consent("match_serve"), NEW],
        [consent("match_serve"), ENDS, {**EXPIRED, "purpose": "match_serve"}],  # nobody but the service notes
        [consent("match_serve"), ENDS, NEW, EXPIRED],
        [{**consent("match_serve"), "method": "rewritten"}, ENDS],
    ],
)
def test_a_record_that_forgets_or_rewrites_is_refused(one: Installation, consents: list[dict[str, Any]]) -> None:
    problem(one.call("PUT", PATH, record("m-1", consents=consents)), 409, "consents-differ")
    assert decisions(one) == ["given", "given", "expired"]


def test_what_is_wrong_with_a_new_event_is_told_by_its_place_in_the_body(one: Installation) -> None:
    late = {**consent("match_serve", "withdrawn"), "at": "2026-01-01T00:00:00Z"}
    told = problem(one.call("PUT", PATH, record("m-1", consents=[consent("match_serve"), ENDS, late])), 422, "invalid")
    assert list(told["errors"]) == ["consents[2].at"]


def test_a_copy_without_the_hash_that_was_filled_in_is_no_other_history(made: Installation) -> None:
    (made.folder / "files" / "en.txt").write_text("Policy.", "utf-8")
    made.apply(made.programme.source.replace("[ages]", '[consent.texts]\nen = "en.txt"\n[ages]'))
    copy = record("m-1")
    put(made, 201, copy)
    stored = made.call("GET", PATH).get_json()["consents"]
    assert {event["policy_hash"] for event in stored} == {made.programme.policy_texts["en"]}
    put(made, 200, {**copy, "capacity": 2})
    assert made.call("GET", PATH).get_json()["consents"] == stored
    wrong = {**stored[0], "locale": "de", "policy_hash": "1" * 64}
    problem(made.call("PUT", PATH, {**copy, "consents": [wrong, *stored[1:]]}), 409, "consents-differ")


def test_a_new_record_may_tell_what_another_service_noted(made: Installation) -> None:
    put(made, 201, record("m-1", consents=[consent("match_serve"), ENDS, {**EXPIRED, "at": "2026-03-01T00:00:00Z"}]))
    assert decisions(made) == ["given", "given", "expired"]


def test_the_audit_log_tells_of_new_decisions_and_without_it_nothing_is_stored(
    one: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    real = audit.record

    def listens(session: Any, programme_id: str, action: str, **more: Any) -> int:
        told.append(f"{action} {more.get('purpose', '')}".strip())
        return real(session, programme_id, action, **more)

    monkeypatch.setattr(audit, "record", listens)
    put(one, 200, record("m-1", consents=[consent("match_serve"), ENDS, NEW]))
    assert [line for line in told if line.startswith("consent.")] == ["consent.recorded train_model"]

    def fails(*_arguments: Any, **_more: Any) -> int:
        raise StoreError("the audit log cannot be written")

    monkeypatch.setattr(audit, "record", fails)
    after = {**consent("match_serve", "withdrawn"), "at": "2026-03-04T12:00:20Z"}
    problem(one.call("PUT", PATH, record("m-1", consents=[consent("match_serve"), ENDS, NEW, after])), 503, "not-ready")
    monkeypatch.undo()
    assert decisions(one) == ["given", "given", "expired", "given"]
