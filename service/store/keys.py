"""API keys of programmes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from matcher.errors import PeermatchError, nearest, shown
from service.security import SCOPES, Token, new_token
from service.store.tables import ApiKeyRow


class ScopeError(PeermatchError):
    """A scope that does not exist was asked for."""

    title = "No such scope"


@dataclass(frozen=True)
class ApiKey:
    """What is known of an API key. `digest` is SHA-256 of its secret."""

    key_id: str
    programme_id: str
    digest: str
    scopes: frozenset[str]
    created_at: datetime
    expires_at: datetime | None

    def __repr__(self) -> str:
        """Name the key without anything of its secret."""
        return f"ApiKey({self.key_id!r}, {self.programme_id!r}, scopes={sorted(self.scopes)})"


def create(
    session: Session,
    programme_id: str,
    scopes: Iterable[str] = SCOPES,
    *,
    now: datetime,
    expires_at: datetime | None = None,
) -> Token:
    """Make a key of one programme; its text is in the returned `Token` and nowhere else, ever.

    Raises
    ------
    ScopeError
        If a scope does not exist, or none was given.
    """
    wanted = list(dict.fromkeys(scopes))
    for scope in wanted:
        if scope not in SCOPES:
            raise ScopeError(
                f"scope: found {shown(scope)}; expected some of {' '.join(SCOPES)}{nearest(scope, SCOPES)}"
            )
    if not wanted:
        raise ScopeError(f"scopes: found none; expected some of {' '.join(SCOPES)}")
    token = new_token()
    session.add(
        ApiKeyRow(
            id=token.key_id,
            programme_id=programme_id,
            digest=token.digest,
            scopes=" ".join(wanted),
            created_at=now,
            expires_at=expires_at,
        )
    )
    session.flush()
    return token


def find(session: Session, key_id: str) -> ApiKey | None:
    """Return a key by its id. The one query without a programme: it is what tells the programme."""
    row = session.get(ApiKeyRow, key_id)
    return None if row is None else _key(row)


def list_keys(session: Session, programme_id: str) -> list[ApiKey]:
    """Return the keys of a programme, oldest first."""
    query = select(ApiKeyRow).where(ApiKeyRow.programme_id == programme_id)
    return [_key(row) for row in session.scalars(query.order_by(ApiKeyRow.created_at, ApiKeyRow.id))]


def revoke(session: Session, programme_id: str, key_id: str) -> bool:
    """Forget a key, so that it opens nothing from the next request on; return whether there was one."""
    known = any(key.key_id == key_id for key in list_keys(session, programme_id))
    session.execute(delete(ApiKeyRow).where(ApiKeyRow.programme_id == programme_id, ApiKeyRow.id == key_id))
    return known


def _key(row: ApiKeyRow) -> ApiKey:
    return ApiKey(row.id, row.programme_id, row.digest, frozenset(row.scopes.split()), row.created_at, row.expires_at)
