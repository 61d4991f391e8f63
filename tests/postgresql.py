"""A PostgreSQL server of the tests' own: made from nothing in a temporary folder, and gone with the process it is for.

``python -m tests.postgresql BIN`` is what minds it: it says where the server listens, and ends it when its standard
input ends. So none is left over, whatever becomes of the tests: they fail, are interrupted, are killed.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import IO, Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
CI = os.environ.get("CI", "").lower() in {"1", "true"}
PACKAGE: Final = "postgresql"
"""What brings the server with apt-get."""
SUPERUSER: Final = "postgres"
LONGEST_SOCKET: Final = 100
"""Characters of a path that a socket can have, nearly."""
MEMORY: Final = Path("/dev/shm")
ROOM: Final = 3_000_000_000
"""Bytes free in memory from which on the server lies there: a database is 300 files, which a disk makes slowly."""
READY_SECONDS: Final = 60.0
# Nobody's data: what survives a crash of the machine is not tested, and waiting for the disk would take most of the
# time. What a transaction waits for, and what it leaves to be written later, is as it is in service.
SETTINGS: Final = {
    "listen_addresses": "",
    "fsync": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "max_wal_size": "256MB",
    "checkpoint_timeout": "1h",
    "autovacuum": "off",
    "jit": "off",
    "log_min_messages": "fatal",
    "log_min_error_statement": "panic",
}


def binaries() -> Path | None:
    """Return the folder of PostgreSQL's programs, of the newest release where there are several; None: not here."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name))
    if (asked := shutil.which("pg_config")) is not None:
        said = subprocess.run([asked, "--bindir"], capture_output=True, text=True, check=False).stdout.strip()
        folders.insert(0, Path(said))
    if (found := shutil.which("initdb")) is not None:
        folders.insert(0, Path(found).resolve().parent)
    whole = [folder for folder in folders if (folder / "initdb").exists() and (folder / "postgres").exists()]
    return whole[-1] if whole else None


def needed() -> Path:
    """Return the folder of PostgreSQL's programs; without them skip, but fail in CI, which must have them."""
    import pytest

    found = binaries()
    if found is None:
        message = f"needs PostgreSQL, which is not installed: apt-get install {PACKAGE}"
        (pytest.fail if CI else pytest.skip)(message)
    return found


