"""API keys of programmes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final, NamedTuple

from sqlalchemy import bindparam, delete, select
from sqlalchemy.orm import Session

from matcher.errors import PeermatchError, nearest, shown
from service.security import SCOPES, Token, new_token
from service.store.engine import Store
from service.store.hot import Statement
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


class Opened(NamedTuple):
    """What a request needs of a key. `digest` is SHA-256 of its secret."""

    key_id: str
    programme_id: str
    digest: str
    scopes: frozenset[str]
    expires_at: datetime | None


_BY_ID: Final = Statement(
    select(ApiKeyRow.programme_id, ApiKeyRow.digest, ApiKeyRow.scopes, ApiKeyRow.expires_at.is_not(None)).where(
        ApiKeyRow.id == bindparam("key_id")
    )
)


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


def look_up(store: Store, key_id: str) -> Opened | None:
    """Return what a request needs of a key, as `find` does and in a tenth of its time."""
    with store.hot.reading() as reader:
        row = reader.one(_BY_ID, key_id=key_id)
    if row is None:
        return None
    expires_at = None
    if row[3]:
        with store.reading() as session:
            key = find(session, key_id)
        if key is None:
            return None
        expires_at = key.expires_at
    return Opened(key_id, row[0], row[1], _scopes(row[2]), expires_at)


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
    return ApiKey(row.id, row.programme_id, row.digest, _scopes(row.scopes), row.created_at, row.expires_at)


@lru_cache(maxsize=256)
def _scopes(written: str) -> frozenset[str]:
    return frozenset(written.split())
