"""A pool that was built from the database before it was restored is not taken for one of the restored database."""

from __future__ import annotations

import shutil

import pytest

from service.live import base as bases
from service.live.building import Builder
from service.live.refresher import builder
from tests.service.backup.backups import backed_up, put_back
from tests.service.installation import Installation


def newest(made: Installation, build: Builder, store: str) -> bases.Base | None:
    """Return the newest base on the disk, if it is of a database."""
    folder = build.folder("lantern")
    assert folder is not None
    model = build.build("lantern", made.clock()).model
    name = bases.newest(folder)
    assert name is not None
    return bases.load(folder, name, made.programme, {model.version: model}, store)


def test_a_base_of_another_database_is_not_loaded(full: Installation) -> None:
    build = builder(full.settings, full.store)
    full.match("m-01")
    assert newest(full, build, build.store_id) is not None
    assert newest(full, build, "0" * 32) is None


@pytest.mark.parametrize("where", ["on this machine", "on another"])
def test_the_pools_of_before_serve_nobody_after_a_restore(full: Installation, where: str) -> None:
    full.match("m-01")
    pools, elsewhere = full.settings.run / "pools", full.folder / "elsewhere"
    before = builder(full.settings, full.store).store_id
    shutil.copytree(pools, elsewhere)
    put_back(full, backed_up(full))
    assert not pools.exists()
    if where == "on another":
        shutil.copytree(elsewhere, pools)
    old = bases.newest(elsewhere / "lantern")
    full.match("m-02")
    new = bases.newest(pools / "lantern")
    assert new is not None
    assert new != old
    assert builder(full.settings, full.store).store_id != before
