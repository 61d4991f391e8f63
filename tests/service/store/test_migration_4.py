"""Revision 0004, up and down on a database in which people have been introduced."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from service.sealing import read_keyring
from service.settings import Settings
from service.store.engine import open_engine
from service.store.migrating import migrate
from tests.service.databases import Database
from tests.service.installation import NOON, Installation, close, consent, install, record
from tests.service.introduced import NONE, act, people, propose
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
    assert {row["kind"] for row in after["apart"]} == {"connected"}
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
