"""A receipt as ISO/IEC TS 27560:2023 structures it, in JSON.

Names of fields are the standard's; values are terms of the Data Privacy Vocabulary or plain words. What the standard
has no field for stands under ``peermatch``. `docs/schemas/consent-receipt.schema.json` describes all.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from matcher.consent_events import ConsentEvent, is_system
from matcher.records import written
from service.receipts import terms
from service.receipts.account import Account
from service.store.consent_log import Recorded

SCHEMA: Final = "ISO/IEC TS 27560:2023 urn:peermatch:schema:consent-receipt:1"
FAIRNESS: Final = frozenset({"fairness_audit", "fairness_balance"})
"""Purposes for which audit attributes are used."""
SHARED: Final = frozenset({"be_shown_as_peer", "show_reasons"})
"""Purposes by which other members learn something."""
MEMBERS: Final = "members"
_GUARDIAN: Final = "guardian"
_SECOND: Final = timedelta(seconds=1)


def receipt(account: Account, one: Recorded) -> dict[str, Any]:
    """Return the receipt of an event: what was so when it was recorded.

    The same for as long as the programme's file is.
    """
    events = account.before(one)
    return {
        "schema_version": SCHEMA,
        "receipt_id": str(account.name_of(one.event_id)),
        "content": {
            "record_id": str(account.name_of(one.event.purpose)),
            "pii_principal_id": account.member_id,
            "pii_processing": {
                "privacy_notice": _notice(account),
                "language": one.event.locale or "und",
                "purposes": [_purpose(account, one)],
            },
            "party_identification": list(_parties(account, events)),
            "event": [_event(account, events[: place + 1]) for place in range(len(events))],
        },
    }


def _notice(account: Account) -> str:
    told = account.programme.controller
    return terms.UNKNOWN if told is None or told.privacy_notice is None else told.privacy_notice


def _purpose(account: Account, one: Recorded) -> dict[str, Any]:
    purpose, programme = one.event.purpose, account.programme
    address = f"/v1/members/{account.member_id}"
    return {
        "purpose": account.sentence(one),
        "purpose_type": [f"{terms.DPV}{term}" for term in terms.PURPOSES[purpose]],
        "lawful_basis": terms.BASIS,
        "pii_information": _data(account, one),
        "pii_controllers": [programme.id],
        "storage_locations": [terms.UNKNOWN],
        "retention_period": _retention(account),
        "services": [programme.name],
        "jurisdiction": _country(account),
        "recipient_third_parties": [MEMBERS] if purpose in SHARED else [],
        "withdrawal_method": f'POST {address}/consents {{"purpose": "{purpose}", "decision": "withdrawn"}}',
        "privacy_rights": [f"GET {address}/export", f"PUT {address}", f"DELETE {address}"],
        "peermatch": {"purpose": purpose},
    }


def _data(account: Account, one: Recorded) -> list[dict[str, Any]]:
    """Return what kinds of data a decision is about."""
    covered, required = account.covered(one), account.programme.required
    if covered is None:
        return [{"pii_type": terms.PERSONAL}]
    found: list[dict[str, Any]] = []
    for facet in covered:
        needed = facet.name in required or facet.source is not None
        told = {"pii_type": terms.type_of(facet), "pii_attribute_id": facet.name, "pii_optional": not needed}
        found.append(told | ({"special_pii_category": True} if terms.is_health(facet) else {}))
    if one.event.purpose in FAIRNESS:
        found += [
            {"pii_type": terms.PERSONAL, "pii_attribute_id": f"strata.{name}", "pii_optional": True}
            for name in account.programme.strata
        ]
    return found


def _retention(account: Account) -> str:
    """Return after how long without any consent a member is deleted, as an ISO 8601 duration."""
    days = account.programme.retention.without_consent_days
    return terms.UNTIL_EVENT if days is None else f"P{days}D"


def _country(account: Account) -> str:
    told = account.programme.controller
    return terms.UNKNOWN if told is None or told.country is None else told.country


def _parties(account: Account, events: list[Recorded]) -> Any:
    told = account.programme.controller
    yield {
        "party_id": account.programme.id,
        "party_name": account.controller,
        "party_address": _country(account),
        "party_contact": terms.UNKNOWN if told is None else told.contact,
        "party_role": terms.CONTROLLER,
    }
    if events[-1].event.purpose in SHARED:
        yield {"party_id": MEMBERS, "party_name": "Other members of the programme", "party_role": terms.RECIPIENT}
    if any(one.event.actor == _GUARDIAN for one in events):
        yield {"party_id": _GUARDIAN, "party_name": "A guardian of the member", "party_role": terms.GUARDIAN}


def _event(account: Account, events: list[Recorded]) -> dict[str, Any]:
    """Return the last of some events of one purpose."""
    one, event = events[-1], events[-1].event
    more = {key: value for key in ("guardian", "method", "policy_hash") if (value := getattr(event, key)) is not None}
    return {
        "event_time": written(event.at),
        "validity_duration": _validity(event),
        "entity_id": _entity(account, event),
        "event_type": terms.BASIS if is_system(event) else terms.EXPRESSED,
        "event_state": terms.state_of(events),
        "peermatch": {
            "id": one.event_id,
            "decision": event.decision,
            "policy_version": event.policy_version,
            "recorded_at": written(one.recorded_at),
            **more,
        },
    }


def _validity(event: ConsentEvent) -> str:
    """Return for how long a grant holds, as an ISO 8601 duration in seconds; for anything else no time at all."""
    if event.decision != "given":
        return "PT0S"
    if event.valid_until is None:
        return terms.ENDLESS
    lasts = event.valid_until - event.at
    fraction = f".{lasts.microseconds:06}".rstrip("0") if lasts.microseconds else ""
    return f"PT{lasts // _SECOND}{fraction}S"


def _entity(account: Account, event: ConsentEvent) -> str:
    """Return who told it: the member, a guardian, or somebody of the controller."""
    if event.actor == _GUARDIAN:
        return _GUARDIAN
    return account.programme.id if event.actor in ("staff", "system") else account.member_id
