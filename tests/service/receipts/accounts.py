"""Programmes and histories of every kind, to make receipts of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from matcher.consent import fold
from matcher.consent_events import ConsentEvent, is_system
from matcher.consent_words import ALL_DECISIONS, PEOPLE, PURPOSES
from matcher.programme import Programme
from service.api.words import PURPOSES as WORDS
from service.receipts.account import Account
from service.store.consent_log import Recorded, event_id
from tests.matcher.lantern import LANTERN, programme

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
VERSION = LANTERN.policy_version
CONTROLLER = """[controller]
name = "Lantern & friends <trust>"
contact = "privacy@lantern.example"
privacy_notice = "https://lantern.example/privacy"
country = "GB"
[ages]"""
TOLD = programme(("[ages]", CONTROLLER))
"""The programme with a controller of whom all is told."""
FOREVER = replace(LANTERN, retention=replace(LANTERN.retention, without_consent_days=None))
PROGRAMMES = (LANTERN, TOLD, FOREVER)

WRITTEN = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), min_size=1, max_size=20).filter(
    str.strip
)


def grants() -> st.SearchStrategy[ConsentEvent]:
    """Return events of every kind, as they may be stored."""
    return st.builds(
        ConsentEvent,
        st.sampled_from(PURPOSES),
        st.sampled_from(ALL_DECISIONS),
        st.one_of(st.just(VERSION), WRITTEN),
        st.integers(-(10**15), 10**15).map(lambda micros: NOW + timedelta(microseconds=micros)),
        guardian=st.one_of(st.none(), WRITTEN),
        actor=st.sampled_from([None, *PEOPLE]),
        method=st.one_of(st.none(), WRITTEN),
        locale=st.sampled_from([None, "en", "pt-BR", "zh-Hant-TW"]),
        policy_hash=st.sampled_from(
            [None, "0" * 64, "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"]
        ),
        categories=st.one_of(
            st.none(), st.frozensets(st.sampled_from([*LANTERN.facets, "of the past", " a  b "]), max_size=4)
        ),
    ).flatmap(_with_end)


def _with_end(event: ConsentEvent) -> st.SearchStrategy[ConsentEvent]:
    if is_system(event):
        return st.just(replace(event, actor="system", guardian=None, categories=None))
    if event.decision != "given":
        return st.just(replace(event, categories=None))
    ends = st.integers(1, 10**15).map(lambda micros: event.at + timedelta(microseconds=micros))
    return st.one_of(st.none(), ends).map(lambda until: replace(event, valid_until=until))


HISTORIES = st.lists(grants(), min_size=1, max_size=6)


def account(events: Sequence[ConsentEvent], of: Programme = LANTERN, now: datetime = NOW) -> Account:
    """Return the account of a member with these events."""
    history = [Recorded(event_id(place, event), place, event, NOW, "service") for place, event in enumerate(events)]
    return Account(of, "m-000123", history, fold(events, of, now), WORDS)


def event(purpose: str = "match_serve", decision: str = "given", days: int = -1, **more: object) -> ConsentEvent:
    """Return one event, `days` from now."""
    version = str(more.pop("policy_version", VERSION))
    return replace(ConsentEvent(purpose, decision, version, NOW + timedelta(days=days)), **more)  # type: ignore[arg-type]
