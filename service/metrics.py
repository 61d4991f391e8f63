"""What Prometheus is told: counts and times of the whole server, never a member.

A process keeps its numbers in files that all workers of one server share (`service.metric_files`), or, where there are
none, in its memory. Every function here costs some microseconds, and none of them fails a request.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from datetime import datetime
from threading import Lock
from typing import Any, Final

from flask import Flask, Response, g, request
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, values
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.samples import Sample

from service import metric_files
from service.logs import METHODS, log_failure

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
BUCKETS: Final = (0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
REGISTRY: Final = CollectorRegistry(auto_describe=False)

REQUESTS: Final = Counter(
    "peermatch_requests_total",
    "Requests, by route and status.",
    ["programme", "route", "method", "status"],
    registry=REGISTRY,
)
SECONDS: Final = Histogram(
    "peermatch_match_seconds",
    "Time to make or repeat a list; `fresh` is yes for one computed now.",
    ["programme", "kind", "outcome", "fresh"],
    buckets=BUCKETS,
    registry=REGISTRY,
)
LISTS: Final = Counter(
    "peermatch_lists_total",
    "Lists: new, repeated, over the budget, or none because the seeker is held.",
    ["programme", "kind", "result"],
    registry=REGISTRY,
)
EXCLUDED: Final = Counter(
    "peermatch_excluded_total",
    "Candidates whom each gate left out of new lists.",
    ["programme", "gate"],
    registry=REGISTRY,
)
DROPPED: Final = Counter(
    "peermatch_recheck_dropped_total",
    "Candidates of stored lists whom the re-check left out.",
    ["programme", "kind"],
    registry=REGISTRY,
)
BUILT: Final = Gauge(
    "peermatch_pool_age_seconds",
    "Age of the oldest pool that serves.",
    ["programme"],
    multiprocess_mode="livemin",
    registry=REGISTRY,
)
"""Holds the moment at which a pool was built; `text` makes an age of it."""
MEMBERS: Final = Gauge(
    "peermatch_pool_members", "People in the pool.", ["programme"], multiprocess_mode="livemax", registry=REGISTRY
)
MODEL: Final = Gauge(
    "peermatch_model_info",
    "1 for each model that serves.",
    ["programme", "version"],
    multiprocess_mode="livemax",
    registry=REGISTRY,
)

ALL: Final = (REQUESTS, SECONDS, LISTS, EXCLUDED, DROPPED, BUILT, MEMBERS, MODEL)
_children: dict[tuple[Any, ...], Any] = {}
_told: dict[str, tuple[int, datetime, str]] = {}
_told_off: Final = Lock()


def register(app: Flask) -> None:
    """Count every reply of `app`."""
    app.after_request(_count)


def _count(response: Response) -> Response:
    rule, access = request.url_rule, g.get("access")
    programme_id = access.programme_id if access else ""
    answered(request.method, rule.rule if rule else None, response.status_code, programme_id)
    return response


def answered(method: str, route: str | None, status: int, programme_id: str = "") -> None:
    """Count one reply; to no programme where no key told one."""
    method = method if method in METHODS else "OTHER"
    _add(REQUESTS, (programme_id, route or "none", method, str(status)), 1)


def matched(
    programme_id: str,
    kind: str,
    outcome: str,
    *,
    fresh: bool,
    seconds: float,
    result: str,
    excluded: Mapping[str, int] | None = None,
    dropped: int = 0,
) -> None:
    """Count one list.

    Parameters
    ----------
    programme_id : str
    kind : str
        ``buddy`` or ``group``.
    outcome : str
        ``matched``, or the reason for which there is no list.
    fresh : bool
        Whether it was computed now.
    seconds : float
        How long it took.
    result : str
        ``new``, ``repeat``, ``over_budget`` or ``held``.
    excluded : mapping
        How many candidates each gate left out; of a list computed now.
    dropped : int
        How many of a stored list the re-check left out.
    """
    try:
        _child(SECONDS, (programme_id, kind, outcome, "yes" if fresh else "no")).observe(seconds)
    except (OSError, ValueError) as error:
        _off(error)
    _add(LISTS, (programme_id, kind, result), 1)
    for gate, count in (excluded or {}).items():
        if count:
            _add(EXCLUDED, (programme_id, gate), count)
    if dropped:
        _add(DROPPED, (programme_id, kind), dropped)


def pool(programme_id: str, members: int, built_at: datetime, model_version: str) -> None:
    """Tell of the pool that serves now. Telling the same again costs nothing."""
    now = members, built_at, model_version
    before = _told.get(programme_id)
    if before == now:
        return
    _told[programme_id] = now
    try:
        if before is not None and before[2] != model_version:
            _child(MODEL, (programme_id, before[2])).set(0)
        _child(MODEL, (programme_id, model_version)).set(1)
        _child(MEMBERS, (programme_id,)).set(members)
        _child(BUILT, (programme_id,)).set(built_at.timestamp())
    except (OSError, ValueError) as error:
        _off(error)


def text(programme_id: str | None = None, now: float | None = None) -> bytes:
    """Return what Prometheus reads: of all workers, if they share files.

    Parameters
    ----------
    programme_id : str or None
        Leave out what is told of other programmes.
    now : float or None
        Seconds since 1970; the present moment by default.
    """
    folder = metric_files.folder()
    source: Any = REGISTRY
    if folder is not None:
        metric_files.forget_the_dead(folder)
        source = MultiProcessCollector(None, path=str(folder))  # type: ignore[no-untyped-call]
    answer = CollectorRegistry()
    moment = time.time() if now is None else now
    answer.register(_View(source.collect(), programme_id, moment))
    return generate_latest(answer)


class _View:
    """The metrics as they are told: ages for moments, no models that no longer serve, one programme's only."""

    def __init__(self, found: Iterable[Metric], programme_id: str | None, now: float) -> None:
        self._found = list(found)
        self._programme_id = programme_id
        self._now = now

    def collect(self) -> Iterable[Metric]:
        for metric in self._found:
            # Moments at which series began are of one process only, and say nothing of the server.
            samples = [one for one in metric.samples if self._tells(one) and not one.name.endswith("_created")]
            if metric.name == "peermatch_pool_age_seconds":
                samples = [one._replace(value=max(0.0, round(self._now - one.value, 3))) for one in samples]
            metric.samples = samples
            yield metric

    def _tells(self, sample: Sample) -> bool:
        if sample.name == "peermatch_model_info" and not sample.value:
            return False
        return self._programme_id in {None, sample.labels.get("programme")}


def _add(metric: Counter, labels: tuple[str, ...], amount: float) -> None:
    try:
        _child(metric, labels).inc(amount)
    except (OSError, ValueError) as error:
        _off(error)


def _child(metric: Any, labels: tuple[str, ...]) -> Any:
    # prometheus_client looks labels up under a lock, and joins them to a text, at every use.
    child = _children.get((metric, *labels))
    if child is None:
        child = _children[(metric, *labels)] = metric.labels(*labels)
    return child


def _off(error: Exception) -> None:
    """Say once that something cannot be counted."""
    if _told_off.acquire(blocking=False):
        log_failure(error)


def worker() -> None:
    """Begin to count in this process, from nothing; called once, after it was forked."""
    shared = metric_files.reserve(os.getpid())
    # The library decides by the environment, and when it is imported: too early for a server that makes the folder.
    multiprocess: Any = values.MultiProcessValue
    values.ValueClass = multiprocess() if shared else values.MutexValue
    _children.clear()
    _told.clear()
    if not shared:
        for metric in ALL:
            metric.clear()
