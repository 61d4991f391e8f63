"""The whole of Peermatch in half a minute: a cohort, a programme, training, a server, a match, two people who meet.

``make demo`` runs it. Everything it writes is in ``var/demo``, which it empties first. It needs the installed package,
and no network but this machine's own loopback.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
NEWCOMER = "newcomer"
MARK = ".peermatch-demo"
"""Tells a folder that a demo made, and may empty."""
PATIENCE = 30.0
"""Seconds after which a server that does not answer has failed."""

sys.path.insert(0, str(ROOT))
from service.cli.output import table  # noqa: E402


class DemoError(Exception):
    """A step failed; the message says which, and where the log is."""


class Demo:
    """One run, in a folder of its own.

    Parameters
    ----------
    folder : Path
        Emptied first.
    members : int
        Size of the cohort.
    """

    def __init__(self, folder: Path, members: int) -> None:
        self.folder = folder
        self.members = members
        self.log = folder / "demo.log"
        self.server_log = folder / "serve.log"
        self.timings: dict[str, float] = {}

    def run(self) -> None:
        """Run every step, show the two lists side by side and write ``shortlist.json``."""
        began = time.monotonic()
        if self.folder.exists() and any(self.folder.iterdir()) and not (self.folder / MARK).exists():
            raise DemoError(f"{self.folder} holds something else than a former demo; name a new or an empty folder")
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        (self.folder / MARK).touch()
        print("\nPeermatch, end to end\n")
        programme, key = self.prepare()
        reply, view = self.ask(programme, key)
        if reply["outcome"] != "matched" or not reply["matches"]:
            raise DemoError(f"the newcomer was not matched ({reply['reason']}); see {name(self.log)}")
        show(reply, view)
        self.timings["total"] = round(time.monotonic() - began, 2)
        result = self.folder / "shortlist.json"
        document = {"http": reply, "coordinator": view, "timings": self.timings}
        result.write_text(json.dumps(document, indent=2) + "\n", "utf-8")
        print(f"  Done in {self.timings['total']:.1f} s. All of it is in {name(result)}.\n")

    def prepare(self) -> tuple[str, str]:
        """Build the installation up to the trained model; return programme id and API key."""
        cohort = self.folder / "cohort"
        with self.step(f"A cohort of {self.members:,} people, made up") as said:
            self.peermatch("synth", "--members", str(self.members), "--seed", "7", "--out", str(cohort))
            said.append(f"seed 7, in {name(cohort)}")
        with self.step("The programme, its secret key, its first model") as said:
            made = self.peermatch("init", str(cohort / "programme.toml"))
            programme = made["programme"]
            said.append(f"programme {programme!r}")
        for kind in ("members", "feedback"):
            with self.step(f"Importing {kind}") as said:
                landed = self.peermatch("import", kind, str(cohort / f"{kind}.jsonl"), "--programme", programme)
                said.append(f"{landed['accepted']:,} accepted, {len(landed['refused'])} refused")
        with self.step("Training on consented feedback") as said:
            trained = self.peermatch("train", "--programme", programme)
            said.append(f"model {trained['version']} is published")
        return programme, made["api_key"]

    def ask(self, programme: str, key: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """Serve, let a newcomer join and ask over HTTP; return the reply, and the coordinator's view of that list."""
        with ExitStack() as running:
            with self.step("Starting the server") as said:
                address = running.enter_context(self.serving(free_port()))
                said.append(address)
            with self.step("A new member joins over HTTP") as said:
                self.request("PUT", f"{address}/v1/members/{NEWCOMER}", key, newcomer())
                said.append(f"PUT /v1/members/{NEWCOMER}")
            with self.step("… and asks for a peer") as said:
                question = {"member_id": NEWCOMER, "kind": "buddy", "limit": 5}
                reply = self.request("POST", f"{address}/v1/match", key, question)
                said.append(f"POST /v1/match: {reply['outcome']}, {len(reply['matches'])} peers")
            with self.step("The coordinator looks at the same list") as said:
                view = self.peermatch("match", NEWCOMER, "--programme", programme, "--limit", "5")
                said.append(f"peermatch match {NEWCOMER}")
            self.introduce(address, key, reply)
            with self.step("Stopping the server"):
                running.close()
        return reply, view

    def introduce(self, address: str, key: str, reply: dict[str, Any]) -> None:
        """Let the newcomer choose the first of the list, a coordinator approve it, and the supporter say yes."""
        first = reply["matches"][0] if reply["matches"] else {}
        chosen = {"match_id": reply["match_id"], "handle": first.get("handle", "")}
        with self.step("The newcomer chooses the first of them") as said:
            one = self.request("POST", f"{address}/v1/introductions", key, chosen)
            said.append(f"POST /v1/introductions: {one['state']}")
        with self.step("A coordinator has a look, and approves") as said:
            path = f"{address}/v1/review/{one['introduction_id']}/approve"
            said.append(f"POST /v1/review/…/approve: {self.request('POST', path, key, {})['state']}")
        with self.step("The supporter accepts") as said:
            path = f"{address}/v1/introductions/{one['introduction_id']}/accept"
            met = self.request("POST", path, key, {"member_id": first["member_id"]})
            said.append(f"POST /v1/introductions/…/accept: {met['state']}")

    @contextmanager
    def step(self, title: str) -> Iterator[list[str]]:
        """Run one step: its title at once, its seconds and outcome (what the block appends) when it is over."""
        began = time.monotonic()
        said: list[str] = []
        print(f"  {title:<48}", end="", flush=True)
        try:
            yield said
        except BaseException:
            print("failed", flush=True)
            raise
        self.timings[title] = round(time.monotonic() - began, 2)
        print(f"{self.timings[title]:5.1f} s   {'; '.join(said)}".rstrip(), flush=True)

    def peermatch(self, *arguments: str) -> Any:
        """Run one ``peermatch`` command with ``--json`` and return its document."""
        command = [sys.executable, "-m", "service.cli", *arguments, "--json"]
        with self.log.open("a", encoding="utf-8") as log:
            log.write(f"$ peermatch {' '.join(command[3:])}\n")
            log.flush()
            done = subprocess.run(
                command, cwd=ROOT, env=self.environment(), stdout=subprocess.PIPE, stderr=log, check=False
            )
            if done.returncode != 0:
                log.write(done.stdout.decode("utf-8", "replace"))
                raise DemoError(f"`peermatch {' '.join(arguments)}` ended with {done.returncode}; see {name(self.log)}")
        return json.loads(done.stdout)

    def request(self, method: str, url: str, key: str, body: Any) -> Any:
        """Send one JSON request and return the JSON reply."""
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        asked = urllib.request.Request(url, json.dumps(body).encode(), headers, method=method)  # noqa: S310 - ours
        try:
            with opened(asked) as reply:
                return json.loads(reply.read())
        except urllib.error.HTTPError as error:
            with self.log.open("a", encoding="utf-8") as log:
                log.write(f"{method} {url}: {error.code} {error.read().decode('utf-8', 'replace')}\n")
            raise DemoError(f"{method} {url} was answered with {error.code}; see {name(self.log)}") from None
        except OSError as error:
            raise DemoError(f"{method} {url} was not answered ({error}); see {name(self.server_log)}") from None

    @contextmanager
    def serving(self, port: int) -> Iterator[str]:
        """Run ``peermatch serve`` while the block runs, and stop it whatever happens; yields the server's address."""
        command = [sys.executable, "-m", "service.cli", "serve", "--port", str(port)]
        with self.server_log.open("wb") as log:
            server = subprocess.Popen(command, cwd=ROOT, env=self.environment(), stdout=log, stderr=subprocess.STDOUT)
        try:
            address = f"http://127.0.0.1:{port}"
            self.wait_for(server, address)
            yield address
        finally:
            server.send_signal(signal.SIGTERM)
            try:
                server.wait(timeout=15)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()

    def wait_for(self, server: subprocess.Popen[bytes], address: str) -> None:
        """Return when the server is well; DemoError if it ended, or was not within `PATIENCE` seconds."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if server.poll() is not None:
                raise DemoError(f"the server ended with {server.returncode}; see {name(self.server_log)}")
            try:
                with opened(f"{address}/__heartbeat__"):
                    return
            except OSError:  # not listening yet, or not well yet (503)
                time.sleep(0.05)
        raise DemoError(f"the server did not answer within {PATIENCE:.0f} s; see {name(self.server_log)}")

    def environment(self) -> dict[str, str]:
        """Return the environment of the demo's own installation, whatever Peermatch settings are around it."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith("PEERMATCH_")}
        return kept | {"PEERMATCH_HOME": str(self.folder / "home")}


