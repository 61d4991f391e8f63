"""``make demo``, with fewer people: the whole way from nothing to a shortlist over HTTP."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest


def demo(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(root / "examples" / "demo.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)


@pytest.mark.slow
def test_the_demo_ends_with_a_shortlist_and_the_coordinators_view_of_it(root: Path, tmp_path: Path) -> None:
    out = tmp_path / "demo"
    done = demo(root, "--members", "400", "--out", str(out))
    assert done.returncode == 0, done.stdout + done.stderr + (out / "demo.log").read_text("utf-8")
    document = json.loads((out / "shortlist.json").read_text("utf-8"))
    http, view = document["http"], document["coordinator"]
    schemas = root / "docs" / "schemas"
    jsonschema.validate(view, json.loads((schemas / "match.schema.json").read_text("utf-8")))
    jsonschema.validate(http, json.loads((schemas / "match-response.schema.json").read_text("utf-8")))
    assert http["outcome"] == "matched"
    assert [match["handle"] for match in http["matches"]] == [match["handle"] for match in view["matches"]]
    assert document["timings"]["total"] > 0
    for match in view["matches"]:
        assert match["member_id"] in done.stdout
    assert "Stopping the server" in done.stdout


@pytest.mark.slow
def test_a_step_that_fails_says_which_and_where_the_log_is(root: Path, tmp_path: Path) -> None:
    done = demo(root, "--members", "1", "--out", str(tmp_path / "demo"))
    assert done.returncode == 1
    assert "The demo failed: `peermatch synth" in done.stderr
    assert "demo.log" in done.stderr
    assert "Traceback" not in done.stderr
    assert "members" in (tmp_path / "demo" / "demo.log").read_text("utf-8")
