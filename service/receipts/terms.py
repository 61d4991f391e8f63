"""Terms of the Data Privacy Vocabulary (W3C DPVCG, DPV 2) for what Peermatch records."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from matcher.consent_words import SUPERSEDED
from matcher.facets.base import Facet
from matcher.facets.concepts import Concepts
from service.store.consent_log import Recorded

DPV: Final = "https://w3id.org/dpv#"
_PD: Final = "https://w3id.org/dpv/pd#"

UNKNOWN: Final = f"{DPV}NotAvailable"
"""Stands for what a receipt must tell and the programme's file does not."""
CONTROLLER: Final = f"{DPV}DataController"
RECIPIENT: Final = f"{DPV}Recipient"
GUARDIAN: Final = f"{DPV}GuardianOfDataSubject"
ENDLESS: Final = f"{DPV}EndlessDuration"
UNTIL_EVENT: Final = f"{DPV}UntilEventDuration"
BASIS: Final = f"{DPV}Consent"
EXPRESSED: Final = f"{DPV}ExpressedConsent"
PERSONAL: Final = f"{DPV}PersonalData"
AGE_RANGE: Final = f"{_PD}AgeRange"
MEDICAL: Final = f"{_PD}MedicalHealth"

PURPOSES: Final = {
    "match_serve": ("ProvidePersonalisedRecommendations",),
    "be_shown_as_peer": ("ServiceProvision",),
    "show_reasons": ("ServicePersonalisation",),
    "train_model": ("ImproveExistingProductsAndServices",),
    "fairness_audit": ("OrganisationComplianceManagement",),
    "fairness_balance": ("ServiceOptimisation",),
    "outcome_followup": ("CommunicationManagement", "ImproveExistingProductsAndServices"),
}
"""The nearest purposes of the vocabulary, by ours, which are narrower."""

_STATES: Final = {
    "given": "ConsentGiven",
    "refused": "ConsentRefused",
    "withdrawn": "ConsentWithdrawn",
    "expired": "ConsentExpired",
}
DIAGNOSES: Final = frozenset({"icd10cm"})
"""Vocabularies of which every concept is about somebody's health."""


def state_of(events: Sequence[Recorded]) -> str:
    """Return the state in which the last of some events of one purpose left it."""
    last = events[-1].event
    if last.decision != SUPERSEDED:
        return f"{DPV}{_STATES[last.decision]}"
    before = next((one.event for one in reversed(events) if one.event.decision != SUPERSEDED), last)
    # The controller uses it no longer, until the policy that it was given for is the present one again.
    again = before.decision == "given" and before.policy_version == last.policy_version
    return f"{DPV}{'ConsentGiven' if again else 'ConsentRevoked'}"


def type_of(facet: Facet) -> str:
    """Return which kind of personal data a facet holds, as far as its kind alone tells."""
    if is_health(facet):
        return MEDICAL
    return AGE_RANGE if facet.source == "age_band" else PERSONAL


def is_health(facet: Facet) -> bool:
    """Whether a facet holds diagnoses: data of a special category."""
    return isinstance(facet, Concepts) and facet.vocabulary.name in DIAGNOSES
