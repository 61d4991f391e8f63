"""Sealing what is stored with the data key that seals now, a few rows at a time while the service goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import LargeBinary, Table, bindparam, func, literal, select, tuple_
from sqlalchemy.orm import Session

from service.sealing import Keyring, SealError
from service.store import consent_log, installation, programmes
from service.store.engine import Store
from service.store.introduction_tables import IntroductionRow
from service.store.live_tables import ListRow
from service.store.record_tables import ConsentEventRow
from service.store.tables import IdempotencyRow, InstallationRow, MemberRow

ROWS: Final = 500
"""Sealed anew in one transaction: others write in between."""


@dataclass(frozen=True)
class Sealed:
    """A column that is kept sealed."""

    table: Table
    column: str
    keys: tuple[str, ...]
    """The columns that name a row within its programme."""
    row: Callable[[Any], str]
    """Returns what the text of a row is bound to."""


def _table(row: Any) -> Table:
    table: Table = row.__table__
    return table


COLUMNS: Final = (
    Sealed(_table(MemberRow), "record", ("member_id",), lambda row: str(row.member_id)),
    Sealed(
        _table(ConsentEventRow),
        "details",
        ("member_id", "place"),
        lambda row: consent_log.row_key(row.member_id, row.place),
    ),
    Sealed(_table(IntroductionRow), "details", ("id",), lambda row: str(row.id)),
    Sealed(_table(ListRow), "entries", ("match_id",), lambda row: str(row.match_id)),
    Sealed(_table(IdempotencyRow), "reply", ("key_id", "key"), lambda row: f"{row.key_id} {row.key}"),
)
"""All of them, but for the one row of `installation`, which is sealed last and so tells whether all is done."""


@dataclass
class Resealed:
    """What was done."""

    rows: dict[str, int] = field(default_factory=dict)
    """Rows sealed anew, by table."""
    unreadable: int = 0
    """Rows that no key at hand opens, or that were changed; they stay as they are."""


def is_finished(session: Session, ring: Keyring) -> bool:
    """Whether everything was sealed with the key of `ring` that seals now."""
    kept = session.scalar(select(InstallationRow.sealed))
    return kept is not None and ring.is_current(kept)


def reseal(store: Store, ring: Keyring, advance: Callable[[int], None]) -> Resealed:
    """Seal all rows anew that another key than the current one of `ring` sealed; `advance` is told of each so many."""
    done = Resealed()
    with store.reading() as session:
        known = programmes.identifiers(session)
    for programme_id in known:
        for sealed in COLUMNS:
            for changed, failed in _parts(store, ring, programme_id, sealed):
                done.rows[sealed.table.name] = done.rows.get(sealed.table.name, 0) + changed
                done.unreadable += failed
                advance(changed)
    return done


def finish(session: Session) -> None:
    """Seal the row that tells that all is done."""
    installation.reseal(session)


def left_over(session: Session, ring: Keyring) -> Mapping[str, int]:
    """Return how many rows are sealed with another key than the one that seals now, by table; 0 is left out."""
    found = {} if is_finished(session, ring) else {InstallationRow.__tablename__: 1}
    for sealed in COLUMNS:
        # On purpose about all programmes: one ring of keys is for all of them.
        count = select(func.count()).where(_old(sealed, ring)).execution_options(every_programme=True)
        if rows := session.scalar(count):
            found[sealed.table.name] = rows
    return found


def _parts(store: Store, ring: Keyring, programme_id: str, sealed: Sealed) -> Iterator[tuple[int, int]]:
    """Yield how many rows were sealed anew, and how many could not be, transaction by transaction."""
    last: tuple[Any, ...] | None = None
    while True:
        with store.transaction() as session:
            rows = session.execute(_some(programme_id, sealed, ring, last)).all()
            if not rows:
                return
            anew = list(_anew(store.keyring, programme_id, sealed, rows))
            if anew:
                session.connection().execute(_written(programme_id, sealed), anew)
        last = tuple(getattr(rows[-1], name) for name in sealed.keys)
        yield len(anew), len(rows) - len(anew)


def _some(programme_id: str, sealed: Sealed, ring: Keyring, last: tuple[Any, ...] | None) -> Any:
    names = [sealed.table.c[name] for name in sealed.keys]
    query = select(*names, sealed.table.c[sealed.column].label("kept")).where(
        sealed.table.c.programme_id == programme_id, _old(sealed, ring)
    )
    if last is not None:
        query = query.where(tuple_(*names) > tuple_(*(literal(one) for one in last)))
    return query.order_by(*names).limit(ROWS)


def _anew(ring: Keyring, programme_id: str, sealed: Sealed, rows: Any) -> Iterator[dict[str, Any]]:
    for row in rows:
        place = programme_id, sealed.table.name, sealed.row(row)
        try:
            text = ring.open(*place, row.kept)
        except SealError:
            continue
        yield {**{f"its_{name}": getattr(row, name) for name in sealed.keys}, "anew": ring.seal(*place, text)}


def _written(programme_id: str, sealed: Sealed) -> Any:
    this = [sealed.table.c[name] == bindparam(f"its_{name}") for name in sealed.keys]
    statement = sealed.table.update().where(sealed.table.c.programme_id == programme_id, *this)
    return statement.values({sealed.column: bindparam("anew")})


def _old(sealed: Sealed, ring: Keyring) -> Any:
    column = sealed.table.c[sealed.column]
    head = literal(ring.head, LargeBinary)
    return column.is_not(None) & (func.substr(column, 1, len(ring.head)) != head)
