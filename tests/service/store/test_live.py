"""The narrow rows, when time passes or the programme changes and no record does."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from matcher.programme import Programme
from service.store import feed, live, members, programmes
from service.store.live_tables import LiveRow
from service.store.moments import FOREVER, micros
from tests.service.installation import NOON, Installation, consent, record, write_programme

HOUR = timedelta(hours=1)


def ending(purpose: str, at: datetime) -> dict[str, Any]:
    return consent(purpose, valid_until=f"{at:%Y-%m-%dT%H:%M:%SZ}")


def row(session: Session, member_id: str) -> LiveRow:
    theirs = (LiveRow.programme_id == "lantern", LiveRow.member_id == member_id)
    return session.scalars(select(LiveRow).where(*theirs).execution_options(populate_existing=True)).one()


def changed_programme(made: Installation, *changes: tuple[str, str]) -> Programme:
    """Store the programme with other words in it."""
    base = made.folder / "files"
    write_programme(base)
    text = (base / "programme.toml").read_text("utf-8")
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    (base / "programme.toml").write_text(text, "utf-8")
    programme = Programme.from_toml(base / "programme.toml")
    with made.store.transaction() as session:
        programmes.save(session, programme, base, now=made.clock())
    return programme


@pytest.fixture
def ends(made: Installation) -> Installation:
    """Two members whose consents end in an hour, and one whose never do."""
    made.add(
        record("shown", consents=[ending("be_shown_as_peer", NOON + HOUR), consent("show_reasons")]),
        record("told", consents=[consent("be_shown_as_peer"), ending("show_reasons", NOON + HOUR)]),
        record("always"),
    )
    return made


def test_consents_that_have_ended_are_folded_anew_once(ends: Installation) -> None:
    with ends.store.transaction() as session:
        before = feed.latest(session, "lantern")
        live.let_time_pass(session, ends.programme, NOON + HOUR - timedelta(microseconds=1))
        assert feed.latest(session, "lantern") == before
        for _ in range(2):
            live.let_time_pass(session, ends.programme, NOON + HOUR)
            assert feed.latest(session, "lantern") == (before[0] + 1, before[0] + 1)
        found = {name: row(session, name) for name in ("shown", "told", "always")}
        assert {name: one.shown for name, one in found.items()} == {"shown": 0, "told": 1, "always": 1}
        assert {one.edge for one in found.values()} == {FOREVER}


def test_what_consents_mean_is_part_of_the_revision(ends: Installation) -> None:
    """A list remembers the revision it was made from: what it says may rest on a consent that has ended since."""
    with ends.store.transaction() as session:
        before = {name: row(session, name).revision for name in ("shown", "told", "always")}
        live.let_time_pass(session, ends.programme, NOON + HOUR)
        after = {name: row(session, name).revision for name in ("shown", "told", "always")}
    assert after["always"] == before["always"]
    assert after["told"] > before["told"]
    assert after["shown"] > before["shown"]


def test_a_change_of_the_programme_that_moves_no_consent_keeps_the_revisions(ends: Installation) -> None:
    with ends.store.transaction() as session:
        before = {name: row(session, name).revision for name in ("shown", "told", "always")}
    changed_programme(ends, ('name = "A programme of the tests"', 'name = "Another name"'))
    with ends.store.transaction() as session:
        assert {name: row(session, name).revision for name in before} == before


def test_a_change_of_the_programme_that_hides_an_end_is_a_revision(ends: Installation) -> None:
    """The programme changes and changes back after a consent has ended: lists made before must not revive it."""
    with ends.store.transaction() as session:
        before = row(session, "told").revision
    ends.clock.turn(hours=2)
    changed_programme(ends, ('name = "A programme of the tests"', 'name = "Another name"'))
    again = changed_programme(ends)
    assert again.digest == ends.programme.digest
    with ends.store.transaction() as session:
        told = row(session, "told")
        assert (told.edge, told.shown) == (FOREVER, 1)
        assert told.revision > before


def test_a_policy_that_nobody_has_agreed_to_hides_everybody_until_it_is_taken_back(ends: Installation) -> None:
    changed_programme(ends, ('policy_version = "1"', 'policy_version = "2"'))
    with ends.store.transaction() as session:
        assert [row(session, name).shown for name in ("shown", "told", "always")] == [0, 0, 0]
    changed_programme(ends)
    with ends.store.transaction() as session:
        assert [row(session, name).shown for name in ("shown", "told", "always")] == [1, 1, 1]
        assert row(session, "shown").edge == micros(NOON + HOUR)


def test_records_that_no_longer_fit_are_refused_and_come_back(made: Installation) -> None:
    made.add(record("m-1", capacity=2), record("m-2", profile={"channel": ["video"]}))
    changed_programme(made, ('"phone", "video"', '"video", "text"'))
    with made.store.transaction() as session:
        assert [(row(session, name).accepted, row(session, name).shown) for name in ("m-1", "m-2")] == [(0, 0), (1, 1)]
        stored = members.get(session, "lantern", "m-1")
        assert stored is not None
        assert not stored.accepted
    changed_programme(made)
    with made.store.transaction() as session:
        assert (row(session, "m-1").accepted, row(session, "m-1").free) == (1, 2)


def test_a_change_of_the_programme_is_one_change_for_all(made: Installation) -> None:
    made.add(record("m-1"), record("m-2"))
    with made.store.transaction() as session:
        before = feed.latest(session, "lantern")
    changed_programme(made, ('name = "A programme of the tests"', 'name = "Another name"'))
    with made.store.transaction() as session:
        assert feed.latest(session, "lantern") == (before[0] + 1, before[0] + 1)
        assert {row(session, name).number for name in ("m-1", "m-2")} == {before[0] + 1}


def test_touching_nobody_is_told(made: Installation) -> None:
    with made.store.transaction() as session:
        assert not live.touch(session, "lantern", "nobody", adds=False, held_until=FOREVER)
    made.add(record("m-1"))
    with made.store.transaction() as session:
        assert live.touch(session, "lantern", "m-1", adds=False, held_until=FOREVER)
        assert row(session, "m-1").held_until == FOREVER
