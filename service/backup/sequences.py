"""The numbers that tables give out: a number that was given is never given again, also not after a restore."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

TABLES: Final = ("feedback", "groups", "lists", "live")
"""Those that number their rows in `id`."""


def read(session: Session) -> dict[str, int]:
    """Return the last number that each table has given out, as far as the database knows; 0: none."""
    if session.get_bind().dialect.name == "sqlite":
        kept = {row[0]: row[1] for row in session.execute(text("SELECT name, seq FROM sqlite_sequence"))}
        return {name: max(_highest(session, name), kept.get(name, 0)) for name in TABLES}
    query = "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {}_id_seq"
    return {name: int(session.scalar(text(query.format(name))) or 0) for name in TABLES}


def write(session: Session, *known: Mapping[str, int]) -> None:
    """Have each table go on after the highest number that is known of it."""
    for name in TABLES:
        last = max(_highest(session, name), *(one.get(name, 0) for one in known))
        if last:
            _set(session.connection(), name, last)


def given(said: object) -> dict[str, int]:
    """Return what a backup says of them; of tables that it does not tell of, nothing."""
    pairs: Iterable[tuple[str, object]] = said.items() if isinstance(said, dict) else ()
    return {name: last for name, last in pairs if name in TABLES and isinstance(last, int)}


def _set(connection: Connection, name: str, last: int) -> None:
    values = {"name": name, "last": last}
    if connection.dialect.name != "sqlite":
        connection.execute(text(f"SELECT setval('{name}_id_seq', :last)"), {"last": last})
    elif connection.execute(text("UPDATE sqlite_sequence SET seq = :last WHERE name = :name"), values).rowcount == 0:
        numbered = "SELECT count(*) FROM sqlite_master WHERE name = :name AND sql LIKE '%AUTOINCREMENT%'"
        if connection.scalar(text(numbered), {"name": name}):
            connection.execute(text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :last)"), values)


def _highest(session: Session, name: str) -> int:
    query = text(f"SELECT max(id) FROM {name}")  # noqa: S608
    return int(session.scalar(query, execution_options={"every_programme": True}) or 0)
