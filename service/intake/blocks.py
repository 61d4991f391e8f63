"""Importing blocks: pairs who are never shown to each other, row by row, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from matcher.errors import RecordError, nearest, shown
from matcher.people import member_id_of
from matcher.programme import Programme
from matcher.records import Fields, Problems, refuse, scan
from service.intake.csvfile import CsvFile
from service.intake.errors import IntakeError
from service.intake.outcome import Outcome, Refusal, identifier
from service.intake.reading import Records, open_file
from service.intake.rows import Row
from service.store import apart, closing, members

FIELDS = ("a", "b")
_CHUNK = 500

Pair = tuple[str, str]


@dataclass(slots=True)
class BlockBatch:
    """The pairs of a file that are sound by themselves, with their lines, and what is to be told of the rest."""

    pairs: list[tuple[int, Pair]] = field(default_factory=list)
    outcome: Outcome = field(default_factory=Outcome)


def read_blocks(path: Path) -> BlockBatch:
    """Read a file of blocks and check every row by itself; nothing is stored.

    Raises
    ------
    IntakeError
        If the file cannot be read as a whole.
    """
    batch = BlockBatch()
    for row in _records(path):
        try:
            if row.content is None:
                raise RecordError("", row.errors)
            batch.pairs.append((row.line, read_pair(row.content)))
        except RecordError as error:
            batch.outcome.refused.append(Refusal(row.line, identifier(row.content, "a"), error.errors))
    if not batch.pairs and not batch.outcome.refused:
        raise IntakeError(f"{path.name}: found no rows; expected at least one")
    return batch


def read_pair(record: object) -> Pair:
    """Read one block from a JSON object.

    Raises
    ------
    RecordError
        With every problem of the record by path.
    """
    problems: Problems = {}
    if not scan(record, problems):
        refuse(problems)
    fields = Fields(record, "", problems, FIELDS)
    if not isinstance(record, dict):
        refuse(problems)
    a, b = (member_id_of(fields, name) for name in FIELDS)
    if a and a == b:
        fields.note("b", "found the same member as in a; expected another one")
    refuse(problems)
    return a, b


def refuse_strangers(session: Session, programme: Programme, batch: BlockBatch) -> None:
    """Refuse blocks that name somebody who is no member: of another programme, misspelt, or erased."""
    known = _known(session, programme, sorted({name for _, pair in batch.pairs for name in pair}))
    kept: list[tuple[int, Pair]] = []
    for line, pair in batch.pairs:
        errors = {
            key: f"found {shown(name)}, who is no member of {programme.id}; expected somebody imported before"
            for key, name in zip(FIELDS, pair, strict=True)
            if name not in known
        }
        if errors:
            batch.outcome.refused.append(Refusal(line, pair[0], errors))
        else:
            kept.append((line, pair))
    batch.pairs = kept
    batch.outcome.accepted = len(kept)
    batch.outcome.refused.sort(key=lambda refusal: refusal.line)


def store_blocks(session: Session, programme: Programme, batch: BlockBatch, now: datetime) -> int:
    """Store the blocks of a batch in the caller's transaction; return how many pairs were not blocked already."""
    pairs = [pair for _, pair in batch.pairs]
    new = apart.block(session, programme.id, pairs)
    closing.close_unallowed(session, programme, now, {name for pair in pairs for name in pair})
    return new


def _records(path: Path) -> Records:
    file = open_file(path)
    if not isinstance(file, CsvFile):
        return file
    for column in file.header:
        if column not in FIELDS:
            raise IntakeError(
                f"{file.name}, line {file.header_line}: found the column {shown(column)}; expected a and b"
                f"{nearest(column, FIELDS)}"
            )
    # An empty cell is nothing, and not an empty name.
    return (Row(row.line, _filled(row.content), row.errors) for row in file.rows())


def _filled(cells: Mapping[str, str] | None) -> Mapping[str, object] | None:
    return None if cells is None else {column: cell for column, cell in cells.items() if cell}


def _known(session: Session, programme: Programme, names: list[str]) -> set[str]:
    known: set[str] = set()
    for start in range(0, len(names), _CHUNK):
        known.update(members.revisions(session, programme.id, names[start : start + _CHUNK]))
    return known
