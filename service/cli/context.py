"""What nearly every command starts with: the settings, the open database, and which programme is meant."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

import click
from sqlalchemy.orm import Session

from matcher.errors import PeermatchError
from service.settings import Settings
from service.store import Store, open_store, programmes

_Command = TypeVar("_Command", bound=Callable[..., Any])


class WhichProgrammeError(PeermatchError):
    """The command needs to be told which programme is meant."""

    title = "Which programme?"


def settings() -> Settings:
    """Return the settings of this installation, from the environment."""
    return Settings.from_environment(os.environ)


def now() -> datetime:
    """Return the moment at which a command acts; the one place where the command line reads the clock."""
    return datetime.now(UTC)


@contextmanager
def opened(where: Settings) -> Iterator[Store]:
    """Open the database of an initialised installation, and close it at the end.

    Raises
    ------
    SchemaError, StoreError, SettingsError
        If there is none yet (nothing is created here), or it cannot be used.
    """
    there(where)
    store = open_store(where)
    try:
        yield store
    finally:
        store.close()


def there(where: Settings) -> None:
    """Refuse an installation whose SQLite file does not exist: looking for it would make it."""
    file = where.database_file
    if file is not None and not file.exists():
        raise PeermatchError(
            f"there is no database {file} yet; `peermatch init FILE.toml` creates it, or PEERMATCH_HOME / "
            "PEERMATCH_DATABASE_URL say where it is"
        )


def programme_option(command: _Command) -> _Command:
    """Add ``--programme ID`` to a command; its function gets ``programme_id: str | None``, see :func:`chosen`."""
    option = click.option(
        "--programme",
        "programme_id",
        metavar="ID",
        help="Which programme; may be left out when the database has only one.",
    )
    return option(command)


def chosen(session: Session, programme_id: str | None) -> str:
    """Return the programme that is meant: the one given, or the only one there is.

    Raises
    ------
    UnknownProgrammeError, WhichProgrammeError
        If there is none of this id; if none was given and there are none or several.
    """
    known = programmes.identifiers(session)
    if programme_id is not None:
        if programme_id not in known:
            programmes.load(session, programme_id)  # raises, with the ids there are
        return programme_id
    if not known:
        raise WhichProgrammeError("the database has no programme yet; `peermatch init FILE.toml` adds the first")
    if len(known) > 1:
        raise WhichProgrammeError(f"--programme is needed: this database has {', '.join(known)}")
    return known[0]
