"""Replies kept by the Idempotency-Key of their request, so that a request sent twice is done once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from service.sealing import SealError
from service.store import sealed, text
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
    old = delete(IdempotencyRow).where(IdempotencyRow.started_at <= micros(now - KEPT))
    session.execute(old.execution_options(every_programme=True))
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
    reply = "" if row.reply is None else sealed.opened(session, *_place(request.programme_id, row), row.reply)
    return Before(row.fingerprint, row.status, text.read(row.headers or "{}"), reply)


def keep(session: Session, request: Request, status: int, headers: dict[str, str], reply: str) -> None:
    """Keep the reply of a request that was claimed; not what was done for somebody who has been erased meanwhile."""
    there = select(func.count()).where(
        LiveRow.programme_id == request.programme_id, LiveRow.member_id.in_(request.about)
    )
    if status < 400 and (session.scalar(there) or 0) < len(request.about):
        release(session, request)
        return
    kept = sealed.seal(session, *_place(request.programme_id, request), reply)
    values = {"status": status, "headers": text.write(headers), "reply": kept}
    session.execute(update(IdempotencyRow).where(*_this(request)).values(**values))


def release(session: Session, request: Request) -> None:
    """Forget a request that was claimed: it may be sent again, and is done again."""
    session.execute(delete(IdempotencyRow).where(*_this(request)))


def forget(session: Session, programme_id: str, member_id: str) -> None:
    """Forget every request that names a member, who is being erased, and every reply that does or cannot be opened."""
    query = select(IdempotencyRow.key_id, IdempotencyRow.key, IdempotencyRow.about, IdempotencyRow.reply)
    # Compared here: what databases call like ignores case, and ids do not.
    for row in session.execute(query.where(IdempotencyRow.programme_id == programme_id)).all():
        if member_id in orjson.loads(row.about) or _may_name(session, programme_id, row, member_id):
            this = (IdempotencyRow.key_id == row.key_id, IdempotencyRow.key == row.key)
            session.execute(delete(IdempotencyRow).where(IdempotencyRow.programme_id == programme_id, *this))


def _may_name(session: Session, programme_id: str, row: Any, member_id: str) -> bool:
    """Whether a reply names a member, as far as is known: one that cannot be opened is of no use, and may."""
    if row.reply is None:
        return False
    try:
        reply = sealed.opened(session, *_place(programme_id, row), row.reply)
    except SealError:
        return True
    return any(f"{mark}{member_id}{mark}" in reply for mark in "\"'")


def _place(programme_id: str, row: Any) -> tuple[str, str, str]:
    return programme_id, IdempotencyRow.__tablename__, f"{row.key_id} {row.key}"


def _this(request: Request) -> tuple[Any, Any, Any]:
    of_key = (IdempotencyRow.key_id == request.key_id, IdempotencyRow.key == request.key)
    return IdempotencyRow.programme_id == request.programme_id, *of_key


def _insert_unless_there(session: Session, values: dict[str, Any]) -> Any:
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    return dialect.insert(IdempotencyRow).values(**values).on_conflict_do_nothing()
