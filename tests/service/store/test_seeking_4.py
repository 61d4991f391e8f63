"""Revision 0004 reads from a record since when somebody has sought as this release does."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.store import live
from service.store.histories import history_of
from service.store.migrations import seeking_4
from service.store.moments import micros
from tests.conftest import examples
from tests.service.installation import NOON

DECISIONS = ("given", "given", "refused", "withdrawn", "expired", "superseded")


@st.composite
def histories(draw: st.DrawFn) -> tuple[dict[str, Any], bool]:
    told = []
    for _ in range(draw(st.integers(0, 6))):
        day = draw(st.integers(-6, 2))
        decision = draw(st.sampled_from(DECISIONS))
        one: dict[str, Any] = {
            "purpose": draw(st.sampled_from(["match_serve", "match_serve", "be_shown_as_peer"])),
            "decision": decision,
            "policy_version": draw(st.sampled_from(["1", "1", "0"])),
            "at": (NOON + timedelta(days=day)).isoformat().replace("+00:00", "Z"),
            "actor": "system" if decision in {"expired", "superseded"} else "member",
        }
        if decision == "given" and draw(st.booleans()):
            until = NOON + timedelta(days=day + draw(st.integers(1, 6)))
            one["valid_until"] = until.isoformat().replace("+00:00", "Z")
        if decision == "given" and draw(st.booleans()):
            one["guardian"] = "form 7"
        told.append(one)
    return {"consents": told}, draw(st.booleans())


@given(drawn=histories())
@settings(max_examples=examples(400, 4000))
def test_since_when_is_what_the_library_says(drawn: tuple[dict[str, Any], bool]) -> None:
    record, minor = drawn
    version = "1"
    programme: Any = SimpleNamespace(policy_version=version, minors_policy="separate")
    toml = {"consent": {"policy_version": version}, "ages": {"minors": ["13-17"], "minors_policy": "separate"}}
    history = history_of(record)
    assert history is not None
    expected = live.of_consents(history, programme, NOON, minor=minor)["seeks_since"]
    whole = {**record, "age_band": "13-17" if minor else "35-64"}
    assert seeking_4.since_of(whole, toml, micros(NOON)) == expected


@pytest.mark.parametrize("fault", ["_is_later", "_is_on"])
def test_a_rule_that_is_another_is_found(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seeking_4, fault, lambda *_: True)
    with pytest.raises(AssertionError):
        test_since_when_is_what_the_library_says()
