"""Reading a backup: all of it is looked at before anything is changed, and then once more as it is restored."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO, Any

from sqlalchemy import Table

from service.backup import sequences
from service.backup.content import lines
from service.backup.errors import RestoreError
from service.backup.header import Header, file_key, key_id, read_header
from service.backup.models import name_of
from service.backup.tables import tables

FileName = tuple[str, str, str]


@dataclass(frozen=True)
class Row:
    """A row of a table, its values in the order of the columns."""

    table: Table
    values: list[Any]


@dataclass(frozen=True)
class Piece:
    """Some bytes of a model's file; None: it ends, and is as it was written."""

    name: FileName
    content: bytes | None


@dataclass(frozen=True)
class Sequences:
    """The last numbers that tables gave out."""

    last: dict[str, int]


@dataclass
class Contents:
    """What is in a backup, as far as it matters before it is restored."""

    header: Header
    rows: dict[str, int] = field(default_factory=dict)
    programmes: list[str] = field(default_factory=list)
    members: dict[tuple[str, str], datetime] = field(default_factory=dict)
    """By programme and id, when each was first stored."""
    histories: dict[tuple[str, str], tuple[int, str]] = field(default_factory=dict)
    """By programme and id, how many decisions there are of each, and the id of the last."""
    logs: dict[str, tuple[int, str]] = field(default_factory=dict)
    """By programme, number and `mac` of the last entry of its audit log."""
    models: set[tuple[str, str]] = field(default_factory=set)
    sequences: dict[str, int] = field(default_factory=dict)


def survey(file: IO[bytes], secret: bytes, advance: Callable[[int], None] = lambda _: None) -> Contents:
    """Read a whole backup, and return what is in it.

    Raises
    ------
    RestoreError
        If it is none, of another installation, or not as it was written.
    """
    header, items = opened(file, secret)
    found = Contents(header)
    for item in items:
        if isinstance(item, Row):
            found.rows[item.table.name] = found.rows.get(item.table.name, 0) + 1
            _note(found, item)
            advance(1)
        elif isinstance(item, Piece):
            found.models.add(item.name[:2])
        else:
            found.sequences = item.last
    if sum(found.rows.values()) != header.rows:
        raise _other_form()
    return found


def opened(file: IO[bytes], secret: bytes) -> tuple[Header, Iterator[Row | Piece | Sequences]]:
    """Return what the first line says, and what follows; raise RestoreError where a secret does not open it."""
    file.seek(0)
    header, line = read_header(file)
    if header.key != key_id(secret):
        raise RestoreError(
            "it was made with another secret key; put the secret.key back that belongs to it, or name it with "
            "PEERMATCH_SECRET_KEY_FILE"
        )
    return header, _items(lines(file, file_key(secret, header.salt), line))


def _items(said: Iterator[Any]) -> Iterator[Row | Piece | Sequences]:
    parser = _Parser()
    for line in said:
        item = parser.take(line)
        if item is not None:
            yield item
    if not parser.complete:
        raise _other_form()


class _Parser:
    """Follows which table or file the lines belong to."""

    def __init__(self) -> None:
        self.complete = False
        self._known = {table.name: table for table in tables()}
        self._missing = set(self._known)
        self._table: Table | None = None
        self._count = 0
        self._file: FileName | None = None
        self._digest = hashlib.sha256()

    def take(self, line: Any) -> Row | Piece | Sequences | None:
        """Return what a line is; None: it only says where one is."""
        if self.complete:
            raise _other_form()
        if isinstance(line, list) and self._table is not None:
            self._count += 1
            return Row(self._table, line)
        if isinstance(line, str) and self._file is not None:
            return Piece(self._file, self._bytes(line))
        if isinstance(line, dict):
            return self._told(line)
        raise _other_form()

    def _told(self, line: dict[str, Any]) -> Piece | Sequences | None:
        if "table" in line:
            self._begin(line)
        elif "end" in line:
            self._end(line)
        elif "file" in line and self._table is None and self._file is None:
            self._file, self._digest = name_of(line["file"]), hashlib.sha256()
        elif "sha256" in line and self._file is not None:
            ended, self._file = self._file, None
            if line["sha256"] != self._digest.hexdigest():
                raise _other_form()
            return Piece(ended, None)
        elif "sequences" in line:
            return Sequences(sequences.given(line["sequences"]))
        else:
            raise _other_form()
        return None

    def _begin(self, line: dict[str, Any]) -> None:
        table = self._known.get(line["table"])
        if self._table is not None or table is None or table.name not in self._missing:
            raise _other_form()
        if line.get("columns") != list(table.columns.keys()):
            raise _other_form()
        self._missing.discard(table.name)
        self._table, self._count = table, 0

    def _end(self, line: dict[str, Any]) -> None:
        if line["end"] == "backup" and not self._missing and self._table is None and self._file is None:
            self.complete = True
        elif self._table is not None and line == {"end": self._table.name, "rows": self._count}:
            self._table = None
        else:
            raise _other_form()

    def _bytes(self, line: str) -> bytes:
        try:
            content = base64.b64decode(line, validate=True)
        except binascii.Error:
            raise _other_form() from None
        self._digest.update(content)
        return content


def _note(found: Contents, item: Row) -> None:
    """Keep what matters of a row."""
    values = item.values
    if item.table.name not in {"programmes", "members", "consent_events", "audit"}:
        return
    row = dict(zip(item.table.columns.keys(), values, strict=False))
    try:
        if item.table.name == "programmes":
            found.programmes.append(str(row["id"]))
        elif item.table.name == "members":
            found.members[row["programme_id"], row["member_id"]] = datetime.fromisoformat(row["created_at"])
        elif item.table.name == "consent_events":
            found.histories[row["programme_id"], row["member_id"]] = row["place"] + 1, row["event_id"]
        else:
            found.logs[row["programme_id"]] = row["number"], row["mac"]
    except (KeyError, TypeError, ValueError):
        raise _other_form() from None


def _other_form() -> RestoreError:
    return RestoreError("what is within the backup is of another form; install the release that wrote it")
