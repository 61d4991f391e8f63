"""A migration that kills itself: ``python -m tests.service.store.migration_process STEP``; 0 is when it commits."""

from __future__ import annotations

import os
import signal
import sys
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

from service.settings import Settings
from service.store import alone
from service.store.engine import open_engine
from service.store.migrating import migrate


def main(step: int) -> None:
    settings = Settings.from_environment(os.environ)
    seen = [0]

    def die(*_: Any) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def look(*_: Any) -> None:
        seen[0] += 1
        if seen[0] == step:
            die()

    def opened(where: Settings) -> Engine:
        engine = open_engine(where)
        event.listen(engine, "before_cursor_execute", look)
        return engine

    alone.open_engine = opened  # type: ignore[attr-defined]
    if step == 0:
        # The first is of the empty transaction that takes the file.
        commits = [0]

        def committing(*_: Any) -> None:
            commits[0] += 1
            if commits[0] == 2:
                die()

        event.listen(Engine, "commit", committing)
    migrate(settings, now=datetime(2026, 3, 7, tzinfo=UTC))


if __name__ == "__main__":
    main(int(sys.argv[1]))
