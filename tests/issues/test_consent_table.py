"""An invalidated consent still read active (gICS 5); "not provided" was stored as active (fda-mystudies 4506)."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from tests.properties import pairs
from tests.properties.pairs import ids, person

BEFORE, NOW, AFTER = "2026-02-01T00:00:00Z", "2026-03-02T12:00:00Z", "2026-03-02T12:00:01Z"
DECISIONS = ("given", "refused", "withdrawn", "expired", "superseded")
VERSIONS, TIMES, ENDS = ("1", "0", "2"), (BEFORE, NOW, AFTER), (None, AFTER, NOW, BEFORE)
TABLE = itertools.product(DECISIONS, VERSIONS, TIMES, ENDS)
ROWS = [row for row in TABLE if row[3] is None or (row[0] == "given" and row[2] < row[3])]
STANDING = {"purpose": "be_shown_as_peer", "decision": "given", "policy_version": "1", "at": "2026-01-15T00:00:00Z"}


def event_of(decision: str, version: str, at: str, end: str | None = None) -> dict[str, Any]:
    event = {"purpose": "be_shown_as_peer", "decision": decision, "policy_version": version, "at": at}
    if decision in ("expired", "superseded"):
        event["actor"] = "system"
    return event if end is None else {**event, "valid_until": end}


def shown(*events: dict[str, Any]) -> bool:
    people = [person("a", profile={"journey": "new"}), person("b", consents=list(events))]
    found = ids(pairs.fitted(pairs.programme(), people), "a")
    assert found in ([], ["b"])
    return bool(found)


@pytest.mark.parametrize(("decision", "version", "at", "end"), ROWS)
def test_only_an_explicit_current_grant_passes(decision: str, version: str, at: str, end: str | None) -> None:
    on = decision == "given" and version == "1" and at <= NOW and (end is None or end > NOW)
    assert shown(event_of(decision, version, at, end)) is on


@pytest.mark.parametrize(("decision", "version", "at"), list(itertools.product(DECISIONS, VERSIONS, TIMES)))
def test_what_comes_after_a_grant_decides(decision: str, version: str, at: str) -> None:
    """But for the note that a policy was superseded. A no of the future counts now, a yes of the future does not."""
    on = {"given": version == "1" and at <= NOW, "superseded": True}.get(decision, False)
    later = event_of(decision, version, at)
    assert shown(STANDING, later) is on
    # What the service notes ends what stands before it, and nothing that is recorded behind it.
    assert shown(later, STANDING) is (on or decision == "expired")


@pytest.mark.parametrize(("decision", "version"), list(itertools.product(DECISIONS, VERSIONS)))
def test_at_the_same_instant_a_no_counts_as_later(decision: str, version: str) -> None:
    other = event_of(decision, version, STANDING["at"])
    no = decision in ("refused", "withdrawn", "expired")
    assert shown(STANDING, other) is (not no and (decision != "given" or version == "1"))
    assert shown(other, STANDING) is (not no or decision == "expired")


@pytest.mark.parametrize("decision", DECISIONS)
def test_what_came_before_a_grant_is_past(decision: str) -> None:
    assert shown(event_of(decision, "1", "2026-01-14T00:00:00Z"), STANDING)
    assert shown(STANDING, event_of(decision, "1", "2026-01-14T00:00:00Z"))


def test_not_provided_is_off() -> None:
    matcher = pairs.fitted(pairs.programme(), [person("a", profile={"journey": "new"}), person("b", consents=[])])
    assert ids(matcher, "a") == []
