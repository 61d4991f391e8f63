"""Without the file of erasures it is not known that nobody was erased."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.backup.errors import RestoreError
from service.backup.restoring import restore
from service.store.erasure_ledger import Ledger
from tests.service.backup.backups import backed_up, empty, files, put_back
from tests.service.installation import Installation


def test_an_empty_database_is_not_filled_unasked(full: Installation, tmp_path: Path) -> None:
    file = backed_up(full)
    settings = empty(full, tmp_path / "back")
    before = files(settings.home)
    now = full.clock()
    for dry_run in (True, False):
        with pytest.raises(RestoreError, match=r"copy erasures\.ledger from the old home, or say with --no-ledger"):
            restore(settings, file, replace=False, dry_run=dry_run, now=now)
        assert {name: raw for name, raw in files(settings.home).items() if name in before} == before
    done = restore(settings, file, replace=False, dry_run=False, now=now, no_ledger=True)
    assert done.ledger_missing


def test_an_empty_file_says_that_nobody_was_erased(full: Installation, tmp_path: Path) -> None:
    file = backed_up(full)
    settings = empty(full, tmp_path / "back")
    Ledger.of(settings).sync(list)
    assert Ledger.of(settings).read().there
    assert not restore(settings, file, replace=False, dry_run=False, now=full.clock()).ledger_missing


def test_a_database_that_is_replaced_knows_but_it_is_told(full: Installation) -> None:
    file = backed_up(full)
    Ledger.of(full.settings).path.unlink(missing_ok=True)
    assert put_back(full, file).ledger_missing
    assert not put_back(full, file).ledger_missing  # it is written after each
