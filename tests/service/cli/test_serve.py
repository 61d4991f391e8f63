"""``peermatch serve``: starts only where it can answer, and stops in good order."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path
from typing import IO

import pytest

from service.cli import serve
from service.store import open_store
from service.store.tables import ActiveModelRow
from tests.service.cli.conftest import Cli


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int, int]]:
    """What `serve` would have run."""
    calls: list[tuple[str, int, int]] = []
    monkeypatch.setattr(serve, "run", lambda *arguments: calls.append(arguments))
    return calls


def test_the_document_says_where_it_listens(cli: Cli, ran: list[tuple[str, int, int]]) -> None:
    document = cli.json("serve", "--port", "0", "--workers", "2")
    assert document["url"] == f"http://127.0.0.1:{document['port']}"
    assert document["programmes"] == ["lantern"]
    assert ran == [("127.0.0.1", document["port"], 2)]
    assert document["port"] > 0


def test_an_ipv6_address_stands_in_brackets(cli: Cli, ran: list[tuple[str, int, int]]) -> None:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        pytest.skip("needs IPv6 on the loopback interface")
    assert cli.json("serve", "--host", "::1", "--port", "0")["url"].startswith("http://[::1]:")


def test_a_port_in_use_is_refused(cli: Cli, ran: list[tuple[str, int, int]]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert f"port {port} of 127.0.0.1 is in use" in cli.run("serve", "--port", port, code=1).stderr
    assert ran == []


@pytest.mark.parametrize("host", ["192.0.2.1", "no such host"])
def test_an_address_that_is_not_of_this_machine(cli: Cli, ran: list[tuple[str, int, int]], host: str) -> None:
    assert "address of this machine" in cli.run("serve", "--host", host, "--port", "0", code=1).stderr
    assert ran == []


def test_before_init_it_says_what_is_missing(empty: Cli, ran: list[tuple[str, int, int]]) -> None:
    assert "peermatch init" in empty.run("serve", code=1).stderr
    assert ran == []
    assert not empty.settings.home.exists()


def test_a_programme_without_a_model_is_not_served(cli: Cli, ran: list[tuple[str, int, int]]) -> None:
    store = open_store(cli.settings)
    with store.transaction() as session:
        session.delete(session.get(ActiveModelRow, "lantern"))
    store.close()
    assert "peermatch train --programme lantern" in cli.run("serve", "--port", "0", code=1).stderr
    assert ran == []


@pytest.mark.parametrize("arguments", [["--port", "65536"], ["--workers", "0"], ["--port", "http"]])
def test_values_out_of_range_are_usage_errors(empty: Cli, arguments: list[str]) -> None:
    empty.run("serve", *arguments, code=2)


def read_document(stream: IO[str]) -> str:
    """Return the lines up to the closing brace: the stream stays open while the server runs."""
    lines = []
    for line in stream:
        lines.append(line)
        if line == "}\n":
            break
    return "".join(lines)


@pytest.mark.slow
@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_it_answers_and_stops_in_good_order(cli: Cli, root: Path, stop: signal.Signals) -> None:
    command = [sys.executable, "-m", "service.cli", "serve", "--port", "0", "--json"]
    with (
        (cli.folder / "serve.log").open("w") as log,
        subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=log, text=True) as server,
    ):
        try:
            assert server.stdout is not None
            document = json.loads(read_document(server.stdout))
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            with _patiently(opener, f"{document['url']}/__heartbeat__") as reply:
                assert json.load(reply)["status"] == "ok"
            server.send_signal(stop)
            assert server.wait(timeout=30) == 0
            assert server.stdout.read() == ""
        finally:
            server.kill()
    assert "Traceback" not in (cli.folder / "serve.log").read_text("utf-8")


def _patiently(opener: urllib.request.OpenerDirector, url: str) -> IO[bytes]:
    """Open `url`; until the socket listens, try again."""
    for _ in range(2000):
        try:
            reply: IO[bytes] = opener.open(url, timeout=30)
        except urllib.error.URLError as error:
            if not isinstance(error.reason, ConnectionRefusedError):
                raise
            threading.Event().wait(0.02)
        else:
            return reply
    raise AssertionError("the server never listened")
