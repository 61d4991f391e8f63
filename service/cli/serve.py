"""``peermatch serve``: answer partner apps over HTTP."""

from __future__ import annotations

import errno
import importlib
import os
import socket
from typing import Any

import click
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from matcher.errors import PeermatchError
from service.cli import context, output
from service.security import read_secret_key
from service.settings import Settings
from service.store import models, programmes

GRACE_SECONDS = 10


class ServeError(PeermatchError):
    """The server cannot be started here."""

    title = "The server cannot start"


@click.command(epilog=output.example("peermatch serve --host 0.0.0.0 --port 8000 --workers 2"))
@click.option("--host", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="Address to listen at.")
@click.option(
    "--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="Port to listen at; 0: a free one."
)
@click.option(
    "--workers",
    default=1,
    show_default=True,
    type=click.IntRange(1, 256),
    help="Processes; each answers one request at a time.",
)
@output.json_option
def command(host: str, port: int, workers: int, as_json: bool) -> None:
    """Answer partner apps over HTTP, until Ctrl-C or SIGTERM.

    Requests under way are finished first. Logs are JSON lines on stderr; with --json the one document on stdout
    says where the server listens.
    """
    where = context.settings()
    served = check_ready(where)
    port = usable_port(host, port)
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    listening = {"url": address, "host": host, "port": port, "workers": workers, "pid": os.getpid()}
    output.result(
        {**listening, "programmes": served},
        [f"Serving {', '.join(served)} at {address} (Ctrl-C stops)"],
        as_json=as_json,
    )
    run(host, port, workers)


def check_ready(where: Settings) -> list[str]:
    """Return the ids of the programmes that can be served.

    Raises
    ------
    PeermatchError
        If the installation is not initialised: no secret key, no database, no programme, or one without a model.
    """
    read_secret_key(where)
    with context.opened(where) as store, store.reading() as session:
        served = programmes.identifiers(session)
        for programme_id in served:
            if models.active(session, programme_id) is None:
                raise ServeError(
                    f"programme {programme_id!r} has no active model; `peermatch train --programme {programme_id}` "
                    "makes one"
                )
    if not served:
        raise ServeError("the database has no programme yet; `peermatch init FILE.toml` adds the first")
    return served


def usable_port(host: str, port: int) -> int:
    """Return `port` if nobody listens there (for 0: one that is free).

    Raises
    ------
    ServeError
        If the port is taken or not allowed, or the address is not this machine's. Tried here because the server
        itself would share the port with another of its kind, and both would get half of the requests.
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            free: int = probe.getsockname()[1]
            return free
    except socket.gaierror:
        raise ServeError(f"--host: found {host!r}; expected an address of this machine, such as 127.0.0.1") from None
    except OSError as error:
        raise ServeError(_why(host, port, error)) from None


def run(host: str, port: int, workers: int) -> None:
    """Run the server until it is told to stop.

    Raises
    ------
    ServeError
        If a worker ended by itself (its log line says why).
    """
    server = Granian(
        "service.wsgi:app",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        # One: the matching is CPU-bound, and a second thread of one worker would only wait for the first.
        blocking_threads=1,
        websockets=False,
        log_level=LogLevels.warning,
        respawn_failed_workers=True,
        workers_kill_timeout=GRACE_SECONDS,
    )
    try:
        server.serve(target_loader=load_application, wrap_loader=False)
    except SystemExit as end:
        if end.code:
            raise ServeError(
                "a worker ended and could not be started again; the log lines above say why, and `peermatch doctor` "
                "checks this installation"
            ) from None


def load_application() -> Any:
    """Return the application, in a worker; granian's own loader would look for it in the working folder first."""
    return importlib.import_module("service.wsgi").app


def _why(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} of {host} is in use; stop what listens there, or give another --port (0: a free one)"
    if error.errno == errno.EACCES:
        return f"port {port} needs more rights than this user has; give a --port above 1023"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"--host: {host} is no address of this machine; 127.0.0.1 is, and 0.0.0.0 means all of its addresses"
    return f"cannot listen at {host}:{port}: {error.strerror}"
