from __future__ import annotations

import os
from datetime import timedelta

import pytest

from service.cli import retention as command
from service.store import erasure, open_store, programmes
from service.store.audit import AuditError
from service.store.erasure_ledger import Ledger
from tests.service.cli.conftest import Cli
from tests.service.databases import SQLITE, only
from tests.service.installation import consent, record

MORE = "[retention]\nwithout_consent_days = 30"


@pytest.fixture
def filled(empty: Cli) -> Cli:
    """An installation with one who has agreed and one who has not."""
    empty.write(more=MORE)
    empty.run("init", empty.file)
    empty.add(record("m-1", "seeker"), record("m-2", consents=[]), record("m-3", consents=[consent("match_serve")]))
    empty.clock.turn(days=31)
    return empty


def test_a_dry_run_counts_and_changes_nothing(filled: Cli) -> None:
    would = filled.json("retention", "--dry-run")
    assert not would["deleted"]
    assert would["programmes"]["lantern"]["members"] == 1
    assert "  1 members erased" in filled.run("retention", "--dry-run").stdout
    assert filled.json("retention", "--dry-run") == would


def test_what_is_due_is_deleted_and_told(filled: Cli) -> None:
    would = filled.json("retention", "--dry-run")
    done = filled.json("retention")
    assert done["deleted"]
    assert done["programmes"] == would["programmes"]
    assert done["problems"] == []
    assert len(Ledger.of(filled.settings).read().entries) == 1
    store = open_store(filled.settings)
    with store.reading() as session:
        assert erasure.erased_at(session, "lantern", "m-2") == filled.clock()
    store.close()
    assert filled.run("retention", "--programme", "lantern").stdout == "lantern: nothing was due.\n"


def test_another_programme_is_refused(filled: Cli) -> None:
    assert "found 'nowhere'" in filled.run("retention", "--programme", "nowhere", code=1).stderr


def test_what_fails_does_not_hold_up_the_rest(filled: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store(filled.settings)
    base = filled.folder / "second"
    (base / "lists").mkdir(parents=True)
    (base / "lists" / "experiences.csv").write_bytes((filled.file.parent / "lists" / "experiences.csv").read_bytes())
    (base / "programme.toml").write_text(filled.file.read_text("utf-8").replace('"lantern"', '"beacon"'), "utf-8")
    from matcher.programme import Programme

    with store.transaction() as session:
        programmes.save(session, Programme.from_toml(base / "programme.toml"), base, now=filled.clock())
    store.close()
    real = programmes.load

    def failing(session: object, programme_id: str) -> Programme:
        if programme_id == "beacon":
            raise AuditError("beacon: on purpose")
        return real(session, programme_id)  # type: ignore[arg-type]

    monkeypatch.setattr(programmes, "load", failing)
    done = filled.json("retention", code=1)
    assert done["programmes"]["lantern"]["members"] == 1
    assert done["problems"] == ["beacon: beacon: on purpose"]


@only(SQLITE, "It is about copies of SQLite's file.")
def test_copies_that_migrations_made_go_after_a_month(filled: Cli) -> None:
    file = filled.settings.database_file
    assert file is not None
    old, new = (file.with_name(f"{file.name}.before-{name}") for name in ("0003", "0004"))
    for copy, age in ((old, 31), (new, 29)):
        copy.write_bytes(b"copy")
        at = (filled.clock() - timedelta(days=age)).timestamp()
        os.utime(copy, (at, at))
    assert filled.json("retention")["copies_removed"] == [str(old)]
    assert (old.exists(), new.exists()) == (False, True)


def test_a_pool_is_made_up_for_though_nobody_is_erased_now(filled: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    filled.json("retention")
    made: list[str] = []
    monkeypatch.setattr(command, "ensure", lambda _builder, programme_id, _now: made.append(programme_id))
    filled.json("retention")
    assert made == [], "control: there is no pool"
    (filled.settings.run / "pools" / "lantern").mkdir(parents=True, exist_ok=True)
    assert filled.json("retention")["programmes"]["lantern"]["members"] == 0
    assert made == ["lantern"]
