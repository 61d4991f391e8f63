"""The closed words of consent: what data may be used for, what may become of that, and who tells it."""

from __future__ import annotations

PURPOSES = (
    "match_serve",
    "be_shown_as_peer",
    "show_reasons",
    "train_model",
    "fairness_audit",
    "fairness_balance",
    "outcome_followup",
)
"""What data may be used for. Each is off until given."""

MATCHING_PURPOSES = frozenset({"match_serve", "be_shown_as_peer"})
"""The two that make views: they must cover what the programme requires, and for a minor they need a guardian."""

DECISIONS = ("given", "refused", "withdrawn")
"""What people decide."""

EXPIRED = "expired"
"""A grant has come to its end: from then on it counts as a refusal, so that a clock set back revives nothing."""

SUPERSEDED = "superseded"
"""The policy has moved on to the version that the event names. A note for people: it decides nothing."""

SYSTEM_DECISIONS = (EXPIRED, SUPERSEDED)
"""What the service itself notes, and nobody decides."""

ALL_DECISIONS = (*DECISIONS, *SYSTEM_DECISIONS)

SYSTEM = "system"
PEOPLE = ("self", "guardian", "staff")
ACTORS = (*PEOPLE, SYSTEM)
"""Who told an event: the person, a guardian of a minor, somebody of the programme, or the service itself."""
