"""Revision 0004, up and down on a database in which people have been introduced."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete

from service.sealing import read_keyring
from service.settings import Settings
from service.store import events, open_store
from service.store.engine import open_engine
from service.store.introduction_tables import IntroductionRow
from service.store.migrating import migrate
from tests.service.api.test_review import decide
from tests.service.api.test_suspended import report
from tests.service.databases import Database
from tests.service.installation import NOON, Installation, close, consent, install, record
from tests.service.introduced import NONE, act, inbox, people, propose
from tests.service.store import step_2
from tests.service.store.populated import rows

LATER = NOON + timedelta(days=1)


@pytest.fixture
def settled(tmp_path: Path, database: Database) -> Settings:
    """A closed installation with an offer, a connection, and seekers of every sort."""
    made: Installation = people(install(tmp_path / "made", database=database, size="small"), NONE)
    day = timedelta(days=1)
    again = [
        consent("match_serve", at=NOON - 9 * day),
        consent("match_serve", "withdrawn", at=NOON - 8 * day),
        consent("match_serve", at=NOON - 7 * day),
        consent("match_serve", at=NOON - 6 * day),
    ]
    made.add(
        record("s-again", "seeker", consents=again),
        record("s-no", "seeker", consents=[consent("match_serve", "refused")]),
        record("s-old", "seeker", consents=[{**consent("match_serve"), "policy_version": "0"}]),
        record("s-ended", "seeker", consents=[consent("match_serve", valid_until="2026-03-01T00:00:00Z")]),
        record("s-minor", "seeker", age_band="13-17"),
        record("s-none", "seeker", consents=[]),
    )
    one = propose(made, "s-1", "m-1")
    act(made, one, "accept", "m-1")
    propose(made, "s-2", "m-2")
    close(made)
    return made.settings


def everything(settings: Settings) -> dict[str, list[dict[str, Any]]]:
    engine = open_engine(settings)
    ring = read_keyring(settings)
    try:
        found = rows(engine.execution_options(every_programme=True))
    finally:
        engine.dispose()
    return {name: [step_2.opened_row(name, row, ring) for row in some] for name, some in found.items()}


def test_down_introductions_are_told_and_their_places_given_back(settled: Settings) -> None:
    before = everything(settled)
    free = {row["member_id"]: row["free"] for row in before["live"]}
    assert (free["m-1"], free["m-2"]) == (0, 1)
    done = migrate(settled, "0003", now=LATER)
    told = [note for note in done.notes if "dropped" in note]
    assert [note.split(" ")[0] for note in told] == ["2", str(len(before["events"]))]
    after = everything(settled)
    free = {row["member_id"]: row["free"] for row in after["live"]}
    assert (free["m-1"], free["m-2"]) == (0, 2), "a connection is feedback too, an offer is nothing else"
    assert {"introductions", "events"} & set(after) == set()
    assert {row["kind"] for row in after["apart"]} == {"connected"}, "an offer lapses with what it was kept in"
    assert after["members"] == before["members"]
    assert after["feedback"] == before["feedback"]


def test_down_and_up_again_everybody_seeks_as_before(settled: Settings) -> None:
    before = {row["member_id"]: row for row in everything(settled)["live"]}
    migrate(settled, "0003", now=LATER)
    migrate(settled, now=LATER)
    after = {row["member_id"]: row for row in everything(settled)["live"]}
    for name, row in before.items():
        assert (after[name]["seeker"], after[name]["seeks_since"]) == (row["seeker"], row["seeks_since"]), name
    off = {name for name, row in after.items() if row["seeker"] and not row["seeks_since"]}
    assert off == {"s-no", "s-old", "s-ended", "s-none"}
    assert after["s-again"]["seeks_since"] > before["s-1"]["seeks_since"]
    assert not after["m-1"]["seeker"]


# Who is kept apart for good ------------------------------------------------------------------------------------------


def blocked(settings: Settings) -> list[tuple[str, str]]:
    rows_ = everything(settings)["apart"]
    return sorted((row["member_id"], row["other_id"]) for row in rows_ if row["kind"] == "blocked")


def end(made: Installation, one: Any) -> None:
    act(made, one, "accept", "m-1")
    act(made, one, "end", "s-1", reason="not_a_fit")


def rematch(made: Installation, one: Any) -> None:
    act(made, one, "accept", "m-1")
    act(made, one, "rematch", "m-1")


def report_and_leave(made: Installation, one: Any) -> None:
    act(made, one, "accept", "m-1")
    report(made, one, "s-1")
    act(made, one, "end", "s-1")


def report_of_what_lapsed(made: Installation, one: Any) -> None:
    made.clock.turn(days=7)
    report(made, one, "s-1")


def decline(made: Installation, one: Any) -> None:
    act(made, one, "decline", "m-1")


def finish(made: Installation, one: Any) -> None:
    act(made, one, "accept", "m-1")
    act(made, one, "end", "s-1", reason="finished")


def lapse(made: Installation, _one: Any) -> None:
    made.clock.turn(days=7)
    inbox(made, "s-1")


def reported_and_resumed(made: Installation, one: Any) -> None:
    finish(made, one)
    report(made, one, "s-1")
    decide(made, one, "resume")


def nothing(_made: Installation, _one: Any) -> None: ...


APART = [(end, True), (rematch, True), (report_and_leave, True), (report_of_what_lapsed, True), (decline, True),
         (finish, False), (lapse, False), (reported_and_resumed, False), (nothing, False)]  # fmt: skip


@pytest.mark.parametrize(("what", "lasts"), APART, ids=lambda one: getattr(one, "__name__", str(one)))
def test_whoever_must_not_meet_again_is_blocked(
    tmp_path: Path, database: Database, what: Callable[[Installation, Any], None], lasts: bool
) -> None:
    made = people(install(tmp_path / "made", database=database, size="small"), NONE)
    one = propose(made, "s-1", "m-1")
    what(made, one)
    late = made.clock() + timedelta(days=1)
    close(made)
    done = migrate(made.settings, "0003", now=late)
    told = [note for note in done.notes if "blocked" in note]
    assert told == (["1 pairs that are not to be introduced again are blocked"] if lasts else [])
    assert blocked(made.settings) == ([("m-1", "s-1"), ("s-1", "m-1")] if lasts else [])
    before = blocked(made.settings)
    migrate(made.settings, now=late)
    assert blocked(made.settings) == before
    again = migrate(made.settings, "0003", now=late)
    assert not [note for note in again.notes if "blocked" in note], "who is blocked already is not counted again"


@pytest.mark.parametrize("left", [0, 1])
def test_the_last_introduction_of_a_pair_tells(tmp_path: Path, database: Database, left: int) -> None:
    """Two met, went apart as friends, and are being introduced again; or that has been deleted since."""
    rests = "[introductions]\ncool_down_days = 0\n"
    made = people(install(tmp_path / "made", database=database, size="small"), NONE, more=rests)
    finish(made, propose(made, "s-1", "m-1"))
    made.clock.turn(days=8)
    propose(made, "s-1", "m-1")
    if not left:
        with made.store.transaction() as session:
            session.execute(delete(IntroductionRow).where(IntroductionRow.programme_id == "lantern"))
    late = made.clock() + timedelta(days=1)
    close(made)
    done = migrate(made.settings, "0003", now=late)
    assert len([note for note in done.notes if "blocked" in note]) == (0 if left else 1)


# Numbers of events ---------------------------------------------------------------------------------------------------


def test_no_number_of_an_event_is_given_twice(tmp_path: Path, database: Database) -> None:
    made = people(install(tmp_path / "made", database=database, size="small"), NONE)
    for _ in range(9):
        act(made, propose(made, "s-1", "m-1"), "withdraw", "s-1")
        made.clock.turn(days=40)
    with made.store.reading() as session:
        read = [one.number for one in events.after(session, "lantern", 0, 1000)]
    late = made.clock() + timedelta(days=1)
    close(made)
    for _ in range(2):
        migrate(made.settings, "0003", now=late)
        migrate(made.settings, now=late)
    store = open_store(made.settings)
    with store.transaction() as session:
        number = events.add(session, "lantern", "s-1", "list.ready", None, late)
    store.close()
    assert number > max(read)
    pools = {row["programme_id"]: row for row in everything(made.settings)["pools"]}
    assert pools["lantern"]["events"] == number
