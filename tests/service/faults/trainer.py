"""Trains until it is killed. Everything is loaded once; each line on standard input forks one training.

A line is the number of the point at which to die; 0: never. Points are what leaves a trace: opening and renaming files,
flushing them, locks, statements to the database, commits. The parent says how many the training passed, or ``killed``.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

from service.cli import main as peermatch
from service.cli import train  # noqa: F401 - loaded once, for all

EVENTS = {"open", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "fcntl.flock", "os.truncate"}


class Points:
    """Counts, and dies at one of them."""

    def __init__(self, last: int) -> None:
        self.passed, self.last = 0, last

    def __call__(self, *_: Any) -> None:
        self.passed += 1
        if self.passed == self.last:
            os.kill(os.getpid(), signal.SIGKILL)

    def audited(self, name: str, _arguments: Any) -> None:
        if name in EVENTS:
            self()

    def watch(self) -> None:
        sys.addaudithook(self.audited)
        for name in ("before_cursor_execute", "commit"):
            event.listen(Engine, name, self)
        real = os.fsync

        def fsync(descriptor: int) -> None:
            self()
            real(descriptor)

        os.fsync = fsync


def run(last: int) -> int:
    """Train, and return how many points were passed."""
    points = Points(last)
    points.watch()
    peermatch(["train", "--json"], standalone_mode=False)
    return points.passed


def main() -> None:
    out = os.dup(1)
    os.dup2(2, 1)
    for line in sys.stdin:
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            os.write(writer, str(run(int(line))).encode())
            os._exit(0)
        os.close(writer)
        _, status = os.waitpid(child, 0)
        passed = os.read(reader, 20).decode()
        os.close(reader)
        os.write(out, f"{'killed' if os.WIFSIGNALED(status) else passed or 'failed'}\n".encode())


if __name__ == "__main__":
    main()
