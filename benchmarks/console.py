"""How long a coordinator waits for the first paint: of the queue and the waiting list with 10,000 who wait.

In Debian's Chromium, at the product's own server, against the floor of a page of the console that reads nothing: the
sign-in page. Prints medians, and writes ``var/bench/console.json``.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from benchmarks.common import machine, write
from matcher.people import Member
from service.settings import Settings
from service.store import introductions, members, open_store, programmes

WAITING = 10_000
PAIRS = 1_000
"""How many seekers more have proposed to somebody, which a coordinator is to look at."""
SEEKERS = WAITING + PAIRS
REPEATS = 15
PAGES = {"queue": "/console/review", "waiting": "/console/waiting", "loads": "/console/loads"}
FLOOR = "/console/sign-in"
PORT = 8765
PAINT = "performance.getEntriesByName('first-contentful-paint')"


def main() -> None:
    """Measure, print and write."""
    browser = next((path for name in ("chromium", "chromium-browser") if (path := shutil.which(name))), None)
    if browser is None:
        sys.exit("needs a browser: apt-get install chromium")
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        key = filled(home)
        with serving(home) as address:
            figures = {**machine(), "waiting": WAITING, "in_review": PAIRS, **painted(browser, address, key)}
    floor = figures["floor_p50_ms"]
    for page in PAGES:
        took = figures[f"{page}_p50_ms"]
        print(f"{page:8} first paint {took:6.0f} ms, {took / floor:4.1f} times the floor of {floor:.0f} ms")
    print(f"written to {write('console', figures)}")


def filled(home: Path) -> str:
    """Make an installation with `WAITING` seekers of whom nobody has a list; return a coordinator's key."""
    run(home, "init", str(Path(__file__).resolve().parent.parent / "data" / "synthetic" / "programme.toml"))
    now = datetime.now(UTC)
    store = open_store(Settings.from_environment(environment(home)))
    with closing(store), store.transaction() as session:
        programme = programmes.load(session, programmes.identifiers(session)[0])
        made = (Member.from_dict(record(number, now), programme) for number in range(SEEKERS + PAIRS))
        members.upsert_many(session, programme, made, now=now, visible_from=now.date())
        for number in range(PAIRS):
            pair = (f"w-{number:05}", f"w-{SEEKERS + number:05}")
            introductions.begin(session, programme, pair, by="seeker", now=now, reviewed=True)
    told = json.loads(run(home, "keys", "create", "--scope", "coordinator", "--json"))
    return str(told["api_key"])


def record(number: int, now: datetime) -> dict[str, Any]:
    """Return a record of somebody who seeks, or of one of the last `PAIRS`, who support."""
    at = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    seeks = number < SEEKERS
    given = [
        {"purpose": purpose, "decision": "given", "policy_version": "2026-01", "at": at}
        for purpose in ("match_serve", "be_shown_as_peer", "show_reasons")
    ]
    return {
        "member_id": f"w-{number:05}",
        "roles": ["seeker" if seeks else "supporter"],
        "age_band": "35-44",
        "capacity": 1,
        "vetted": True,
        "agreements": ["agreement-2026-01"],
        "profile": {
            "conditions": ["C50.9"],
            "journey": "newly_diagnosed" if seeks else "long_term",
            "availability": {"tz": "Europe/London", "slots": ["mon 18:00-21:00"]},
            "languages": ["en"],
            "channel": ["phone"],
            "severity": "low",
        },
        "consents": given,
    }


def painted(browser: str, address: str, key: str) -> dict[str, float]:
    """Return the median of first contentful paints by page, in ms; each load is a new tab of one session."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox", "--disable-dev-shm-usage"])
        context = running.new_context(base_url=address)
        times: dict[str, list[float]] = {name: [] for name in ("floor", *PAGES)}
        page = context.new_page()
        for _ in range(REPEATS):
            page.goto(FLOOR)
            times["floor"].append(paint(page))
        page.fill("#key", key)
        page.keyboard.press("Enter")
        page.wait_for_selector("h1")
        for _ in range(REPEATS):
            for name, path in PAGES.items():
                page.goto(path)
                times[name].append(paint(page))
        running.close()
    found = {f"{name}_p50_ms": round(statistics.median(some), 1) for name, some in times.items()}
    return {**found, **{f"{name}_max_ms": round(max(some), 1) for name, some in times.items()}}


def paint(page: Page) -> float:
    """Return after how many ms a page that was opened was first painted."""
    while not page.evaluate(f"{PAINT}.length"):  # waiting within the page would be evaluating, which the page forbids
        page.wait_for_timeout(5)
    return float(page.evaluate(f"{PAINT}[0].startTime"))


@contextmanager
def serving(home: Path) -> Iterator[str]:
    """Serve an installation while the block runs."""
    command = [sys.executable, "-m", "service.cli", "serve", "--port", str(PORT), "--workers", "1"]
    with (home / "serve.log").open("wb") as log:
        server = subprocess.Popen(command, env=environment(home), stdout=log, stderr=subprocess.STDOUT)
    address = f"http://127.0.0.1:{PORT}"
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                urllib.request.urlopen(f"{address}/__heartbeat__", timeout=5).close()
                break
            except OSError:
                time.sleep(0.1)
        yield address
    finally:
        server.terminate()
        server.wait(20)


def environment(home: Path) -> dict[str, str]:
    """Return the environment of an installation of its own."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PEERMATCH_")}
    return {**kept, "PEERMATCH_HOME": str(home), "PEERMATCH_RATE_LIMIT": "none"}


def run(home: Path, *arguments: str) -> str:
    """Run a command of ours and return what it says."""
    command = [sys.executable, "-m", "service.cli", *arguments]
    done = subprocess.run(command, env=environment(home), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(arguments)}: {done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    main()
