"""How fast the service answers over HTTP: one worker, members by the ten and hundred thousand, everything in one run.

New lists, repeats and the floor are asked for in turns over one connection, then the rivals, then lists and the floor
over eight connections at once, all of one server.
The figures of start, memory and updates are those of `peermatch serve` as it is.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.common import lantern, machine, write
from benchmarks.http_client import Connection
from benchmarks.http_phases import AT_ONCE, EACH_AT_ONCE, SEEKERS, WARM, at_once, latencies
from matcher.consent import consented
from matcher.people import Member
from matcher.synthetic import experiences, generate_members, programme_text

SIZES = (10_000, 100_000)
UPDATES = 60
STARTERS = 300
"""Seekers who ask of the server as it is, before its memory is looked at."""


def measure(size: int, say: Callable[[str], None] = print) -> dict[str, Any]:
    """Return the figures for an installation with `size` members."""
    with tempfile.TemporaryDirectory(prefix="peermatch-bench-") as name:
        home, records = Path(name), list(generate_members(size, seed=1))
        key, import_s = _install(home, records)
        found: dict[str, Any] = {"import_s": import_s}
        seekers = _seekers(records)
        found |= _start(home, key, seekers[:STARTERS])
        with _serving(home, "benchmarks.http_server") as (port, _):
            found |= latencies(port, key, seekers[STARTERS:])
            found |= at_once(port, key, seekers[STARTERS + SEEKERS + WARM :])
    _tell(size, found, say)
    return found


def _install(home: Path, records: Sequence[dict[str, Any]]) -> tuple[str, float]:
    """Set up an installation as a user does; return its key, and how long the import took."""
    (home / "programme.toml").write_text(programme_text(), encoding="utf-8")
    (home / "experiences.csv").write_text(experiences.to_csv(), encoding="utf-8")
    with (home / "members.jsonl").open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(record) + "\n" for record in records)
    key = json.loads(_peermatch(home, "init", home / "programme.toml", "--json"))["api_key"]
    start = time.perf_counter()
    _peermatch(home, "import", "members", home / "members.jsonl")
    return key, time.perf_counter() - start


def _peermatch(home: Path, *arguments: object) -> str:
    command = [sys.executable, "-m", "service.cli", *map(str, arguments)]
    done = subprocess.run(command, env=_environment(home), check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout


def _environment(home: Path) -> dict[str, str]:
    return {**os.environ, "PEERMATCH_HOME": str(home / "home"), "PEERMATCH_RATE_LIMIT": "none"}


def _seekers(records: Sequence[dict[str, Any]]) -> list[str]:
    """Return seekers who may have a list, spread over the cohort."""
    programme, now = lantern(), datetime.now(UTC)
    profiles = (consented(Member.from_dict(record, programme), programme, now) for record in records)
    able = [one.member_id for one in profiles if one.seeking is not None and "seeker" in one.roles and one.age_band]
    wanted = STARTERS + WARM + SEEKERS + AT_ONCE * EACH_AT_ONCE
    step = max(1, len(able) // wanted)
    return able[::step]


def _start(home: Path, key: str, seekers: Sequence[str]) -> dict[str, Any]:
    """Return seconds from the command to the first list, without and with a pool on the disk, memory and updates."""
    run = home / "home" / "run"
    shutil.rmtree(run, ignore_errors=True)
    found: dict[str, Any] = {}
    for name in ("start_s", "start_from_cache_s"):
        began = time.perf_counter()
        with _serving(home, "service.cli") as (port, worker):
            connection = Connection(port, key)
            _ask(connection, seekers[0])
            found[name] = time.perf_counter() - began
            if name == "start_from_cache_s":
                for seeker in seekers[2 * UPDATES :]:
                    _ask(connection, seeker)
                found |= _updates(connection, seekers) | _memory(worker)
    return found


def _ask(connection: Connection, seeker: str) -> float:
    status, _, ms = connection.send("POST", "/v1/match", {"member_id": seeker, "limit": 5})
    if status != 200:
        raise SystemExit(f"the server answered {status}")
    return ms


def _updates(connection: Connection, seekers: Sequence[str]) -> dict[str, float]:
    """Return milliseconds of a PUT that changes a record, each another one's, and of the next new list."""
    taken, after = [], []
    for member_id, seeker in zip(seekers[:UPDATES], seekers[UPDATES : 2 * UPDATES], strict=True):
        record = json.loads(connection.send("GET", f"/v1/members/{member_id}")[1])
        changed = {**record, "capacity": record["capacity"] + 1}
        status, _, ms = connection.send("PUT", f"/v1/members/{member_id}", changed)
        assert status == 200, status
        taken.append(ms)
        after.append(_ask(connection, seeker))
    return {"update_p50_ms": statistics.median(taken), "after_update_p50_ms": statistics.median(after)}