def opened(target: str | urllib.request.Request) -> Any:
    """Open a URL of this machine directly, past any proxy that the environment names."""
    return urllib.request.build_opener(urllib.request.ProxyHandler({})).open(target, timeout=10)


def free_port() -> int:
    """Return a TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def newcomer() -> dict[str, Any]:
    """Return the record of somebody who joins now: what a partner's app sends."""
    record: dict[str, Any] = json.loads((ROOT / "examples" / "newcomer.json").read_text("utf-8"))
    for consent in record["consents"]:
        consent["at"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return record


def show(reply: dict[str, Any], view: dict[str, Any]) -> None:
    """Print what the member sees, and beside it what the coordinator sees of the same candidates."""
    beside = {match["handle"]: match for match in view["matches"]}
    rows = []
    for match in reply["matches"]:
        other = beside.get(match["handle"], {})
        reasons = " · ".join(reason["text"] for reason in match["reasons"])
        rows.append((match["rank"], match["strength"], reasons, "│", other.get("member_id"), other.get("score")))
    print("\n  What the member's app shows, and right of the line what the coordinator sees of the same people\n")
    for line in table(("rank", "strength", "what both share and let be told", "│", "member", "score"), rows):
        print(f"  {line}")
    excluded = sorted(view["excluded"].items(), key=lambda item: -item[1])
    print("\n  Left out before, by gate: " + ", ".join(f"{gate} {count:,}" for gate, count in excluded) + "\n")


def name(path: Path) -> str:
    """Return `path` as a person at the top of the repository would type it."""
    return os.path.relpath(path, ROOT)


def main() -> int:
    """Run the demo; 0 if every step succeeded."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, default=2000, help="size of the cohort (default: 2000)")
    parser.add_argument("--out", type=Path, default=ROOT / "var" / "demo", help="a folder, which is emptied first")
    given = parser.parse_args()
    try:
        Demo(given.out.resolve(), given.members).run()
    except DemoError as error:
        print(f"\nThe demo failed: {error}\n", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nThe demo was interrupted.\n", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
