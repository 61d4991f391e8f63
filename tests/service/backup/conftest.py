"""Installations in which much has happened."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from matcher.model.accounting import Noise
from service.store import introductions, privacy_releases
from service.store.introduction_rows import Kept
from tests.service.databases import Database
from tests.service.installation import Installation, close, copied
from tests.service.store.populated import populated


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory, database: Database) -> Installation:
    """An installation in which much has happened, closed."""
    made = populated(tmp_path_factory.mktemp("original"), database)
    introduce(made, "m-02", "m-14")
    with made.store.transaction() as session:
        privacy_releases.add(session, "lantern", "2", Noise(3.73), made.clock())
    close(made)
    return made


def introduce(made: Installation, seeker: str, candidate: str) -> Kept:
    """Have a coordinator introduce two."""
    with made.store.transaction() as session:
        pair = (seeker, candidate)
        return introductions.begin(session, made.programme, pair, by="coordinator", now=made.clock(), reviewed=False)


@pytest.fixture
def full(original: Installation, tmp_path: Path) -> Iterator[Installation]:
    """A copy of it, open."""
    made = copied(original, tmp_path / "full")
    made.clock.now = original.clock.now
    yield made
    close(made)
