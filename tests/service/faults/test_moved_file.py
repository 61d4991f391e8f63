"""A database file that is moved, replaced or deleted under a running service: nothing is acknowledged that is lost."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import update

from service.sealing import SealError, new_key, write_keyring
from service.store import StoreError, open_store
from service.store.live_tables import LiveRow
from tests.service.databases import SQLITE, only
from tests.service.installation import Installation, record

pytestmark = only(SQLITE, "The files of PostgreSQL are its server's.")


def moved(file: Path) -> None:
    file.rename(file.with_suffix(".elsewhere"))


def replaced(file: Path) -> None:
    copy = file.with_suffix(".copy")
    shutil.copy(file, copy)
    copy.replace(file)


def deleted(file: Path) -> None:
    file.unlink()


def asked(made: Installation) -> int:
    return made.call("POST", "/v1/match", {"member_id": "m-1"}).status_code


@pytest.mark.parametrize("happens", [moved, replaced, deleted])
def test_a_service_whose_file_is_gone_says_so(small: Installation, happens: Callable[[Path], None]) -> None:
    small.add(record("m-1", "seeker"))
    assert asked(small) == 200
    file = small.settings.database_file
    assert file is not None
    happens(file)
    assert small.call("PUT", "/v1/members/m-2", record("m-2")).status_code == 503
    assert asked(small) == 503
    assert small.client.get("/__heartbeat__").status_code == 503
    with pytest.raises(StoreError, match="moved, replaced or deleted while it was open"), small.store.transaction():
        pass


def test_a_file_that_is_put_back_is_used_again(small: Installation) -> None:
    file = small.settings.database_file
    assert file is not None
    moved(file)
    assert small.call("PUT", "/v1/members/m-1", record("m-1")).status_code == 503
    file.with_suffix(".elsewhere").rename(file)
    assert small.call("PUT", "/v1/members/m-1", record("m-1")).status_code == 201


def test_a_file_replaced_during_a_write_is_told(small: Installation) -> None:
    file = small.settings.database_file
    assert file is not None

    def write() -> None:
        with small.store.transaction() as session:
            session.execute(update(LiveRow).where(LiveRow.programme_id == "lantern").values(free=1))
            replaced(file)

    with pytest.raises(StoreError, match="moved, replaced or deleted"):
        write()
    small.store.close()
    hot = small.app.extensions["peermatch"].store.hot
    with pytest.raises(StoreError, match="moved, replaced or deleted"), hot.writing():
        pass


def test_sqlite_would_say_that_all_is_well(small: Installation) -> None:
    """Positive control: it writes on into the file that was moved."""
    file = small.settings.database_file
    assert file is not None
    raw = sqlite3.connect(file, isolation_level=None)
    raw.execute("CREATE TABLE canary (word TEXT)")
    moved(file)
    raw.execute("INSERT INTO canary VALUES ('lost')")
    raw.close()
    assert not file.exists()


@pytest.mark.parametrize("how", ["cut", "another key"])
def test_a_damaged_file_or_another_key_is_refused_with_the_way_out(small: Installation, how: str) -> None:
    file = small.settings.database_file
    assert file is not None
    small.store.close()
    small.app.extensions["peermatch"].store.close()
    if how == "cut":
        content = file.read_bytes()
        file.write_bytes(content[: len(content) // 2])
        file.with_name(f"{file.name}-wal").unlink(missing_ok=True)
        with pytest.raises(StoreError, match="PEERMATCH_DATABASE_URL"):
            open_store(small.settings)
        return
    write_keyring(small.settings, [new_key()])
    with pytest.raises(SealError, match="put the file back that belongs to this database"):
        open_store(small.settings)
