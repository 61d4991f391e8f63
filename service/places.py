"""How many bodies are read at once, and how many of them may be slow."""

from __future__ import annotations

import time
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from typing import Final

from service.problems import not_ready

SLOW_SECONDS: Final = 0.1
"""A body that came with its request is read in less, also where its thread waits for the interpreter."""


class Places:
    """Places for threads that read bodies. Whoever finds none is refused at once: to wait would take a thread too.

    Parameters
    ----------
    most : int
        How many read at once.
    most_slow : int
        How many of these may wait for their senders.
    most_slow_of_one : int
        How many of these for one sender: whatever one does, the others go on.
    """

    def __init__(self, most: int, most_slow: int, most_slow_of_one: int) -> None:
        self._most = most
        self._most_slow = most_slow
        self._most_slow_of_one = most_slow_of_one
        # Adding, removing and listing are each one step for the interpreter: no lock is taken.
        self._taken: dict[object, tuple[Hashable, float]] = {}

    @contextmanager
    def taken(self, sender: Hashable) -> Iterator[None]:
        """Hold a place while the block runs.

        Raises
        ------
        Problem
            503, if there is none.
        """
        now = time.monotonic()
        if len(self._taken) >= self._most_slow_of_one and not self._has_room(sender, now):
            raise not_ready("Too many requests are waiting for their bodies; nothing was changed. Try again.")
        place = object()
        self._taken[place] = sender, now
        try:
            yield
        finally:
            del self._taken[place]

    def _has_room(self, sender: Hashable, now: float) -> bool:
        taken = list(self._taken.values())
        slow = [other for other, since in taken if now - since > SLOW_SECONDS]
        return len(taken) < self._most and len(slow) < self._most_slow and slow.count(sender) < self._most_slow_of_one
