"""Receipts of decisions over HTTP, in both forms."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from fhir.resources.R4B.bundle import Bundle
from fhir.resources.R4B.consent import Consent
from werkzeug.test import TestResponse

from service.store import StoreError, audit
from tests.conftest import ROOT
from tests.service.api.replies import problem
from tests.service.installation import Installation, another_programme, consent, record

PATH = "/v1/members/m-1/consents"
SCHEMA = json.loads((ROOT / "docs" / "schemas" / "consent-receipt.schema.json").read_text("utf-8"))
FHIR = {"Accept": "application/fhir+json"}


@pytest.fixture
def one(made: Installation) -> Installation:
    """An installation with one member, whose three consents of `record` are on."""
    made.add(record("m-1", "seeker", "supporter"))
    return made


def ids(made: Installation, member_id: str = "m-1") -> list[str]:
    listed = made.call("GET", f"/v1/members/{member_id}/consents").get_json()
    return [event["id"] for event in listed["events"]]


def receipt(made: Installation, consent_id: str, query: str = "", **more: Any) -> TestResponse:
    return made.call("GET", f"{PATH}/{consent_id}/receipt{query}", **more)


def test_every_event_has_a_receipt_in_both_forms(one: Installation) -> None:
    body = {"purpose": "train_model", "decision": "given", "valid_until": "2026-03-04T12:00:10Z", "method": "form 12"}
    withdrawn, refused = (
        {"purpose": "match_serve", "decision": "withdrawn"},
        {"purpose": "train_model", "decision": "refused"},
    )
    for sent in (body, withdrawn, refused):
        assert one.call("POST", PATH, sent).status_code == 201
    one.apply(one.programme.source.replace('policy_version = "1"', 'policy_version = "2"'))
    known = ids(one)
    assert len(known) == 8  # two of the policy are superseded
    for consent_id in known:
        told = receipt(one, consent_id)
        assert (told.status_code, told.mimetype) == (200, "application/json")
        jsonschema.validate(told.get_json(), SCHEMA, jsonschema.Draft202012Validator)
        assert told.get_json()["content"]["event"][-1]["peermatch"]["id"] == consent_id
        for as_fhir in (receipt(one, consent_id, "?format=fhir"), receipt(one, consent_id, headers=FHIR)):
            assert (as_fhir.status_code, as_fhir.mimetype) == (200, "application/fhir+json")
            assert Consent.model_validate_json(as_fhir.data).identifier[1].value == consent_id


def test_a_history_is_a_bundle(one: Installation) -> None:
    for asked in (one.call("GET", f"{PATH}?format=fhir"), one.call("GET", PATH, headers=FHIR)):
        assert asked.mimetype == "application/fhir+json"
        bundle = Bundle.model_validate_json(asked.data)
        assert [entry.resource.identifier[1].value for entry in bundle.entry] == ids(one)
        assert {entry.resource.status for entry in bundle.entry} == {"active"}


@pytest.mark.parametrize(
    ("query", "accept", "media"),
    [
        ("", "*/*", "application/json"),
        ("", "application/json, application/fhir+json;q=0.5", "application/json"),
        ("", "application/fhir+json, */*;q=0.1", "application/fhir+json"),
        ("", "text/html", "application/json"),
        ("?format=json", "application/fhir+json", "application/json"),
        ("?format=fhir", "application/json", "application/fhir+json"),
    ],
)
def test_which_form_is_wanted(one: Installation, query: str, accept: str, media: str) -> None:
    (first, *_) = ids(one)
    assert receipt(one, first, query, headers={"Accept": accept}).mimetype == media
    assert one.call("GET", f"{PATH}{query}", headers={"Accept": accept}).mimetype == media


@pytest.mark.parametrize("query", ["?format=xml", "?format=", "?form=fhir"])
def test_there_is_no_other_form(one: Installation, query: str) -> None:
    (first, *_) = ids(one)
    problem(receipt(one, first, query), 422, "invalid")
    problem(one.call("GET", f"{PATH}{query}"), 422, "invalid")


def test_a_receipt_stays_as_it_is(one: Installation) -> None:
    (first, *_) = ids(one)
    before = receipt(one, first)
    active = receipt(one, first, "?format=fhir").get_json(force=True)
    one.clock.turn(hours=1)
    one.call("POST", PATH, {"purpose": "match_serve", "decision": "withdrawn"})
    assert receipt(one, first).data == before.data
    assert receipt(one, first, "?format=fhir").get_json(force=True) == {**active, "status": "inactive"}


def test_what_is_not_there_is_told_as_elsewhere(one: Installation) -> None:
    other = another_programme(one, "beacon")
    one.add(record("erased", consents=[consent("train_model")]), record("m-2", consents=[]))
    (mine, *_) = ids(one)
    (theirs, *_) = ids(one, "erased")
    one.call("DELETE", "/v1/members/erased")
    nobody = one.call("GET", "/v1/members/never").data
    gone = [
        one.call("GET", f"/v1/members/{name}/consents/{consent_id}/receipt", key=key)
        for name, consent_id, key in (
            ("never", mine, None),
            ("erased", theirs, None),
            ("m-1", mine, other),  # foreign
            ("m%00", mine, None),
        )
    ]
    for reply in gone:
        problem(reply, 404, "no-such-member")
        assert reply.data == nobody
    for consent_id in (theirs, "0" * 32, "x", "%00"):
        problem(receipt(one, consent_id), 404, "no-such-consent")
    problem(one.call("GET", f"/v1/members/m-2/consents/{mine}/receipt"), 404, "no-such-consent")


def test_somebody_erased_and_added_anew_has_none_of_the_old_receipts(one: Installation) -> None:
    old = ids(one)
    one.call("DELETE", "/v1/members/m-1")
    one.clock.turn(seconds=1)
    again = [{"purpose": "match_serve", "decision": "given", "policy_version": "1", "at": "2026-03-04T12:00:01Z"}]
    assert one.call("PUT", "/v1/members/m-1", record("m-1", consents=again)).status_code == 201
    for consent_id in old:
        problem(receipt(one, consent_id), 404, "no-such-consent")


def test_the_scope_is_consents(one: Installation) -> None:
    (first, *_) = ids(one)
    every = one.new_key("members", "match", "match:ids", "feedback", "groups", "coordinator", "admin", "audit")
    problem(receipt(one, first, key=every), 403, "scope-missing")
    assert receipt(one, first, key=one.new_key("consents")).status_code == 200


def test_no_audit_no_receipt(one: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    (first, *_) = ids(one)
    told: list[tuple[str, str]] = []
    real = audit.record

    def listens(session: Any, programme_id: str, action: str, **more: Any) -> int:
        told.append((action, more["subject"]))
        return real(session, programme_id, action, **more)

    def fails(*_arguments: Any, **_more: Any) -> int:
        raise StoreError("the audit log cannot be written")

    monkeypatch.setattr(audit, "record", listens)
    assert receipt(one, first).status_code == 200
    assert told == [("receipt.read", "m-1")]
    problem(receipt(one, "0" * 32), 404, "no-such-consent")  # nothing was read
    assert len(told) == 1
    monkeypatch.setattr(audit, "record", fails)
    for query in ("", "?format=fhir"):
        problem(receipt(one, first, query), 503, "not-ready")


def test_a_receipt_of_somebody_whose_record_no_longer_fits(one: Installation) -> None:
    (first, *_) = ids(one)
    one.apply(one.programme.source.replace('"new", "later", "long"', '"new", "long"'))
    assert receipt(one, first).status_code == 200
