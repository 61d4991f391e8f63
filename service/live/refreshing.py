"""What gets a new base of a pool made: in the calling thread, or (`service.live.refresher`) by another process."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from service.live.base import Base
from service.live.building import Builder, alone


class Refresher(Protocol):
    """Gets a new base made, in this process or another."""

    elsewhere: bool
    """Whether it takes a while, in which the one there is serves on."""

    def refresh(self, programme_id: str, now: datetime, *, wait: bool) -> Base | None:
        """Have a base of this moment made; return it if it was made here.

        Raises
        ------
        PeermatchError
            If it cannot be made.
        """

    def forget(self, programme_id: str, now: datetime) -> None:
        """Have a base made without those who were erased: now if it is made here, and else soon, once for many.

        Raises
        ------
        PeermatchError
            If it cannot be made.
        """


class Inline:
    """Builds in the calling thread: for commands and tests."""

    elsewhere = False

    def __init__(self, builder: Builder) -> None:
        self._builder = builder

    def refresh(self, programme_id: str, now: datetime, *, wait: bool) -> Base | None:
        """Build now, whether anybody waits or not."""
        with alone(self._builder.folder(programme_id)):
            return self._builder.build(programme_id, now)

    def forget(self, programme_id: str, now: datetime) -> None:
        """Build now."""
        self.refresh(programme_id, now, wait=False)
