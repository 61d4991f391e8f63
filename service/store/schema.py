"""Which schema a database has: one of another release is refused, never guessed at."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Column, Connection, Integer, MetaData, PrimaryKeyConstraint, String, Table, inspect, select
from sqlalchemy.engine import Engine

from matcher.errors import PeermatchError
from service.store import (  # so that `Base` knows all
    audit_triggers,
    consent_triggers,
    introduction_tables,  # noqa: F401
    live_tables,  # noqa: F401
    record_tables,  # noqa: F401
    tables,  # noqa: F401
    training_tables,  # noqa: F401
)
from service.store.table_base import Base

REVISIONS: Final = ("0002", "0003", "0004", "0005")
"""Every schema that a migration of this release leads from or to, the oldest first."""
HEAD: Final = REVISIONS[-1]
"""The one that this release reads."""
BASELINE: Final = REVISIONS[0]
"""The one of before there were migrations. Its databases say so in a table of their own."""

_OWN: Final = MetaData()
# As Alembic makes and reads it: a database that was made whole says the same as one that was migrated.
VERSION: Final = Table(
    "alembic_version", _OWN, Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)  # fmt: skip
_BEFORE: Final = Table("schema_version", MetaData(), Column("version", Integer))


class SchemaError(PeermatchError):
    """The database has no tables of ours, or those of another version."""

    title = "The database has another shape"


def has_schema(engine: Engine) -> bool:
    """Whether there are tables of Peermatch, of whatever version."""
    there = inspect(engine)
    return there.has_table(VERSION.name) or there.has_table(_BEFORE.name)


def create_schema(engine: Engine) -> None:
    """Make the tables where there are none; a database that has them is only checked.

    Raises
    ------
    SchemaError
        If it has tables of another version.
    """
    if has_schema(engine):
        check_schema(engine)
        return
    with engine.execution_options(peermatch_writes=True).connect() as connection, connection.begin():
        if revision_of(connection) is None:  # nobody else was faster
            create_tables(connection)


def create_tables(connection: Connection) -> None:
    """Make all tables as this release has them, in the transaction of a connection to an empty database."""
    Base.metadata.create_all(connection)
    _OWN.create_all(connection)
    connection.execute(VERSION.insert().values(version_num=HEAD))


def drop_tables(connection: Connection) -> None:
    """Drop all tables of this release, and with them everything that was kept."""
    audit_triggers.REFUSALS.drop(connection)
    consent_triggers.REFUSALS.drop(connection)
    Base.metadata.drop_all(connection)
    _OWN.drop_all(connection)


def revision_of(connection: Connection) -> str | None:
    """Return which schema a database has: one of `REVISIONS`, or what it says instead; None: no tables of ours."""
    there = inspect(connection)
    if there.has_table(VERSION.name):
        return connection.scalar(select(VERSION.c.version_num))
    if not there.has_table(_BEFORE.name):
        return None
    number = connection.scalar(select(_BEFORE.c.version))
    return f"{number or 0:04}"


def check_schema(engine: Engine) -> None:
    """Refuse a database that this release cannot read.

    Raises
    ------
    SchemaError
        Naming the version found, the one expected, and the way out.
    """
    with engine.connect() as connection:
        found = revision_of(connection)
    if found != HEAD:
        raise refusal(found)


def refusal(found: str | None) -> SchemaError:
    """Return why a database of a schema that is not `HEAD` cannot be read, with the way out."""
    if found is None:
        return SchemaError("the database has no Peermatch tables; `peermatch init FILE.toml` makes them")
    said = f"the database has schema {found}; this release reads {HEAD}"
    if found in REVISIONS:
        return SchemaError(
            f"{said}: stop the service, keep a copy of the database (`peermatch migrate` makes one of SQLite's file, "
            "`pg_dump` one of PostgreSQL's), and run `peermatch migrate`"
        )
    if found < BASELINE:
        return SchemaError(
            f"{said}, and migrates from {BASELINE} on: export the members with the release that wrote it, and import "
            "them into a new database"
        )
    return SchemaError(f"{said}: install the release that wrote it, or a newer one")
