"""Requests that have not begun, and what becomes of them when their time is up."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from service.logs import log_failure

_OFTEN: Final = 20
"""How many looks in the time that a request has: it is given up no later than a twentieth after it."""


class Pending:
    """A request whose body is being read, or that waits for its turn."""

    __slots__ = ("deadline", "give_up", "reading")

    def __init__(self, deadline: float, give_up: Callable[[Pending], None]) -> None:
        self.deadline = deadline
        self.give_up = give_up
        self.reading = False


class Deadlines:
    """Calls `give_up` of whatever has not been claimed after `seconds`.

    Exactly one gets a request: who claims it carries it out, and where nobody did in time, `give_up` is called, from a
    thread of its own. What was claimed is never given up: a change that is being made cannot be taken back.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        # By age: all have the same time, and a dictionary keeps its order. Adding, removing and listing are each one
        # step for the interpreter, so no lock is taken on the way of a request.
        self._open: dict[Pending, bool] = {}
        self._thread: threading.Thread | None = None

    def begin(self, give_up: Callable[[Pending], None]) -> Pending:
        """Start the clock of a request."""
        pending = Pending(time.monotonic() + self.seconds, give_up)
        self._open[pending] = True
        return pending

    def claim(self, pending: Pending) -> bool:
        """Return whether the request is still to be answered, which from now on is the caller's to do."""
        return self._open.pop(pending, False)

    def waits(self, pending: Pending) -> bool:
        """Return whether the request is still to be answered."""
        return pending in self._open

    def start(self) -> None:
        """Look from time to time, for as long as the process lives."""
        self._thread = threading.Thread(target=self._watch, name="peermatch-deadlines", daemon=True)
        self._thread.start()

    def look(self) -> None:
        """Give up what is late now."""
        now = time.monotonic()
        for pending in list(self._open):
            if pending.deadline > now:
                break
            if self.claim(pending):
                try:
                    pending.give_up(pending)
                except Exception as error:  # noqa: BLE001 - one that cannot be given up must not keep the others
                    log_failure(error)

    def _watch(self) -> None:
        while True:
            time.sleep(min(1.0, self.seconds / _OFTEN))
            self.look()
