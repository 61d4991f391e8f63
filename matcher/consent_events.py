"""The events from which consent is told: who said what about which purpose, and when."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from matcher.frozen import maker
from matcher.programme import Programme
from matcher.records import Fields, Problems, instant, refuse, scan, written

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

SKEW = timedelta(minutes=5)
"""How far the clock of whoever records an event may be ahead."""

DECISIONS = ("given", "refused", "withdrawn")
_ONE_PURPOSE = f"one of {', '.join(PURPOSES)}"
_ONE_DECISION = f"one of {', '.join(DECISIONS)}"
FEWEST = 4
"""How many fields an event has at least."""
_PURPOSES = frozenset(PURPOSES)
_KEYS = dict.fromkeys(("purpose", "decision", "policy_version", "at", "valid_until", "categories", "guardian"))


@dataclass(frozen=True, slots=True)
class ConsentEvent:
    """One decision of a member about one purpose."""

    purpose: str
    decision: str
    """``given``, ``refused`` or ``withdrawn``."""
    policy_version: str
    at: datetime
    """When it was decided, in UTC."""
    valid_until: datetime | None = None
    """The first instant at which a grant no longer holds; None: no end."""
    categories: frozenset[str] | None = None
    """The facets that a grant covers; None: all."""
    guardian: str | None = None
    """Evidence that a guardian agreed, for a minor."""

    @classmethod
    def from_dict(cls, record: object, programme: Programme) -> ConsentEvent:
        """Read one event from a JSON object; raise RecordError with every problem by path."""
        problems: Problems = {}
        event = read_event(record, programme, problems) if scan(record, problems) else None
        refuse(problems)
        assert event is not None
        return event

    @classmethod
    def from_stored(cls, record: Mapping[str, Any]) -> ConsentEvent:
        """Read an event that `to_dict` wrote, whatever the programme says today; nothing is checked."""
        until, categories = record.get("valid_until"), record.get("categories")
        return cls(
            record["purpose"],
            record["decision"],
            record["policy_version"],
            datetime.fromisoformat(record["at"]),
            None if until is None else datetime.fromisoformat(until),
            None if categories is None else frozenset(categories),
            record.get("guardian"),
        )

    def to_dict(self) -> dict[str, object]:
        """Return the event as records write it."""
        record: dict[str, object] = {
            "purpose": self.purpose,
            "decision": self.decision,
            "policy_version": self.policy_version,
            "at": written(self.at),
        }
        if self.valid_until is not None:
            record["valid_until"] = written(self.valid_until)
        if self.categories is not None:
            record["categories"] = sorted(self.categories)
        if self.guardian is not None:
            record["guardian"] = self.guardian
        return record


new_event: Callable[..., ConsentEvent] = maker(ConsentEvent)
"""As the class itself, but faster."""


def read_event(raw: object, programme: Programme, problems: Problems, path: str = "") -> ConsentEvent | None:
    """Return the event that `raw` describes, or None after noting what is wrong with it.

    Events of another policy version are kept as they are: the facets of their time need not be those of today.
    """
    before = len(problems)
    fields = Fields(raw, path, problems, _KEYS)
    if not isinstance(raw, dict):
        return None
    purpose = fields.text("purpose", _ONE_PURPOSE, choices=PURPOSES)
    decision = fields.text("decision", _ONE_DECISION, choices=DECISIONS)
    version = fields.text("policy_version", f"the version of the policy agreed to, now {programme.policy_version!r}")
    at = fields.time("at", required=True)
    until = fields.time("valid_until", required=False)
    if at is not None and until is not None and until <= at:
        fields.note("valid_until", f"found {written(until)}; expected an instant after at, {written(at)}")
    current = version == programme.policy_version
    categories = fields.texts("categories", choices=tuple(programme.facets) if current else None)
    if current and decision == "given" and purpose in MATCHING_PURPOSES and categories is not None:
        _require(fields, categories, programme)
    guardian = fields.text("guardian", "evidence that a guardian agreed", required=False)
    if purpose is None or decision is None or version is None or at is None or len(problems) > before:
        return None
    return ConsentEvent(purpose, decision, version, at, until, categories, guardian)


def usual_event(raw: object, programme: Programme) -> ConsentEvent | None:
    """Return an event of the form that nearly all have, read at once; None: read it field by field, which tells why."""
    if type(raw) is not dict or len(raw) not in (FEWEST, FEWEST + 1):
        return None
    try:
        purpose, decision, version, at = raw["purpose"], raw["decision"], raw["policy_version"], raw["at"]
        until = raw["valid_until"] if len(raw) > FEWEST else None
        known = purpose in _PURPOSES and decision in DECISIONS and version == programme.policy_version
    except (KeyError, TypeError):  # a key is another one, or a value cannot be hashed
        return None
    if not known or type(at) is not str or (when := instant(at)) is None:
        return None
    if until is None:
        return new_event(purpose, decision, version, when) if len(raw) == FEWEST else None
    ends = instant(until) if type(until) is str else None
    return None if ends is None or ends <= when else new_event(purpose, decision, version, when, ends)


def _require(fields: Fields, categories: frozenset[str], programme: Programme) -> None:
    """Note the required facets that `categories` omits."""
    missing = sorted(programme.required - categories)
    if missing:
        named = ", ".join(missing)
        message = f"omits {named}, which the programme requires; add them, or leave categories out to cover everything"
        fields.note("categories", message)


def check_new(events: Sequence[ConsentEvent], now: datetime, known: int = 0) -> None:
    """Refuse new events that would not count as whoever records them believes.

    A grant dated later than now would outlast a withdrawal made today, and a refusal dated before what it takes back
    would take back nothing. `SKEW` is allowed between clocks.

    Parameters
    ----------
    events : sequence of ConsentEvent
        The whole history, in the order of the record.
    now : datetime
        With an offset.
    known : int
        How many of them, from the first, are on record already.

    Raises
    ------
    RecordError
        With every problem by path.
    """
    problems: Problems = {}
    latest = now + SKEW
    for at in range(known, len(events)):
        event = events[at]
        if event.at > latest:
            problems[f"consents[{at}].at"] = f"found {written(event.at)}, which is yet to come; expected now or before"
        elif known and event.decision != "given":
            before = max((other.at for other in events[:at] if other.purpose == event.purpose), default=event.at)
            if before > event.at:
                problems[f"consents[{at}].at"] = (
                    f"found {written(event.at)}, before the latest event of {event.purpose}, {written(before)}, which "
                    "it would not change; expected that or later"
                )
    refuse(problems)
