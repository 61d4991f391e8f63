"""Whether the SQLite file that is open still is the one at its address.

SQLite writes on into a file that was moved away, replaced or deleted, and says that all is well: in WAL mode it does
not look. What it acknowledges then is lost with the file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from service.store.hot import StoreError

OPTION: Final = "peermatch_file"
"""The execution option by which an engine has it."""


class DatabaseFile:
    """The file of a database, as it was when it was first opened."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: tuple[int, int] | None = None

    def opened(self) -> None:
        """Take note of the file: it has just been opened."""
        if self._known is None:
            self._known = self._found()

    def check(self) -> None:
        """Refuse to go on with another file than the one that is open.

        Raises
        ------
        StoreError
        """
        if not self.is_there():
            raise StoreError(
                f"{self._path}: the database file was moved, replaced or deleted while it was open; put it back, and "
                "restart the service if it is another file now"
            )

    def is_there(self) -> bool:
        """Return whether the file at the address is the one that is open."""
        return self._known is None or self._found() == self._known

    def _found(self) -> tuple[int, int] | None:
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_dev, status.st_ino
