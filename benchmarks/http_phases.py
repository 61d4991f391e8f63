"""What is asked of the server over one connection, and over eight at once."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from benchmarks.http_client import Connection

SEEKERS, WARM, RIVALRY, RIVALS_WARM, AT_ONCE, EACH_AT_ONCE = 400, 40, 60, 5, 8, 60
TURN = (("floor", "/bench/floor"), ("new", "/v1/match"), ("floor", "/bench/floor"), ("repeat", "/v1/match"))
"""What is asked for each seeker, one after the other."""
Times = dict[str, list[float]]


def latencies(port: int, key: str, seekers: Sequence[str]) -> dict[str, Any]:
    """Ask for floor, new list, floor and repeat in turns over one connection, and after them for the rivals."""
    connection = Connection(port, key)
    times: Times = {name: [] for name in ("floor", "new", "repeat", "recheck", "filter_first", "filter_last")}
    for number, seeker in enumerate(seekers[: WARM + SEEKERS]):
        for name, path in TURN:
            ms = _ask(connection, path, seeker)
            if number >= WARM:
                times[name].append(ms)
    for seeker in seekers[WARM : WARM + SEEKERS]:
        answer = connection.send("POST", "/bench/recheck", {"member_id": seeker, "limit": 5})[1]
        times["recheck"].append(json.loads(answer)["ms"])
    for number, seeker in enumerate(seekers[: RIVALS_WARM + RIVALRY]):
        for rival in ("first", "last"):
            ms = _ask(connection, f"/bench/baseline/{rival}", seeker)
            if number >= RIVALS_WARM:
                times[f"filter_{rival}"].append(ms)
    connection.close()
    found = _told(times)
    found["baseline_p50_ms"] = min(found["filter_first_p50_ms"], found["filter_last_p50_ms"])
    found["lists"] = len(times["new"])
    return found


def at_once(port: int, key: str, seekers: Sequence[str]) -> dict[str, Any]:
    """Ask for the same over eight connections at once, each with seekers of its own; count what fails."""

    def ask(part: int) -> tuple[Times, int]:
        connection, failed = Connection(port, key), 0
        times: Times = {name: [] for name, _ in TURN}
        for seeker in seekers[part::AT_ONCE][:EACH_AT_ONCE]:
            for name, path in TURN:
                status, _, ms = connection.send("POST", path, {"member_id": seeker, "limit": 5})
                failed += status != 200
                times[name].append(ms)
        connection.close()
        return times, failed

    start = time.perf_counter()
    with ThreadPoolExecutor(AT_ONCE) as executor:
        parts = list(executor.map(ask, range(AT_ONCE)))
    seconds = time.perf_counter() - start
    times = {name: [ms for some, _ in parts for ms in some[name]] for name, _ in TURN}
    requests = sum(map(len, times.values()))
    return {
        **{f"at_once_{name}": value for name, value in _told(times).items()},
        "at_once_requests": requests,
        "at_once_failed": sum(failed for _, failed in parts),
        "at_once_per_s": requests / seconds,
    }


def _ask(connection: Connection, path: str, seeker: str) -> float:
    status, _, ms = connection.send("POST", path, {"member_id": seeker, "limit": 5})
    if status != 200:
        raise SystemExit(f"{path}: the server answered {status}")
    return ms


def _told(times: Times) -> dict[str, float]:
    found = {}
    for name, each in times.items():
        found |= {f"{name}_p50_ms": statistics.median(each), f"{name}_p99_ms": sorted(each)[int(0.99 * len(each))]}
    return found