def _memory(worker: int) -> dict[str, float]:
    """Return megabytes that a worker holds, and those that are its own alone."""
    text = Path(f"/proc/{worker}/smaps_rollup").read_text(encoding="ascii")
    kilobytes = {name: int(value) for name, value in re.findall(r"^(\w+): +(\d+) kB", text, re.MULTILINE)}
    own = kilobytes["Private_Dirty"] + kilobytes["Private_Clean"]
    return {"rss_mb": kilobytes["Rss"] / 1024, "private_mb": own / 1024, "dirty_mb": kilobytes["Private_Dirty"] / 1024}


@contextmanager
def _serving(home: Path, module: str) -> Iterator[tuple[int, int]]:
    """Run a server with one worker; yield its port and the worker's process id."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", module, "serve", "--port", str(port), "--workers", "1"]
    log = (home / "serve.log").open("ab")
    server = subprocess.Popen(command, env=_environment(home), stdout=log, stderr=log)
    try:
        _wait(port)
        yield port, _worker(server.pid)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)
        log.close()


def _wait(port: int) -> None:
    for _ in range(3000):
        try:
            Connection(port, "").send("GET", "/__lbheartbeat__")
        except OSError:
            time.sleep(0.01)
        else:
            return
    raise SystemExit("the server does not answer; see serve.log")


def _worker(pid: int) -> int:
    """Return the process that answers: the last child of the server's."""
    children = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit() and _parent(path) == pid]
    return max(children, default=pid)


def _parent(process: Path) -> int:
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, IndexError):
        return 0


def _tell(size: int, found: dict[str, Any], say: Callable[[str], None]) -> None:
    floor, new = found["floor_p50_ms"], found["new_p50_ms"]
    say(f"{size:,} members, {found['lists']} new lists, one worker, one connection")
    for name in ("floor", "new", "repeat", "filter_first", "filter_last"):
        p50, p99 = found[f"{name}_p50_ms"], found[f"{name}_p99_ms"]
        say(f"  {name:13s} p50 {p50:7.2f} ms   p99 {p99:7.2f} ms   {p50 / floor:5.1f} × the floor")
    say(f"  the live re-check alone: p50 {found['recheck_p50_ms']:.3f} ms, p99 {found['recheck_p99_ms']:.3f} ms")
    say(f"  a new list is {found['baseline_p50_ms'] / new:.1f} times as fast as the faster rival")
    for name in ("floor", "new", "repeat"):
        p50, p99 = found[f"at_once_{name}_p50_ms"], found[f"at_once_{name}_p99_ms"]
        say(f"  {AT_ONCE} connections, {name:6s} p50 {p50:7.2f} ms   p99 {p99:7.2f} ms")
    failed = f"{found['at_once_failed']} of {found['at_once_requests']} failed"
    say(f"  of these {found['at_once_per_s']:.0f} a second, {failed}")
    start = f"start {found['start_s']:.1f} s, from the cache {found['start_from_cache_s']:.1f} s"
    say(f"  {start}; import {found['import_s']:.1f} s")
    memory = f"{found['rss_mb']:.0f} MB resident, {found['private_mb']:.0f} MB its own"
    say(f"  worker {memory} ({found['dirty_mb']:.0f} MB written)")
    say(f"  update {found['update_p50_ms']:.1f} ms, the list after it {found['after_update_p50_ms']:.1f} ms")


def main(sizes: Sequence[int] = SIZES, say: Callable[[str], None] = print) -> dict[str, Any]:
    """Measure, print the figures, write ``var/bench/http.json`` and return its content."""
    figures: dict[str, Any] = {str(size): measure(size, say) for size in sizes}
    figures["machine"] = machine()
    say(f"{write('http', figures).name} written")
    return figures


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or SIZES)
