"""A file adds to the consents on record, and never reorders them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from matcher.consent_events import ConsentEvent
from service.intake.members import _with_consents
from tests.matcher.lantern import member

AT = datetime(2026, 2, 1, tzinfo=UTC)
GIVEN = ConsentEvent("match_serve", "given", "2026-01", AT)
WITHDRAWN = replace(GIVEN, decision="withdrawn")
OTHER = replace(GIVEN, purpose="train_model")


def test_what_is_stored_stays_first_and_in_its_order() -> None:
    told = replace(member(), consents=(GIVEN, OTHER))
    assert _with_consents(told, [GIVEN, WITHDRAWN]).consents == (GIVEN, WITHDRAWN, OTHER)
    assert _with_consents(told, []).consents == (GIVEN, OTHER)
    assert _with_consents(replace(told, consents=()), [GIVEN]).consents == (GIVEN,)
