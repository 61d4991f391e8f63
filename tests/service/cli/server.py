"""A real server in a process of its own, and sockets to misuse it with."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from service.security import SCOPES
from service.store import keys, open_store
from tests.service.cli.conftest import Cli
from tests.service.installation import NOON

PATIENCE = 60


@dataclass
class Server:
    """One that runs."""

    process: subprocess.Popen[str]
    url: str
    port: int
    key: str
    log: Path

    def ask(self, path: str, body: Any = None, *, key: str | None = None) -> tuple[int, Any]:
        """Send one request and return status and body."""
        headers = {"Authorization": f"Bearer {key or self.key}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}{path}", data=data, headers=headers)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=PATIENCE) as reply:
                return reply.status, _read(reply)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, _read(error)

    def patiently(self, path: str) -> tuple[int, Any]:
        """Ask; until the socket listens, try again."""
        for _ in range(3000):
            try:
                return self.ask(path)
            except (urllib.error.URLError, ConnectionError) as error:
                assert self.process.poll() is None, self.log.read_text("utf-8")
                reason = getattr(error, "reason", error)
                if not isinstance(reason, ConnectionError):
                    raise
                threading.Event().wait(0.02)
        raise AssertionError("the server never listened")

    def unfinished(self, *, key: str | None = None, chunked: bool = False) -> socket.socket:
        """Begin a request whose body does not end."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)
        length = "Transfer-Encoding: chunked" if chunked else "Content-Length: 100"
        head = [
            "POST /v1/match HTTP/1.1",
            "Host: localhost",
            f"Authorization: Bearer {key or self.key}",
            "Content-Type: application/json",
            length,
        ]
        begun = '5\r\n{"mem\r\n' if chunked else '{"mem'
        connection.sendall(("\r\n".join(head) + "\r\n\r\n" + begun).encode())
        return connection

    def lines(self, event: str) -> list[dict[str, Any]]:
        """Return what the log says of an event."""
        found = [json.loads(line) for line in self.log.read_text("utf-8").splitlines()]
        return [line for line in found if line["event"] == event]


@contextmanager
def serving(cli: Cli, root: Path, *options: str) -> Iterator[Server]:
    """Run ``peermatch serve`` with `options` at a free port."""
    command = [sys.executable, "-m", "service.cli", "serve", "--port", "0", "--json", *options]
    log = cli.folder / "serve.log"
    with (
        log.open("w") as stderr,
        subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=stderr, text=True) as process,
    ):
        try:
            assert process.stdout is not None
            said = process.stdout.readline()
            assert said, log.read_text("utf-8")
            document = json.loads(said)
            yield Server(process, document["url"], document["port"], new_key(cli), log)
        finally:
            process.kill()


@contextmanager
def under_gunicorn(cli: Cli, root: Path, **environment: str) -> Iterator[Server]:
    """Run gunicorn with the configuration of ``deploy/``."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.conf.py", "--workers", "2"]
    command += ["--bind", f"127.0.0.1:{port}", "service.wsgi:app"]
    log = cli.folder / "gunicorn.log"
    environ = {**os.environ, **environment}
    with (
        log.open("w") as stderr,
        subprocess.Popen(command, cwd=root, stdout=stderr, stderr=stderr, text=True, env=environ) as process,
    ):
        try:
            yield Server(process, f"http://127.0.0.1:{port}", port, new_key(cli), log)
        finally:
            process.terminate()
            process.wait(PATIENCE)


def new_key(cli: Cli) -> str:
    """Make a key with every scope."""
    store = open_store(cli.settings)
    with store.transaction() as session:
        key = keys.create(session, "lantern", SCOPES, now=NOON).text
    store.close()
    return key


def workers(server: Server) -> list[int]:
    """Return the processes that serve (Linux): those that were forked off the one that was started."""
    own = Path(f"/proc/{server.process.pid}")
    children = [child for task in own.glob("task/*/children") for child in task.read_text().split()]
    return [int(child) for child in children if _command(child) == _command(server.process.pid)]


def _command(pid: int | str) -> bytes | None:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return None


def _read(reply: Any) -> Any:
    body = reply.read()
    return json.loads(body) if "json" in reply.headers.get("Content-Type", "") else body.decode()
