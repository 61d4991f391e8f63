"""Moving the rows of a table into another shape, a bounded number at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Table, insert, select, text, tuple_
from sqlalchemy.schema import CreateIndex, CreateTable, DropTable

from service.store.migrations.told import Migration

ROWS: Final = 1000
Values = dict[str, Any]


def chunks(connection: Connection, table: Table, size: int = ROWS) -> Iterator[list[Values]]:
    """Yield the rows of a table in the order of its key, `size` at a time; they may be changed meanwhile."""
    key = tuple_(*table.primary_key)
    names = [column.name for column in table.primary_key]
    query = select(table).order_by(*table.primary_key).limit(size)
    last: tuple[Any, ...] | None = None
    while True:
        after = query if last is None else query.where(key > tuple_(*last))
        rows = [dict(row) for row in connection.execute(after).mappings()]
        if rows:
            yield rows
        if len(rows) < size:
            return
        last = tuple(rows[-1][name] for name in names)


def rebuild(now: Migration, old: Table, new: Table, convert: Callable[[Values], Values]) -> None:
    """Put `new` in the place of `old`, which has its name, with every row converted.

    The old table is dropped, not changed: of what its columns held nothing stays in the files of the new one.
    """
    connection, metadata = now.connection, new.metadata
    aside = new.to_metadata(metadata, name=f"{new.name}_new")
    metadata.remove(aside)
    connection.execute(CreateTable(aside))
    for rows in chunks(connection, old):
        connection.execute(insert(aside), [convert(row) for row in rows])
        now.advance(len(rows))
    connection.execute(DropTable(old))
    connection.execute(text(f"ALTER TABLE {aside.name} RENAME TO {new.name}"))
    if connection.dialect.name == "postgresql":
        _rename_constraints(connection, aside.name, new.name)
    for index in sorted(new.indexes, key=lambda one: str(one.name)):
        connection.execute(CreateIndex(index))


def _rename_constraints(connection: Connection, before: str, now: str) -> None:
    """Give the constraints of a table that was renamed the names that they would have had."""
    query = text("SELECT conname FROM pg_constraint WHERE conrelid = CAST(:table AS regclass) ORDER BY conname")
    for name in connection.scalars(query, {"table": now}).all():
        if name.startswith(f"{before}_"):
            renamed = now + name[len(before) :]
            connection.execute(text(f'ALTER TABLE {now} RENAME CONSTRAINT "{name}" TO "{renamed}"'))


def count(connection: Connection, tables: Sequence[str]) -> Mapping[str, int]:
    """Return how many rows each of some tables has."""
    return {name: int(connection.scalar(text(f"SELECT count(*) FROM {name}")) or 0) for name in tables}  # noqa: S608
