"""What cannot be restored changes nothing, and says why."""

from __future__ import annotations

import errno
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from matcher.errors import PeermatchError
from service.backup import making, merging, restoring
from service.backup.errors import RestoreError
from service.backup.header import Header
from service.backup.models import Folders
from service.backup.restoring import restore
from service.sealing import SealError, new_key, write_keyring
from service.settings import SettingsError
from service.store import StoreError, open_store
from service.store.schema import HEAD
from tests.conftest import ROOT, examples
from tests.service.backup.backups import backed_up, content, empty, files, put_back
from tests.service.databases import SQLITE, only, sampled
from tests.service.installation import Installation, close


@pytest.fixture
def file(full: Installation) -> Path:
    """A backup of `full`."""
    return backed_up(full)


@pytest.fixture
def unchanged(full: Installation, file: Path) -> Iterator[None]:
    """Check at the end that nothing is another than before."""
    state, models = content(full, without=set()), files(full.settings.home / "models")
    yield
    assert content(full, without=set()) == state
    assert files(full.settings.home / "models") == models


def refused(made: Installation, file: Path, kind: type[PeermatchError], words: str, **more: Any) -> None:
    with pytest.raises(kind, match=words):
        put_back(made, file, **more)


def other(file: Path, raw: bytes) -> Path:
    """Return another file beside one."""
    copy = file.with_name("other.backup")
    copy.write_bytes(raw)
    return copy


@pytest.mark.usefixtures("unchanged")
def test_a_database_that_is_not_empty_is_not_replaced_unasked(full: Installation, file: Path) -> None:
    refused(full, file, RestoreError, r"programmes already \(beacon, lantern\); .*--replace", replace=False)


@pytest.mark.usefixtures("unchanged")
def test_another_secret_key_opens_nothing(full: Installation, file: Path) -> None:
    key = full.settings.secret_key_file
    right = key.read_text("ascii")
    key.write_text("ab" * 32 + "\n", "ascii")
    refused(full, file, RestoreError, "another secret key; put the secret.key back that belongs to it")
    key.unlink()
    with pytest.raises(SettingsError, match="found no secret key"):
        restore(full.settings, file, replace=True, dry_run=False, now=full.clock())
    key.write_text(right, "ascii")
    key.chmod(0o600)


@only(SQLITE, "It is refused before any database is opened.")
@pytest.mark.usefixtures("unchanged")
def test_every_bit_of_a_backup_counts(full: Installation, file: Path) -> None:
    whole, rng = file.read_bytes(), random.Random(11)
    line = whole.index(b"\n") + 1
    places = [*range(0, line, 3), *rng.sample(range(line, len(whole)), examples(60, 2000)), len(whole) - 1]
    for place in places:
        wrong = bytearray(whole)
        wrong[place] ^= 1 << rng.randrange(8)
        with pytest.raises(RestoreError):
            restore(full.settings, other(file, bytes(wrong)), replace=True, dry_run=False, now=full.clock())


