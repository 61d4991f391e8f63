"""Programmes: kept with the files that they name, so that they can be read again anywhere."""

from __future__ import annotations

import errno
import tempfile
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from matcher.errors import PeermatchError, ProgrammeError, RecordError, shown
from matcher.people import Member
from matcher.programme import Programme
from matcher.programme_texts import beside
from service.store import ends, live, sealed, text
from service.store.hot import StoreError
from service.store.live_tables import LiveRow
from service.store.tables import MemberRow, PoolRow, ProgrammeRow


class UnknownProgrammeError(PeermatchError):
    """The database has no such programme."""

    title = "No such programme"


def save(session: Session, programme: Programme, base: Path, *, now: datetime) -> bool:
    """Store a programme, new or changed, with the files it reads from `base`; return whether it is new.

    Raises
    ------
    ProgrammeError
        If a vocabulary does not lie beside the programme file, or a text that people agreed to has changed and its
        version has not.
    """
    files = text.write(dict(_files(programme.source, base)))
    row = session.get(ProgrammeRow, programme.id)
    if row is None:
        session.add(ProgrammeRow(id=programme.id, toml=programme.source, files=files, digest=programme.digest,
                                 created_at=now, updated_at=now))  # fmt: skip
        session.flush()
        session.add(PoolRow(programme_id=programme.id, number=0, additions=0))
        session.flush()
        return True
    if (row.toml, row.files, row.digest) != (programme.source, files, programme.digest):
        _check_texts(load(session, programme.id), programme)
        row.toml, row.files, row.digest, row.updated_at = programme.source, files, programme.digest, now
        session.flush()
        refold(session, programme, now)
    return False


def _check_texts(before: Programme, after: Programme) -> None:
    """Refuse another text under the policy version of one that people have agreed to."""
    if before.policy_version != after.policy_version:
        return
    for locale, digest in before.policy_texts.items():
        if after.policy_texts.get(locale) != digest:
            raise ProgrammeError(
                f"[consent.texts] {locale}: found another text, or none, and the same policy_version "
                f"{after.policy_version!r}; what people agreed to stays as it was: give the new text a version of its "
                "own, and ask them again"
            )


def load(session: Session, programme_id: str) -> Programme:
    """Read a programme from its stored text.

    Raises
    ------
    UnknownProgrammeError
        If there is none of this id.
    ProgrammeError, VocabularyError
        If this release no longer accepts what was stored.
    StoreError
        If the disk is full.
    """
    row = session.get(ProgrammeRow, programme_id)
    if row is None:
        known = ", ".join(identifiers(session)) or "none"
        raise UnknownProgrammeError(
            f"programme: found {shown(programme_id)}; expected one of this database: {known}; "
            "`peermatch init FILE.toml` adds one"
        )
    try:
        with tempfile.TemporaryDirectory(prefix="peermatch-") as folder:
            base = Path(folder)
            for name, content in text.read(row.files).items():
                target = base / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(content, encoding="utf-8", newline="")
            return Programme.from_text(row.toml, base)
    except OSError as problem:
        kind = errno.errorcode.get(problem.errno or 0, type(problem).__name__)
        raise StoreError(f"the folder of temporary files cannot be used ({kind}); make room there") from None


def identifiers(session: Session) -> list[str]:
    """Return the ids of all programmes, sorted: what an administrator of this database may see."""
    query = select(ProgrammeRow.id).order_by(ProgrammeRow.id)
    return list(session.scalars(query.execution_options(every_programme=True)))


def digest(session: Session, programme_id: str) -> str | None:
    """Return the digest of a programme's configuration, or None if there is none of this id."""
    return session.scalar(select(ProgrammeRow.digest).where(ProgrammeRow.id == programme_id))


def refold(session: Session, programme: Programme, now: datetime) -> None:
    """Let everybody's consents, and whether their record can be read, follow from the programme as it is now."""
    numbers = session.scalars(select(LiveRow.id).where(LiveRow.programme_id == programme.id)).all()
    states, edited = dict[int, dict[str, Any]](), set[int]()
    for start in range(0, len(numbers), live.CHUNK):
        some = _records(session, programme.id, numbers[start : start + live.CHUNK])
        changed = ends.note(session, programme, dict(some.values()), now)
        for live_id, (member_id, record) in some.items():
            states[live_id] = state_of(changed.get(member_id, record), programme, now)
            if member_id in changed:
                edited.add(live_id)
    live.refold(session, programme.id, states.items(), edited)


def _records(session: Session, programme_id: str, numbers: Sequence[int]) -> dict[int, tuple[str, dict[str, Any]]]:
    query = (
        select(LiveRow.id, LiveRow.member_id, MemberRow.record)
        .join(MemberRow, (MemberRow.programme_id == LiveRow.programme_id) & (MemberRow.member_id == LiveRow.member_id))
        .where(LiveRow.programme_id == programme_id, LiveRow.id.in_(numbers))
    )
    return {row[0]: (row[1], sealed.record(session, programme_id, row[1], row[2])) for row in session.execute(query)}


def state_of(record: Mapping[str, Any], programme: Programme, now: datetime) -> dict[str, Any]:
    """Return what follows for a member's live row from a record, which the programme may not accept."""
    try:
        return live.derived(Member.from_dict(record, programme), programme, now)
    except RecordError:
        return live.refused(record, now)


def _files(toml: str, base: Path) -> Iterator[tuple[str, str]]:
    """Yield name and text of each file that the programme names: vocabularies, and texts that members agree to."""
    said = tomllib.loads(toml)
    named = {facet.get("vocabulary") for facet in said.get("facets", {}).values() if isinstance(facet, dict)}
    vocabularies = {name for name in named if isinstance(name, str) and name.lower().endswith(".csv")}  # or bundled
    for name in sorted({*vocabularies, *said["consent"].get("texts", {}).values()}):
        if not beside(name):
            raise ProgrammeError(
                f"vocabulary: found {shown(name)}; expected a file beside the programme file or in a folder below it"
            )
        # Exactly as it lies there, byte-order mark and line ends too: the digest is over it.
        with (base / name).open(encoding="utf-8", newline="") as file:
            yield name, file.read()
