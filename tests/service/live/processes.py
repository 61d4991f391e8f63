"""Processes that build pools, as far as tests let them."""

from __future__ import annotations

from subprocess import TimeoutExpired


class Process:
    """A process that runs until it is told how it ended, or is killed."""

    def __init__(self) -> None:
        self.code: int | None = None

    def wait(self, seconds: float | None = None) -> int:
        if self.code is None:
            raise TimeoutExpired("builder", seconds or 0.0)
        return self.code

    def poll(self) -> int | None:
        return self.code

    def kill(self) -> None:
        self.code = -9
