"""The events from which consent is told: who said what about which purpose, and when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from matcher.consent_evidence import read_evidence
from matcher.consent_words import ACTORS, ALL_DECISIONS, DECISIONS, MATCHING_PURPOSES, PURPOSES, SYSTEM_DECISIONS
from matcher.programme import Programme
from matcher.records import Fields, Problems, instant, refuse, scan, written

__all__ = [
    "ACTORS",
    "ALL_DECISIONS",
    "DECISIONS",
    "FEWEST",
    "MATCHING_PURPOSES",
    "PURPOSES",
    "SKEW",
    "SYSTEM_DECISIONS",
    "ConsentEvent",
    "check_new",
    "is_system",
    "new_event",
    "read_event",
    "usual_event",
    "with_policy_hash",
]

SKEW = timedelta(minutes=5)
"""How far the clock of whoever records an event may be ahead."""

_ONE_PURPOSE = f"one of {', '.join(PURPOSES)}"
_ONE_DECISION = f"one of {', '.join(ALL_DECISIONS)}"
FEWEST = 4
"""How many fields an event has at least."""
_PURPOSES = frozenset(PURPOSES)
_TOLD = ("guardian", "actor", "method", "locale", "policy_hash")
_KEYS = dict.fromkeys(("purpose", "decision", "policy_version", "at", "valid_until", "categories", *_TOLD))


@dataclass(frozen=True, slots=True)
class ConsentEvent:
    """One decision of a member about one purpose, or what the service notes of one: see `is_system`."""

    purpose: str
    decision: str
    """One of `ALL_DECISIONS`."""
    policy_version: str
    at: datetime
    """When it was decided, in UTC."""
    valid_until: datetime | None = None
    """The first instant at which a grant no longer holds; None: no end."""
    categories: frozenset[str] | None = None
    """The facets that a grant covers; None: all."""
    guardian: str | None = None
    """Evidence that a guardian agreed, for a minor."""
    actor: str | None = None
    """Who told it, one of `ACTORS`; None: not told."""
    method: str | None = None
    """How or where it was told: the id of a form, or the place of the evidence."""
    locale: str | None = None
    """The language of the text that was decided about, as a BCP 47 tag in customary case."""
    policy_hash: str | None = None
    """SHA-256 of exactly that text, in lower-case hex."""

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
            record.get("actor"),
            record.get("method"),
            record.get("locale"),
            record.get("policy_hash"),
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
        for key in _TOLD:
            if (told := getattr(self, key)) is not None:
                record[key] = told
        return record


class _Open:
    """Has the slots of an event, and is not frozen."""

    __slots__ = ConsentEvent.__slots__


def new_event(
    purpose: str, decision: str, policy_version: str, at: datetime, valid_until: datetime | None = None
) -> ConsentEvent:
    """Return an event that tells nothing more, as most do, in a fraction of the time of the class itself.

    As `matcher.frozen.maker` does it, but that takes its time for each field that there is.
    """
    event: Any = _Open()
    event.purpose, event.decision, event.policy_version = purpose, decision, policy_version
    event.at, event.valid_until = at, valid_until
    event.categories = event.guardian = event.actor = event.method = event.locale = event.policy_hash = None
    event.__class__ = ConsentEvent
    return event  # type: ignore[no-any-return]


def read_event(raw: object, programme: Programme, problems: Problems, path: str = "") -> ConsentEvent | None:
    """Return the event that `raw` describes, or None after noting what is wrong with it.

    Events of another policy version are kept as they are: the facets of their time need not be those of today.
    """
    before = len(problems)
    fields = Fields(raw, path, problems, _KEYS)
    if not isinstance(raw, dict):
        return None
    purpose = fields.text("purpose", _ONE_PURPOSE, choices=PURPOSES)
    decision = fields.text("decision", _ONE_DECISION, choices=ALL_DECISIONS)
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
    evidence = read_evidence(fields, decision, programme, current=current)
    if purpose is None or decision is None or version is None or at is None or len(problems) > before:
        return None
    return ConsentEvent(purpose, decision, version, at, until, categories, guardian, *evidence)


def usual_event(raw: object, programme: Programme) -> ConsentEvent | None:
    """Return an event of the form that nearly all have, read at once; None: read it field by field, which tells why."""
    if type(raw) is not dict or not FEWEST <= (size := len(raw)) <= FEWEST + 1:
        return None
    try:
        purpose, decision, version, at = raw["purpose"], raw["decision"], raw["policy_version"], raw["at"]
        until = raw["valid_until"] if size > FEWEST else None
        known = purpose in _PURPOSES and decision in DECISIONS and version == programme.policy_version
    except (KeyError, TypeError):  # a key is another one, or a value cannot be hashed
        return None
    if not known or type(at) is not str or (when := instant(at)) is None:
        return None
    if until is None:
        return new_event(purpose, decision, version, when) if size == FEWEST else None
    ends = instant(until) if type(until) is str else None
    return None if ends is None or ends <= when else new_event(purpose, decision, version, when, ends)


def is_system(event: ConsentEvent) -> bool:
    """Whether `event` is a note of the service itself, and no decision of people."""
    return event.decision in SYSTEM_DECISIONS


def with_policy_hash(event: ConsentEvent, programme: Programme) -> ConsentEvent:
    """Return the event with the hash of the programme's text that was decided about, where that is known.

    It is known where `locale` names a text of the programme; and where no locale is told and there is one text, that
    is the one, and its locale is filled in too. Events that have a hash, notes of the service, and events of another
    policy version, whose texts the programme no longer has, are returned as they are.
    """
    texts = programme.policy_texts
    if event.policy_hash is not None or event.policy_version != programme.policy_version or is_system(event):
        return event
    locale = next(iter(texts)) if event.locale is None and len(texts) == 1 else event.locale
    if locale is None or locale not in texts:
        return event
    return replace(event, locale=locale, policy_hash=texts[locale])


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
    would take back nothing. `SKEW` is allowed between clocks. What the service notes tells only of what is off
    already: it may be dated before other events, and they before it.

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
    for place in range(known, len(events)):
        event, path = events[place], f"consents[{place}].at"
        if event.at > latest:
            problems[path] = f"found {written(event.at)}, which is yet to come; expected now or before"
        elif known and event.decision in ("refused", "withdrawn"):
            decided = (one.at for one in events[:place] if one.purpose == event.purpose and not is_system(one))
            before = max(decided, default=event.at)
            if before > event.at:
                problems[path] = (
                    f"found {written(event.at)}, before the latest event of {event.purpose}, {written(before)}, which "
                    "it would not change; expected that or later"
                )
    refuse(problems)
