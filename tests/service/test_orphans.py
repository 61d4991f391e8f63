"""Workers end with their server, however that ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.service.cli.conftest import Cli, cli, empty  # noqa: F401 - fixtures
from tests.service.cli.server import serving
from tests.service.databases import SQLITE, only

LOOKS, PAUSE = 1500, 0.02


def children(pid: int) -> list[int]:
    """Return the processes that `pid` has started and that run."""
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text("utf-8").split()]


def runs(pid: int) -> bool:
    """Whether a process runs; one that has ended and that nobody has asked after does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def ended(pids: list[int]) -> bool:
    for _ in range(LOOKS):
        if not any(map(runs, pids)):
            return True
        threading.Event().wait(PAUSE)
    return False


@only(SQLITE, "It is about processes.")
@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="needs Linux's /proc to find the workers")
def test_a_server_that_is_killed_leaves_no_worker(cli: Cli, root: Path) -> None:  # noqa: F811
    with serving(cli, root, "--workers", "2") as server:
        assert server.patiently("/__lbheartbeat__")[0] == 200
        workers = children(server.process.pid)
        assert len(workers) >= 2
        server.process.kill()
        server.process.wait()
        assert ended(workers)


SCRIPT = """
import os, sys, threading
from service import orphans
child = os.fork()
if child == 0:
    {does}
    orphans.end_with(os.getppid() {more}, grace=0.05, every=0.01)
    threading.Event().wait(60)
print(child, flush=True)
{then}
"""


def child_of(does: str = "pass", more: str = "", then: str = "") -> tuple[int, subprocess.Popen[str]]:
    script = SCRIPT.format(does=does, more=more, then=then)
    process = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return int(process.stdout.readline()), process


def test_it_ends_where_sigterm_does_nothing() -> None:
    child, parent = child_of("import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)")
    with parent:
        pass
    assert ended([child])


def test_one_whose_parent_was_gone_before_it_looked_ends() -> None:
    child, parent = child_of(more="+ 1", then="os.waitpid(child, 0)")
    with parent:
        assert parent.wait(60) == 0
    assert not runs(child)


def test_it_runs_as_long_as_its_parent_does() -> None:
    child, parent = child_of(then="threading.Event().wait(60)")
    with parent:
        threading.Event().wait(0.1)
        assert runs(child), "control"
        os.kill(parent.pid, signal.SIGKILL)
    assert ended([child])
