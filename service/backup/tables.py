"""The rows of a table as a backup has them: values in the order of the columns, what is sealed opened."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from types import SimpleNamespace
from typing import Any, Final

from sqlalchemy import LargeBinary, Table

from service.backup.errors import RestoreError
from service.sealing import Keyring
from service.store.resealing import COLUMNS
from service.store.table_base import Base, Instant
from service.store.tables import InstallationRow
from service.store.training_tables import LockRow

LEFT_OUT: Final = frozenset({InstallationRow.__tablename__, LockRow.__tablename__})
"""A database that is restored is another one, and nobody trains on it yet."""
Turn = Callable[[Any], Any]
_SEALED: Final = {sealed.table.name: sealed for sealed in COLUMNS}


def tables() -> list[Table]:
    """Return the tables that a backup has, each after those that it refers to."""
    return [table for table in Base.metadata.sorted_tables if table.name not in LEFT_OUT]


class Shape:
    """How the rows of a table are written and read.

    Parameters
    ----------
    table : Table
    keyring : Keyring
        Of the database; a backup needs none of its keys.
    """

    def __init__(self, table: Table, keyring: Keyring) -> None:
        self.table = table
        self.names = tuple(table.columns.keys())
        self._ring = keyring
        self._sealed = _SEALED.get(table.name)
        self._outward: list[tuple[int, Turn]] = []
        self._inward: list[tuple[str, Turn]] = []
        for place, column in enumerate(table.columns):
            if self._sealed is not None and column.name == self._sealed.column:
                self._place = place
            elif isinstance(column.type, LargeBinary):
                self._outward.append((place, _text_of_bytes))
                self._inward.append((column.name, base64.b64decode))
            elif isinstance(column.type, Instant):
                self._outward.append((place, datetime.isoformat))
                self._inward.append((column.name, datetime.fromisoformat))

    def values(self, row: Sequence[Any]) -> list[Any]:
        """Return a row of the database as a backup has it.

        Raises
        ------
        SealError
            If what is sealed cannot be opened.
        """
        values = list(row)
        for place, turn in self._outward:
            if values[place] is not None:
                values[place] = turn(values[place])
        if self._sealed is not None and values[self._place] is not None:
            bound = self._bound(dict(zip(self.names, values, strict=True)))
            values[self._place] = self._ring.open(*bound, values[self._place]).decode()
        return values

    def row(self, values: Sequence[Any]) -> dict[str, Any]:
        """Return a row for the database, sealed with its keys.

        Raises
        ------
        RestoreError
            If it is not one of this table.
        """
        if not isinstance(values, list) or len(values) != len(self.names):
            raise RestoreError(f"{self.table.name}: found a row of another form; install the release that wrote it")
        row = dict(zip(self.names, values, strict=True))
        try:
            for name, turn in self._inward:
                if row[name] is not None:
                    row[name] = turn(row[name])
        except (TypeError, ValueError, binascii.Error):
            raise RestoreError(
                f"{self.table.name}: found a row of another form; install the release that wrote it"
            ) from None
        if self._sealed is not None and row[self._sealed.column] is not None:
            row[self._sealed.column] = self._ring.seal(*self._bound(row), str(row[self._sealed.column]).encode())
        return row

    def _bound(self, row: Mapping[str, Any]) -> tuple[str, str, str]:
        assert self._sealed is not None
        return row["programme_id"], self.table.name, self._sealed.row(SimpleNamespace(**row))


def _text_of_bytes(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")
