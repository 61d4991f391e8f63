"""How a granian worker runs the application: many threads read bodies, one does the work.

The work is CPU-bound, so a second thread doing it would only take the interpreter from the first (1,000 requests a
second fewer, and a tail of nine milliseconds at eight connections). A thread that waits for a body does not hold the
interpreter, and costs nothing.

granian calls a WSGI application from the thread that must also answer. To answer later, and from another thread, the
application needs granian's own object for the request, which granian's wrapper hides: `install` puts another wrapper
in its place. It is the only private name of granian that is used; `tests/service/cli/test_serve_slow.py` would tell.
"""

from __future__ import annotations

import io
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any, Final, Protocol, TypeAlias

import granian.server.mp as granian_workers

from service.deadlines import Deadlines, Pending
from service.gate import Gate, late, read, refuse
from service.logs import BEGAN, log_event, log_failure
from service.places import Places
from service.problems import INTERNAL, Problem

Environ: TypeAlias = dict[str, Any]
Wsgi: TypeAlias = Callable[[Environ, Any], Iterable[bytes]]

AT_ONCE: Final = frozenset({"/__lbheartbeat__", "/__version__"})
"""Answered by the thread that received them: they ask nothing."""
ASIDE: Final = frozenset({"/__heartbeat__", "/metrics"})
"""Answered by a thread of their own, so that they do not wait for the work."""
READERS: Final = 256
"""Threads that take requests and read bodies, at most. They sleep while they wait; each costs some ten kilobytes."""
MOST_READING: Final = 240
"""Of these; the rest are for what has no body. More requests than this at once are too many for a worker anyway."""
MOST_SLOW: Final = 128
"""Of these, bodies that were not there at once."""
MOST_SLOW_OF_ONE: Final = 32
"""Of these, for one key."""
MOST_STUCK: Final = 64
"""Threads that wait for bodies long given up: the worker is replaced."""
_WRAPPER: Final = "_wsgi_call_wrap"
_BASE: Final[Environ] = {
    "SCRIPT_NAME": "",
    "wsgi.errors": sys.stderr,
    "wsgi.input_terminated": True,
    "wsgi.multiprocess": True,
    "wsgi.multithread": True,
    "wsgi.run_once": False,
    "wsgi.version": (1, 0),
}


class Reception(Protocol):
    """granian's side of one request. What is answered after the first answer is ignored."""

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        """Answer."""


@dataclass(eq=False, slots=True)
class Job:
    """One request."""

    reception: Reception
    environ: Environ
    pending: Pending


