"""A decision about consent as it comes over HTTP: made now, and always the latest of its purpose."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from matcher.consent import deciding
from matcher.consent_events import PURPOSES, ConsentEvent, read_event, with_policy_hash
from matcher.consent_evidence import HASH_PATTERN
from matcher.consent_words import DECISIONS, SYSTEM_DECISIONS
from matcher.facets.languages import canonical
from matcher.programme import Programme
from matcher.records import ABSENT, Fields, Problems, found, note, refuse, scan, written
from service.store.consent_log import event_id

__all__ = ["ALL", "KEYS", "decided", "event_id", "moment"]

ALL: Final = "all"
"""Stands for every purpose that was given, in a withdrawal."""

KEYS: Final = (
    "purpose", "decision", "policy_version", "categories", "valid_until", "guardian", "actor", "method", "locale",
    "policy_hash",
)  # fmt: skip
_OF_GRANTS: Final = ("categories", "valid_until", "guardian")
_TICK: Final = timedelta(microseconds=1)
_HASH: Final = re.compile(HASH_PATTERN)
_ONE_DECISION: Final = f"one of {', '.join(DECISIONS)}"


def decided(
    body: Mapping[str, object], events: tuple[ConsentEvent, ...], programme: Programme, now: datetime
) -> tuple[ConsentEvent, ...]:
    """Return the events that a body adds to a history: one, or with `ALL` one for each purpose given.

    The policy version is the programme's present one where the body names none, and the member told it themselves
    where the body does not say who did.

    Parameters
    ----------
    body : mapping
        As sent.
    events : tuple of ConsentEvent
        The member's history so far.
    now : datetime
        With its zone.

    Raises
    ------
    RecordError
        With every problem by path. A refusal or withdrawal is never refused for what is stored, or for what the
        programme says today.
    """
    problems: Problems = {}
    if not scan(dict(body), problems):
        refuse(problems)
    _check_fields(body, problems)
    purpose, everything = body.get("purpose"), body.get("purpose") == ALL
    raw = {"policy_version": programme.policy_version, "actor": "self", **body}
    raw["at"] = written(moment(events, purpose, now))
    other = _of_another_text(body, programme)
    if other:
        del raw["policy_hash"]
    # What is checked of a withdrawal of everything is the same for each purpose.
    event = read_event({**raw, "purpose": PURPOSES[0]} if everything else raw, programme, problems)
    refuse(problems)
    assert event is not None
    event = event if other else with_policy_hash(event, programme)
    if not everything:
        return (event,)
    return tuple(replace(event, purpose=one, at=moment(events, one, now)) for one in _given(events))


def moment(events: Iterable[ConsentEvent], purpose: object, now: datetime) -> datetime:
    """Return when a decision made `now` counts: after every other one of its purpose, or it would change nothing.

    Files and other clocks may have dated one ahead, and a clock may be set back. What the service noted does not count:
    it ends nothing that is decided after it.
    """
    decisive = (event.at for event in events if event.purpose == purpose and event.decision not in SYSTEM_DECISIONS)
    latest = max(decisive, default=None)
    return now if latest is None or latest < now else latest + _TICK


def _check_fields(body: Mapping[str, object], problems: Problems) -> None:
    """Note what an event may have but a decision made now may not."""
    if "at" in body:
        note(problems, "at", "the server's clock says when; leave it out")
    Fields({key: value for key, value in body.items() if key != "at"}, "", problems, KEYS)
    decision = body.get("decision", ABSENT)
    if decision not in DECISIONS:
        what = "missing" if decision is ABSENT else f"found {found(decision)}"
        note(problems, "decision", f"{what}; expected {_ONE_DECISION}")
    if body.get("purpose") == ALL and decision != "withdrawn":
        note(problems, "purpose", "found 'all', which can only be withdrawn; expected one purpose, given by itself")
    if decision in ("refused", "withdrawn"):
        for key in _OF_GRANTS:
            if key in body:
                note(problems, key, f"only a grant takes one, and what is {decision} is so as a whole; leave it out")


def _of_another_text(body: Mapping[str, object], programme: Programme) -> bool:
    """Whether a refusal or withdrawal tells the hash of another text than the programme has in its language.

    An app may still show the text of before: a grant must be of the text there is, a "no" is one whatever was read.
    """
    told, locale = body.get("policy_hash"), body.get("locale")
    if body.get("decision") == "given" or not (isinstance(told, str) and _HASH.fullmatch(told)):
        return False
    current = body.get("policy_version", programme.policy_version) == programme.policy_version
    text = programme.policy_texts.get(canonical(locale)) if isinstance(locale, str) else None
    return current and text not in (None, told)


def _given(events: Iterable[ConsentEvent]) -> list[str]:
    """Return the purposes that were given last, be it under another policy or to an end that has come unnoted."""
    latest = deciding(events)
    return [purpose for purpose in PURPOSES if purpose in latest and latest[purpose].decision == "given"]
