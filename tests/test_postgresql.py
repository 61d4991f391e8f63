"""The server of the tests' own: it ends with whoever started it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from tests import postgresql
from tests.conftest import ROOT

START = """
import sys
from pathlib import Path
from tests import postgresql
running = postgresql.started(Path(sys.argv[1]))
print(running.folder, running.process.pid, running.run("SHOW fsync")[0][0], flush=True)
sys.stdin.read()
"""


def wait_until(true: Callable[[], bool]) -> None:
    for _ in range(3000):
        if true():
            return
        threading.Event().wait(0.02)
    raise AssertionError("that never came")


@pytest.mark.slow
@pytest.mark.parametrize("whose", ["tests", "minder"])
@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM])
def test_none_is_left_over_however_the_tests_end(ending: signal.Signals, whose: str) -> None:
    command = [sys.executable, "-c", START, str(postgresql.needed())]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, cwd=ROOT, text=True, **pipes) as process:
        assert process.stdout is not None
        folder, minder, fsync = process.stdout.readline().split()
        assert (Path(folder).is_dir(), fsync) == (True, "off")
        server = int((Path(folder).parent / "d" / "postmaster.pid").read_text().splitlines()[0])
        if whose == "tests":
            process.send_signal(ending)
        else:
            os.kill(int(minder), ending)
        wait_until(lambda: not Path(f"/proc/{server}/cwd").exists())
        process.kill()
        process.wait()
    if whose == "minder" and ending == signal.SIGKILL:  # nobody is left to do so
        shutil.rmtree(Path(folder).parent)
    wait_until(lambda: not Path(folder).parent.exists() and not Path(f"/proc/{minder}/cwd").exists())
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(host=folder, user=postgresql.SUPERUSER, dbname="postgres")


def test_without_the_programs_a_test_is_skipped_and_told_which_package_has_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(postgresql, "binaries", lambda: None)
    for ci, outcome in ((False, pytest.skip.Exception), (True, pytest.fail.Exception)):
        monkeypatch.setattr(postgresql, "CI", ci)
        with pytest.raises(outcome, match="apt-get install postgresql"):
            postgresql.needed()


def test_a_server_that_does_not_start_says_why(tmp_path: Path) -> None:
    for name in ("initdb", "postgres"):
        (tmp_path / name).write_text("#!/bin/sh\necho a test says no >&2; exit 1\n")
        (tmp_path / name).chmod(0o755)
    tmp_path.chmod(0o755)
    with pytest.raises(AssertionError, match="PostgreSQL failed"):
        postgresql.started(tmp_path)
