"""An invalidated consent still read active (gICS 5); "not provided" was stored as active (fda-mystudies 4506)."""

from __future__ import annotations

import itertools

import pytest

from tests.properties import pairs
from tests.properties.pairs import ids, person

BEFORE, NOW, AFTER = "2026-02-01T00:00:00Z", "2026-03-02T12:00:00Z", "2026-03-02T12:00:01Z"
DECISIONS, VERSIONS, ENDS = ("given", "refused", "withdrawn"), ("1", "0", "2"), (None, AFTER, NOW, BEFORE)
TABLE = itertools.product(DECISIONS, VERSIONS, (BEFORE, NOW, AFTER), ENDS)
ROWS = [row for row in TABLE if row[3] is None or row[2] < row[3]]


@pytest.mark.parametrize(("decision", "version", "at", "end"), ROWS)
def test_only_an_explicit_current_grant_passes(decision: str, version: str, at: str, end: str | None) -> None:
    event = {"purpose": "be_shown_as_peer", "decision": decision, "policy_version": version, "at": at}
    if end is not None and decision == "given":
        event["valid_until"] = end
    matcher = pairs.fitted(pairs.programme(), [person("a", profile={"journey": "new"}), person("b", consents=[event])])
    on = decision == "given" and version == "1" and at <= NOW and (end is None or end > NOW)
    assert ids(matcher, "a") == (["b"] if on else [])


def test_not_provided_is_off() -> None:
    matcher = pairs.fitted(pairs.programme(), [person("a", profile={"journey": "new"}), person("b", consents=[])])
    assert ids(matcher, "a") == []
