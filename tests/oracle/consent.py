"""§1: the consent fold of a raw record, and the two views of a member."""

from __future__ import annotations

from datetime import datetime
from typing import Any

Record = dict[str, Any]
Programme = dict[str, Any]
Side = dict[str, Any]
"""``value`` (None: unknown), ``importance``, ``prefer`` and ``avoid`` of one facet of one side."""

NEED_GUARDIAN = ("match_serve", "be_shown_as_peer")


def instant(text: str) -> datetime:
    """Read an ISO 8601 instant."""
    return datetime.fromisoformat(text)


def is_minor(record: Record, programme: Programme) -> bool:
    """Tell whether the age band is known and one of the minors'."""
    return record.get("age_band") in programme.get("ages", {}).get("minors", [])


def latest(record: Record, purpose: str) -> dict[str, Any] | None:
    """Find the event that counts for `purpose`; a note that one has expired ends only what stands before it."""
    of_purpose = [event for event in record.get("consents", []) if event["purpose"] == purpose]
    best, best_key = None, None
    for position, event in enumerate(of_purpose):
        if event["decision"] in ("superseded", "expired"):
            continue
        key = (instant(event["at"]), event["decision"] != "given", position)
        if best_key is None or key > best_key:
            best, best_key = event, key
    behind = of_purpose if best_key is None else of_purpose[best_key[2] + 1 :]
    for event in behind:
        if event["decision"] == "expired" and (best_key is None or instant(event["at"]) >= best_key[0]):
            return event
    return best


def grant(record: Record, programme: Programme, purpose: str, at: datetime) -> dict[str, Any] | None:
    """Return the event by which `purpose` is on at `at`, or None where it is off."""
    event = latest(record, purpose)
    if event is None or event["decision"] != "given":
        return None
    if event["policy_version"] != programme["consent"]["policy_version"]:
        return None
    if instant(event["at"]) > at:
        return None
    if event.get("valid_until") is not None and at >= instant(event["valid_until"]):
        return None
    separate = programme.get("ages", {}).get("minors_policy") == "separate"
    if separate and purpose in NEED_GUARDIAN and is_minor(record, programme) and not event.get("guardian"):
        return None
    return event


def covers(record: Record, programme: Programme, purpose: str, facet: str, at: datetime) -> bool:
    """Tell whether `purpose` is on and its categories have `facet`."""
    event = grant(record, programme, purpose, at)
    if event is None:
        return False
    categories = event.get("categories")
    return categories is None or facet in categories


def view(record: Record, programme: Programme, purpose: str, at: datetime) -> dict[str, Side]:
    """Read every facet of a member through one purpose; outside of it a facet was never written."""
    sides = {}
    for name, facet in programme["facets"].items():
        banded = facet.get("source") == "age_band"
        known = banded or covers(record, programme, purpose, name, at)
        want = record.get("wants", {}).get(name, {}) if known else {}
        value = record.get("age_band") if banded else record.get("profile", {}).get(name)
        importance = want.get("importance")
        sides[name] = {
            "value": value if known else None,
            "importance": facet.get("importance", 1) if importance is None else importance,
            "prefer": want.get("prefer"),
            "avoid": want.get("avoid"),
        }
    return sides
