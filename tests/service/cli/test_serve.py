"""``peermatch serve``: starts only where it can answer, and stops in good order."""

from __future__ import annotations

import shutil
import signal
import socket
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from service import server as granian_server
from service.cli import serve
from service.store import open_store
from service.store.tables import ActiveModelRow
from tests.service.cli.conftest import Cli
from tests.service.cli.server import PATIENCE, serving
from tests.service.installation import write_programme

Ran: TypeAlias = list[tuple[Any, ...]]


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> Ran:
    """What `serve` would have run."""
    calls: Ran = []
    monkeypatch.setattr(serve, "run", lambda *arguments: calls.append(arguments))
    return calls


def test_the_document_says_where_it_listens(cli: Cli, ran: Ran) -> None:
    document = cli.json("serve", "--port", "0", "--workers", "2", "--timeout", "1.5")
    assert document["url"] == f"http://127.0.0.1:{document['port']}"
    assert document["programmes"] == ["lantern"]
    assert ran == [(cli.settings, "127.0.0.1", document["port"], 2, 1.5)]
    assert document["port"] > 0


def test_an_ipv6_address_stands_in_brackets(cli: Cli, ran: Ran) -> None:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        pytest.skip("needs IPv6 on the loopback interface")
    assert cli.json("serve", "--host", "::1", "--port", "0")["url"].startswith("http://[::1]:")


def test_a_port_in_use_is_refused(cli: Cli, ran: Ran) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert f"port {port} of 127.0.0.1 is in use" in cli.run("serve", "--port", port, code=1).stderr
    assert ran == []


@pytest.mark.parametrize("host", ["192.0.2.1", "no such host"])
def test_an_address_that_is_not_of_this_machine(cli: Cli, ran: Ran, host: str) -> None:
    assert "address of this machine" in cli.run("serve", "--host", host, "--port", "0", code=1).stderr
    assert ran == []


def test_before_init_it_says_what_is_missing(empty: Cli, ran: Ran) -> None:
    assert "peermatch init" in empty.run("serve", code=1).stderr
    assert ran == []
    assert not empty.settings.home.exists()


def test_without_any_model_it_does_not_start(cli: Cli, ran: Ran) -> None:
    store = open_store(cli.settings)
    with store.transaction() as session:
        session.delete(session.get(ActiveModelRow, "lantern"))
    store.close()
    assert "peermatch train --programme lantern" in cli.run("serve", "--port", "0", code=1).stderr
    assert ran == []


def test_with_files_that_no_model_can_be_loaded_from_it_does_not_start(cli: Cli, ran: Ran) -> None:
    for folder in (cli.settings.home / "models" / "lantern").iterdir():
        shutil.rmtree(folder)
    said = cli.run("serve", "--port", "0", code=1).stderr
    assert "no programme that can be served" in said
    assert "'lantern'" in said
    assert ran == []


def test_one_programme_that_cannot_be_served_is_told_of_and_does_not_stop_the_others(cli: Cli, ran: Ran) -> None:
    write_programme(cli.folder / "beacon", id="beacon")
    cli.run("init", cli.folder / "beacon" / "programme.toml")
    for folder in (cli.settings.home / "models" / "beacon").iterdir():
        shutil.rmtree(folder)
    done = cli.run("serve", "--port", "0", "--json")
    assert "not served: programme 'beacon'" in done.stderr
    assert "lantern" not in done.stderr
    assert '"lantern"' in done.stdout
    assert "beacon" not in done.stdout
    assert len(ran) == 1


def test_the_model_before_the_active_one_will_do(cli: Cli, ran: Ran) -> None:
    store = open_store(cli.settings)
    with store.transaction() as session:
        active = session.get(ActiveModelRow, "lantern")
        assert active is not None
        active.version, active.previous = "20990101T000000Z-lost", active.version
    store.close()
    done = cli.run("serve", "--port", "0")
    assert "not served" not in done.stderr
    assert len(ran) == 1


def test_a_worker_that_cannot_be_started_again_is_a_failure(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(granian_server, "serve", lambda *_: False)
    assert "could not be started again" in cli.run("serve", "--port", "0", code=1).stderr


@pytest.mark.parametrize("arguments", [["--port", "65536"], ["--workers", "0"], ["--port", "http"], ["--timeout", "0"]])
def test_values_out_of_range_are_usage_errors(empty: Cli, arguments: list[str]) -> None:
    empty.run("serve", *arguments, code=2)


@pytest.mark.slow
@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_it_answers_and_stops_in_good_order(cli: Cli, root: Path, stop: signal.Signals) -> None:
    with serving(cli, root) as server:
        status, report = server.patiently("/__heartbeat__")
        assert (status, report["status"]) == (200, "ok")
        server.process.send_signal(stop)
        assert server.process.wait(timeout=PATIENCE) == 0
        assert server.process.stdout is not None
        assert server.process.stdout.read() == ""
        assert [line["route"] for line in server.lines("request")] == ["/__heartbeat__"]
    assert "Traceback" not in server.log.read_text("utf-8")
