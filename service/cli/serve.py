"""``peermatch serve``: answer partner apps over HTTP."""

from __future__ import annotations

import errno
import os
import socket

import click

from matcher.errors import PeermatchError
from service.cli import context, output
from service.cli.publishing import load_model
from service.security import read_secret_key
from service.settings import Settings
from service.store import Store, models, programmes


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
    help="Processes; each works on one request at a time.",
)
@click.option(
    "--timeout",
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    type=click.FloatRange(0.1, 3600),
    help="Time for a request's body to come and its turn to begin.",
)
@output.json_option
def command(host: str, port: int, workers: int, timeout: float, as_json: bool) -> None:
    """Answer partner apps over HTTP, until Ctrl-C or SIGTERM.

    Requests under way are finished first. Logs are JSON lines on stderr; with --json the one document on stdout
    says where the server listens.
    """
    where = context.settings()
    served, unserved = check_ready(where)
    port = usable_port(host, port)
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    listening = {"url": address, "host": host, "port": port, "workers": workers, "pid": os.getpid()}
    for programme_id, problem in unserved.items():
        click.echo(f"peermatch: not served: programme {programme_id!r}: {output.plain(problem)}", err=True)
    output.result(
        {**listening, "programmes": served},
        [f"Serving {', '.join(served)} at {address} (Ctrl-C stops)"],
        as_json=as_json,
    )
    run(where, host, port, workers, timeout)


def check_ready(where: Settings) -> tuple[list[str], dict[str, str]]:
    """Return the ids of the programmes that can be served, and why the others cannot, by id.

    Raises
    ------
    PeermatchError
        If none can be: no secret key, no database, no programme, or no model of any that can be loaded.
    """
    read_secret_key(where)
    served: list[str] = []
    unserved: dict[str, str] = {}
    with context.opened(where) as store:
        with store.reading() as session:
            known = programmes.identifiers(session)
        for programme_id in known:
            problem = _problem(where, store, programme_id)
            if problem is None:
                served.append(programme_id)
            else:
                unserved[programme_id] = problem
    if not known:
        raise ServeError("the database has no programme yet; `peermatch init FILE.toml` adds the first")
    if not served:
        told = "; ".join(f"programme {programme_id!r}: {problem}" for programme_id, problem in unserved.items())
        raise ServeError(f"there is no programme that can be served. {told}")
    return served, unserved


def _problem(where: Settings, store: Store, programme_id: str) -> str | None:
    """Return why a programme cannot be served; the one before the active model serves in its place."""
    retrain = f"`peermatch train --programme {programme_id}` makes one"
    try:
        with store.reading() as session:
            programme = programmes.load(session, programme_id)
            active = models.active(session, programme_id)
    except PeermatchError as error:
        return error.message
    if active is None:
        return f"it has no active model; {retrain}"
    first: str | None = None
    for version in (active.version, active.previous):
        if version is None:
            continue
        try:
            load_model(where, programme, version)
        except PeermatchError as error:
            first = first or f"model {version}: {error.message}; {retrain}"
        else:
            return None
    return first


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


def run(where: Settings, host: str, port: int, workers: int, timeout: float) -> None:
    """Run the server until it is told to stop.

    Raises
    ------
    ServeError
        If a worker ended by itself (its log line says why).
    """
    from service.server import serve  # noqa: PLC0415 - granian, and the application, which workers share

    if not serve(where, host, port, workers, timeout):
        raise ServeError(
            "a worker ended and could not be started again; the log lines above say why, and `peermatch doctor` "
            "checks this installation"
        )


def _why(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} of {host} is in use; stop what listens there, or give another --port (0: a free one)"
    if error.errno == errno.EACCES:
        return f"port {port} needs more rights than this user has; give a --port above 1023"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"--host: {host} is no address of this machine; 127.0.0.1 is, and 0.0.0.0 means all of its addresses"
    return f"cannot listen at {host}:{port}: {error.strerror}"
