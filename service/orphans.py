"""A worker whose server has died ends too.

It would serve on, with nobody to stop it or to replace it, and share its port with the server that is started next:
what is asked would now and then be answered by an old release, or from an old database.
"""

from __future__ import annotations

import os
import signal
import threading
from typing import Final

EVERY_SECONDS: Final = 1.0
"""How often a worker looks. Where the system tells of a parent's death (Linux), it does so to one thread alone."""


def end_with(parent: int, grace: float, every: float = EVERY_SECONDS) -> threading.Thread:
    """Have this process end as after SIGTERM once `parent` is gone, and `grace` seconds later at the latest.

    Parameters
    ----------
    parent : int
        The process that started this one.
    grace, every : float
        Seconds.
    """
    thread = threading.Thread(target=_watch, args=(parent, grace, every), name="peermatch-parent", daemon=True)
    thread.start()
    return thread


def _watch(parent: int, grace: float, every: float) -> None:
    never = threading.Event()
    while os.getppid() == parent:
        never.wait(every)
    os.kill(os.getpid(), signal.SIGTERM)
    never.wait(grace)
    os._exit(1)
