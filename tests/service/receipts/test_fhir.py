"""Decisions as FHIR R4: what is written is a `Consent`, and says what was decided."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import timedelta
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from fhir.resources.R4B.bundle import Bundle
from fhir.resources.R4B.consent import Consent
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from matcher.consent_events import ConsentEvent
from matcher.consent_words import ALL_DECISIONS
from matcher.programme import Programme
from service.receipts import fhir
from tests.conftest import examples
from tests.matcher.lantern import LANTERN
from tests.service.receipts.accounts import HISTORIES, NOW, PROGRAMMES, TOLD, account, event

SYSTEM = {"actor": "system"}


def consent(*events: ConsentEvent, place: int = -1, of: Programme = LANTERN) -> dict[str, Any]:
    """Return the resource of an event, which must be one."""
    told = account(events, of)
    found = fhir.consent(told, told.history[place])
    check(found)
    return found


def check(resource: dict[str, Any]) -> None:
    """Refuse what is no `Consent` of R4, or breaks a rule that its model does not know."""
    read = Consent.model_validate_json(json.dumps(resource))
    # The JSON is canonical: nothing in it is unknown to the model, and nothing is lost.
    assert set(json.loads(read.model_dump_json())) == set(resource)
    assert read.status in {"active", "inactive", "rejected"}
    assert resource["policyRule"] or resource["policy"]  # ppc-1
    assert resource["patient"]  # ppc-2: of a consent about privacy
    assert "type" not in resource["provision"]  # R4: not permitted in the root rule
    assert all(rule["type"] in {"permit", "deny"} for rule in resource["provision"]["provision"])  # and required within
    text = ET.fromstring(resource["text"]["div"])
    assert "".join(text.itertext()).strip()


def rule(resource: dict[str, Any]) -> dict[str, Any]:
    (found,) = resource["provision"]["provision"]
    return dict(found)


@settings(max_examples=examples(100, 2000))
@given(events=HISTORIES, of=st.sampled_from(PROGRAMMES))
def test_every_event_is_a_consent_and_every_history_a_bundle(events: list[ConsentEvent], of: Programme) -> None:
    told = account(events, of)
    for one in told.history:
        check(fhir.consent(told, one))
    whole = fhir.bundle(told, NOW)
    Bundle.model_validate_json(json.dumps(whole))
    urls = [entry["fullUrl"] for entry in whole["entry"]]
    assert len(set(urls)) == len(events)  # bdl-7
    active = [entry["resource"] for entry in whole["entry"] if entry["resource"]["status"] == "active"]
    assert {rule(one)["purpose"][0]["code"] for one in active} == set(told.on.grants)
    assert len(active) == len(told.on.grants)


@pytest.mark.parametrize("decision", ALL_DECISIONS)
def test_each_kind_of_event(decision: str) -> None:
    given = decision == "given"
    found = consent(event(decision=decision, **({} if decision in ("given", "refused", "withdrawn") else SYSTEM)))
    assert found["status"] == {"given": "active", "refused": "rejected"}.get(decision, "inactive")
    assert rule(found)["type"] == ("permit" if given else "deny")
    assert found["dateTime"] == "2026-03-03T12:00:00Z"
    assert found["scope"]["coding"] == [
        {"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}
    ]


@pytest.mark.parametrize(
    ("later", "status"),
    [
        ([], "active"),
        ([event(decision="withdrawn", days=0)], "inactive"),
        ([event(days=0)], "inactive"),  # another grant took its place
        ([event("train_model", "withdrawn", days=0)], "active"),
        ([event(decision="superseded", days=0, policy_version="2027", **SYSTEM)], "active"),  # only a note
    ],
)
def test_the_status_is_that_of_now(later: list[ConsentEvent], status: str) -> None:
    assert consent(event(), *later, place=0)["status"] == status


def test_a_grant_of_another_policy_or_that_has_ended_is_not_active() -> None:
    assert consent(event(policy_version="2019"))["status"] == "inactive"
    assert consent(event(days=-2, valid_until=NOW))["status"] == "inactive"
    assert consent(event(days=-2, valid_until=NOW + timedelta(microseconds=1)))["status"] == "active"


def test_the_end_of_a_period_is_the_last_moment_in_it() -> None:
    found = rule(consent(event(valid_until=NOW + timedelta(days=1))))
    assert found["period"] == {"start": "2026-03-03T12:00:00Z", "end": "2026-03-05T11:59:59.999999Z"}
    assert rule(consent(event()))["period"] == {"start": "2026-03-03T12:00:00Z"}


def test_purpose_action_and_data_are_coded() -> None:
    found = rule(consent(event("be_shown_as_peer", categories=frozenset({"journey", " of  the past "}))))
    assert [one["code"] for one in found["purpose"]] == ["be_shown_as_peer", "ServiceProvision"]
    assert found["purpose"][0]["display"] == "Suggest me to others"
    assert [one["coding"][0]["code"] for one in found["action"]] == ["use", "disclose"]
    assert [one["coding"][0]["code"] for one in found["code"]] == ["of the past", "journey"]
    assert "code" not in rule(consent(event()))


def test_the_text_is_named_by_its_hash() -> None:
    text = b"What we do with your data."
    digest = hashlib.sha256(text)
    (policy,) = consent(event(policy_hash=digest.hexdigest()))["policy"]
    assert policy["uri"] == "ni:///sha-256;" + base64.urlsafe_b64encode(digest.digest()).decode().rstrip("=")
    assert "policy" not in consent(event())
    source = consent(event(locale="pt-BR"), of=TOLD)["sourceAttachment"]
    assert source == {"language": "pt-BR", "url": "https://lantern.example/privacy", "title": "Policy 2026-01"}
    assert "sourceAttachment" not in consent(event())


@pytest.mark.parametrize(
    ("actor", "performer"),
    [(None, "Patient"), ("self", "Patient"), ("staff", "Patient"), ("guardian", "RelatedPerson")],
)
def test_who_agreed(actor: str | None, performer: str) -> None:
    found = consent(event(actor=actor), of=TOLD)
    assert found["performer"][0]["type"] == performer
    assert found["patient"]["identifier"]["value"] == "m-000123"
    assert found["organization"][0]["display"] == "Lantern & friends <trust>"
    system = consent(event(decision="expired", **SYSTEM))
    assert system["performer"][0]["type"] == "Organization"


def test_a_guardian_is_a_verification() -> None:
    (found,) = consent(event(actor="guardian", guardian="form 9"))["verification"]
    assert found["verified"] is True
    assert found["verifiedWith"] == {"type": "RelatedPerson", "display": "form 9"}
    assert "verification" not in consent(event())


def test_what_others_wrote_is_text_and_nothing_else() -> None:
    found = consent(event(method="<script>\x01&", policy_version="\x02"))
    assert "<script>" not in found["text"]["div"]
    assert "&lt;script&gt;\N{REPLACEMENT CHARACTER}&amp;" in found["text"]["div"]


@pytest.mark.parametrize(
    ("path", "value"),
    [("status", None), ("scope", None), ("category", None), ("dateTime", "yesterday"), ("patience", 1)],
)
def test_what_is_no_consent_is_caught(path: str, value: object) -> None:
    told = account([event()])
    found = fhir.consent(told, told.history[0])
    if value is None:
        del found[path]
    else:
        found[path] = value
    with pytest.raises(ValidationError):
        check(found)
