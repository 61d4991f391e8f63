"""Locks in the database: what one process at a time may do, whichever machine it runs on.

A lock is a lease. Its holder renews it; one who is dead does not, and after `LEASE` anybody may take it over. Whoever
was overtaken finds that out from `confirm`, in the transaction that would publish what they did, and publishes nothing.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from matcher.errors import PeermatchError
from service.store.moments import micros, moment
from service.store.training_tables import LockRow

LEASE: Final = timedelta(minutes=5)
"""How long nobody else may have a lock after its holder last said that it is alive."""
TOKEN_BYTES: Final = 16


class LockedError(PeermatchError):
    """Another process is doing what may be done once at a time."""

    title = "Somebody else is at it"


class OvertakenError(PeermatchError):
    """Another process has taken the lock over: what was done meanwhile must not count."""

    title = "Another process has taken over"


class Holder(NamedTuple):
    """Who holds a lock, as others are told."""

    purpose: str
    pid: int
    host: str

    @classmethod
    def here(cls, purpose: str) -> Holder:
        """Return this process."""
        return cls(purpose, os.getpid(), socket.gethostname())

    @classmethod
    def read(cls, text: str) -> Holder | None:
        """Return whom a row names; None where that cannot be told."""
        try:
            told = json.loads(text)
            return cls(str(told["purpose"]), int(told["pid"]), str(told["host"]))
        except (ValueError, KeyError, TypeError):
            return None


def take(
    session: Session,
    programme_id: str,
    name: str,
    holder: Holder,
    now: datetime,
    *,
    is_dead: Callable[[Holder], bool] = lambda _: False,
) -> str:
    """Take a lock; return the token by which its holder is known.

    Parameters
    ----------
    name : str
        What may be done once at a time, e.g. ``train``.
    is_dead : callable
        Whether a holder is known to be gone, as one of this machine may be: then its lease is not waited for.

    Raises
    ------
    LockedError
        If another process holds it: its purpose, process, host, since when, and until when at most.
    """
    row = session.get(LockRow, (programme_id, name))
    token = secrets.token_hex(TOKEN_BYTES)
    values = {"holder": json.dumps(holder._asdict()), "token": token, "since": micros(now), "until": _until(now)}
    if row is None:
        session.add(LockRow(programme_id=programme_id, name=name, **values))
        session.flush()
        return token
    other = Holder.read(row.holder)
    if _runs(row, now) and not (other is not None and is_dead(other)):
        raise LockedError(_refusal(row, other))
    session.execute(update(LockRow).where(*_is(programme_id, name)).values(**values))
    return token


def confirm(session: Session, programme_id: str, name: str, token: str, now: datetime) -> None:
    """Say that the holder is alive, and keep the lock for another `LEASE`.

    Raises
    ------
    OvertakenError
        If the lock is somebody else's by now, or was given back.
    """
    mine: Any = update(LockRow).where(*_is(programme_id, name), LockRow.token == token).values(until=_until(now))
    if session.execute(mine).rowcount != 1:  # type: ignore[attr-defined]
        raise OvertakenError(
            f"{name}: found the lock in the hands of another process, which has taken over since this one was last "
            "heard of; nothing that it did is kept. See who is at it, and run this again"
        )


def give_back(session: Session, programme_id: str, name: str, token: str) -> None:
    """Give a lock back, if it is still held."""
    session.execute(delete(LockRow).where(*_is(programme_id, name), LockRow.token == token))


def _is(programme_id: str, name: str) -> tuple[Any, ...]:
    return LockRow.programme_id == programme_id, LockRow.name == name


def _until(now: datetime) -> int:
    return micros(now + LEASE)


def _runs(row: LockRow, now: datetime) -> bool:
    """Whether a lease runs. One that ends later than any given now was given before the clock was set back."""
    return micros(now) < row.until <= _until(now)


def _refusal(row: LockRow, other: Holder | None) -> str:
    at = f"{moment(row.since):%Y-%m-%d %H:%M:%S} UTC"
    who = "another process" if other is None else f"{other.purpose} (process {other.pid} on {other.host}, since {at})"
    return (
        f"{who} holds the lock of this programme; wait until it has ended, or end it, and run this again. If it is "
        f"gone, the lock ends by itself at {moment(row.until):%H:%M:%S} UTC"
    )
