"""A restore that kills itself: ``python -m tests.service.backup.restore_process FILE STEP``; 0 is when it commits."""

from __future__ import annotations

import os
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

from service.backup.restoring import restore
from service.settings import Settings
from service.store import alone
from service.store.engine import open_engine


def main(file: Path, step: int) -> None:
    seen, commits = [0], [0]

    def die() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def look(*_: Any) -> None:
        seen[0] += 1
        if seen[0] == step:
            die()

    def committing(*_: Any) -> None:
        commits[0] += 1
        if step == 0 and commits[0] == 2:  # the first takes the file
            die()

    def opened(where: Settings) -> Engine:
        engine = open_engine(where)
        event.listen(engine, "before_cursor_execute", look)
        event.listen(engine, "commit", committing)
        return engine

    alone.open_engine = opened  # type: ignore[attr-defined]
    now = datetime(2026, 3, 7, tzinfo=UTC)
    restore(Settings.from_environment(os.environ), file, replace=True, dry_run=False, now=now)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
