from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matcher.consent import fold
from matcher.consent_events import ConsentEvent
from service.store.last_consent import last_on
from tests.conftest import examples
from tests.service.installation import write_programme

START = datetime(2026, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
TICK = timedelta(microseconds=1)
SPAN = 12


@pytest.fixture(scope="module")
def programme(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return write_programme(tmp_path_factory.mktemp("programme"))


@pytest.fixture(scope="module")
def separate(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("separate")
    programme = write_programme(folder)
    text = programme.source.replace('minors = ["13-17"]', 'minors = ["13-17"]\nminors_policy = "separate"')
    (folder / "programme.toml").write_text(text, "utf-8")
    return type(programme).from_toml(folder / "programme.toml")


def at(seconds: float) -> datetime:
    return START + seconds * SECOND


def event(purpose: str, decision: str, when: float, until: float | None = None, **more: Any) -> ConsentEvent:
    ends = None if until is None else at(until)
    return ConsentEvent(purpose, decision, more.pop("version", "1"), at(when), ends, **more)


EVENTS = st.lists(
    st.builds(
        event,
        st.sampled_from(["match_serve", "train_model"]),
        st.sampled_from(["given", "given", "refused", "withdrawn", "expired"]),
        st.integers(0, SPAN),
        st.none() | st.integers(0, SPAN + 3),
        guardian=st.sampled_from([None, "seen"]),
    ).filter(lambda one: one.valid_until is None or one.valid_until > one.at),
    max_size=6,
)


def naive(history: Sequence[ConsentEvent], programme: Any, now: datetime, minor: bool) -> datetime | None:
    """Return the last moment at which something was on, by looking at every moment at which that may change."""

    def on(when: datetime) -> bool:
        told = [one for one in history if one.at <= when]  # nobody knew then what was to be told later
        return bool(fold(told, programme, when, minor).grants)

    edges = {edge for one in history for edge in (one.at, one.valid_until) if edge is not None and edge <= now} | {now}
    last = None
    for edge in sorted(edges):
        if on(edge) or on(edge - TICK):  # it is on, or it ended here
            last = edge
    return last


@settings(max_examples=examples(400, 5000))
@given(history=EVENTS, seconds=st.integers(0, SPAN + 5), minor=st.booleans())
def test_it_is_what_the_fold_says_moment_by_moment(
    history: list[ConsentEvent], seconds: int, minor: bool, separate: Any
) -> None:
    now = at(seconds)
    known = [one for one in history if one.at <= now]
    assert last_on(known, separate, now, minor=minor) == naive(known, separate, now, minor)


def test_nothing_agreed_to_is_never_on(programme: Any) -> None:
    assert last_on([], programme, at(9)) is None
    assert last_on([event("match_serve", "refused", 1)], programme, at(9)) is None
    assert last_on([event("match_serve", "given", 10)], programme, at(9)) is None


def test_it_is_on_until_it_is_withdrawn_or_ends(programme: Any) -> None:
    given_ = event("match_serve", "given", 1)
    assert last_on([given_], programme, at(9)) == at(9)
    assert last_on([given_, event("match_serve", "withdrawn", 4)], programme, at(9)) == at(4)
    assert last_on([event("match_serve", "given", 1, 6)], programme, at(9)) == at(6)
    assert last_on(
        [given_, event("match_serve", "withdrawn", 4), event("show_reasons", "given", 2, 3)], programme, at(9)
    ) == at(4)


def test_a_grant_of_another_policy_counts_until_the_change_was_noted(programme: Any) -> None:
    old = event("match_serve", "given", 1, version="0")
    assert last_on([old], programme, at(9)) == at(9)
    noted = event("match_serve", "superseded", 5)
    assert last_on([old, noted], programme, at(9)) == at(5)
    back = event("match_serve", "superseded", 6, version="0")
    again = event("match_serve", "superseded", 7)
    assert last_on([old, noted, back, again], programme, at(9)) == at(7)


def test_a_note_dated_ahead_ends_nothing_that_is_given_after_it(programme: Any) -> None:
    given = event("match_serve", "given", 0, 4)
    history = [given, event("match_serve", "expired", 4), event("match_serve", "given", 1)]
    assert last_on(history[:2], programme, at(6)) == at(4)
    assert last_on(history, programme, at(6)) == at(6)
