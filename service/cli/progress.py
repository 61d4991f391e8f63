"""Progress of what takes longer than a second: on stderr, and only when a person watches a terminal."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Self, TextIO, TypeVar

_PATIENCE = 1.0
_INTERVAL = 0.2
_Item = TypeVar("_Item")


class Progress:
    """Shows ``label … 1,200 of 2,000 (3 s)`` while a ``with`` block runs; nothing at all when it is over in a second.

    Parameters
    ----------
    label : str
        What is being done.
    total : int, optional
        How many steps there are; without it only the seconds are shown.
    stream : text stream, optional
        Where to write; stderr unless given.
    clock : callable, optional
        Seconds, monotonic.

    Examples
    --------
    >>> with Progress("reading members", total=2) as progress:
    ...     progress.advance()
    ...     progress.advance()
    """

    def __init__(
        self,
        label: str,
        total: int | None = None,
        *,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.label = label
        self.total = total
        self.done = 0
        self._stream = sys.stderr if stream is None else stream
        self._clock = clock
        self._start = clock()
        self._drawn = 0
        self._over = threading.Event()
        self._watcher: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._start = self._clock()
        if self._stream.isatty():
            # A thread, because the long steps (training, compiling a pool) are single calls that cannot report.
            self._watcher = threading.Thread(target=self._watch, name="progress", daemon=True)
            self._watcher.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        if self._watcher is not None:
            self._watcher.join()
        if self._drawn:
            self._stream.write("\r" + " " * self._drawn + "\r")
            self._stream.flush()

    def advance(self, steps: int = 1) -> None:
        """Count `steps` as done."""
        self.done += steps

    def draw(self) -> None:
        """Write the line if the patience of a second is over."""
        seconds = self._clock() - self._start
        if seconds < _PATIENCE:
            return
        of = f" {self.done:,} of {self.total:,}" if self.total else f" {self.done:,}" if self.done else ""
        line = f"{self.label} …{of} ({seconds:.0f} s)"
        self._stream.write("\r" + line + " " * max(0, self._drawn - len(line)))
        self._stream.flush()
        self._drawn = max(self._drawn, len(line))

    def _watch(self) -> None:
        while not self._over.wait(_INTERVAL):
            try:
                self.draw()
            except (OSError, ValueError):  # the terminal went away; the work must not fail for it
                return


def track(items: Iterable[_Item], label: str, total: int | None = None) -> Iterator[_Item]:
    """Yield `items`, showing how many have been taken."""
    with Progress(label, total) as progress:
        for item in items:
            yield item
            progress.advance()
