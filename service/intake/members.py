"""Importing members: every row is checked before the first is stored, and all are stored in one transaction."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.orm import Session

from matcher.consent import fold
from matcher.consent_events import check_new
from matcher.errors import RecordError
from matcher.people import Member
from matcher.programme import Programme
from service.intake import erased
from service.intake.csvfile import CsvFile
from service.intake.draft import Draft, Note, Tally
from service.intake.errors import IntakeError
from service.intake.flat import flat_mapping
from service.intake.mapping import MemberMapping
from service.intake.mapping_file import read_mapping
from service.intake.outcome import Outcome, Refusal, identifier
from service.intake.reading import open_file
from service.intake.rows import Row
from service.store import members as stored_members

_NO_CONSENT = "without a consent that is on, neither matched nor shown until one is given"
_NO_AGE = "without an age band, never matched: an unknown age is nobody's"


@dataclass(slots=True)
class Batch:
    """The members of a file that can be stored, by id, and what is to be told of the rest."""

    members: dict[str, Member] = field(default_factory=dict)
    outcome: Outcome = field(default_factory=Outcome)
    lines: dict[str, int] = field(default_factory=dict)
    """By id: where in the file each member is."""
    restored: list[str] = field(default_factory=list)
    """Who was erased before; told by `refuse_erased`."""


def read_members(path: Path, programme: Programme, mapping: Path | None, now: datetime) -> Batch:
    """Read a file of members and check every row; nothing is stored.

    Parameters
    ----------
    path : Path
        ``.jsonl`` with records, or ``.csv``.
    programme : Programme
        Whose members they are.
    mapping : Path, optional
        Tells how the columns of a CSV file become records; without it each column is named for a field.
    now : datetime
        When the import happens; consent cannot have been given later.

    Raises
    ------
    IntakeError, MappingError
        If the file or the mapping cannot be read as a whole.
    """
    drafts = _drafts(path, programme, mapping, now)
    batch, tally = Batch(), Tally()
    lines = batch.lines
    for row in drafts:
        draft = row.content or Draft(errors=dict(row.errors))
        member = None if row.content is None else _member(draft, programme, now)
        member_id = draft.record.get("member_id")
        if isinstance(member_id, str) and lines.setdefault(member_id, row.line) != row.line:
            draft.fail("member_id", f"found the id of line {lines[member_id]} again; expected each member once")
        if member is None or draft.errors:
            batch.outcome.refused.append(Refusal(row.line, identifier(draft.record, "member_id"), draft.errors))
            continue
        batch.members[member.member_id] = member
        tally.add(row.line, [*draft.notes, *_notes(member, programme, now)])
    if not lines and not batch.outcome.refused:
        raise IntakeError(f"{path.name}: found no rows; expected at least one")
    batch.outcome.accepted = len(batch.members)
    batch.outcome.warnings.extend(tally.warnings())
    return batch


def refuse_erased(session: Session, programme: Programme, batch: Batch) -> None:
    """Refuse members who were erased and have decided nothing since: no old file brings anybody back."""
    batch.restored = erased.refuse(session, programme, batch.members, batch.lines, batch.outcome)


def store_members(session: Session, programme: Programme, batch: Batch, now: datetime) -> tuple[int, int]:
    """Store the members of a batch in the caller's transaction; return how many were new and how many replaced.

    A member who is there already gets the record of the file, but no consent event is lost: what was stored since,
    a withdrawal above all, stands beside the events of the file, and the latest counts.
    """
    day = now.astimezone(UTC).date()
    counts = stored_members.upsert_many(session, programme, batch.members.values(), now=now, visible_from=day)
    erased.tell_restored(session, programme, batch.restored, now)
    return counts


def _drafts(path: Path, programme: Programme, mapping: Path | None, now: datetime) -> Iterator[Row[Draft]]:
    file = open_file(path)
    if not isinstance(file, CsvFile):
        if mapping is not None:
            raise IntakeError(f"{path.name}: found a --mapping for JSON Lines; expected it for a .csv file only")
        return (Row(row.line, None if row.content is None else Draft(dict(row.content)), row.errors) for row in file)
    rules = flat_mapping(file, programme) if mapping is None else read_mapping(mapping, programme, now)
    rules.fit(file)
    return _mapped(file, rules, now)


def _mapped(file: CsvFile, rules: MemberMapping, now: datetime) -> Iterator[Row[Draft]]:
    for row in file.rows():
        yield Row(row.line, None if row.content is None else rules.draft(row.content, now), row.errors)


def _member(draft: Draft, programme: Programme, now: datetime) -> Member | None:
    """Return the member of a draft; where there is none the draft's errors say why, in full."""
    try:
        member = Member.from_dict(draft.record, programme)
        check_new(member.consents, now)
        return member
    except RecordError as error:
        for path, message in error.errors.items():
            # What the mapping could not read is missing from the record; its own message says more.
            draft.errors.setdefault(path, message)
        return None


def _notes(member: Member, programme: Programme, now: datetime) -> Iterator[Note]:
    """Yield what is worth telling of a member who was accepted."""
    for warning in member.warnings:
        path, _, message = warning.partition(": ")
        yield Note(path, message)
    state = fold(member.consents, programme, now, minor=member.age_band in programme.minors)
    if not (state.on("match_serve") or state.on("be_shown_as_peer")):
        yield Note("consents", _NO_CONSENT)
    if member.age_band is None:
        yield Note("age_band", _NO_AGE)
