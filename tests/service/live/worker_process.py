"""A worker of its own process for the tests of two: takes commands on standard input, one JSON object a line.

``start``: so many threads ask, each for the next of `seekers`, again and again until ``stop``; each reply is written
with the number of the last change that was ``known`` before it was asked for. ``careless``: leave out the re-check.
``at_once``: many threads ask at one moment.
"""

from __future__ import annotations

import json
import sys
import threading
from datetime import datetime
from pathlib import Path
from typing import Any

from service import create_app
from service.store.scene import Live
from tests.service.installation import settings_in

OUT = threading.Lock()


class Worker:
    """One application, and threads that ask it."""

    def __init__(self, folder: str, now: str, key: str) -> None:
        moment = datetime.fromisoformat(now)
        self.app = create_app(settings_in(Path(folder)), clock=lambda: moment)
        self.headers = {"Authorization": f"Bearer {key}"}
        self.known = 0
        """How many changes were answered before now."""
        self.stopped = threading.Event()
        self.threads: list[threading.Thread] = []

    def start(self, seekers: list[str], threads: int) -> None:
        """Begin to ask."""
        self.stopped.clear()
        self.threads = [threading.Thread(target=self._ask, args=(at, seekers)) for at in range(threads)]
        for thread in self.threads:
            thread.start()

    def _ask(self, thread: int, seekers: list[str]) -> None:
        client, number = self.app.test_client(), thread
        while not self.stopped.is_set():
            seeker = seekers[number % len(seekers)]
            number += 1
            known = self.known
            reply = client.post("/v1/match", json={"member_id": seeker, "limit": 10}, headers=self.headers)
            body: Any = reply.get_json()
            say(
                thread=thread,
                seeker=seeker,
                known=known,
                status=reply.status_code,
                match_id=body.get("match_id"),
                shown=[match["member_id"] for match in body.get("matches", [])],
            )

    def stop(self) -> None:
        """Let every thread finish what it asks."""
        self._end()
        say(stopped=True)

    def _end(self) -> None:
        self.stopped.set()
        for thread in self.threads:
            thread.join()

    def at_once(self, seeker: str, threads: int) -> None:
        """Let many threads begin at one moment."""
        barrier, replies = threading.Barrier(threads), list[Any]()

        def ask() -> None:
            client = self.app.test_client()
            barrier.wait()
            reply = client.post("/v1/match", json={"member_id": seeker}, headers=self.headers)
            replies.append((reply.status_code, reply.get_data(as_text=True)))

        some = [threading.Thread(target=ask) for _ in range(threads)]
        for thread in some:
            thread.start()
        for thread in some:
            thread.join()
        say(replies=replies)

    def close(self) -> None:
        """Give every connection back, when no thread uses them any more."""
        self._end()
        self.app.extensions["peermatch"].store.close()


def say(**what: Any) -> None:
    """Write one line."""
    with OUT:
        sys.stdout.write(json.dumps(what) + "\n")
        sys.stdout.flush()


def main() -> None:
    """Do what standard input says."""
    worker = Worker(*sys.argv[1:4])
    say(ready=True)
    for line in sys.stdin:
        told = json.loads(line)
        match told["do"]:
            case "start":
                worker.start(told["seekers"], told["threads"])
            case "known":
                worker.known = told["number"]
            case "careless":
                Live.may_be_shown = lambda *_: True  # type: ignore[method-assign]
            case "stop":
                worker.stop()
            case "at_once":
                worker.at_once(told["seeker"], told["threads"])
    worker.close()


if __name__ == "__main__":
    main()
