"""Importing feedback: what became of suggestions, row by row, in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from matcher.consent_events import SKEW
from matcher.errors import RecordError, nearest, shown
from matcher.model.feedback import Feedback
from matcher.programme import Programme
from matcher.records import written
from service.intake.csvfile import Cells, CsvFile
from service.intake.errors import IntakeError
from service.intake.outcome import Outcome, Refusal, identifier
from service.intake.reading import Records, open_file
from service.intake.rows import Row
from service.store import feedback as stored_feedback
from service.store import members as stored_members

_CHUNK = 500
_NUMBERS = {"rank": int, "propensity": float, "rating": int}
_COLUMNS = ("seeker", "candidate", "event", "by", "rank", "propensity", "rating", "scale", "at")


@dataclass(slots=True)
class FeedbackBatch:
    """The events of a file that are sound by themselves, with their lines, and what is to be told of the rest."""

    events: list[tuple[int, Feedback]] = field(default_factory=list)
    outcome: Outcome = field(default_factory=Outcome)


def read_feedback(path: Path, programme: Programme, *, now: datetime) -> FeedbackBatch:
    """Read a file of feedback and check every row by itself; nothing is stored.

    Parameters
    ----------
    path : Path
        ``.jsonl`` or ``.csv``.
    programme : Programme
        Among whose members it happened.
    now : datetime
        When the import happens; what is told cannot have happened later, give or take the skew between clocks.

    Raises
    ------
    IntakeError
        If the file cannot be read as a whole.
    """
    batch, latest = FeedbackBatch(), now + SKEW
    for row in _records(path):
        try:
            if row.content is None:
                raise RecordError("", row.errors)
            event = Feedback.from_dict(row.content, programme)
            if event.at > latest:
                message = f"found {written(event.at)}, which is yet to come; expected now or before"
                raise RecordError(f"at: {message}", {"at": message})
            batch.events.append((row.line, event))
        except RecordError as error:
            batch.outcome.refused.append(Refusal(row.line, identifier(row.content, "seeker"), error.errors))
    if not batch.events and not batch.outcome.refused:
        raise IntakeError(f"{path.name}: found no rows; expected at least one")
    return batch


def refuse_strangers(session: Session, programme: Programme, batch: FeedbackBatch) -> None:
    """Refuse events that name somebody who is no member.

    They may be of another programme, misspelt, or of somebody who was erased; and what was erased must not come back.
    """
    named = {name for _, event in batch.events for name in (event.seeker, event.candidate)}
    known = _known(session, programme, sorted(named))
    kept: list[tuple[int, Feedback]] = []
    for line, event in batch.events:
        errors = {
            key: f"found {shown(name)}, who is no member of {programme.id}; expected somebody imported before"
            for key, name in (("seeker", event.seeker), ("candidate", event.candidate))
            if name not in known
        }
        if errors:
            batch.outcome.refused.append(Refusal(line, event.seeker, errors))
        else:
            kept.append((line, event))
    batch.events = kept
    batch.outcome.accepted = len(kept)
    batch.outcome.refused.sort(key=lambda refusal: refusal.line)


def store_feedback(session: Session, programme: Programme, batch: FeedbackBatch) -> int:
    """Store the events of a batch in the caller's transaction; return how many were not known already."""
    return stored_feedback.add(session, programme, [event for _, event in batch.events])


def _records(path: Path) -> Records:
    file = open_file(path)
    if not isinstance(file, CsvFile):
        return file
    for column in file.header:
        if column not in _COLUMNS:
            raise IntakeError(
                f"{file.name}, line {file.header_line}: found the column {shown(column)}; expected one of "
                f"{', '.join(_COLUMNS)}{nearest(column, _COLUMNS)}"
            )
    return _from_cells(file.rows())


def _from_cells(rows: Iterable[Row[Cells]]) -> Iterator[Row[Mapping[str, object]]]:
    for row in rows:
        content = None if row.content is None else {key: _value(key, cell) for key, cell in row.content.items() if cell}
        yield Row(row.line, content, row.errors)


def _value(column: str, cell: str) -> object:
    """Return what a cell holds; what should be a number and is none stays text, which `Feedback` refuses."""
    try:
        return _NUMBERS[column](cell) if column in _NUMBERS else cell
    except ValueError:
        return cell


def _known(session: Session, programme: Programme, names: list[str]) -> set[str]:
    known: set[str] = set()
    for start in range(0, len(names), _CHUNK):
        chunk = names[start : start + _CHUNK]
        known.update(stored_members.revisions(session, programme.id, chunk))
    return known
