"""Who waits and why, as a page."""

from __future__ import annotations

from datetime import timedelta

from matcher.waiting import NAMES, REASONS
from service.console.waiting import STATES, WHY
from tests.service.console.visiting import signed_in, words
from tests.service.installation import NOON, Installation, consent, record


def test_every_state_and_every_reason_has_words() -> None:
    assert set(STATES) == set(NAMES)
    assert set(WHY) == set(REASONS)


def test_nobody_seeks(made: Installation) -> None:
    said = words(signed_in(made).get("/waiting"))
    assert "Nobody seeks yet." in said
    assert "Nobody waits." in said


def test_who_waits_is_there_in_order_with_why(made: Installation) -> None:
    later = [consent("match_serve", at=NOON - timedelta(days=2))]
    made.add(record("s-late", "seeker", consents=later), record("s-early", "seeker"), record("m-1", "supporter"))
    made.match("s-early")
    page = signed_in(made).get("/waiting")
    said = words(page)
    assert "Wait : 1" in said or "Wait: 1" in said
    assert "Their app has never asked for a list" in said
    assert "s-early" not in page.get_data(as_text=True), "they have a list"
    made.call("POST", "/v1/members/m-1/consents", {"purpose": "be_shown_as_peer", "decision": "withdrawn"})
    said = signed_in(made).get("/waiting").get_data(as_text=True)
    assert said.index(">s-early<") < said.index(">s-late<")
