"""A worker of its own process that sends many requests at one moment, for the tests of who gets a place.

Takes a JSON object a line on standard input: ``send`` with `requests`, each a path and a body, one thread each; the
replies come back in their order. ``careless``: leave out the look for a free place.
"""

from __future__ import annotations

import json
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

from service import create_app
from service.store import introductions
from tests.service.installation import settings_in

THREADS = 5
BUSY, TRIES = 503, 20
"""On a machine that does much else the database may be busy for seconds: the reply says to ask again, as apps do."""


class Worker:
    """One application."""

    def __init__(self, folder: str, now: str, key: str) -> None:
        moment = datetime.fromisoformat(now)
        self.app = create_app(settings_in(Path(folder)), clock=lambda: moment)
        self.headers = {"Authorization": f"Bearer {key}"}
        # The same ones all the time, as a server has them: each keeps its connections.
        self.threads = ThreadPoolExecutor(THREADS)
        # As a server's workers do, it reads the programme and its model before it is asked.
        reply = self.app.test_client().get("/v1/members/m-1/introductions", headers=self.headers)
        assert reply.status_code == 200, reply.get_data(as_text=True)

    def send(self, requests: list[tuple[str, Any]]) -> list[Any]:
        """Send all at one moment; return status and body of each."""
        barrier = threading.Barrier(len(requests))

        def ask(path: str, body: Any) -> tuple[int, Any]:
            client = self.app.test_client()
            barrier.wait()
            for _ in range(TRIES):
                reply = client.post(path, json=body, headers=self.headers)
                if reply.status_code != BUSY:
                    break
            return reply.status_code, reply.get_json()

        return [found.result() for found in [self.threads.submit(ask, *one) for one in requests]]

    def close(self) -> None:
        """Give every connection back."""
        self.threads.shutdown()
        self.app.extensions["peermatch"].store.close()


def say(what: Any) -> None:
    """Write one line."""
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Do what standard input says."""
    worker = Worker(*sys.argv[1:4])
    say("ready")
    for line in sys.stdin:
        told = json.loads(line)
        if told["do"] == "careless":
            introductions.check_places = lambda *_, **__: None
            say("careless")
        else:
            say(worker.send(told["requests"]))
    worker.close()


if __name__ == "__main__":
    main()
