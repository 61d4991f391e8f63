"""The figure of the issue: of ten who want one place at one moment exactly one gets it, whichever process they ask.

Two processes of five threads each. In every round ten seekers propose to one supporter who has one place; then ten
requests accept what was offered; then it is ended, and the place is free for the next round.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from service.store.keys import NO_BOUND
from tests.conftest import ROOT, examples
from tests.service.databases import POSTGRESQL, SQLITE
from tests.service.installation import Installation, record
from tests.service.introduced import NONE, live

PROCESSES, THREADS = 2, 5
ROUNDS = {SQLITE: examples(12, 200), POSTGRESQL: examples(8, 200)}
SEEKERS = [f"s-{number}" for number in range(PROCESSES * THREADS)]
AT_ONCE = '[introductions]\nper_week = "unlimited"\ncool_down_days = 0\n'


class Process:
    """A worker in a process of its own."""

    def __init__(self, made: Installation, key: str) -> None:
        name = "tests.service.live.choosing_process"
        command = [sys.executable, "-m", name, str(made.folder), made.clock().isoformat(), key]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self.read() == "ready"

    def read(self) -> Any:
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())

    def do(self, what: str, **more: Any) -> None:
        """Tell the worker something; it begins at once."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"do": what, **more}) + "\n")
        self.process.stdin.flush()

    def close(self) -> None:
        """End the process."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(60)
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def wanted(small: Installation) -> Installation:
    """Ten seekers, and one supporter with one place."""
    small.change_programme(size=NONE, more=AT_ONCE)
    small.add(*(record(name, "seeker") for name in SEEKERS), record("m-1", capacity=1))
    return small


@pytest.fixture
def processes(wanted: Installation) -> Iterator[list[Process]]:
    key = wanted.new_key("match", per_minute=NO_BOUND)
    running = [Process(wanted, key) for _ in range(PROCESSES)]
    yield running
    for process in running:
        process.close()


def handles(made: Installation) -> list[dict[str, str]]:
    """Return what names the supporter to each of the seekers."""
    found = [made.match(name) for name in SEEKERS]
    return [{"match_id": one["match_id"], "handle": one["matches"][0]["handle"]} for one in found]


def all_at_once(processes: list[Process], path: str, bodies: list[Any]) -> list[tuple[int, Any]]:
    """Send ten requests, half of them through each process."""
    for place, process in enumerate(processes):
        process.do("send", requests=[(path, body) for body in bodies[place::PROCESSES]])
    return [tuple(reply) for process in processes for reply in process.read()]


def one_wins(replies: list[tuple[int, Any]], status: int, refusal: str) -> Any:
    """Return the body of the one that won; all others must be told what to do instead."""
    assert Counter(status for status, _ in replies) == {status: 1, 409: len(replies) - 1}
    lost = [body for status, body in replies if status == 409]
    assert {body["type"] for body in lost} == {f"urn:peermatch:problem:{refusal}"}
    assert all("choose" in body["detail"] or "allowed now" in body["detail"] for body in lost)
    return next(body for code, body in replies if code == status)


def test_of_ten_who_want_one_place_exactly_one_gets_it(wanted: Installation, processes: list[Process]) -> None:
    named, winners = handles(wanted), set()
    for _ in range(ROUNDS[wanted.database.name]):
        offer = one_wins(all_at_once(processes, "/v1/introductions", named), 201, "no-place")
        path = f"/v1/introductions/{offer['introduction_id']}"
        accepts = [{"member_id": "m-1"}] * len(SEEKERS)
        met = one_wins(all_at_once(processes, f"{path}/accept", accepts), 200, "not-allowed-now")
        winners.add(met["member_id"])
        assert live(wanted, "m-1").free == 0
        assert wanted.call("POST", f"{path}/end", {"member_id": "m-1"}).status_code == 200
        assert live(wanted, "m-1").free == 1
    assert len(winners) > 1, "not always the same one is first"


def test_without_the_look_for_a_free_place_several_would_get_it(wanted: Installation, processes: list[Process]) -> None:
    named = handles(wanted)
    for process in processes:
        process.do("careless")
        assert process.read() == "careless"
    replies = all_at_once(processes, "/v1/introductions", named)
    with pytest.raises(AssertionError):
        one_wins(replies, 201, "no-place")
    assert live(wanted, "m-1").free < 0
