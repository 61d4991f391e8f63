"""granian as `peermatch serve` runs it: workers as processes, logs as JSON lines, numbers in shared files."""

from __future__ import annotations

import gc
import importlib
import logging
import os
from functools import partial
from typing import Any, Final

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels

from service import metric_files, orphans
from service.granian_runner import READERS, Runner, install
from service.live import refresher
from service.settings import Settings

GRACE_SECONDS: Final = 8
"""How long requests under way may take after SIGTERM; less than the ten seconds after which Docker kills."""
BACKLOG: Final = 1024
"""Connections that wait to be taken; as many may be open at a worker, idle ones of partners' pools above all."""


def serve(where: Settings, host: str, port: int, workers: int, timeout: float) -> bool:
    """Run the server until it is told to stop; return False if a worker could not be started again."""
    metric_files.prepare(where.run)
    # Loaded once, here: workers are forked and share it.
    importlib.import_module("service.application")
    gc.collect()
    gc.freeze()
    refresher.begin(where)
    server = Granian(
        "service.wsgi:app",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        workers=workers,
        blocking_threads=READERS,
        backlog=BACKLOG,
        backpressure=BACKLOG,
        websockets=False,
        log_level=LogLevels.warning,
        log_dictconfig=LOGGING,
        respawn_failed_workers=True,
        workers_kill_timeout=GRACE_SECONDS,
    )
    try:
        server.serve(target_loader=partial(load, timeout, os.getpid()), wrap_loader=False)
    except SystemExit as end:
        return not end.code
    finally:
        metric_files.remove()
    return True


def load(timeout: float, parent: int) -> Any:
    """Make the application of a worker of `parent`, and have granian hand it its requests; called in the worker."""
    from service.console.bodies import session_of  # noqa: PLC0415 - in the worker
    from service.gated import may_send  # noqa: PLC0415
    from service.wsgi import make  # noqa: PLC0415

    orphans.end_with(parent, GRACE_SECONDS)
    app = make()
    runner = Runner(app, may_send(app), timeout, session_of=session_of(app))
    runner.start()
    install(runner)
    # What is loaded stays: the garbage collector need not look at it at every turn.
    gc.collect()
    gc.freeze()
    return app


class Expected(logging.Filter):
    """Leaves out the warning about so many threads: they only read."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the line is news."""
        return "Python threads" not in record.getMessage()


LOGGING: Final[dict[str, Any]] = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"expected": {"()": Expected}},
    "formatters": {"json": {"()": "service.logs.ServerLines"}},
    "handlers": {
        "console": {
            "formatter": "json",
            "filters": ["expected"],
            "class": "logging.StreamHandler",
            "stream": "ext://sys.stderr",
        }
    },
    "loggers": {"_granian": {"handlers": ["console"], "level": "WARNING", "propagate": False}},
}
"""granian's own lines on stderr: stdout is for the document of ``--json``."""
