"""The console under the real servers, several workers each: signing in, a form, signing out, and slow forms."""

from __future__ import annotations

import re
import socket
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import Any

import pytest

from service.granian_runner import MOST_SLOW_OF_ONE
from tests.service.cli.conftest import Cli, cli, empty, people
from tests.service.cli.server import PATIENCE, Server, new_key, serving, under_gunicorn
from tests.service.databases import sampled

__all__ = ["cli", "empty", "people"]
pytestmark = [
    pytest.mark.slow,
    sampled("They are about workers and bodies; what the console reads and writes is tested on both."),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="runs servers as they run there"),
]


class Away:
    """A browser that keeps cookies, at a server."""

    def __init__(self, server: Server) -> None:
        self.url = f"{server.url}/console"
        self.jar = CookieJar(DefaultCookiePolicy(strict_ns_domain=DefaultCookiePolicy.DomainLiberal))
        cookies = urllib.request.HTTPCookieProcessor(self.jar)
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), cookies)
        self.form_token = ""

    def ask(self, path: str, told: dict[str, str] | None = None) -> tuple[int, str]:
        """Ask for a page, or send a form; return the status and the text of where that leads to."""
        data = None if told is None else urllib.parse.urlencode({"form_token": self.form_token, **told}).encode()
        try:
            with self.opener.open(f"{self.url}{path}", data, timeout=PATIENCE) as reply:
                status, text = reply.status, reply.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                status, text = error.code, error.read().decode()
        found = re.search(r'name="form_token" value="([0-9a-f]+)"', text)
        self.form_token = found[1] if found else self.form_token
        return status, text


def whole_visit(server: Server, key: str) -> None:
    assert server.patiently("/__lbheartbeat__")[0] == 200
    browser = Away(server)
    assert browser.ask("/sign-in")[0] == 200
    status, text = browser.ask("/sign-in", {"key": key})
    assert (status, "Sign out" in text) == (200, True)
    for _ in range(6):  # whichever worker answers
        assert "Member id" in browser.ask("/members")[1]
    status, text = browser.ask("/members/hold", {"member_id": "seeker", "kind": "pause"})
    assert (status, "The member is held" in text) == (200, True)
    assert browser.ask("/members/hold", {"member_id": "seeker", "kind": "pause", "form_token": "x"})[0] == 403
    assert "<h1>Sign in</h1>" in browser.ask("/sign-out", {})[1]
    for _ in range(6):
        assert "<h1>Sign in</h1>" in browser.ask("/members")[1]


def test_a_visit_under_granian(people: Callable[[int], Cli], root: Path) -> None:
    made = people(3)
    with serving(made, root, "--workers", "2") as server:
        whole_visit(server, new_key(made))
        assert "/console/sign-in" in {line["route"] for line in server.lines("request")}


def test_a_visit_under_gunicorn(people: Callable[[int], Cli], root: Path) -> None:
    made = people(3)
    with under_gunicorn(made, root) as server:
        whole_visit(server, new_key(made))


def unfinished(server: Server) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE)
    head = "POST /console/sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n"
    connection.sendall(f"{head}Content-Type: application/x-www-form-urlencoded\r\n\r\nkey=".encode())
    return connection


def test_strangers_with_slow_forms_keep_out_nobody_who_is_in(people: Callable[[int], Cli], root: Path) -> None:
    made = people(3)
    slow: list[Any] = []
    with serving(made, root, "--timeout", "20") as server:
        assert server.patiently("/__lbheartbeat__")[0] == 200
        browser = Away(server)
        browser.ask("/sign-in")
        assert browser.ask("/sign-in", {"key": new_key(made)})[0] == 200
        slow = [unfinished(server) for _ in range(MOST_SLOW_OF_ONE + 8)]
        status, text = browser.ask("/members/hold", {"member_id": "seeker", "kind": "pause"})
        assert (status, "The member is held" in text) == (200, True)
        assert server.ask("/v1/match", {"member_id": "seeker"})[0] == 200
    for connection in slow:
        connection.close()
