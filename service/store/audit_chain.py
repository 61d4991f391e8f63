"""What chains the entries of an audit log: each is vouched for together with the one before.

Nobody without the installation's secret can change an entry, take one out, add one, or move one elsewhere, without
`verify` naming the place. Entries cut off at the end leave no mark here: see `service.store.audit_heads`.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from service.store.derived_keys import derived
from service.store.record_tables import AuditRow

START: Final = "0" * 64
"""The `mac` before the first entry."""
TRIMMED: Final = "audit.trimmed"
_ROWS: Final = 2000
_ENTRY: Final = (
    AuditRow.number, AuditRow.at, AuditRow.by, AuditRow.action, AuditRow.subject, AuditRow.details
)  # fmt: skip


class Entry(NamedTuple):
    """One entry as the table has it, but for its programme and its `mac`."""

    number: int
    """From 1."""
    at: int
    """µs since 1970."""
    by: str
    action: str
    subject: str | None
    details: str
    """JSON object."""


@dataclass(frozen=True)
class Verdict:
    """What was found of a log, or of a part of it from its start."""

    count: int
    """Entries that are as they were written."""
    number: int
    """Of the last of these; where there is none, the one before the first."""
    mac: str
    """Its `mac`."""
    broken: int | None = None
    """Number of the first entry that is not as it was written, or is not there; None: all are."""


def mac_of(key: bytes, before: str, programme_id: str, entry: tuple[Any, ...]) -> str:
    """Return the `mac` of an entry that follows the one whose `mac` is `before`: HMAC-SHA-256, in hex."""
    whole = orjson.dumps((programme_id, *entry))
    return hmac.digest(key, before.encode() + b"|" + whole, "sha256").hex()


def verify(session: Session, programme_id: str, last: int | None = None) -> Verdict:
    """Look at every entry of a programme's log, up to number `last` where one is given; nothing is changed.

    Raises
    ------
    SettingsError
        If the installation's secret cannot be read.
    """
    number, before = _start(session, programme_id)
    query: Any = select(*_ENTRY, AuditRow.mac).where(AuditRow.programme_id == programme_id).order_by(AuditRow.number)
    if last is not None:
        query = query.where(AuditRow.number <= last)
    return _followed(derived(session).chain, programme_id, number, before, _rows(session, query))


def _followed(key: bytes, programme_id: str, number: int, before: str, rows: Iterable[Any]) -> Verdict:
    count = 0
    for found, at, by, action, subject, details, mac in rows:
        if found != number + 1:
            added = isinstance(found, int) and found <= number
            return Verdict(count, number, before, broken=found if added else number + 1)
        try:
            right = mac_of(key, before, programme_id, (found, at, by, action, subject, details)) == mac
        except (TypeError, ValueError):  # something that no entry has, written by hand
            right = False
        if not right:
            return Verdict(count, number, before, broken=found)
        count, number, before = count + 1, found, mac
    return Verdict(count, number, before)


def _rows(session: Session, query: Any) -> Iterator[Any]:
    for part in session.execute(query.execution_options(yield_per=_ROWS)).partitions():
        yield from part


def _start(session: Session, programme_id: str) -> tuple[int, str]:
    """Return number and `mac` of the entry before the first: what the last trimming wrote down."""
    query = select(AuditRow.details).where(AuditRow.programme_id == programme_id, AuditRow.action == TRIMMED)
    details = session.scalar(query.order_by(AuditRow.number.desc()).limit(1))
    if details is None:
        return 0, START
    try:
        told = orjson.loads(details)
        return int(told["number"]), str(told["mac"])
    except (ValueError, KeyError, TypeError):  # changed: what it vouches for is not believed, and it is found later
        return 0, START
