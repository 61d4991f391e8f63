"""The consent log of schema 3, from the records of schema 2; and records as schema 2 can read them."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any, Final

import orjson

from service.store.migrations import schema_2, schema_3
from service.store.migrations.moving import Values, chunks
from service.store.migrations.told import Migration, micros

_BY: Final = "command"
_COLUMNS: Final = ("purpose", "decision", "policy_version", "at", "valid_until")
_WORDS: Final = {"purpose": 32, "decision": 16, "policy_version": 1 << 16}
"""What is a word, and how long it may be."""
_NEW_DECISIONS: Final = frozenset({"expired", "superseded"})
_NEW_KEYS: Final = ("actor", "method", "locale", "policy_hash")


def fill(now: Migration) -> None:
    """Write the events of every record into the log, as recorded when the member was added."""
    unread = 0
    for rows in chunks(now.connection, schema_2.MEMBERS):
        events: list[Values] = []
        for row in rows:
            try:
                events += _events(now, row)
            except (ValueError, KeyError, TypeError, AttributeError):  # written by hand: the programme refuses it too
                unread += 1
        if events:
            now.connection.execute(schema_3.CONSENT_EVENTS.insert(), events)
        now.advance(len(rows))
    now.tell("records that cannot be read: they are in no list, and their consents not in the log", unread)


def older(text: str) -> str:
    """Return a record without what schema 2 does not know of consents: notes of the service, and evidence.

    None of it changes what is on: a note only says what is off already.
    """
    try:
        record = orjson.loads(text)
        before = record["consents"]
        events = [
            {key: value for key, value in event.items() if key not in _NEW_KEYS}
            for event in before
            if event["decision"] not in _NEW_DECISIONS
        ]
    except (ValueError, KeyError, TypeError, AttributeError):
        return text
    return text if events == before else orjson.dumps({**record, "consents": events}).decode()


def _events(now: Migration, row: Values) -> list[Values]:
    member = {"programme_id": row["programme_id"], "member_id": row["member_id"]}
    recorded = {"recorded_at": micros(row["created_at"]), "recorded_by": _BY}
    return [
        {**member, **_event(now, member, place, event), **recorded}
        for place, event in enumerate(orjson.loads(row["record"]).get("consents", ()))
    ]


def _event(now: Migration, member: Values, place: int, event: dict[str, Any]) -> Values:
    for name, longest in _WORDS.items():
        if not 0 < len(event[name].encode()) <= longest:
            raise ValueError
    rest = {key: value for key, value in event.items() if key not in _COLUMNS}
    at = member["programme_id"], "consent_events", f"{member['member_id']} {place}"
    until = event.get("valid_until")
    return {
        "place": place,
        "event_id": _id(place, event),
        "purpose": event["purpose"],
        "decision": event["decision"],
        "policy_version": event["policy_version"],
        "at": _instant(event["at"]),
        "valid_until": None if until is None else _instant(until),
        "details": now.keyring.seal(*at, orjson.dumps(rest)) if rest else None,
    }


def _instant(text: str) -> int:
    return micros(datetime.fromisoformat(text))


def _id(place: int, event: dict[str, Any]) -> str:
    """Return what the event has been called by in replies."""
    text = json.dumps([place, event], separators=(",", ":"), sort_keys=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:32]
