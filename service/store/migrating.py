"""Bringing a database to another schema: all of it or nothing."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from matcher.errors import PeermatchError, nearest, shown
from service.sealing import Keyring, create_keyring, read_keyring
from service.settings import Settings
from service.store import erasure, programmes, scrubbing
from service.store.alone import alone
from service.store.copying import copied_aside
from service.store.engine import open_engine, open_store
from service.store.erasure_ledger import Ledger
from service.store.hot import StoreError
from service.store.migrations.told import NAME, Migration
from service.store.schema import BASELINE, HEAD, REVISIONS, VERSION, SchemaError, refusal, revision_of

_FOLDER: Final = Path(__file__).parent / "migrations"


@dataclass(frozen=True)
class Plan:
    """From which schema to which."""

    before: str
    after: str
    steps: tuple[str, ...]
    """What each revision on the way does, in a line."""

    @property
    def up(self) -> bool:
        """Whether it leads to a newer one."""
        return self.after > self.before


@dataclass(frozen=True)
class Migrated:
    """What was done."""

    plan: Plan
    copy: Path | None
    """The SQLite file as it was."""
    notes: list[str]
    erased: int = 0
    """Members whom the ledger tells of and who were there again."""
    damaged: int = 0
    """Lines of the ledger that could not be read."""
    undone: str = ""
    """What is left to do, and why: run it again."""


def configuration() -> Config:
    """Return Alembic's configuration of our revisions."""
    made = Config()
    made.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    return made


def plan(settings: Settings, target: str = HEAD) -> Plan:
    """Return what a migration would do; nothing is changed.

    Raises
    ------
    SchemaError
        If there is no such schema, or the database is of none that a migration leads from.
    """
    engine = open_engine(settings)
    try:
        with engine.connect() as connection:
            return _plan(revision_of(connection), target)
    finally:
        engine.dispose()


def migrate(
    settings: Settings,
    target: str = HEAD,
    *,
    now: datetime,
    copy: bool = True,
    advance: Callable[[int], None] = lambda _: None,
) -> Migrated:
    """Bring the database to a schema, in one transaction; `copy` keeps the SQLite file as it was beside it.

    Raises
    ------
    SchemaError, StoreError, SettingsError, SealError
        If it cannot be done; then nothing was changed.
    """
    planned = plan(settings, target)
    if planned.before == planned.after:
        return _afterwards(settings, Migrated(planned, None, []), now)
    new_keys = planned.before == BASELINE and not settings.data_key_file.exists()
    keyring = create_keyring(settings) if planned.before == BASELINE else read_keyring(settings)
    with alone(settings) as connection:
        kept = None
        if settings.database_file is not None and copy:
            kept = copied_aside(connection, settings.database_file, planned.after)
        with connection.begin():
            if _plan(revision_of(connection), target) != planned:
                raise StoreError("another process has migrated the database meanwhile; run this again")
            notes = run(connection, planned, keyring, now, advance)
    if new_keys:
        notes.append(f"{settings.data_key_file}: made; what is stored is sealed with it: keep a copy elsewhere")
    return _afterwards(settings, Migrated(planned, kept, notes), now)


def run(
    connection: Connection,
    planned: Plan,
    keyring: Keyring,
    now: datetime,
    advance: Callable[[int], None] = lambda _: None,
) -> list[str]:
    """Run the revisions of a plan in the transaction that a connection is in; return what they tell."""
    given = Migration(connection, keyring, now, advance=advance)
    config = configuration()
    config.attributes.update({"connection": connection, NAME: given})
    if planned.before == BASELINE and not _says(connection):
        command.stamp(config, BASELINE)
    (command.upgrade if planned.up else command.downgrade)(config, planned.after)
    if connection.dialect.name == "sqlite" and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
        raise StoreError("the database has rows that refer to none; restore it from a backup: nothing was changed")
    return given.notes


def _afterwards(settings: Settings, done: Migrated, now: datetime) -> Migrated:
    """Erase again whom the ledger tells of, and clear the files of what was open; tell how much, and what failed."""
    if done.plan.after != HEAD:
        return done
    try:
        with closing(open_store(settings)) as store:
            ledger = Ledger.of(settings).read()
            done = replace(done, damaged=ledger.damaged)
            with store.transaction() as session:
                known = programmes.identifiers(session)
                erased = sum(len(erasure.replay(session, one, ledger.entries, now=now)) for one in known)
            done = replace(done, erased=erased)
            if erased:  # what was made of them is made anew without them
                shutil.rmtree(settings.run / "pools", ignore_errors=True)
            if erased or done.plan.steps:
                scrubbing.scrub(store, whole=erased > 0)
    except PeermatchError as problem:
        return replace(done, undone=f"the erasures of before, and what is left in the files: {problem.message}")
    return done


def _says(connection: Connection) -> bool:
    """Whether the database says its revision as Alembic does, and not as releases before did."""
    return connection.dialect.has_table(connection, VERSION.name)


def _plan(found: str | None, target: str) -> Plan:
    if target not in REVISIONS:
        raise SchemaError(
            f"--to: found {shown(target)}; expected one of {', '.join(REVISIONS)}{nearest(target, REVISIONS)}"
        )
    if found not in REVISIONS:
        raise refusal(found)
    between = [one for one in REVISIONS if min(found, target) < one <= max(found, target)]
    script = ScriptDirectory.from_config(configuration())
    steps = tuple((script.get_revision(one).module.__doc__ or "").partition("\n")[0] for one in between)
    return Plan(found, target, steps)
