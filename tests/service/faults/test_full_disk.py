"""A full disk: what was acknowledged is there, what was not is not, and with room again all goes on by itself."""

from __future__ import annotations

import json

from tests.service.databases import SQLITE, only
from tests.service.faults.history import World
from tests.service.faults.writers import stored, writers
from tests.service.installation import Installation

ROOM = 150_000
"""Bytes that any file may grow by."""


@only(SQLITE, "The files of PostgreSQL are its server's, whose disk cannot be filled here.")
def test_a_full_disk_loses_nothing(small: Installation) -> None:
    assert small.settings.database_file is not None
    most = small.settings.database_file.stat().st_size + ROOM
    known, refused, done = World(), 0, 0
    with writers(small) as running:
        for limit in (most, None):
            step = {}
            for line in running.lines(11, steps=200 if limit else 20, most=limit):
                word, _, rest = line.partition(" ")
                if word == "try":
                    step = json.loads(rest)
                elif word == "done" and int(rest) < 500:
                    known, done = known.after(step), done + 1
                elif word == "done":
                    assert int(rest) == 503
                    assert limit is not None, "there is room again"
                    refused += 1
            assert stored(small) == known
            small.store.close()
    assert refused > 20
    assert done > 40
