"""What Prometheus reads, in one process and over several."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from service import metric_files, metrics

BUILT = datetime(2026, 3, 4, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _from_nothing(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv(metric_files.VARIABLE, raising=False)
    metrics.worker()
    yield
    metrics.worker()


def samples(text: bytes | None = None, **view: object) -> dict[tuple[str, tuple[str, ...]], float]:
    text = metrics.text(**view) if text is None else text  # type: ignore[arg-type]
    return {
        (sample.name, tuple(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def test_requests_are_counted_by_route_method_and_status() -> None:
    for method in ("GET", "GET", "BREW"):
        metrics.answered(method, "/v1/members/<member_id>", 404)
    metrics.answered("POST", None, 408)
    assert samples() == {
        ("peermatch_requests_total", ("GET", "", "/v1/members/<member_id>", "404")): 2,
        ("peermatch_requests_total", ("OTHER", "", "/v1/members/<member_id>", "404")): 1,
        ("peermatch_requests_total", ("POST", "", "none", "408")): 1,
    }


def test_a_list_is_counted_with_its_time_and_what_was_left_out() -> None:
    metrics.matched(
        "lantern", "buddy", "matched", fresh=True, seconds=0.0011, result="new", excluded={"language": 7, "block": 0}
    )
    metrics.matched("lantern", "buddy", "matched", fresh=False, seconds=9.0, result="repeat", dropped=2)
    found = samples()
    assert (
        found["peermatch_lists_total", ("buddy", "lantern", "new")]
        == found["peermatch_lists_total", ("buddy", "lantern", "repeat")]
        == 1
    )
    assert found["peermatch_excluded_total", ("language", "lantern")] == 7
    assert ("peermatch_excluded_total", ("block", "lantern")) not in found
    assert found["peermatch_recheck_dropped_total", ("buddy", "lantern")] == 2
    new = {key[1][2]: value for key, value in found.items() if key[0].endswith("_bucket") and key[1][0] == "yes"}
    assert [edge for edge, value in new.items() if value == 0] == ["0.00025", "0.0005", "0.001"]
    assert new["0.0025"] == new["+Inf"] == 1
    assert len(new) == 14
    assert found["peermatch_match_seconds_sum", ("no", "buddy", "matched", "lantern")] == 9.0


def test_a_pool_has_an_age_and_only_the_model_that_serves() -> None:
    metrics.pool("lantern", 812, BUILT, "1")
    metrics.pool("lantern", 815, BUILT, "2")
    assert samples(now=BUILT.timestamp() + 90) == {
        ("peermatch_pool_age_seconds", ("lantern",)): 90,
        ("peermatch_pool_members", ("lantern",)): 815,
        ("peermatch_model_info", ("lantern", "2")): 1,
    }


def test_one_programmes_key_is_told_nothing_of_another() -> None:
    metrics.answered("GET", "/metrics", 200, "lantern")
    metrics.answered("GET", "/nowhere", 404)
    for programme_id in ("lantern", "beacon"):
        metrics.pool(programme_id, 812, BUILT, "1")
        metrics.answered("POST", "/v1/match", 200, programme_id)
        metrics.matched(programme_id, "buddy", "held", fresh=False, seconds=0.1, result="held")
    told = [line for line in metrics.text("lantern").decode().splitlines() if not line.startswith("#")]
    assert len(told) > 10
    assert all('programme="lantern"' in line for line in told)
    assert b"beacon" in metrics.text()


def test_what_cannot_be_counted_fails_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def inc(self, *_: object) -> None:
            raise OSError(28, "No space left on device")

        set = observe = inc

    monkeypatch.setattr(metrics, "_child", lambda *_: Full())
    metrics.answered("GET", "/metrics", 200)
    metrics.matched(
        "lantern", "buddy", "matched", fresh=True, seconds=0.1, result="new", excluded={"language": 1}, dropped=1
    )
    metrics.pool("elsewhere", 1, BUILT, "1")


WORKER = """
import sys, time
from datetime import UTC, datetime
from service import metrics
metrics.worker()
number = int(sys.argv[1])
for _ in range(number):
    metrics.answered("GET", "/v1/programme", 200)
    metrics.matched("lantern", "buddy", "matched", fresh=True, seconds=0.002, result="new")
metrics.pool("lantern", 10 * number, datetime.fromtimestamp(1000 * number, UTC), "1")
print("ready", flush=True)
sys.stdin.read()
"""


def test_workers_add_up_and_one_that_ended_leaves_its_counts_only(tmp_path: Path, root: Path) -> None:
    metric_files.prepare(tmp_path)
    folder = metric_files.folder()
    assert folder is not None
    workers = []
    try:
        for number in (2, 3):
            command = [sys.executable, "-c", WORKER, str(number)]
            worker = subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            workers.append(worker)
            assert worker.stdout is not None
            assert worker.stdout.readline() == "ready\n"
        found = samples(now=5000.0)
        assert found["peermatch_requests_total", ("GET", "", "/v1/programme", "200")] == 5
        assert found["peermatch_match_seconds_count", ("yes", "buddy", "matched", "lantern")] == 5
        assert found["peermatch_pool_age_seconds", ("lantern",)] == 3000, "the oldest"
        assert found["peermatch_pool_members", ("lantern",)] == 30
        workers[1].communicate("")
        found = samples(now=5000.0)
        assert found["peermatch_requests_total", ("GET", "", "/v1/programme", "200")] == 5
        assert found["peermatch_pool_members", ("lantern",)] == 20
        assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    finally:
        for worker in workers:
            worker.communicate("")
        os.environ.pop(metric_files.VARIABLE, None)
