from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from service.backup.kept_introductions import JUMP
from service.backup.restoring import restore
from service.store import audit_chain, installation
from tests.postgresql import Cluster
from tests.service.backup.backups import backed_up, content, empty, files, put_back, restored
from tests.service.databases import POSTGRESQL, SQLITE, Database
from tests.service.installation import Installation, close
from tests.service.store.populated import said, told


def test_everything_is_there_after_a_restore(full: Installation, tmp_path: Path) -> None:
    before, models = content(full), files(full.settings.home / "models")
    file = backed_up(full)
    back = restored(full, empty(full, tmp_path / "back"), file)
    try:
        after = content(back)
        for row in after["pools"]:
            row["events"] -= JUMP  # so far do the numbers of events go on
        for name, rows in before.items():
            assert after[name] == rows, name
            assert rows, f"nothing in {name}: it shows nothing"
        assert files(back.settings.home / "models") == models
    finally:
        close(back)


@pytest.mark.parametrize("other", [SQLITE, POSTGRESQL])
def test_a_restored_installation_tells_the_same_whatever_database_it_is_on(
    full: Installation, tmp_path: Path, other: str, request: pytest.FixtureRequest
) -> None:
    cluster: Cluster | None = request.getfixturevalue("cluster") if other == POSTGRESQL else None
    database = Database(other, cluster)
    back = restored(full, empty(full, tmp_path / "back", database), backed_up(full), database)
    back.clock.turn(days=1)
    full.clock.turn(days=1)
    try:
        assert told(back) == told(full)
    finally:
        close(back)


def test_numbers_that_were_given_are_not_given_again(full: Installation, tmp_path: Path) -> None:
    highest = max(row["live_id"] for row in content(full)["gone"])
    back = restored(full, empty(full, tmp_path / "back"), backed_up(full))
    try:
        said(back, "PUT", "/v1/members/m-90", {**content_of(full, "m-09"), "member_id": "m-90"})
        new = next(row for row in content(back)["live"] if row["member_id"] == "m-90")
        assert new["id"] > highest
    finally:
        close(back)


def content_of(made: Installation, member_id: str) -> Any:
    return made.call("GET", f"/v1/members/{member_id}").get_json()


def test_a_restored_database_is_another_one_and_its_audit_log_is_whole(full: Installation, tmp_path: Path) -> None:
    back = restored(full, empty(full, tmp_path / "back"), backed_up(full))
    try:
        with full.store.reading() as mine, back.store.reading() as its:
            assert installation.check(mine) != installation.check(its)
            assert audit_chain.verify(its, "lantern").broken is None
            actions = [row["action"] for row in content(back, without=set())["audit"]]
        assert {"backup.restored"} <= set(actions)
    finally:
        close(back)


def test_a_dry_run_changes_nothing_and_says_what_would_be_done(full: Installation, tmp_path: Path) -> None:
    file = backed_up(full)
    settings = empty(full, tmp_path / "back")
    before = files(settings.home)
    would = restore(settings, file, replace=False, dry_run=True, now=full.clock(), no_ledger=True)
    assert (would.header.members, would.models, would.erased) == (24, 3, 0)
    assert files(settings.home) == before
    state, home = content(full, without=set()), files(full.settings.home / "models")
    assert put_back(full, file, dry_run=True).replaced
    assert (content(full, without=set()), files(full.settings.home / "models")) == (state, home)
