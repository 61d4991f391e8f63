"""``peermatch doctor``: finds what is wrong, and changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from matcher.errors import PeermatchError
from service.cli import checks
from service.store import open_store, sealed
from service.store.tables import MemberRow
from tests.service.cli.conftest import Cli
from tests.service.databases import POSTGRESQL, SQLITE, Database, only
from tests.service.installation import record


def statuses(cli: Cli, code: int) -> dict[str, str]:
    return {check["name"]: check["status"] for check in cli.json("doctor", code=code)["checks"]}


def found(cli: Cli, name: str, code: int) -> dict[str, str]:
    (check,) = (one for one in cli.json("doctor", code=code)["checks"] if one["name"] == name and one["status"] != "ok")
    return dict(check)


def test_a_sound_installation(cli: Cli) -> None:
    cli.add(record("m-1"), record("m-2"))
    cli.add(record("m-3"), later=True)
    document = cli.json("doctor")
    assert document["status"] == "ok", document
    shown = cli.run("doctor").stdout
    assert "3 members, 1 of them visible from tomorrow" in shown
    assert "2 who may be shown" in shown
    assert "nobody in it seeks" in shown
    assert shown.endswith("13 checks: 0 failed, 0 with a warning.\n")


def test_a_list_is_tried(cli: Cli) -> None:
    cli.add(record("m-1"), record("s-1", "seeker"), record("s-2", "seeker", consents=[]))
    assert "; 1 lists tried" in cli.run("doctor").stdout


def test_nothing_there_yet(empty: Cli) -> None:
    document = empty.json("doctor", code=1)
    assert document["status"] == "fail"
    assert "peermatch init" in empty.run("doctor", code=1).stdout
    assert not empty.settings.home.exists()


def test_a_readable_secret_key_fails(cli: Cli) -> None:
    cli.settings.secret_key_file.chmod(0o644)
    check = found(cli, "secret key", code=1)
    assert "0600" in check["message"]


@only(SQLITE, "A server looks after its own files.")
def test_a_readable_database_is_a_warning(cli: Cli) -> None:
    file = cli.settings.database_file
    assert file is not None
    file.chmod(0o644)
    assert "chmod 600" in found(cli, "database", code=0)["way_out"]


@only(SQLITE, "It is deleted in the next test.")
def test_a_database_that_is_none(cli: Cli) -> None:
    file = cli.settings.database_file
    assert file is not None
    file.write_bytes(b"not a database" * 100)
    assert statuses(cli, code=1)["database"] == "fail"


@only(POSTGRESQL, "SQLite makes a new file.")
def test_a_database_that_is_gone(cli: Cli, database: Database) -> None:
    database.remove(cli.folder)
    assert "PEERMATCH_DATABASE_URL" in found(cli, "database", code=1)["message"]


def test_a_damaged_model_fails_with_the_way_out(cli: Cli) -> None:
    (folder,) = (cli.settings.home / "models" / "lantern").iterdir()
    (folder / "weights.json").write_text("{}")
    check = found(cli, "models of lantern", code=1)
    assert "weights.json" in check["message"]
    assert "peermatch train --programme lantern" in check["way_out"]


def test_what_an_interrupted_command_left_is_named(cli: Cli) -> None:
    (cli.settings.home / "models" / "lantern" / "half").mkdir()
    assert "half" in found(cli, "models of lantern", code=0)["message"]


def test_records_that_no_list_can_use_are_counted(cli: Cli) -> None:
    cli.add(record("m-1"))
    store = open_store(cli.settings)
    with store.transaction() as session:
        row = session.get(MemberRow, ("lantern", "m-1"))
        assert row is not None
        row.record = sealed.seal(session, "lantern", sealed.MEMBERS, "m-1", '{"member_id": "m-1"}')
    store.close()
    check = found(cli, "pool of lantern", code=1)  # its consents are not those of the log either
    assert "1 stored records" in check["message"]
    assert "m-1" not in check["message"]


def test_settings_that_cannot_be(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PEERMATCH_DATABASE_URL", "mysql://user:hunter2@host/name")
    result = cli.run("doctor", code=1)
    assert "PEERMATCH_DATABASE_URL" in result.stdout
    assert "hunter2" not in result.output


def test_missing_time_zones(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(key: str) -> None:
        raise checks.zoneinfo.ZoneInfoNotFoundError(key)

    monkeypatch.setattr(checks.zoneinfo, "ZoneInfo", missing)
    (check,) = checks._time_zones()
    assert check.status == "fail"
    assert "tzdata" in check.way_out


def test_little_room(monkeypatch: pytest.MonkeyPatch, cli: Cli) -> None:
    monkeypatch.setattr(checks, "FREE_BYTES", 10**18)
    assert "make room" in found(cli, "home", code=0)["way_out"]


def test_what_fails_ends_only_its_own_check(cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fail(name: str) -> None:
        raise PeermatchError(f"{name} is damaged")

    monkeypatch.setattr(checks.vocabulary, "load_bundled", fail)
    seen = statuses(cli, code=1)
    assert seen["vocabulary"] == "fail"
    assert seen["pool of lantern"] == "ok"
