"""A file adds to the consents on record, and never reorders them."""

from __future__ import annotations

from service.intake.members import _merged


def test_what_is_stored_stays_first_and_in_its_order() -> None:
    assert _merged(["given", "withdrawn"], ["given", "other"]) == ["given", "withdrawn", "other"]
    assert _merged([], ["given"]) == ["given"]
    assert _merged(["given"], None) == ["given"]
