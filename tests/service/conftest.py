"""One installation a test, copied from one that the session sets up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.service.installation import Installation, close, copied, install


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Installation]:
    """Return what sets up a closed installation of a size, once."""
    known: dict[str, Installation] = {}

    def of_size(size: str) -> Installation:
        if size not in known:
            known[size] = install(tmp_path_factory.mktemp(size), size=size)
            close(known[size])
        return known[size]

    return of_size


@pytest.fixture
def made(template: Callable[[str], Installation], tmp_path: Path) -> Iterator[Installation]:
    """An installation with the programme `lantern` (standard), its prior model, and nobody in it."""
    copy = copied(template("standard"), tmp_path)
    yield copy
    close(copy)


@pytest.fixture
def small(template: Callable[[str], Installation], tmp_path: Path) -> Iterator[Installation]:
    """The same of size `small`: members added over HTTP are visible at once."""
    copy = copied(template("small"), tmp_path)
    yield copy
    close(copy)
