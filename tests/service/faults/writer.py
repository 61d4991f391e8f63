"""Writes until it is killed. Everything is loaded once; each line on standard input forks one writer.

A line is JSON: `folder`, `key`, `seed`, `steps`; `pragma`, a statement to weaken the database with, or null; and
`most`, how many bytes a file may have, or null. The writer says ``pid``, then ``try STEP`` before each step and
``done STATUS`` after its reply; the parent says ``end`` when it is gone.
"""

from __future__ import annotations

import json
import os
import random
import resource
import sys
from pathlib import Path
from typing import Any

from sqlalchemy import event

from service import create_app
from tests.service.faults.history import do, draw, written
from tests.service.installation import settings_in


def say(line: str) -> None:
    os.write(1, f"{line}\n".encode())  # whole, or not at all: shorter than a pipe's buffer


def write(folder: Path, key: str, seed: int, pragma: str | None, steps: int, most: int | None) -> None:
    if most is not None:  # what is over it fails, as on a full disk: EFBIG in place of ENOSPC
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))
    app = create_app(settings_in(folder))
    if pragma is not None:
        event.listen(app.extensions["peermatch"].store.engine, "checkout", lambda raw, *_: raw.execute(pragma).close())
    client, headers = app.test_client(), {"Authorization": f"Bearer {key}"}

    def call(method: str, path: str, body: Any) -> int:
        return client.open(path, method=method, json=body, headers=headers).status_code

    chance = random.Random(seed)
    say(f"pid {os.getpid()}")
    for _ in range(steps):
        step = draw(chance)
        say(f"try {written(step)}")
        say(f"done {do(step, call)}")


def main() -> None:
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if child == 0:
            write(Path(asked["folder"]), asked["key"], asked["seed"], asked["pragma"], asked["steps"], asked["most"])
            os._exit(0)
        os.waitpid(child, 0)
        say("end")


if __name__ == "__main__":
    main()
