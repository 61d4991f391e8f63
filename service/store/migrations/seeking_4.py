"""Who seeks, and since when: from the records of schema 3. A copy of the rule as it is in this schema."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

import orjson
from sqlalchemy import bindparam, select, update

from service.sealing import MissingKeyError, SealError
from service.store.migrations import schema_3, schema_4
from service.store.migrations.moving import Values, chunks
from service.store.migrations.told import Migration, micros

_SERVE: Final = "match_serve"
_PEOPLES: Final = frozenset({"given", "refused", "withdrawn"})
_REFUSED: Final = select(schema_4.LIVE.c.programme_id, schema_4.LIVE.c.member_id).where(schema_4.LIVE.c.accepted == 0)
"""Whose record the programme no longer accepts: nothing is wanted by it."""


def fill(now: Migration) -> None:
    """Write into the narrow rows who seeks by their roles, and since when with their consent.

    Raises
    ------
    MissingKeyError
        If a record was sealed with a key that is not at hand.
    """
    live = schema_4.LIVE
    query = select(schema_4.PROGRAMMES.c.id, schema_4.PROGRAMMES.c.toml)
    programmes = {row[0]: tomllib.loads(row[1]) for row in now.connection.execute(query)}
    mine = (live.c.programme_id == bindparam("programme"), live.c.member_id == bindparam("member"))
    written = update(live).where(*mine).values(seeker=bindparam("seeks"), seeks_since=bindparam("since"))
    refused = {tuple(row) for row in now.connection.execute(_REFUSED)}
    for rows in chunks(now.connection, schema_3.MEMBERS):
        values = [
            _of(now, row, programmes.get(row["programme_id"], {}), (row["programme_id"], row["member_id"]) in refused)
            for row in rows
        ]
        now.connection.execute(written, values)
        now.advance(len(rows))


def _of(now: Migration, row: Values, programme: Mapping[str, Any], refused: bool) -> dict[str, Any]:
    record = _record(now, row)
    mutual = not refused and programme.get("programme", {}).get("pairing") == "mutual"
    roles = record.get("roles")
    seeker = int(bool(record) and (mutual or (isinstance(roles, list) and "seeker" in roles)))
    try:
        since = 0 if refused else since_of(record, programme, micros(now.now))
    except (ValueError, KeyError, TypeError, AttributeError):  # written by hand: the programme refuses it too
        since = 0
    return {"programme": row["programme_id"], "member": row["member_id"], "seeks": seeker, "since": since}


def _record(now: Migration, row: Values) -> dict[str, Any]:
    """Return a record; an empty one where it is damaged."""
    try:
        found = orjson.loads(now.keyring.open(row["programme_id"], "members", row["member_id"], row["record"]))
    except MissingKeyError:
        raise
    except (SealError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def since_of(record: Mapping[str, Any], programme: Mapping[str, Any], now: int) -> int:
    """Return since when ``match_serve`` has been wanted, µs since 1970; 0 where it is off.

    Parameters
    ----------
    record : mapping
        As it is stored.
    programme : mapping
        The programme file.
    now : int
        µs since 1970.
    """
    events = [event for event in record.get("consents", ()) if event["purpose"] == _SERVE]
    last = _deciding(events)
    if last is None or not _is_on(last, record, programme, now):
        return 0
    since = 0
    for event in sorted((one for one in events if _at(one["at"]) <= now), key=lambda one: _at(one["at"])):
        if event["decision"] in _PEOPLES:
            since = (since or _at(event["at"])) if event["decision"] == "given" else 0
    return since or now


def _deciding(events: Iterable[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Return the event that counts: the latest of people's, or that it has expired, which ends what stands before."""
    latest: Mapping[str, Any] | None = None
    of_people: Mapping[str, Any] | None = None
    for event in events:
        if event["decision"] == "expired":
            if of_people is None or _at(event["at"]) >= _at(of_people["at"]):
                latest = event
        elif event["decision"] != "superseded" and (of_people is None or _is_later(event, of_people)):
            latest = of_people = event
    return latest


def _is_later(event: Mapping[str, Any], before: Mapping[str, Any]) -> bool:
    if _at(event["at"]) == _at(before["at"]):
        return bool(event["decision"] != "given" or before["decision"] == "given")
    return _at(event["at"]) > _at(before["at"])


def _is_on(event: Mapping[str, Any], record: Mapping[str, Any], programme: Mapping[str, Any], now: int) -> bool:
    until = event.get("valid_until")
    if event["decision"] != "given" or event["policy_version"] != programme.get("consent", {}).get("policy_version"):
        return False
    if _at(event["at"]) > now or (until is not None and _at(until) <= now):
        return False
    ages = programme.get("ages", {})
    guarded = ages.get("minors_policy") == "separate" and record.get("age_band") in ages.get("minors", ())
    return not guarded or event.get("guardian") is not None


def _at(text: str) -> int:
    return micros(datetime.fromisoformat(text))
