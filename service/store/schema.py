"""The schema's version: a database of another one is refused, never guessed at."""

from __future__ import annotations

from sqlalchemy import inspect, select
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from matcher.errors import PeermatchError
from service.store import live_tables  # noqa: F401 - so that `Base` knows its tables before any is made
from service.store.table_base import Base
from service.store.tables import SchemaVersion

VERSION = 2


class SchemaError(PeermatchError):
    """The database has no tables of ours, or those of another version."""

    title = "The database has another shape"


def create_schema(engine: Engine) -> None:
    """Make the tables where there are none; a database that has them is only checked.

    Raises
    ------
    SchemaError
        If it has tables of another version.
    """
    if inspect(engine).has_table(SchemaVersion.__tablename__):
        check_schema(engine)
        return
    with Session(engine.execution_options(peermatch_writes=True)) as session, session.begin():
        Base.metadata.create_all(session.connection())
        if session.scalar(select(SchemaVersion.version)) is None:
            session.add(SchemaVersion(version=VERSION))


def check_schema(engine: Engine) -> None:
    """Refuse a database that this release cannot read.

    Raises
    ------
    SchemaError
        Naming the version found, the one expected, and the way out.
    """
    if not inspect(engine).has_table(SchemaVersion.__tablename__):
        raise SchemaError("the database has no Peermatch tables; `peermatch init FILE.toml` makes them")
    with Session(engine) as session:
        found = session.scalar(select(SchemaVersion.version))
    if found != VERSION:
        way_out = (
            "install the release that wrote it, or a newer one"
            if found is not None and found > VERSION
            else "export the members with the release that wrote it, and import them into a new database"
        )
        raise SchemaError(f"the database has schema version {found}; this release reads {VERSION}: {way_out}")
