"""The audit log: who did what and when, each entry chained to the one before, in the transaction of what it tells.

An entry names no person: a member is a keyed hash, and details are numbers and words of ours. What cannot be recorded
does not happen: whatever fails here fails the transaction.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import orjson
from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from matcher.errors import PeermatchError
from service.store.audit_actions import ACTIONS
from service.store.audit_chain import START, TRIMMED, Entry, mac_of, verify
from service.store.audit_heads import remember
from service.store.derived_keys import derived
from service.store.moments import micros
from service.store.record_tables import AuditRow

COMMAND: Final = "command"
"""`by` of what was done on the command line."""
SERVICE: Final = "service"
"""`by` of what the service does by itself."""
LAST: Final = select(AuditRow.number, AuditRow.mac, AuditRow.action).order_by(AuditRow.number.desc()).limit(1)
"""The end of a log, of a programme that is to be named."""

Word = str | int
"""What details are made of: a whole number, a truth, or a word of ours."""

_BY: Final = re.compile(r"[a-z0-9]{16}|command|service")
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,31}")
_WORD: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:+-]{0,63}")


class AuditError(PeermatchError):
    """The audit log is not as it was written."""

    title = "The audit log is not as it was written"


def record(
    session: Session,
    programme_id: str,
    action: str,
    *,
    now: datetime,
    by: str,
    subject: str | None = None,
    **details: Word | list[str] | tuple[str, ...],
) -> int:
    """Append an entry to a programme's log, and return its number. It is there if the transaction is committed.

    Parameters
    ----------
    action : str
        One of `ACTIONS`.
    by : str
        Id of the API key, `COMMAND` or `SERVICE`.
    subject : str, optional
        The `member_id` of whom it is about; kept as a keyed hash.
    **details
        Whole numbers, truths, and words of ours (1 to 64 of ``A-Z a-z 0-9 _ . : + -``) or several of them. Never an id
        of a person, and never what somebody wrote.

    Raises
    ------
    ValueError
        If one of them is none of these.
    StoreError, SettingsError
        If it cannot be written.
    """
    if action not in ACTIONS:
        raise ValueError(f"action: found {action!r}; expected one of {', '.join(ACTIONS)}")
    if not _BY.fullmatch(by):
        raise ValueError("by: expected the id of an API key, `command` or `service`")
    written = _details(details)
    keys = derived(session)
    last = session.execute(LAST.where(AuditRow.programme_id == programme_id)).first()
    number, before = (1, START) if last is None else (last.number + 1, last.mac)
    hashed = None if subject is None else keys.subject(programme_id, subject)
    entry = Entry(number, micros(now), by, action, hashed, written)
    mac = mac_of(keys.chain, before, programme_id, entry)
    session.execute(insert(AuditRow).values(programme_id=programme_id, mac=mac, **entry._asdict()))
    remember(session, programme_id, number, mac, entry.at)
    return number


def _details(details: Mapping[str, object]) -> str:
    for name, value in details.items():
        if not _NAME.fullmatch(name):
            raise ValueError(f"details: found the name {name!r}; expected lower-case letters, digits and underscores")
        for one in value if isinstance(value, list | tuple) else (value,):
            if isinstance(one, int):
                continue
            # What was found is not told: it may be the very thing that must not be here. It is not compared with the
            # subject: a `member_id` may be a word of ours, such as `given`.
            if not isinstance(one, str) or not _WORD.fullmatch(one):
                raise ValueError(f"details.{name}: expected a whole number or words of ours, never an id of a person")
    return orjson.dumps(details, option=orjson.OPT_SORT_KEYS).decode()


def entries(
    session: Session, programme_id: str, *, after: int = 0, limit: int = 100, member_id: str | None = None
) -> list[Entry]:
    """Return `limit` entries at most, by number, from beyond `after` on; those of one member if one is given."""
    columns = [getattr(AuditRow, name) for name in Entry._fields]
    query = select(*columns).where(AuditRow.programme_id == programme_id, AuditRow.number > after)
    if member_id is not None:
        query = query.where(AuditRow.subject == derived(session).subject(programme_id, member_id))
    return [Entry(*row) for row in session.execute(query.order_by(AuditRow.number).limit(limit))]


def trim(session: Session, programme_id: str, before: datetime, now: datetime, *, by: str = COMMAND) -> int:
    """Delete the entries at the start of a log that are older than `before`; return how many there were.

    The log begins later from then on, and `audit.trimmed` in it says where: `verify` accepts that start and no other.

    Raises
    ------
    AuditError
        If one of them is not as it was written: nothing is deleted before somebody has looked.
    """
    mine = AuditRow.programme_id == programme_id
    kept = session.scalar(select(func.min(AuditRow.number)).where(mine, AuditRow.at >= micros(before)))
    last = session.scalar(select(func.max(AuditRow.number)).where(mine)) if kept is None else kept - 1
    found = verify(session, programme_id, last or 0)
    if found.broken is not None:
        raise AuditError(
            f"{programme_id}: entry {found.broken} of the audit log is not as it was written, so none is deleted; "
            "`peermatch doctor` says what to do"
        )
    if not found.count:
        return 0
    told: dict[str, Any] = {"number": found.number, "mac": found.mac, "entries": found.count}
    record(session, programme_id, TRIMMED, now=now, by=by, **told)
    session.execute(delete(AuditRow).where(mine, AuditRow.number <= found.number))
    return found.count
