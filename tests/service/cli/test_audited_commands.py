"""Commands that change something leave an entry in the audit log, or do not happen."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from service.store import Store, audit, open_store
from service.store.hot import StoreError
from service.store.record_tables import AuditRow
from tests.service.cli.conftest import Cli
from tests.service.installation import record
from tests.service.store.audited import tables


@pytest.fixture
def store(cli: Cli) -> Iterator[Store]:
    opened = open_store(cli.settings)
    yield opened
    opened.close()


def entries(store: Store) -> list[tuple[str, dict[str, Any]]]:
    with store.reading() as session:
        query = select(AuditRow).where(AuditRow.programme_id == "lantern").order_by(AuditRow.number)
        rows = session.scalars(query).all()
    assert {row.by for row in rows} == {"command"}
    return [(row.action, json.loads(row.details)) for row in rows]


def write(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def test_init(cli: Cli, store: Store) -> None:
    (created, made_key) = entries(store)
    assert created[0] == "programme.created"
    assert set(created[1]) == {"digest", "model"}
    assert made_key[0] == "key.created"
    assert len(made_key[1]["key"]) == 16
    assert "match:ids" in made_key[1]["scopes"]


def test_imports_are_told_by_counts_alone(cli: Cli, store: Store, tmp_path: Path) -> None:
    people = write(tmp_path / "m.jsonl", record("s-1", "seeker"), record("m-1"), {"member_id": "m-2"})
    cli.run("import", "members", people, code=1)
    blocks = write(tmp_path / "b.jsonl", {"a": "s-1", "b": "m-1"})
    cli.run("import", "blocks", blocks)
    group = {"group_id": "g-1", "name": "Once more", "facilitators": ["m-1"], "channel": "phone", "capacity": 5}
    groups = write(tmp_path / "g.jsonl", group)
    done = cli.json("import", "groups", groups, code=0)
    viewed = {"seeker": "s-1", "candidate": "m-1", "event": "viewed", "at": "2026-03-01T12:00:00Z"}
    feedback = write(tmp_path / "f.jsonl", viewed)
    cli.run("import", "feedback", feedback)
    counts = {"accepted": 1, "new": 1, "refused": 0}
    assert done["accepted"] == 1
    assert entries(store)[2:] == [
        ("members.imported", {"accepted": 2, "new": 2, "refused": 1}),
        ("blocks.imported", counts),
        ("groups.imported", counts),
        ("feedback.imported", counts),
    ]


def test_an_import_that_does_not_happen_is_not_told(cli: Cli, store: Store, tmp_path: Path) -> None:
    people = write(tmp_path / "m.jsonl", record("m-1"), {"member_id": "m-2"})
    cli.run("import", "members", people, "--strict", code=1)
    assert len(entries(store)) == 2


def test_models(cli: Cli, store: Store) -> None:
    cli.clock.turn(hours=1)
    cli.run("train")
    first, second = (one["version"] for one in cli.json("models", "list")["models"])
    cli.run("models", "activate", first)
    cli.run("models", "rollback")
    assert [one for one in entries(store)[2:] if one[0] != "audit.signed"] == [
        ("model.published", {"version": second}),
        ("model.activated", {"version": first}),
        ("model.activated", {"version": second}),
    ]


def test_a_programme_that_is_applied(cli: Cli, store: Store) -> None:
    cli.run("programme", "apply", cli.file)
    cli.write(more="[privacy]\nreason_k = 7")
    cli.run("programme", "apply", cli.file, "--dry-run")
    assert len(entries(store)) == 2, "nothing to change, and a dry run, change nothing"
    cli.run("programme", "apply", cli.file)
    action, details = entries(store)[2]
    assert (action, details["changes"], len(details["digest"])) == ("programme.applied", 1, 64)


def test_the_nightly_commands_sign_where_the_log_ends(cli: Cli, store: Store) -> None:
    cli.run("refresh")
    assert [action for action, _ in entries(store)] == ["programme.created", "key.created", "audit.signed"]
    cli.run("refresh")
    assert len(entries(store)) == 3, "nothing new: nothing to sign"
    cli.run("train")
    assert [action for action, _ in entries(store)][3:] == ["model.published", "audit.signed"]


def commands(cli: Cli, folder: Path) -> list[tuple[object, ...]]:
    people = write(folder / "m.jsonl", record("m-1"), record("m-2"))
    (version,) = (one["version"] for one in cli.json("models", "list")["models"])
    (key,) = (one["key_id"] for one in cli.json("keys", "list")["keys"])
    return [
        ("import", "members", people),
        ("models", "activate", version),
        ("train",),
        ("programme", "apply", cli.file),
        ("keys", "create", "--scope", "match"),
        ("keys", "rotate", key),
        ("keys", "revoke", key),
    ]


def test_what_cannot_be_recorded_does_not_happen(
    cli: Cli, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = commands(cli, tmp_path)
    cli.write(more="[privacy]\nreason_k = 7")
    before = tables(store)

    def full(*_: object, **__: object) -> int:
        raise StoreError("the database refused (OperationalError); try again, and see `peermatch doctor`")

    with monkeypatch.context() as patched:
        patched.setattr(audit, "record", full)
        for command in asked:
            assert "refused" in cli.run(*command, code=1).output, command
            assert tables(store) == before, command
    assert len(list((cli.settings.home / "models" / "lantern").iterdir())) == 1, "and no model is left over"
    for command in asked:
        cli.run(*command)
    assert tables(store) != before, "the control: these commands change something"
