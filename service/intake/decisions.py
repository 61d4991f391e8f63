"""A decision about consent as it comes over HTTP: made now, and always the latest of its purpose."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from matcher.consent_events import PURPOSES, ConsentEvent, read_event
from matcher.programme import Programme
from matcher.records import Fields, Problems, note, refuse, scan, written

ALL: Final = "all"
"""Stands for every purpose that was given, in a withdrawal."""

KEYS = ("purpose", "decision", "policy_version", "categories", "valid_until", "guardian")
_OF_GRANTS = ("categories", "valid_until", "guardian")
_TICK = timedelta(microseconds=1)


def decided(
    body: Mapping[str, object], events: tuple[ConsentEvent, ...], programme: Programme, now: datetime
) -> tuple[ConsentEvent, ...]:
    """Return the events that a body adds to a history: one, or with `ALL` one for each purpose given.

    The policy version is the programme's present one where the body names none.

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
        With every problem by path.
    """
    problems: Problems = {}
    if not scan(dict(body), problems):
        refuse(problems)
    _check_fields(body, problems)
    purpose, everything = body.get("purpose"), body.get("purpose") == ALL
    raw = {"policy_version": programme.policy_version, **body, "at": written(moment(events, purpose, now))}
    # What is checked of a withdrawal of everything is the same for each purpose.
    event = read_event({**raw, "purpose": PURPOSES[0]} if everything else raw, programme, problems)
    refuse(problems)
    assert event is not None
    if not everything:
        return (event,)
    return tuple(replace(event, purpose=one, at=moment(events, one, now)) for one in _given(events))


def moment(events: Iterable[ConsentEvent], purpose: object, now: datetime) -> datetime:
    """Return when a decision made `now` counts: after every other one of its purpose, or it would change nothing.

    Files and other clocks may have dated one ahead, and a clock may be set back.
    """
    latest = max((event.at for event in events if event.purpose == purpose), default=None)
    return now if latest is None or latest < now else latest + _TICK


def event_id(place: int, event: ConsentEvent) -> str:
    """Return the id of the event at `place` of a history, which only grows: 128 bits of a digest of both.

    It holds for as long as the member is there. Of somebody who was erased and added anew no old id is right.
    """
    text = json.dumps([place, event.to_dict()], separators=(",", ":"), sort_keys=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:32]


def _check_fields(body: Mapping[str, object], problems: Problems) -> None:
    """Note what an event may have but a decision made now may not."""
    if "at" in body:
        note(problems, "at", "the server's clock says when; leave it out")
    Fields({key: value for key, value in body.items() if key != "at"}, "", problems, KEYS)
    decision = body.get("decision")
    if body.get("purpose") == ALL and decision != "withdrawn":
        note(problems, "purpose", "found 'all', which can only be withdrawn; expected one purpose, given by itself")
    if decision in ("refused", "withdrawn"):
        for key in _OF_GRANTS:
            if key in body:
                note(problems, key, f"only a grant takes one, and what is {decision} is so as a whole; leave it out")


def _given(events: Iterable[ConsentEvent]) -> list[str]:
    """Return the purposes whose latest decision is a grant, even one of another policy or one that has ended."""
    latest: dict[str, tuple[datetime, bool]] = {}
    for event in events:
        told = event.at, event.decision != "given"
        if told >= latest.get(event.purpose, told):
            latest[event.purpose] = told
    return [purpose for purpose in PURPOSES if purpose in latest and not latest[purpose][1]]