class Cluster:
    """A server that runs.

    Parameters
    ----------
    folder : Path
        Where its socket is.
    """

    def __init__(self, folder: Path, process: subprocess.Popen[str], log: IO[str]) -> None:
        self.folder, self.process, self.log = folder, process, log
        self._numbers = count()
        self._passing: list[str] = []
        self._passed: list[str] = []
        self._admin: Any = None

    def address(self, database: str) -> str:
        """Return what PEERMATCH_DATABASE_URL says of a database."""
        return f"postgresql+psycopg://{SUPERUSER}@/{database}?host={self.folder}"

    def create(self, template: str | None = None) -> str:
        """Make a database, empty or a copy of one that nobody is connected to; return its name."""
        name = f"t{next(self._numbers)}"
        # As files: with fsync off that is three times as quick as through the log.
        self.run(f"CREATE DATABASE {name} TEMPLATE {template or 'template1'} STRATEGY file_copy")
        self._passing.append(name)
        return name

    def keep(self, name: str) -> None:
        """Let a database be there until the server ends."""
        self._passing.remove(name)

    @contextmanager
    def passing(self) -> Iterator[None]:
        """Let every database that is made meanwhile go when the next ones have come and gone, whoever is connected."""
        known = len(self._passing)
        try:
            yield
        finally:
            # The server waits a tenth of a second for connections that are just being closed; for older ones it need
            # not.
            for name in self._passed:
                self.run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            self._passed = self._passing[known:]
            del self._passing[known:]

    def run(self, sql: str) -> list[Any]:
        """Run a statement as the superuser, outside any transaction; return its rows."""
        import psycopg

        for attempt in range(2):
            if self._admin is None or self._admin.closed:
                where = {"host": str(self.folder), "user": SUPERUSER, "dbname": "postgres"}
                self._admin = psycopg.connect(**where, autocommit=True)
            try:
                cursor = self._admin.execute(sql)
                return [] if cursor.description is None else list(cursor.fetchall())
            except psycopg.OperationalError:  # a test may have ended every connection
                if attempt or not self._admin.closed:
                    raise
        raise AssertionError

    def disconnect(self, database: str) -> None:
        """End every connection to a database, as an administrator or a failing server does."""
        self.run(f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{database}'")

    def restart(self) -> None:
        """Stop the server and start it again; what was committed is there."""
        self.tell("restart")

    def stop(self) -> None:
        """Stop the server, until it is started again."""
        self.tell("stop")

    def start(self) -> None:
        """Start the server that was stopped."""
        self.tell("start")

    def tell(self, what: str) -> None:
        """Have the process that minds the server do something."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{what}\n")
        self.process.stdin.flush()
        self.wait()

    def wait(self) -> None:
        """Wait until what was told is done."""
        assert self.process.stdout is not None
        if self.process.stdout.readline() != "ready\n":
            self.process.wait(READY_SECONDS)
            self.log.seek(0)
            raise AssertionError(f"PostgreSQL failed: {self.log.read()}")

    def close(self) -> None:
        """End it."""
        if self._admin is not None:
            self._admin.close()
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(READY_SECONDS)
        self.process.stdout.close()
        self.log.close()


def started(programs: Path) -> Cluster:
    """Start a server; whoever does so closes it."""
    folder = Path(tempfile.mkdtemp(prefix="pm-", dir=_place()))
    log = tempfile.TemporaryFile("w+", errors="replace")  # noqa: SIM115 - closed with the cluster
    command = [sys.executable, "-m", "tests.postgresql", str(programs), str(folder)]
    process = subprocess.Popen(  # of another session: an interrupt from the keyboard is not for it
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True
    )
    cluster = Cluster(folder / "s", process, log)
    try:
        cluster.wait()
    except BaseException:
        cluster.close()
        raise
    return cluster


def _place() -> str | None:
    """Return where the server lies: in memory, or where a socket's path is short; None: where temporary files are."""
    if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM:
        return str(MEMORY)
    usual = tempfile.gettempdir()
    return None if len(usual) + len("/pm-12345678/s/.s.PGSQL.5432") < LONGEST_SOCKET else "/tmp"


class Minder:
    """Runs the server. As root it does so for another user: PostgreSQL refuses root."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self.programs, self.folder = programs, folder
        self.user: dict[str, Any] = {}
        self.server: subprocess.Popen[bytes] | None = None

    def make(self) -> None:
        """Make the folders and the cluster. It orders as people order words: what needs code points must say so."""
        for part in (self.folder / "d", self.folder / "s"):
            part.mkdir(mode=0o700)
        if os.geteuid() == 0:
            number, group = _another_user()
            self.user = {"user": number, "group": group, "extra_groups": []}
            for part in (self.folder / "d", self.folder / "s"):
                os.chown(part, number, group)
            self.folder.chmod(0o711)
        command = [self.programs / "initdb", "-D", self.folder / "d", "--no-sync", "--no-instructions", "--auth=trust"]
        command += ["-U", SUPERUSER, "--encoding=UTF8"]
        icu = ["--locale-provider=icu", "--icu-locale=en-US", "--locale=C"]
        made = self._run([*command, *icu])
        if made.returncode:  # built without ICU, or older than 15
            sys.stderr.write(made.stderr.decode("utf-8", "replace"))
            for left in (self.folder / "d").iterdir():
                shutil.rmtree(left)
            self._run(command).check_returncode()

    def _run(self, command: list[Any]) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(command, cwd=self.folder / "s", capture_output=True, check=False, **self.user)

    def start(self) -> None:
        """Start the server, and return when it can be asked."""
        options = [word for name, value in SETTINGS.items() for word in ("-c", f"{name}={value}")]
        where = ["-D", self.folder / "d", "-c", f"unix_socket_directories={self.folder / 's'}"]
        command = [self.programs / "postgres", *where, *options]
        self.server = subprocess.Popen(
            command, cwd=self.folder / "s", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            preexec_fn=_end_with_parent, **self.user,  # noqa: PLW1509 - there are no threads
        )  # fmt: skip
        # It writes its state when it can be asked, and has no other way of saying so to whoever started it.
        state = self.folder / "d" / "postmaster.pid"
        end = time.monotonic() + READY_SECONDS
        while not (state.exists() and "ready" in state.read_text("utf-8")):
            if self.server.poll() is not None or time.monotonic() > end:
                raise SystemExit(f"the server did not start: exit code {self.server.poll()}")
            threading.Event().wait(0.01)

    def stop(self) -> None:
        """Stop the server; connections are ended."""
        if self.server is not None:
            self.server.send_signal(signal.SIGINT)
            try:
                self.server.wait(READY_SECONDS)
            except subprocess.TimeoutExpired:
                self.server.send_signal(signal.SIGQUIT)
                self.server.wait()
            self.server = None

    def mind(self) -> None:
        """Do what standard input says until it ends."""
        for ending in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(ending, lambda *_: sys.exit(1))
        try:
            self.make()
            self.start()
            _say("ready")
            for line in sys.stdin:
                if line.strip() in {"stop", "restart"}:
                    self.stop()
                if line.strip() in {"start", "restart"}:
                    self.start()
                _say("ready")
        finally:
            with suppress(BaseException):
                self.stop()
            shutil.rmtree(self.folder, ignore_errors=True)


def _end_with_parent() -> None:
    """Have Linux end the server at once when its minder is killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGQUIT)  # PR_SET_PDEATHSIG


def _another_user() -> tuple[int, int]:
    import pwd

    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            found = pwd.getpwnam(name)
            return found.pw_uid, found.pw_gid
    raise SystemExit("PostgreSQL does not run as root, and there is neither a user `postgres` nor `nobody`")


def _say(word: str) -> None:
    # Whoever asked may be gone: then standard input ends too.
    with suppress(OSError):
        sys.stdout.write(f"{word}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    Minder(Path(sys.argv[1]), Path(sys.argv[2])).mind()
