"""API keys of programmes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple

from sqlalchemy import bindparam, delete, select
from sqlalchemy.orm import Session

from matcher.errors import PeermatchError, nearest, shown
from service.security import SCOPES, Token, new_token
from service.settings import MOST_PER_MINUTE
from service.store.engine import Store
from service.store.hot import Statement
from service.store.tables import ApiKeyRow

LONGEST_LABEL: Final = 100
NO_BOUND: Final = 0
"""What `per_minute` is of a key that may send any number of requests."""


class ScopeError(PeermatchError):
    """A scope that does not exist was asked for."""

    title = "No such scope"


class ApiKeyError(PeermatchError):
    """An API key cannot be made like this, or there is none of this id."""

    title = "The API key was not changed"


@dataclass(frozen=True)
class ApiKey:
    """What is known of an API key. `digest` is SHA-256 of its secret."""

    key_id: str
    programme_id: str
    digest: str
    scopes: frozenset[str]
    created_at: datetime
    expires_at: datetime | None
    """The first moment at which it opens nothing; None: it is open until it is revoked."""
    label: str = ""
    per_minute: int | None = None
    """Requests a minute; None: as the settings say; `NO_BOUND`: any number."""
    replaced_by: str | None = None
    """Id of the key that a rotation made in its place."""

    def __repr__(self) -> str:
        """Name the key without anything of its secret."""
        return f"ApiKey({self.key_id!r}, {self.programme_id!r}, scopes={sorted(self.scopes)})"

    def is_open(self, now: datetime) -> bool:
        """Whether it opens anything at `now`."""
        return self.expires_at is None or now < self.expires_at


class Opened(NamedTuple):
    """What a request needs of a key. `digest` is SHA-256 of its secret."""

    key_id: str
    programme_id: str
    digest: str
    scopes: frozenset[str]
    expires_at: datetime | None
    per_minute: int | None

    def __repr__(self) -> str:
        """Name the key without anything of its secret."""
        return f"Opened({self.key_id!r}, {self.programme_id!r})"


_BY_ID: Final = Statement(
    select(
        ApiKeyRow.programme_id, ApiKeyRow.digest, ApiKeyRow.scopes, ApiKeyRow.expires_at, ApiKeyRow.per_minute
    ).where(ApiKeyRow.id == bindparam("key_id")).execution_options(every_programme=True)
)  # fmt: skip


def create(
    session: Session,
    programme_id: str,
    scopes: Iterable[str] = SCOPES,
    *,
    now: datetime,
    expires_at: datetime | None = None,
    label: str = "",
    per_minute: int | None = None,
) -> Token:
    """Make a key of one programme; its text is in the returned `Token` and nowhere else, ever.

    Raises
    ------
    ScopeError
        If a scope does not exist, or none was given.
    ApiKeyError
        If it would be expired already, its label is none, or its bound cannot be.
    """
    wanted = list(dict.fromkeys(scopes))
    _check_scopes(wanted)
    _check(now, expires_at, label, per_minute)
    token = new_token()
    session.add(
        ApiKeyRow(
            id=token.key_id,
            programme_id=programme_id,
            digest=token.digest,
            scopes=" ".join(wanted),
            created_at=now,
            expires_at=expires_at,
            label=label,
            per_minute=per_minute,
        )
    )
    session.flush()
    return token


def find(session: Session, key_id: str) -> ApiKey | None:
    """Return a key by its id. The one query without a programme: it is what tells the programme."""
    row = session.get(ApiKeyRow, key_id, execution_options={"every_programme": True})
    return None if row is None else _key(row)


def look_up(store: Store, key_id: str) -> Opened | None:
    """Return what a request needs of a key, as `find` does and in a tenth of its time."""
    with store.hot.reading() as reader:
        row = reader.one(_BY_ID, key_id=key_id)
    if row is None:
        return None
    return Opened(key_id, row[0], row[1], _scopes(row[2]), _moment(row[3]), row[4])


def list_keys(session: Session, programme_id: str) -> list[ApiKey]:
    """Return the keys of a programme, oldest first."""
    query = select(ApiKeyRow).where(ApiKeyRow.programme_id == programme_id)
    return [_key(row) for row in session.scalars(query.order_by(ApiKeyRow.created_at, ApiKeyRow.id))]


def revoke(session: Session, programme_id: str, key_id: str) -> bool:
    """Forget a key, so that it opens nothing from the next request on; return whether there was one."""
    known = any(key.key_id == key_id for key in list_keys(session, programme_id))
    session.execute(delete(ApiKeyRow).where(ApiKeyRow.programme_id == programme_id, ApiKeyRow.id == key_id))
    return known


def _check_scopes(wanted: list[str]) -> None:
    for scope in wanted:
        if scope not in SCOPES:
            raise ScopeError(
                f"scope: found {shown(scope)}; expected some of {' '.join(SCOPES)}{nearest(scope, SCOPES)}"
            )
    if not wanted:
        raise ScopeError(f"scopes: found none; expected some of {' '.join(SCOPES)}")


def _check(now: datetime, expires_at: datetime | None, label: str, per_minute: int | None) -> None:
    if expires_at is not None and expires_at <= now:
        raise ApiKeyError(f"expires: found {expires_at:%Y-%m-%dT%H:%M:%SZ}; expected a moment later than now")
    if len(label) > LONGEST_LABEL or not label.isprintable():
        raise ApiKeyError(f"label: expected at most {LONGEST_LABEL} characters of one line")
    if per_minute is not None and not NO_BOUND <= per_minute <= MOST_PER_MINUTE:
        raise ApiKeyError(f"per-minute: found {per_minute}; expected 1 to {MOST_PER_MINUTE}, or `none`")


def _key(row: ApiKeyRow) -> ApiKey:
    return ApiKey(
        row.id,
        row.programme_id,
        row.digest,
        _scopes(row.scopes),
        row.created_at,
        row.expires_at,
        row.label,
        row.per_minute,
        row.replaced_by,
    )


@lru_cache(maxsize=256)
def _scopes(written: str) -> frozenset[str]:
    return frozenset(written.split())


def _moment(kept: Any) -> datetime | None:
    """Return a moment as the driver gives it: a text from SQLite, a moment without its zone from PostgreSQL."""
    if kept is None:
        return None
    found = kept if isinstance(kept, datetime) else datetime.fromisoformat(kept)
    return found.replace(tzinfo=UTC)
