"""Decisions as `Consent` resources of FHIR R4 (http://hl7.org/fhir/R4/consent.html)."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from html import escape
from typing import Any, Final

from matcher.consent_events import ConsentEvent
from matcher.records import written
from service.receipts import terms
from service.receipts.account import Account
from service.store.consent_log import Recorded

HL7: Final = "http://terminology.hl7.org/CodeSystem"
PURPOSE: Final = "urn:peermatch:purpose"
VOCABULARY: Final = terms.DPV.rstrip("#")
DISCLOSED: Final = frozenset({"be_shown_as_peer", "show_reasons"})
"""Purposes by which others learn something."""
_CONTROL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_INSTANT: Final = timedelta(microseconds=1)
_DONE: Final = {
    "given": "was agreed to",
    "refused": "was refused",
    "withdrawn": "was withdrawn",
    "expired": "came to its end",
    "superseded": "was asked anew by a new policy",
}


def bundle(account: Account, now: datetime) -> dict[str, Any]:
    """Return a whole history: a collection with one `Consent` for each event."""
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "timestamp": written(now),
        "entry": [
            {"fullUrl": account.name_of(one.event_id).urn, "resource": consent(account, one)} for one in account.history
        ],
    }


def consent(account: Account, one: Recorded) -> dict[str, Any]:
    """Return one event. Its status is that of now; all else is what was recorded."""
    event = one.event
    parts = {
        "resourceType": "Consent",
        "id": str(account.name_of(one.event_id)),
        "text": _narrative(account, one),
        "identifier": [
            {"system": "urn:ietf:rfc:3986", "value": account.name_of(one.event_id).urn},
            {"system": f"urn:peermatch:programme:{account.programme.id}:consent", "value": one.event_id},
        ],
        "status": _status(account, one),
        "scope": _concept(f"{HL7}/consentscope", "patient-privacy"),
        "category": [_concept("http://loinc.org", "59284-0")],
        "patient": _patient(account),
        "dateTime": written(event.at),
        "performer": [_performer(account, event)],
        "organization": [_organisation(account)],
        "sourceAttachment": _source(account, event),
        "policy": _policy(event),
        # Nothing may be done with anybody's data but what is permitted below.
        "policyRule": {**_concept(f"{HL7}/v3-ActCode", "OPTOUT"), "text": f"Policy {event.policy_version}"},
        "verification": _verification(event),
        "provision": _provision(account, one),
    }
    return {key: _clean(value) for key, value in parts.items() if value}


def _clean(value: Any) -> Any:
    """Return a value without the characters that no text in FHIR may have: somebody else wrote some of them."""
    if isinstance(value, str):
        return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", value)
    if isinstance(value, list):
        return [_clean(one) for one in value]
    return {key: _clean(one) for key, one in value.items()} if isinstance(value, dict) else value


def _status(account: Account, one: Recorded) -> str:
    if one.event.decision == "refused":
        return "rejected"
    return "active" if account.counts(one) else "inactive"


def _concept(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


def _patient(account: Account) -> dict[str, Any]:
    system = f"urn:peermatch:programme:{account.programme.id}:member"
    return {"type": "Patient", "identifier": {"system": system, "value": account.member_id}}


def _organisation(account: Account) -> dict[str, Any]:
    identifier = {"system": "urn:peermatch:programme", "value": account.programme.id}
    return {"type": "Organization", "identifier": identifier, "display": account.controller}


def _performer(account: Account, event: ConsentEvent) -> dict[str, Any]:
    """Return who agreed or refused. Staff only tell what the member said; what ends by itself is the controller's."""
    if event.actor == "guardian":
        return {"type": "RelatedPerson", "display": "A guardian of the member"}
    return _organisation(account) if event.actor == "system" else _patient(account)


def _source(account: Account, event: ConsentEvent) -> dict[str, Any]:
    """Return where the text that was decided about is told of."""
    controller = account.programme.controller
    notice = None if controller is None else controller.privacy_notice
    if event.locale is None and notice is None:
        return {}
    found = {"language": event.locale, "url": notice, "title": f"Policy {event.policy_version}"}
    return {key: value for key, value in found.items() if value is not None}


def _policy(event: ConsentEvent) -> list[dict[str, str]]:
    """Return the exact text that was decided about, named by its hash (RFC 6920)."""
    if event.policy_hash is None:
        return []
    digest = base64.urlsafe_b64encode(bytes.fromhex(event.policy_hash)).decode().rstrip("=")
    return [{"uri": f"ni:///sha-256;{digest}"}]


def _verification(event: ConsentEvent) -> list[dict[str, Any]]:
    if event.guardian is None:
        return []
    with_whom = {"type": "RelatedPerson", "display": event.guardian}
    return [{"verified": True, "verifiedWith": with_whom, "verificationDate": written(event.at)}]


def _provision(account: Account, one: Recorded) -> dict[str, Any]:
    """Return the exception to the base policy: what is permitted, or that it is not.

    The outermost provision has no type of its own in R4; those within it must have one.
    """
    event = one.event
    rule: dict[str, Any] = {
        "type": "permit" if event.decision == "given" else "deny",
        "period": _period(event),
        "action": [_concept(f"{HL7}/consentaction", code) for code in _actions(event)],
        "purpose": _purposes(account, event),
    }
    if event.categories is not None:
        rule["code"] = [_facet(account, name) for name in sorted(event.categories)]
    return {"provision": [rule]}


def _period(event: ConsentEvent) -> dict[str, str]:
    """Return from when to when; the end of a period in FHIR is the last moment that is in it."""
    end = {} if event.valid_until is None else {"end": written(event.valid_until - _INSTANT)}
    return {"start": written(event.at), **end}


def _actions(event: ConsentEvent) -> list[str]:
    return ["use", "disclose"] if event.purpose in DISCLOSED else ["use"]


def _purposes(account: Account, event: ConsentEvent) -> list[Mapping[str, str]]:
    label, _ = account.words[event.purpose]
    ours = {"system": PURPOSE, "code": event.purpose, "display": label}
    return [ours, *({"system": VOCABULARY, "code": term} for term in terms.PURPOSES[event.purpose])]


def _facet(account: Account, name: str) -> dict[str, Any]:
    facet = account.programme.facets.get(name)
    system = f"urn:peermatch:programme:{account.programme.id}:facet"
    code = " ".join(name.split())  # all the space that a code may have
    return {**_concept(system, code), "text": name if facet is None else facet.label}


def _narrative(account: Account, one: Recorded) -> dict[str, str]:
    event = one.event
    words = [account.sentence(one), f"This {_DONE[event.decision]} on {written(event.at)}."]
    words.append(f"Policy {event.policy_version}.")
    if event.method is not None:
        words.append(f"Told by: {event.method}.")
    text = escape(" ".join(words))
    return {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml"><p>{text}</p></div>'}
