"""How many requests a minute a key may make, on all workers of a machine together.

The generic cell rate algorithm (ATM Forum, Traffic Management Specification 4.0, af-tm-0056.000, April 1996), a leaky
bucket as a meter: all that is kept of a key is the moment at which what it has used is worked off. A request moves that
moment on by a minute / `per_minute`; one that would move it more than a minute ahead is refused, and moves nothing. So
a minute's worth may come at once, and comes back evenly, not at the turn of a minute.

The clock is the machine's since it was started (CLOCK_MONOTONIC), the same for all its processes, which nobody sets. If
it jumps all the same, a moment too far ahead is cut back to a minute ahead: nobody is locked out, nor let in for free.

Every request costs one, also a new list: the programme's budget bounds those, and a partner has one number to know.
"""

from __future__ import annotations

import os
import time
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Final, NamedTuple
from weakref import WeakSet

from flask import Flask, Response, current_app, g

from service.limit_file import Clock, InMemory, LimitFile
from service.logs import log_failure
from service.problems import RATE_LIMITED, Problem
from service.settings import MOST_PER_MINUTE
from service.state import state

MINUTE: Final = 60_000_000_000
_SECOND: Final = 1_000_000_000


class Decision(NamedTuple):
    """What becomes of a request."""

    allowed: bool
    remaining: int
    """Requests that may come at once."""
    reset_seconds: int
    """Seconds, rounded up, until it is more; if the request is refused, until the same is not."""
    retry_after: int
    """Seconds until the same request is not refused: at least 1 if it is now, and else 0."""
    per_minute: int


def judged(before: int, now: int, per_minute: int, cost: int) -> tuple[int, Decision]:
    """Decide on a request.

    Parameters
    ----------
    before : int
        The moment at which what was used before is worked off; nanoseconds of any clock, and 0 for nothing.
    now : int
        Nanoseconds of the same clock.
    per_minute : int
        From 1 to `MOST_PER_MINUTE`. Each takes whole nanoseconds, so that a minute may take ten milliseconds more.
    cost : int
        From 1 to `per_minute`.

    Returns
    -------
    after : int
        The moment at which all that is used is worked off.
    decision : Decision
    """
    each = -(-MINUTE // per_minute)
    full = now + each * per_minute
    start = min(max(before, now), full)
    after = start + cost * each
    if after > full:
        wait = -(-(after - full) // _SECOND)
        return start, Decision(False, (full - start) // each, wait, wait, per_minute)
    remaining = (full - after) // each
    until_more = (remaining + 1) * each - (full - after)
    return after, Decision(True, remaining, -(-until_more // _SECOND), 0, per_minute)


class Limits:
    """Counts the requests of keys: in a file of the machine, or in this process where that cannot be.

    Parameters
    ----------
    run : Path or None
        The folder of the file, ``$PEERMATCH_RUN``; None counts in this process. The file is opened when it is needed.
    clock : callable
        Returns nanoseconds; the same in all processes that share the file.
    """

    def __init__(self, run: Path | None, clock: Clock = time.monotonic_ns) -> None:
        self._path = None if run is None else run / "limits"
        self._clock = clock
        self._memory = InMemory()
        self._told = False
        self._failed_at: int | None = None
        self.begin()
        _MADE.add(self)

    def begin(self) -> None:
        """Open nothing yet; called again in a process that was forked, which shares no lock with the other."""
        self._one_at_a_time = Lock()
        self._file: LimitFile | None = None

    def take(self, key_id: str, per_minute: int | None, cost: int = 1) -> Decision | None:
        """Count a request of a key, unless it is too many; return None for a key without a limit.

        Raises
        ------
        ValueError
            If `per_minute` is not from 1 to `MOST_PER_MINUTE`, or `cost` not from 1 to `per_minute`.
        """
        if per_minute is None:
            return None
        if not 1 <= cost <= per_minute <= MOST_PER_MINUTE:
            raise ValueError(f"found {cost} of {per_minute} a minute; expected some of 1 to {MOST_PER_MINUTE}")
        judge = partial(judged, per_minute=per_minute, cost=cost)
        with self._one_at_a_time:
            if self._path is not None and not self._has_failed():
                try:
                    return self._shared(self._path).change(key_id, self._clock, judge)
                except OSError as error:
                    self._fail(error)
            return self._memory.change(key_id, self._clock, judge)

    def _shared(self, path: Path) -> LimitFile:
        if self._file is None or self._file.gone:
            self._file = LimitFile(path)
        return self._file

    def _has_failed(self) -> bool:
        """Return whether the file failed within the last minute: a try may take long, and one a minute is enough."""
        return self._failed_at is not None and 0 <= self._clock() - self._failed_at < MINUTE

    def _fail(self, error: OSError) -> None:
        self._failed_at = self._clock()
        self._file = None
        if not self._told:
            self._told = True
            log_failure(error)


_MADE: Final[WeakSet[Limits]] = WeakSet()


def _begin_again() -> None:
    for limits in list(_MADE):
        limits.begin()


os.register_at_fork(after_in_child=_begin_again)


def register(app: Flask) -> None:
    """Heed the limits of keys; registered after what authenticates, and before what begins any work.

    What needs no key has no limit, and nor have requests with a wrong one: they are refused before.
    """
    app.before_request(_take)
    app.after_request(_tell)


def _take() -> None:
    access = g.get("access")
    decision = None if access is None else state(current_app).limits.take(access.key_id, access.per_minute)
    if decision is None:
        return
    g.limit = decision
    if not decision.allowed:
        raise Problem(
            RATE_LIMITED,
            f"This key may make {decision.per_minute} requests a minute. Nothing was changed; `Retry-After` says when "
            "to send this again.",
            headers={"Retry-After": str(decision.retry_after)},
        )


def _tell(response: Response) -> Response:
    """Say what is left, as draft-ietf-httpapi-ratelimit-headers-11 has it; what came of the request has no part."""
    decision: Decision | None = g.get("limit")
    if decision is not None:
        response.headers["RateLimit-Policy"] = f'"key";q={decision.per_minute};w=60'
        response.headers["RateLimit"] = f'"key";r={decision.remaining};t={decision.reset_seconds}'
    return response
