"""A database as the release of step 2 wrote it: its tables as that release made them, everything in them open."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, Final

from sqlalchemy import MetaData, create_engine, insert
from sqlalchemy.engine import Engine

from service.sealing import Keyring, read_keyring
from service.settings import Settings
from service.store.engine import open_engine
from tests.service.databases import Database
from tests.service.installation import Installation, settings_in
from tests.service.store.populated import rows

DATA: Final = Path(__file__).parent / "data"
VERSION: Final = 2
ORDER: Final = (
    "programmes", "pools", "api_keys", "members", "idempotency", "feedback", "models", "active_models", "live", "gone",
    "apart", "holds", "lists", "groups", "group_people", "group_weeks",
)  # fmt: skip


def make_tables(engine: Engine) -> None:
    """Make the tables in an empty database by the very statements that made them then."""
    with engine.begin() as connection:
        for statement in (DATA / f"schema_2.{engine.dialect.name}.sql").read_text("utf-8").split(";\n"):
            if statement.strip():
                connection.exec_driver_sql(statement)
        connection.exec_driver_sql(f"INSERT INTO schema_version VALUES ({VERSION})")


def as_then(made: Installation, folder: Path, database: Database) -> Settings:
    """Return the settings of an installation of step 2 in `folder` with all that is in a closed one of today."""
    shutil.copytree(made.folder, folder, ignore=shutil.ignore_patterns("*.db*", "data.keys", "database.url", "run"))
    database.prepare(folder)
    before, settings = open_engine(made.settings), settings_in(folder)
    now = create_engine(settings.url)  # as plain as can be
    make_tables(now)
    write(now, rows(before), read_keyring(made.settings))
    before.dispose()
    now.dispose()
    return settings


def write(engine: Engine, everything: dict[str, list[dict[str, Any]]], ring: Keyring) -> None:
    """Write rows of today into tables of then."""
    metadata = MetaData()
    metadata.reflect(engine)
    with engine.begin() as connection:
        for name in ORDER:
            table = metadata.tables[name]
            some = [opened_row(name, row, ring) for row in everything[name]]
            if some:
                known = set(table.columns.keys())
                connection.execute(insert(table), [{key: row[key] for key in row if key in known} for row in some])
        if engine.dialect.name == "postgresql":
            for name in ("live", "groups", "lists", "feedback"):
                connection.exec_driver_sql(f"SELECT setval('{name}_id_seq', (SELECT max(id) FROM {name}))")


def opened_row(table: str, row: dict[str, Any], ring: Keyring) -> dict[str, Any]:
    """Return a row of today with what is sealed opened; the details of decisions apart."""
    programme = row.get("programme_id", "")
    if table == "members":
        return {**row, "record": ring.open(programme, "members", row["member_id"], row["record"]).decode()}
    if table == "lists":
        return {**row, "entries": ring.open(programme, "lists", row["match_id"], row["entries"])}
    if table == "introductions":
        return {**row, "details": ring.open(programme, "introductions", row["id"], row["details"]).decode()}
    if table == "idempotency" and row["reply"] is not None:
        place = f"{row['key_id']} {row['key']}"
        return {**row, "reply": ring.open(programme, "idempotency", place, row["reply"]).decode()}
    return row