class Runner:
    """Takes requests from granian's threads.

    Parameters
    ----------
    app : WSGI application
    may_send : callable
        Returns whether an ``Authorization`` header opens anything; called from one thread at a time.
    seconds : float
        How long a request may take until the work on it begins.
    renew : callable
        Called once, when too many threads wait for bodies that were given up: granian lets go of a body only when
        its sender does.
    session_of : callable, optional
        See `service.gate.Gate`.
    """

    def __init__(
        self,
        app: Wsgi,
        may_send: Callable[[str], bool],
        seconds: float,
        renew: Callable[[], None] | None = None,
        session_of: Callable[[Mapping[str, Any]], str | None] | None = None,
    ) -> None:
        self._app = app
        self._aside = ThreadPoolExecutor(1, thread_name_prefix="peermatch-aside")
        self._gate = Gate(lambda header: self._aside.submit(may_send, header).result(), session_of)
        self._deadlines = Deadlines(seconds)
        self._places = Places(MOST_READING, MOST_SLOW, MOST_SLOW_OF_ONE)
        self._renew: Callable[[], None] | None = renew or _renew
        self._stuck: set[Pending] = set()
        self._queue: SimpleQueue[Job] = SimpleQueue()

    def start(self) -> None:
        """Start the thread that works and the one that watches the clock."""
        self._deadlines.start()
        # One thread, and so one of the store's connections, however many of granian's threads come and go.
        threading.Thread(target=self._work, name="peermatch-work", daemon=True).start()

    def __call__(self, reception: Reception, scope: Environ) -> None:
        """Take one request; called by granian, from any of its threads."""
        environ = {**_BASE, **scope, BEGAN: time.perf_counter()}
        try:
            if environ["PATH_INFO"] in AT_ONCE:
                environ["wsgi.input"] = io.BytesIO()
                self._answer(reception, environ)
            else:
                self._take(reception, environ)
        except Exception as error:  # noqa: BLE001 - granian would log its words
            self._fail(error, reception, environ)

    def _take(self, reception: Reception, environ: Environ) -> None:
        pending = self._deadlines.begin(lambda late_one: self._give_up(late_one, reception, environ))
        try:
            environ["wsgi.input"] = io.BytesIO(self._body(pending, environ))
        except Problem as problem:
            if self._deadlines.claim(pending):
                reception.response_bytes(*refuse(problem, environ))
            return
        except Exception as error:  # noqa: BLE001 - granian would log its words
            if self._deadlines.claim(pending):
                self._fail(error, reception, environ)
            return
        job = Job(reception, environ, pending)
        if environ["PATH_INFO"] in ASIDE:
            self._aside.submit(self._begin, job)
        else:
            # Last: the thread that works wants the interpreter now, and this one is to be done with it.
            self._queue.put(job)

    def _body(self, pending: Pending, environ: Environ) -> bytes:
        """Read the body here and now: granian drops it when the thread that brought it returns."""
        sender = self._gate.sender(environ)
        if sender is None:
            return b""
        with self._places.taken(sender):
            pending.reading = True
            try:
                return read(environ)
            finally:
                pending.reading = False
                self._stuck.discard(pending)

    def _work(self) -> None:
        while True:
            self._begin(self._queue.get())

    def _begin(self, job: Job) -> None:
        if self._deadlines.claim(job.pending):
            try:
                self._answer(job.reception, job.environ)
            except Exception as error:  # noqa: BLE001 - the application answers its own; the thread must live
                self._fail(error, job.reception, job.environ)

    def _answer(self, reception: Reception, environ: Environ) -> None:
        head: list[Any] = []

        def start(status: str, headers: list[tuple[str, str]], _: Any = None) -> None:
            head[:] = int(status[:3]), headers

        parts = self._app(environ, start)
        try:
            body = b"".join(parts)
        finally:
            if hasattr(parts, "close"):
                parts.close()
        reception.response_bytes(head[0], head[1], body)

    def _give_up(self, pending: Pending, reception: Reception, environ: Environ) -> None:
        reading = pending.reading
        if reading:
            self._stuck.add(pending)
            if not pending.reading:  # it ended just now
                self._stuck.discard(pending)
        reception.response_bytes(*refuse(late(reading=reading), environ))
        if self._renew is not None and len(self._stuck) >= MOST_STUCK:
            log_event("renewal", waiting=len(self._stuck))
            renew, self._renew = self._renew, None
            renew()

    def _fail(self, error: Exception, reception: Reception, environ: Environ) -> None:
        log_failure(error)
        reception.response_bytes(*refuse(Problem(INTERNAL, "The log has this request's X-Request-Id."), environ))


def install(runner: Runner) -> None:
    """Have granian, in this worker, hand requests to `runner` instead of calling a WSGI application itself.

    Raises
    ------
    AttributeError
        If this release of granian has no such wrapper.
    """
    if not hasattr(granian_workers, _WRAPPER):
        raise AttributeError(f"this release of granian has no {_WRAPPER}; install the one in constraints.txt")
    setattr(granian_workers, _WRAPPER, lambda *_: runner)


def _renew() -> None:
    # granian's own way to replace its workers: new ones first, then the old ones stop.
    os.kill(os.getppid(), signal.SIGHUP)
