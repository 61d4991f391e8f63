"""Importing support groups, row by row, in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy.orm import Session

from matcher.errors import RecordError, nearest, shown
from matcher.facets.choice import Choice
from matcher.group_reading import topical
from matcher.programme import Programme
from matcher.support_group import Group
from service.intake.csvfile import Cells, CsvFile
from service.intake.draft import Note, Tally
from service.intake.errors import IntakeError
from service.intake.flat import SPLIT
from service.intake.outcome import Outcome, Refusal, identifier
from service.intake.reading import Records, open_file
from service.intake.rows import Row
from service.store import groups as stored_groups
from service.store import members

_CHUNK: Final = 500
_TEXTS: Final = ("group_id", "name", "slot", "tz", "channel")
_LISTS: Final = ("facilitators", "languages", "members")
_NUMBERS: Final = ("capacity", "min_size")
_TRUTHS: Final = ("open", "minors")
_TRUTH: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


@dataclass(slots=True)
class GroupBatch:
    """The groups of a file that are sound by themselves, with their lines, and what is to be told of the rest."""

    groups: list[tuple[int, Group, Mapping[str, str]]] = field(default_factory=list)
    """Line, group, and by path whom its record names."""
    outcome: Outcome = field(default_factory=Outcome)


def read_groups(path: Path, programme: Programme) -> GroupBatch:
    """Read a file of groups and check every row by itself; nothing is stored.

    Parameters
    ----------
    path : Path
        ``.jsonl`` with records; or ``.csv`` with a column a field, ``topics.<facet>`` among them, lists separated by
        ``|``.
    programme : Programme
        Whose groups they are.

    Raises
    ------
    IntakeError
        If the file cannot be read as a whole.
    """
    batch = GroupBatch()
    lines: dict[str, int] = {}
    for row in _records(path, programme):
        try:
            if row.content is None:
                raise RecordError("", row.errors)
            group = Group.from_dict(row.content, programme)
            if lines.setdefault(group.group_id, row.line) != row.line:
                again = f"found the id of line {lines[group.group_id]} again; expected each group once"
                raise RecordError("", {"group_id": again})
            batch.groups.append((row.line, group, stored_groups.named(row.content)))
        except RecordError as error:
            batch.outcome.refused.append(Refusal(row.line, identifier(row.content, "group_id"), error.errors))
    if not batch.groups and not batch.outcome.refused:
        raise IntakeError(f"{path.name}: found no rows; expected at least one")
    return batch


def refuse_strangers(session: Session, programme: Programme, batch: GroupBatch) -> None:
    """Refuse groups that name somebody who is no member: of another programme, misspelt, or erased."""
    known = _known(session, programme, {name for _, _, named in batch.groups for name in named.values()})
    kept, tally = [], Tally()
    for line, group, named in batch.groups:
        errors = {
            path: f"found {shown(name)}, who is no member of {programme.id}; expected somebody imported before"
            for path, name in named.items()
            if name not in known
        }
        if errors:
            batch.outcome.refused.append(Refusal(line, group.group_id, errors))
            continue
        kept.append((line, group, named))
        tally.add(line, _notes(group))
    batch.groups = kept
    batch.outcome.accepted = len(kept)
    batch.outcome.warnings.extend(tally.warnings())
    batch.outcome.refused.sort(key=lambda refusal: refusal.line)


def store_groups(session: Session, programme: Programme, batch: GroupBatch, now: datetime) -> tuple[int, int]:
    """Store the groups of a batch in the caller's transaction; return how many were new and how many replaced."""
    new = sum(stored_groups.upsert(session, programme, group, now=now)[1] for _, group, _ in batch.groups)
    return new, len(batch.groups) - new


def _notes(group: Group) -> Iterator[Note]:
    for warning in group.warnings:
        path, _, message = warning.partition(": ")
        yield Note(path, message)


def _records(path: Path, programme: Programme) -> Records:
    file = open_file(path)
    if not isinstance(file, CsvFile):
        return file
    topics = {f"topics.{name}": facet for name, facet in topical(programme).items()}
    valid = (*_TEXTS, *_LISTS, *_NUMBERS, *_TRUTHS, *topics)
    for column in file.header:
        if column not in valid:
            raise IntakeError(
                f"{file.name}, line {file.header_line}: found the column {shown(column)}; expected one of "
                f"{', '.join(valid)}{nearest(column, valid)}"
            )
    lists = {*_LISTS, *(column for column, facet in topics.items() if not isinstance(facet, Choice))}
    return _from_cells(file.rows(), lists)


def _from_cells(rows: Iterable[Row[Cells]], lists: set[str]) -> Iterator[Row[Mapping[str, object]]]:
    for row in rows:
        if row.content is None:
            yield Row(row.line, None, row.errors)
            continue
        record: dict[str, object] = {}
        topics: dict[str, object] = {}
        for column, cell in row.content.items():
            if not cell:
                continue
            value = [part.strip() for part in cell.split(SPLIT)] if column in lists else _value(column, cell)
            table, key = (topics, column[len("topics.") :]) if column.startswith("topics.") else (record, column)
            table[key] = value
        yield Row(row.line, {**record, "topics": topics} if topics else record)


def _value(column: str, cell: str) -> object:
    """Return what a cell holds; what should be a number or a truth and is none stays text, which `Group` refuses."""
    if column in _TRUTHS:
        return _TRUTH.get(cell.casefold(), cell)
    return int(cell) if column in _NUMBERS and cell.isascii() and cell.isdigit() and len(cell) < 10 else cell


def _known(session: Session, programme: Programme, names: set[str]) -> set[str]:
    known: set[str] = set()
    ordered = sorted(names)
    for start in range(0, len(ordered), _CHUNK):
        known.update(members.revisions(session, programme.id, ordered[start : start + _CHUNK]))
    return known
