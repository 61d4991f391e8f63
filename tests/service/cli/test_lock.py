"""One at a time: who holds the lock, since when, and that the dead hold nothing."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from service.cli.lock import LockedError, exclusive

SINCE = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)


def test_the_second_is_told_who_holds_it_since_when(tmp_path: Path) -> None:
    path = tmp_path / "models" / "train.lock"
    told = r"training lantern \(process \d+ on .+, since 2026-03-01 08:30:00 UTC\)"
    with (
        exclusive(path, "training lantern", SINCE),
        pytest.raises(LockedError, match=told),
        exclusive(path, "training lantern", SINCE),
    ):
        pass


def test_it_is_free_again_after_success_and_after_failure(tmp_path: Path) -> None:
    path = tmp_path / "train.lock"
    with pytest.raises(KeyError), exclusive(path, "training", SINCE):
        raise KeyError
    for _ in range(2):
        with exclusive(path, "training", SINCE):
            pass


def test_a_process_that_was_killed_holds_nothing(tmp_path: Path) -> None:
    path = tmp_path / "train.lock"
    script = (
        "import os, sys; from datetime import UTC, datetime; from pathlib import Path\n"
        "from service.cli.lock import exclusive\n"
        "with exclusive(Path(sys.argv[1]), 'training', datetime.now(UTC)):\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(path)], check=False)
    assert done.returncode == -9
    assert "training" in path.read_text("utf-8"), "it could not tidy up"
    with exclusive(path, "training", SINCE):
        pass


def test_a_holder_that_has_not_written_its_name_yet(tmp_path: Path) -> None:
    path = tmp_path / "train.lock"
    with exclusive(path, "training", SINCE):
        path.write_text("")
        with pytest.raises(LockedError, match="another process holds the lock"), exclusive(path, "training", SINCE):
            pass