@only(SQLITE, "It is refused before any database is opened.")
@pytest.mark.usefixtures("unchanged")
def test_a_backup_that_was_cut_off_or_added_to_is_refused(full: Installation, file: Path) -> None:
    whole = file.read_bytes()
    size = len(whole)
    rng = random.Random(12)
    for length in (0, 1, size // 2, size - 1, *rng.sample(range(size), examples(20, 500))):
        with pytest.raises(RestoreError):
            restore(full.settings, other(file, whole[:length]), replace=True, dry_run=False, now=full.clock())
    for more in (b"\n", b"\0" * 100):
        refused(full, other(file, whole + more), RestoreError, "something was added")


@pytest.mark.usefixtures("unchanged")
def test_another_kind_of_file_is_refused(full: Installation, file: Path, tmp_path: Path) -> None:
    refused(full, other(file, b"SQLite format 3\0" * 100), RestoreError, "another kind of file")
    with pytest.raises(RestoreError, match="No such file"):
        restore(full.settings, tmp_path / "nowhere", replace=True, dry_run=False, now=full.clock())


@pytest.mark.usefixtures("unchanged")
def test_a_backup_of_another_form_or_schema_is_refused(
    full: Installation, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = other(file, file.read_bytes().replace(b'"peermatch-backup":1', b'"peermatch-backup":9', 1))
    refused(full, wrong, RestoreError, "form 9; this release reads form 1")
    monkeypatch.setattr(restoring, "HEAD", "0099")
    refused(full, file, RestoreError, rf"schema {HEAD}, and this release reads 0099: .*peermatch migrate")


@pytest.mark.usefixtures("unchanged")
def test_a_failure_anywhere_changes_nothing(full: Installation, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RestoreError("on purpose")

    def no_room(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    for where, name, failing in (
        (restoring, "create_tables", fail),
        (restoring.sequences, "write", fail),
        (merging, "merge", fail),
        (restoring.installation, "renew", fail),
        (restoring.audit, "record", fail),
        (Folders, "add", no_room),
        (Folders, "place", no_room),
        (restoring.erasure, "replay", fail),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(where, name, failing)
            refused(full, file, RestoreError, "on purpose|the disk is full", replace=True)
    assert not [path for path in full.settings.home.rglob("*") if "restoring" in path.name]


@sampled("Each kill is of another process.")
@pytest.mark.slow
def test_a_restore_that_is_killed_changes_nothing_and_can_be_run_again(full: Installation, file: Path) -> None:
    state = content(full, without=set())
    names = {"PEERMATCH_HOME": str(full.settings.home), "PEERMATCH_DATABASE_URL": full.settings.database_url}
    steps = [0, *sorted(random.Random(13).sample(range(1, 150), examples(2, 40)))]
    for step in steps:
        close(full)
        command = [sys.executable, "-m", "tests.service.backup.restore_process", str(file), str(step)]
        killed = subprocess.run(command, cwd=ROOT, env={**os.environ, **names}, capture_output=True, check=False)
        assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
        assert content(full, without=set()) == state, f"after statement {step}"
    assert put_back(full, file).replaced
    assert full.match("m-01")["outcome"] == "matched"


@pytest.mark.usefixtures("unchanged")
def test_while_others_use_the_database_it_is_not_replaced(
    full: Installation, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.store.engine.BUSY_MS", 20)
    other_store = open_store(full.settings)
    with other_store.reading() as session:
        session.connection()
    try:
        refused(full, file, StoreError, "stop the service")
    finally:
        other_store.close()


def test_a_database_of_another_schema_is_not_replaced(full: Installation, file: Path) -> None:
    with full.store.engine.execution_options(peermatch_writes=True).begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0002'")
    close(full)
    with pytest.raises(RestoreError, match="schema 0002: `peermatch migrate` it first"):
        restore(full.settings, file, replace=True, dry_run=False, now=full.clock())


def test_a_database_whose_data_keys_are_lost_is_not_replaced_but_an_empty_one_is_filled(
    full: Installation, file: Path, tmp_path: Path
) -> None:
    close(full)
    write_keyring(full.settings, [new_key()])
    with pytest.raises(SealError):
        restore(full.settings, file, replace=True, dry_run=False, now=full.clock())
    settings = empty(full, tmp_path / "back")
    assert restore(settings, file, replace=False, dry_run=False, now=full.clock(), no_ledger=True).header.members == 24
    open_store(settings).close()


def test_a_refused_restore_into_nothing_leaves_nothing(
    full: Installation, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = empty(full, tmp_path / "back")
    before = set(files(settings.home))

    def fail(*_: object, **__: object) -> None:
        raise RestoreError("on purpose")

    monkeypatch.setattr(restoring.installation, "renew", fail)
    with pytest.raises(RestoreError, match="on purpose; nothing was changed"):
        restore(settings, file, replace=False, dry_run=False, now=full.clock(), no_ledger=True)
    assert set(files(settings.home)) - before <= {"data.keys"}
    monkeypatch.undo()
    restore(settings, file, replace=False, dry_run=False, now=full.clock(), no_ledger=True)


def test_rows_that_were_written_otherwise_are_refused(full: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is authentic and yet not what this release expects: of a release with another idea of a table."""
    real = making._lines

    def dropping(*arguments: Any) -> Iterator[Any]:
        for line in real(*arguments):
            if not (isinstance(line, dict) and line.get("end") == "feedback"):
                yield line

    def renamed(*arguments: Any) -> Iterator[Any]:
        for line in real(*arguments):
            yield (
                {**line, "columns": [*line["columns"], "more"]} if isinstance(line, dict) and "table" in line else line
            )

    def short(*arguments: Any) -> Iterator[Any]:
        for line in real(*arguments):
            yield line[:-1] if isinstance(line, list) else line

    for number, lines in enumerate((dropping, renamed, short)):
        monkeypatch.setattr(making, "_lines", lines)
        file = backed_up(full, f"{number}.backup")
        state = content(full, without=set())
        refused(full, file, RestoreError, "another form; install the release that wrote it")
        assert content(full, without=set()) == state


def test_a_header_that_counts_wrongly_is_refused(full: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    real = making._header

    def wrong(*arguments: Any) -> Header:
        header = real(*arguments)
        return Header(**{**vars(header), "rows": header.rows + 1})

    monkeypatch.setattr(making, "_header", wrong)
    refused(full, backed_up(full), RestoreError, "another form")
