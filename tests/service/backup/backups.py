"""Making and restoring backups in tests."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from service import create_app
from service.backup.making import make
from service.backup.restoring import Restored, restore
from service.sealing import Keyring, read_keyring
from service.settings import Settings
from service.store import open_store
from tests.service.databases import Database
from tests.service.installation import Clock, Installation, close, settings_in
from tests.service.store.populated import all_rows
from tests.service.store.step_2 import opened_row

OTHER_EACH_TIME = {"installation", "audit", "alembic_version", "locks"}


def backed_up(made: Installation, name: str = "all.backup") -> Path:
    """Make a backup of an installation; return its file."""
    return make(made.settings, made.store, made.folder / name, now=made.clock()).file


def put_back(made: Installation, file: Path, **more: Any) -> Restored:
    """Restore a backup into the database of an installation, which is open before and after."""
    close(made)
    try:
        return restore(made.settings, file, **{"replace": True, "dry_run": False, "now": made.clock(), **more})
    finally:
        made.store = open_store(made.settings)
        made.app = create_app(made.settings, clock=made.clock)
        made.client = made.app.test_client()


def empty(made: Installation, folder: Path, database: Database | None = None) -> Settings:
    """Return the settings of an installation with the same secret key and nothing else."""
    (database or made.database).prepare(folder)
    settings = settings_in(folder)
    settings.home.mkdir(parents=True, exist_ok=True)
    shutil.copy(made.settings.secret_key_file, settings.secret_key_file)
    return settings


def restored(made: Installation, settings: Settings, file: Path, database: Database | None = None) -> Installation:
    """Restore a backup of `made` into an empty installation, and open that."""
    restore(settings, file, replace=False, dry_run=False, now=made.clock(), no_ledger=True)
    clock = Clock(made.clock())
    app, store = create_app(settings, clock=clock), open_store(settings)
    folder = settings.home.parent
    return Installation(folder, settings, store, made.programme, clock, app, made.key, database or made.database)


def content(made: Installation, *, without: set[str] = OTHER_EACH_TIME) -> dict[str, list[dict[str, Any]]]:
    """Return everything in the database, opened."""
    ring, found = read_keyring(made.settings), {}
    for name, rows in all_rows(made).items():
        if name not in without:
            found[name] = [
                _event(row, ring) if name == "consent_events" else opened_row(name, row, ring) for row in rows
            ]
    return found


def _event(row: dict[str, Any], ring: Keyring) -> dict[str, Any]:
    place = row["programme_id"], "consent_events", f"{row['member_id']} {row['place']}"
    return {**row, "details": None if row["details"] is None else ring.open(*place, row["details"])}


def files(folder: Path) -> dict[str, bytes]:
    """Return what is in a folder, by path."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
