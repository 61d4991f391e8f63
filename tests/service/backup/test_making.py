from __future__ import annotations

import errno
import shutil

import pytest

from service.backup import making
from service.backup.errors import BackupError
from service.backup.header import read_header
from service.backup.making import make
from service.store import StoreError
from service.store.schema import HEAD
from tests.service.backup.backups import backed_up, content, files
from tests.service.installation import Installation


def test_a_backup_is_one_file_that_nobody_else_reads_and_that_shows_nothing(full: Installation) -> None:
    done = make(full.settings, full.store, full.folder / "all.backup", now=full.clock())
    assert done.file.stat().st_mode & 0o777 == 0o600
    assert done.bytes == done.file.stat().st_size
    assert (done.models, done.missing) == (3, [])
    raw = done.file.read_bytes()
    first = raw.partition(b"\n")[0]
    for open_text in (b"m-01", b"lantern", b"Statement of number"):
        assert open_text not in raw, open_text
    with done.file.open("rb") as file:
        header, line = read_header(file)
    assert line == first + b"\n"
    assert (header.programmes, header.members, header.revision) == (2, 24, HEAD)
    assert [path.name for path in full.folder.iterdir() if "backup" in path.name] == ["all.backup"]


def test_a_backup_has_neither_key_nor_pools(full: Installation) -> None:
    raw = backed_up(full).read_bytes()
    secret = full.settings.secret_key_file.read_text("ascii").strip()
    data = full.settings.data_key_file.read_text("ascii").split()[1]
    for key in (secret, data):
        assert key.encode() not in raw
        assert bytes.fromhex(key) not in raw


def test_that_it_was_made_is_in_the_audit_log(full: Installation) -> None:
    backed_up(full)
    rows = content(full, without=set())["audit"]
    assert [row["programme_id"] for row in rows if row["action"] == "backup.made"] == ["beacon", "lantern"]


def test_a_file_that_is_there_is_never_written_over(full: Installation) -> None:
    file = backed_up(full)
    before = file.read_bytes()
    with pytest.raises(BackupError, match="expected a new name"):
        backed_up(full)
    assert file.read_bytes() == before
    link = full.folder / "link"
    link.symlink_to(full.folder / "nowhere")
    with pytest.raises(BackupError, match="expected a new name"):
        make(full.settings, full.store, link, now=full.clock())


def test_a_full_disk_leaves_no_file(full: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def __init__(self, *_: object) -> None:
            pass

        def write(self, _line: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

    before = files(full.folder)
    monkeypatch.setattr(making, "LineWriter", Full)
    with pytest.raises(BackupError, match="the disk is full: make room"):
        backed_up(full)
    assert {name for name in files(full.folder) if "backup" in name} == {name for name in before if "backup" in name}


def test_without_its_audit_entry_there_is_no_backup(full: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise StoreError("no")

    monkeypatch.setattr(making.audit, "record", refuse)
    with pytest.raises(StoreError):
        backed_up(full)
    assert not [path for path in full.folder.iterdir() if "backup" in path.name]


def test_a_model_without_files_is_told_of(full: Installation) -> None:
    shutil.rmtree(full.settings.model_folder("lantern", "1"))
    done = make(full.settings, full.store, full.folder / "all.backup", now=full.clock())
    assert (done.models, done.missing) == (2, ["lantern 1"])
