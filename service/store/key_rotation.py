"""Rotating an API key: a new one in its place, and for a while both open."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import update
from sqlalchemy.orm import Session

from service.security import Token
from service.store import keys
from service.store.keys import ApiKey, ApiKeyError
from service.store.tables import ApiKeyRow

OVERLAP: Final = timedelta(hours=24)
LONGEST_OVERLAP: Final = timedelta(days=30)


@dataclass(frozen=True)
class Rotated:
    """What a rotation made."""

    token: Token
    """The new key's."""
    expires_at: datetime | None
    """Of the new key."""
    old_until: datetime
    """The first moment at which the old key opens nothing."""


def rotate(
    session: Session,
    programme_id: str,
    key_id: str,
    *,
    now: datetime,
    overlap: timedelta = OVERLAP,
    expires_at: datetime | None = None,
) -> Rotated:
    """Make a key with the scopes, label and bound of another, which stays open for `overlap` and then opens nothing.

    Of one partner's access two keys are open at most. The new key has as long to live as the old one was given, unless
    `expires_at` tells.

    Raises
    ------
    ApiKeyError
        If there is no such key, it is expired, it was replaced already, or the one before it is still open.
    """
    if not timedelta() <= overlap <= LONGEST_OVERLAP:
        raise ApiKeyError(f"overlap: expected 0 to {LONGEST_OVERLAP.days} days, for so long the old key stays open")
    second = now.replace(microsecond=0)
    old = _rotatable(keys.list_keys(session, programme_id), key_id, now)
    if expires_at is None and old.expires_at is not None:
        expires_at = second + (old.expires_at - old.created_at.replace(microsecond=0))
    token = keys.create(
        session,
        programme_id,
        sorted(old.scopes),
        now=now,
        expires_at=expires_at,
        label=old.label,
        per_minute=old.per_minute,
    )
    until = second + overlap if old.expires_at is None else min(old.expires_at, second + overlap)
    row = update(ApiKeyRow).where(ApiKeyRow.programme_id == programme_id, ApiKeyRow.id == key_id)
    session.execute(row.values(expires_at=until, replaced_by=token.key_id))
    return Rotated(token, expires_at, until)


def _rotatable(known: list[ApiKey], key_id: str, now: datetime) -> ApiKey:
    by_id = {key.key_id: key for key in known}
    old = by_id.get(key_id)
    if old is None:
        raise ApiKeyError("KEY_ID: this programme has no such key; `peermatch keys list` shows them")
    if not old.is_open(now):
        raise ApiKeyError(f"{key_id} is expired and is rotated no more; `peermatch keys create` makes another")
    if old.replaced_by in by_id:
        raise ApiKeyError(f"{key_id} was replaced by {old.replaced_by} already; rotate that one")
    before = next((key for key in known if key.replaced_by == key_id and key.is_open(now)), None)
    if before is not None:
        raise ApiKeyError(
            f"{key_id} replaced {before.key_id}, which is open until {before.expires_at:%Y-%m-%d %H:%M:%S} UTC; once "
            f"nobody uses that any more, `peermatch keys revoke {before.key_id}`, then rotate this one"
        )
    return old
