from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from service import metric_files, metrics

NOBODY = "2147483647"


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv(metric_files.VARIABLE, "")
    yield
    os.environ.pop(metric_files.VARIABLE, None)


def test_a_server_that_starts_removes_what_dead_ones_left(tmp_path: Path) -> None:
    for name in (NOBODY, str(os.getppid()), "rubbish", str(os.getpid())):
        (tmp_path / "metrics" / name).mkdir(parents=True)
        (tmp_path / "metrics" / name / "counter_1.db").touch()
    metric_files.prepare(tmp_path)
    folder = tmp_path / "metrics" / str(os.getpid())
    assert metric_files.folder() == folder
    assert {path.name for path in (tmp_path / "metrics").iterdir()} == {str(os.getppid()), str(os.getpid())}
    assert list(folder.iterdir()) == []
    assert folder.stat().st_mode & 0o777 == 0o700
    metric_files.remove()
    assert not folder.exists()


def test_a_folder_that_cannot_be_made_turns_files_off(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "metrics").write_text("in the way")
    metric_files.prepare(tmp_path)
    assert metric_files.folder() is None
    assert "FileExistsError" in caplog.text or "NotADirectoryError" in caplog.text
    metrics.worker()
    metrics.answered("GET", "/metrics", 200)
    assert b"/metrics" in metrics.text()


def test_a_full_disk_is_met_before_memory_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A file with holes would let the process write, and end it when the disk is full."""
    metric_files.prepare(tmp_path)
    folder = metric_files.folder()
    assert folder is not None

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    metrics.worker()
    assert metric_files.folder() is None
    assert list(folder.iterdir()) == []
    metrics.answered("GET", "/metrics", 200)
    assert b"/metrics" in metrics.text()
    assert '"OSError"' in caplog.text


def test_room_is_taken_for_every_file_that_a_worker_writes(tmp_path: Path) -> None:
    metric_files.prepare(tmp_path)
    folder = metric_files.folder()
    assert folder is not None
    assert metric_files.reserve(7)
    files = sorted(folder.iterdir())
    assert [path.name for path in files] == sorted(f"{name}_7.db" for name in metric_files.FILES)
    for path in files:
        assert path.stat().st_size == metric_files.BYTES
        assert path.stat().st_blocks * 512 >= metric_files.BYTES
