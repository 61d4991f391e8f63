"""Replies kept by the Idempotency-Key of their request, so that a request sent twice is done once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from service.store import text
from service.store.live_tables import LiveRow
from service.store.moments import micros
from service.store.tables import IdempotencyRow

KEPT: Final = timedelta(hours=24)
ABANDONED: Final = timedelta(minutes=2)
"""After so long nobody is at work any more: the worker died. Longer than any request may take."""


@dataclass(frozen=True)
class Request:
    """What tells one request from another."""

    programme_id: str
    key_id: str
    """Of the API key: two keys never meet."""
    key: str
    """The Idempotency-Key."""
    fingerprint: str
    """Of method, address and body."""
    about: tuple[str, ...] = ()
    """The ids that it names."""


@dataclass(frozen=True)
class Before:
    """A request that was there before with the same key."""

    fingerprint: str
    status: int | None
    """None: it is still under way."""
    headers: dict[str, str]
    reply: str


def claim(session: Session, request: Request, *, now: datetime) -> Before | None:
    """Put a request down as under way, in a transaction of its own; None: it is, and to be done now.

    One of any number that do so at once gets None. What is older than `KEPT` is forgotten first.
    """
    session.execute(delete(IdempotencyRow).where(IdempotencyRow.started_at <= micros(now - KEPT)))
    values = {
        "programme_id": request.programme_id,
        "key_id": request.key_id,
        "key": request.key,
        "fingerprint": request.fingerprint,
        "started_at": micros(now),
        "about": orjson.dumps(request.about).decode(),
    }
    if session.execute(_insert_unless_there(session, values)).rowcount:  # type: ignore[attr-defined]
        return None
    row = session.scalars(select(IdempotencyRow).where(*_this(request))).one()
    if row.status is None and row.fingerprint == request.fingerprint and row.started_at <= micros(now - ABANDONED):
        again = update(IdempotencyRow).where(*_this(request), IdempotencyRow.started_at == row.started_at)
        if session.execute(again.values(started_at=micros(now))).rowcount:  # type: ignore[attr-defined]
            return None
    return Before(row.fingerprint, row.status, text.read(row.headers or "{}"), row.reply or "")


def keep(session: Session, request: Request, status: int, headers: dict[str, str], reply: str) -> None:
    """Keep the reply of a request that was claimed; not what was done for somebody who has been erased meanwhile."""
    there = select(func.count()).where(
        LiveRow.programme_id == request.programme_id, LiveRow.member_id.in_(request.about)
    )
    if status < 400 and (session.scalar(there) or 0) < len(request.about):
        release(session, request)
        return
    values = {"status": status, "headers": text.write(headers), "reply": reply}
    session.execute(update(IdempotencyRow).where(*_this(request)).values(**values))


def release(session: Session, request: Request) -> None:
    """Forget a request that was claimed: it may be sent again, and is done again."""
    session.execute(delete(IdempotencyRow).where(*_this(request)))


def forget(session: Session, programme_id: str, member_id: str) -> None:
    """Forget every request that names a member, who is being erased, and every reply that does."""
    query = select(IdempotencyRow.key_id, IdempotencyRow.key, IdempotencyRow.about, IdempotencyRow.reply)
    # Compared here: what databases call like ignores case, and ids do not.
    for key_id, key, about, reply in session.execute(query.where(IdempotencyRow.programme_id == programme_id)).all():
        if member_id in orjson.loads(about) or any(f"{mark}{member_id}{mark}" in (reply or "") for mark in "\"'"):
            session.execute(delete(IdempotencyRow).where(IdempotencyRow.key_id == key_id, IdempotencyRow.key == key))


def _this(request: Request) -> tuple[Any, Any]:
    return IdempotencyRow.key_id == request.key_id, IdempotencyRow.key == request.key


def _insert_unless_there(session: Session, values: dict[str, Any]) -> Any:
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    return dialect.insert(IdempotencyRow).values(**values).on_conflict_do_nothing()
