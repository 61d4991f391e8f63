"""Clients that are slow, absent or many, against real servers."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from service.granian_runner import MOST_SLOW_OF_ONE, MOST_STUCK
from service.places import SLOW_SECONDS
from service.security import new_token
from tests.service.cli.conftest import Cli
from tests.service.cli.server import PATIENCE, Server, new_key, serving, under_gunicorn, workers
from tests.service.databases import sampled

pytestmark = [
    pytest.mark.slow,
    sampled("They are about clients and workers; test_serve.py and test_postgresql.py are about their databases."),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks at processes as Linux shows them"),
]
ASKED = {"member_id": "seeker"}


def held_up_by_nobody(server: Server, slow: list[socket.socket]) -> None:
    """Ask everything, while `slow` have not sent their bodies; then see them end with 408."""
    for connection in slow:
        connection.setblocking(False)
        with pytest.raises(BlockingIOError):
            connection.recv(1)
        connection.settimeout(PATIENCE)
    for _ in range(2):
        assert server.ask("/__lbheartbeat__")[0] == 200
        assert server.ask("/__version__")[0] == 200
        assert server.ask("/__heartbeat__")[0] == 200
        status, shortlist = server.ask("/v1/match", ASKED)
        assert (status, shortlist["outcome"]) == (200, "matched")
    for connection in slow:
        said = b""
        while b"}" not in said and (part := connection.recv(4096)):
            said += part
        assert said.startswith(b"HTTP/1.1 408 "), said
        assert b"urn:peermatch:problem:request-timeout" in said


def test_unfinished_bodies_hold_up_nobody(people: Callable[[int], Cli], root: Path) -> None:
    with serving(people(3), root, "--timeout", "8") as server, ExitStack() as open_ones:
        assert server.patiently("/__lbheartbeat__")[0] == 200
        assert server.ask("/v1/match", ASKED)[0] == 200  # the pool is made
        slow = [open_ones.enter_context(server.unfinished(chunked=number % 2 == 1)) for number in range(8)]
        held_up_by_nobody(server, slow)
        assert [line["status"] for line in server.lines("request")].count(408) == 8


def test_more_than_one_key_may_have_open_is_refused_and_hold_up_nobody(
    people: Callable[[int], Cli], root: Path
) -> None:
    """And when very many stay open past their time, a new worker takes over: granian cannot close them."""
    cli = people(3)
    others = [new_key(cli) for _ in range(2)]
    with serving(cli, root, "--timeout", "6") as server, ExitStack() as open_ones:
        assert server.patiently("/__lbheartbeat__")[0] == 200
        (first,) = _workers(server)
        for key in others:
            for _ in range(MOST_SLOW_OF_ONE):
                open_ones.enter_context(server.unfinished(key=key))
        threading.Event().wait(2 * SLOW_SECONDS)
        with server.unfinished(key=others[0]) as refused:
            assert refused.recv(4096).startswith(b"HTTP/1.1 503 ")
        assert server.ask("/__lbheartbeat__")[0] == 200
        assert server.ask("/v1/match", ASKED)[0] == 200
        assert len(others) * MOST_SLOW_OF_ONE >= MOST_STUCK
        for _ in range(3000):
            if server.lines("renewal") and first not in workers(server):
                break
            threading.Event().wait(0.02)
        (second,) = _workers(server)
        assert second != first
        assert server.ask("/v1/match", ASKED)[0] == 200


def test_without_a_key_a_body_is_not_waited_for(people: Callable[[int], Cli], root: Path) -> None:
    with serving(people(3), root) as server:
        assert server.patiently("/__lbheartbeat__")[0] == 200
        for _ in range(80):
            with server.unfinished(key=new_token().text) as connection:
                assert connection.recv(4096).startswith(b"HTTP/1.1 401 ")


def test_requests_under_way_are_finished_and_new_ones_refused(people: Callable[[int], Cli], root: Path) -> None:
    with serving(people(3), root) as server:
        assert server.patiently("/__lbheartbeat__")[0] == 200
        with server.unfinished() as connection:
            assert server.ask("/__lbheartbeat__")[0] == 200
            threading.Event().wait(SLOW_SECONDS)  # nothing tells from outside that its head has been taken
            server.process.send_signal(signal.SIGTERM)
            for _ in range(3000):
                try:
                    socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE).close()
                except ConnectionRefusedError:
                    break
                threading.Event().wait(0.01)
            else:
                raise AssertionError("still listens")
            connection.sendall(b'ber_id":"seeker"}' + b" " * 78)
            assert connection.recv(4096).startswith(b"HTTP/1.1 200 ")
        assert server.process.wait(PATIENCE) == 0


def test_a_worker_that_dies_is_replaced(cli: Cli, root: Path) -> None:
    with serving(cli, root, "--workers", "2") as server:
        assert server.patiently("/__lbheartbeat__")[0] == 200
        before = _workers(server, 2)
        os.kill(before[0], signal.SIGKILL)
        for _ in range(3000):
            now = workers(server)
            if before[0] not in now and len(now) == 2:
                break
            threading.Event().wait(0.02)
        assert len(set(_workers(server, 2)) - set(before)) == 1
        for _ in range(20):
            assert server.patiently("/__lbheartbeat__")[0] == 200


def test_metrics_are_of_all_workers(people: Callable[[int], Cli], root: Path) -> None:
    cli = people(3)
    with serving(cli, root, "--workers", "2") as server:
        assert server.patiently("/__version__")[0] == 200
        for _ in range(40):  # each on a connection of its own: the system spreads them
            assert server.ask("/v1/programme")[0] == 200
        said = {
            server.ask("/metrics")[1].split('route="/v1/programme",status="200"} ')[1].split("\n")[0] for _ in "abcd"
        }
        assert said == {"40.0"}
        assert server.ask("/metrics", key=new_token().text)[0] == 401
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(PATIENCE) == 0
    assert list((cli.settings.run / "metrics").iterdir()) == []


def test_gunicorn_serves_the_same(people: Callable[[int], Cli], root: Path) -> None:
    with (
        under_gunicorn(people(3), root, PEERMATCH_TIMEOUT="8", PEERMATCH_METRICS="open") as server,
        ExitStack() as open_ones,
    ):
        assert server.patiently("/__lbheartbeat__")[0] == 200
        for _ in range(4):
            assert server.ask("/v1/match", ASKED)[0] == 200
        slow = [open_ones.enter_context(server.unfinished()) for _ in range(4)]
        held_up_by_nobody(server, slow)
        said = server.ask("/metrics")[1]
        assert 'peermatch_requests_total{method="POST",programme="",route="none",status="408"} 4.0' in said
        assert 'peermatch_pool_members{programme="lantern"}' in said
        for line in server.lines("request"):
            assert "seeker" not in str(line)


def _workers(server: Server, count: int = 1) -> list[int]:
    for _ in range(3000):
        found = workers(server)
        if len(found) == count:
            return found
        threading.Event().wait(0.02)
    raise AssertionError(found)
