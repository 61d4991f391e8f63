"""A receipt says what was decided, in the structure of ISO/IEC TS 27560."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matcher.consent_events import ConsentEvent
from matcher.programme import Programme
from service.receipts import iso, terms
from tests.conftest import ROOT, examples
from tests.matcher.lantern import LANTERN
from tests.service.receipts.accounts import FOREVER, HISTORIES, NOW, PROGRAMMES, TOLD, account, event

SCHEMA = json.loads((ROOT / "docs" / "schemas" / "consent-receipt.schema.json").read_text("utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
DPV = "https://w3id.org/dpv#"


def receipt(events: Sequence[ConsentEvent], place: int = -1, of: Programme = LANTERN) -> dict[str, Any]:
    """Return the content of a receipt, which must fit the schema."""
    told = account(events, of)
    whole = iso.receipt(told, told.history[place])
    VALIDATOR.validate(whole)
    content: dict[str, Any] = whole["content"]
    assert content["event"][-1]["peermatch"]["id"] == told.history[place].event_id
    return content


def purpose_of(content: dict[str, Any]) -> dict[str, Any]:
    (found,) = content["pii_processing"]["purposes"]
    return dict(found)


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@settings(max_examples=examples(150, 2000))
@given(events=HISTORIES, of=st.sampled_from(PROGRAMMES))
def test_every_event_has_a_receipt_that_fits_the_schema(events: list[ConsentEvent], of: Programme) -> None:
    for place in range(len(events)):
        content = receipt(events, place, of)
        same = [one for one in events[: place + 1] if one.purpose == events[place].purpose]
        assert [one["peermatch"]["decision"] for one in content["event"]] == [one.decision for one in same]
        parties = {party["party_id"] for party in content["party_identification"]} | {content["pii_principal_id"]}
        assert {one["entity_id"] for one in content["event"]} <= parties
        assert set(purpose_of(content)["recipient_third_parties"]) <= parties
        assert set(purpose_of(content)["pii_controllers"]) <= parties


@settings(max_examples=examples(50, 500))
@given(events=HISTORIES, later=HISTORIES)
def test_what_happens_later_changes_no_receipt(events: list[ConsentEvent], later: list[ConsentEvent]) -> None:
    for place in range(len(events)):
        assert receipt(events, place) == receipt([*events, *later], place)


@pytest.mark.parametrize(
    "path", ["schema_version", "receipt_id", "content.event", "content.pii_processing.purposes", "content.record_id"]
)
def test_a_receipt_that_lacks_something_does_not_fit(path: str) -> None:
    told = account([event()])
    whole = iso.receipt(told, told.history[0])
    *steps, last = path.split(".")
    inner: Any = whole
    for step in steps:
        inner = inner[step]
    del inner[last]
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate(whole)


def test_what_the_programme_tells_of_its_controller_stands_in_it() -> None:
    content = receipt([event(locale="en", policy_hash="0" * 64, method="form 12")], of=TOLD)
    (controller,) = content["party_identification"]
    assert controller == {
        "party_id": "lantern",
        "party_name": "Lantern & friends <trust>",
        "party_address": "GB",
        "party_contact": "privacy@lantern.example",
        "party_role": f"{DPV}DataController",
    }
    processing, purpose = content["pii_processing"], purpose_of(content)
    assert (processing["privacy_notice"], processing["language"]) == ("https://lantern.example/privacy", "en")
    assert purpose["jurisdiction"] == "GB"
    assert purpose["services"] == ["Lantern cancer buddies"]
    assert purpose["purpose"].startswith("Find peers for me. ")
    assert purpose["purpose_type"] == [f"{DPV}ProvidePersonalisedRecommendations"]
    assert purpose["retention_period"] == "P730D"
    (told,) = content["event"]
    assert {key: told["peermatch"][key] for key in ("policy_version", "policy_hash", "method")} == {
        "policy_version": "2026-01",
        "policy_hash": "0" * 64,
        "method": "form 12",
    }


def test_what_it_does_not_tell_is_said_to_be_missing() -> None:
    content = receipt([event()], of=FOREVER)
    (controller,) = content["party_identification"]
    assert controller["party_name"] == "Lantern cancer buddies"
    missing = f"{DPV}NotAvailable"
    assert controller["party_contact"] == controller["party_address"] == missing
    assert content["pii_processing"]["privacy_notice"] == purpose_of(content)["jurisdiction"] == missing
    assert content["pii_processing"]["language"] == "und"
    assert purpose_of(content)["retention_period"] == f"{DPV}UntilEventDuration"


def data(*events: ConsentEvent) -> dict[str, dict[str, Any]]:
    found = purpose_of(receipt(events))["pii_information"]
    return {one.get("pii_attribute_id", ""): one for one in found}


def test_the_data_are_the_facets_that_are_covered() -> None:
    everything = data(event())
    assert set(everything) == set(LANTERN.facets)
    assert everything["conditions"] == {
        "pii_type": "https://w3id.org/dpv/pd#MedicalHealth",
        "pii_attribute_id": "conditions",
        "pii_optional": True,
        "special_pii_category": True,
    }
    assert everything["languages"]["pii_optional"] is False
    assert everything["age"] == {
        "pii_type": "https://w3id.org/dpv/pd#AgeRange",
        "pii_attribute_id": "age",
        "pii_optional": False,
    }
    assert set(data(event(categories=frozenset({"region", "of the past"})))) == {"region"}
    assert data(event(policy_version="2019")) == {"": {"pii_type": f"{DPV}PersonalData"}}
    assert set(data(event("fairness_audit"))) == {*LANTERN.facets, "strata.ethnicity"}


def test_who_told_it_is_a_party() -> None:
    history = [event(actor="guardian", guardian="form 9"), event(actor="staff", days=0), event(decision="withdrawn")]
    content = receipt(history)
    assert [one["entity_id"] for one in content["event"]] == ["guardian", "lantern", "m-000123"]
    assert [party["party_id"] for party in content["party_identification"]] == ["lantern", "guardian"]
    assert content["event"][0]["peermatch"]["guardian"] == "form 9"
    shown = receipt([event("be_shown_as_peer")])
    assert [party["party_id"] for party in shown["party_identification"]] == ["lantern", "members"]
    assert purpose_of(shown)["recipient_third_parties"] == ["members"]


@pytest.mark.parametrize(
    ("history", "state"),
    [
        ([event()], "ConsentGiven"),
        ([event(decision="refused")], "ConsentRefused"),
        ([event(), event(decision="withdrawn")], "ConsentWithdrawn"),
        ([event(), event(decision="expired", actor="system")], "ConsentExpired"),
        ([event(), event(decision="superseded", actor="system", policy_version="2027")], "ConsentRevoked"),
        (
            [
                event(),
                event(decision="superseded", actor="system", policy_version="2027"),
                event(decision="superseded", actor="system"),
            ],
            "ConsentGiven",  # the policy that it was given for is the present one again
        ),
        ([event(decision="superseded", actor="system")], "ConsentRevoked"),
    ],
)
def test_the_state_is_what_the_event_left(history: list[ConsentEvent], state: str) -> None:
    assert receipt(history)["event"][-1]["event_state"] == DPV + state


@pytest.mark.parametrize(
    ("lasts", "told"),
    [
        (None, f"{DPV}EndlessDuration"),
        (timedelta(days=1), "PT86400S"),
        (timedelta(seconds=1, microseconds=500_000), "PT1.5S"),
        (timedelta(microseconds=1), "PT0.000001S"),
    ],
)
def test_how_long_a_grant_holds(lasts: timedelta | None, told: str) -> None:
    one = event(days=0)
    until = None if lasts is None else NOW + lasts
    assert receipt([event(days=0, valid_until=until)])["event"][0]["validity_duration"] == told
    assert one.at == NOW


def test_withdrawing_is_told_as_a_call_that_works() -> None:
    told = purpose_of(receipt([event("train_model")]))["withdrawal_method"]
    method, address, body = told.split(" ", 2)
    assert (method, address) == ("POST", "/v1/members/m-000123/consents")
    assert json.loads(body) == {"purpose": "train_model", "decision": "withdrawn"}


def test_no_two_receipts_have_one_name() -> None:
    """The same event of two people has one id; their receipts are two."""
    told = [account([event(), event(), event("train_model")]), account([event()], TOLD)]
    told.append(replace(told[0], member_id="m-2"))
    whole = [iso.receipt(one, recorded) for one in told for recorded in one.history]
    assert len({one["receipt_id"] for one in whole}) == 6  # of the same programme and member, one is the same
    assert len({one["content"]["record_id"] for one in whole}) == 4


def test_every_purpose_has_a_term() -> None:
    assert set(terms.PURPOSES) == set(SCHEMA["$defs"]["our_purpose"]["enum"])
