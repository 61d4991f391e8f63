"""Programmes: kept with the text of their vocabularies, so that they can be read again anywhere."""

from __future__ import annotations

import errno
import tempfile
import tomllib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from matcher.errors import PeermatchError, ProgrammeError, RecordError, shown
from matcher.people import Member
from matcher.programme import Programme
from service.store import live, text
from service.store.hot import StoreError
from service.store.live_tables import LiveRow
from service.store.tables import MemberRow, PoolRow, ProgrammeRow


class UnknownProgrammeError(PeermatchError):
    """The database has no such programme."""

    title = "No such programme"


def save(session: Session, programme: Programme, base: Path, *, now: datetime) -> bool:
    """Store a programme, new or changed, with the vocabularies it reads from `base`; return whether it is new.

    Raises
    ------
    ProgrammeError
        If a vocabulary does not lie beside the programme file.
    """
    files = text.write(dict(_vocabularies(programme.source, base)))
    row = session.get(ProgrammeRow, programme.id)
    if row is None:
        session.add(ProgrammeRow(id=programme.id, toml=programme.source, files=files, digest=programme.digest,
                                 created_at=now, updated_at=now))  # fmt: skip
        session.flush()
        session.add(PoolRow(programme_id=programme.id, number=0, additions=0))
        session.flush()
        return True
    if (row.toml, row.files, row.digest) != (programme.source, files, programme.digest):
        row.toml, row.files, row.digest, row.updated_at = programme.source, files, programme.digest, now
        session.flush()
        live.refold(session, programme.id, _states(session, programme, now))
    return False


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
    return list(session.scalars(select(ProgrammeRow.id).order_by(ProgrammeRow.id)))


def digest(session: Session, programme_id: str) -> str | None:
    """Return the digest of a programme's configuration, or None if there is none of this id."""
    return session.scalar(select(ProgrammeRow.digest).where(ProgrammeRow.id == programme_id))


def _states(session: Session, programme: Programme, now: datetime) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield what follows for each member's live row from the programme as it is now."""
    query = (
        select(LiveRow.id, MemberRow.record)
        .join(MemberRow, (MemberRow.programme_id == LiveRow.programme_id) & (MemberRow.member_id == LiveRow.member_id))
        .where(LiveRow.programme_id == programme.id)
    )
    for live_id, record in session.execute(query):
        try:
            yield live_id, live.derived(Member.from_dict(text.read(record), programme), programme, now)
        except RecordError:
            yield live_id, live.refused()


def _vocabularies(toml: str, base: Path) -> Iterator[tuple[str, str]]:
    """Yield name and text of each vocabulary file that the programme names."""
    facets = tomllib.loads(toml).get("facets", {})
    names = {facet.get("vocabulary") for facet in facets.values() if isinstance(facet, dict)}
    for name in sorted(name for name in names if isinstance(name, str)):
        if not name.lower().endswith(".csv"):
            continue  # bundled
        pure = PurePosixPath(name)
        if pure.is_absolute() or ".." in pure.parts or "\\" in name:
            raise ProgrammeError(
                f"vocabulary: found {shown(name)}; expected a file beside the programme file or in a folder below it"
            )
        # Exactly as it lies there, byte-order mark and line ends too: the digest is over it.
        with (base / name).open(encoding="utf-8", newline="") as file:
            yield name, file.read()
