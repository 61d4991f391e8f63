"""Whether a log and its second place agree, and where they are made to: each vouches for what the other may lose.

A line of the second place says where a log ended; an entry of the log, `audit.signed`, says which line that was.
Entries cut off the log are missed by the lines, lines cut off the file by the entries.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.store import audit
from service.store.audit_heads import HeadsError, Line, second
from service.store.engine import Store
from service.store.moments import micros
from service.store.record_tables import AuditRow
from service.store.tables import InstallationRow

SIGNED: Final = "audit.signed"
_CHUNK: Final = 500


@dataclass(frozen=True)
class Agreement:
    """How a log and its second place agree."""

    lines: int
    """Of this log and this database."""
    cut: int | None = None
    """Number of the first entry that is known to be missing from the log, or another one than was signed."""
    lost: int | None = None
    """Place of a line that the log tells of and the file does not have."""
    younger: bool = False
    """The file was begun after that: another one was put aside, or deleted."""
    begun_anew: int | None = None
    """Number of the entry that says of an earlier such file that it was begun anew; None: there was none."""

    @property
    def problem(self) -> str:
        """What does not agree, in words; empty where all does."""
        if self.cut is not None:
            return f"entry {self.cut} was signed in the second place, and is missing or another one"
        if self.lost is not None:
            return f"line {self.lost} of the second place is missing or another one"
        return ""


def agreement(store: Store, programme_id: str) -> Agreement:
    """Compare a log with its second place, which others may write meanwhile.

    Raises
    ------
    HeadsError
        If the file itself is not as it was written.
    """
    # A line is written once its entry is there, and an entry that tells of a line once that is there.
    early = len(store.heads.read())
    with store.reading() as session:
        # A transaction sees the moment when it first reads a table: that must be before the lines are read.
        session.execute(select(InstallationRow.store_id)).first()
        lines = store.heads.read()
        return _compared(session, programme_id, lines, early)


def checkpoint(store: Store, programme_id: str, now: datetime, *, by: str = audit.COMMAND) -> int | None:
    """Write where a log ends to the second place, and to the log that this was done; return the number of that entry.

    None: nothing has been recorded since the last time. What commands that run every day do at their end.

    Raises
    ------
    HeadsError
        If the log and its second place disagree: neither is signed before somebody has looked.
    OSError
        If the file cannot be written.
    """
    found = agreement(store, programme_id)
    if found.cut is not None or (found.lost is not None and not found.younger):
        raise HeadsError(f"{programme_id}: {found.problem}; `peermatch doctor` says what to do")
    with store.transaction() as session:
        store_id = session.scalar(select(InstallationRow.store_id)) or ""
        tail = session.execute(audit.LAST.where(AuditRow.programme_id == programme_id)).first()
        if tail is None or (tail.action == SIGNED and found.lines):
            return None
        line = store.heads.append(programme_id, store_id, tail.number, tail.mac, micros(now))
        told: dict[str, Any] = {"store": store_id, "line": line.place, "sig": line.sig, "anew": found.younger}
        return audit.record(session, programme_id, SIGNED, now=now, by=by, **told)


def _compared(session: Session, programme_id: str, lines: Sequence[Line], early: int) -> Agreement:
    store_id = session.scalar(select(InstallationRow.store_id))
    mine = [line for line in lines if (line.head.programme, line.head.store) == (programme_id, store_id)]
    lost: int | None = None
    younger = False
    begun_anew: int | None = None
    query = select(AuditRow.number, AuditRow.at, AuditRow.details).where(AuditRow.action == SIGNED)
    for number, at, details in session.execute(
        query.where(AuditRow.programme_id == programme_id).order_by(AuditRow.number)
    ):
        told = _told(details)
        if told.get("store") != store_id:
            continue
        if told.get("anew"):
            begun_anew, lost = number, None
        if lost is None and not (told["line"] <= len(lines) and lines[told["line"] - 1].sig == told["sig"]):
            lost = told["line"]
        younger = lost is not None and (not lines or lines[0].head.at > second(at))
    cut = _cut(session, programme_id, [line for line in mine if line.place <= early])
    return Agreement(len(mine), cut, lost, younger, begun_anew)


def _told(details: str) -> dict[str, Any]:
    try:
        told = orjson.loads(details)
        return {**told, "line": int(told["line"]), "sig": str(told["sig"])}
    except (ValueError, KeyError, TypeError):  # changed: the chain tells
        return {}


def _cut(session: Session, programme_id: str, lines: Sequence[Line]) -> int | None:
    """Return the number of the first entry that a line signed and the log does not have like that."""
    first, last = session.execute(
        select(func.min(AuditRow.number), func.max(AuditRow.number)).where(AuditRow.programme_id == programme_id)
    ).one()
    signed = {line.head.number: line.head.mac for line in lines if line.head.number >= (first or 0)}
    numbers = sorted(signed)
    for start in range(0, len(numbers), _CHUNK):
        part = numbers[start : start + _CHUNK]
        query = select(AuditRow.number, AuditRow.mac).where(AuditRow.programme_id == programme_id)
        known = {row.number: row.mac for row in session.execute(query.where(AuditRow.number.in_(part)))}
        for number in part:
            if known.get(number) != signed[number]:
                return min(number, (last or 0) + 1)
    return None
