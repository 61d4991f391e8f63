"""What a command raises, translated once: one message on stderr, exit code 0, 1 or 2, never a traceback."""

from __future__ import annotations

import errno
import logging
import os
import secrets
import sys
import traceback
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, NoReturn

import click

from matcher.errors import PeermatchError, nearest
from service.cli import output

LOG_NAME = "peermatch.log"
_ERRORS_SHOWN = 20


class Refused(click.ClickException):
    """A command refused or failed: the form in which click shows an error of ours and exits 1.

    Parameters
    ----------
    message : str
        What is wrong and the way out.
    errors : mapping of str to str, optional
        One message per path.
    title : str
        What kind of thing went wrong; machines read it.
    as_json : bool
        Also write ``{"error": {"title", "message", "errors"}}`` to stdout.
    """

    exit_code = 1

    def __init__(
        self, message: str, errors: Mapping[str, str] | None = None, *, title: str, as_json: bool = False
    ) -> None:
        super().__init__(message)
        self.errors = dict(errors or {})
        self.title = title
        self.as_json = as_json

    def show(self, file: IO[Any] | None = None) -> None:
        """Write the message and the errors by path to stderr, and the document to stdout when it was asked for."""
        for number, line in enumerate(self.message.splitlines()):
            click.echo(f"{'  ' if number else 'peermatch: '}{output.plain(line)}", file=file, err=True)
        for path, message in list(self.errors.items())[:_ERRORS_SHOWN]:
            click.echo(f"  {output.plain(path)}: {output.plain(message)}", file=file, err=True)
        if len(self.errors) > _ERRORS_SHOWN:
            click.echo(f"  … and {len(self.errors) - _ERRORS_SHOWN} more", file=file, err=True)
        if self.as_json:
            with suppress(OSError):  # a full or closed stdout: stderr has it all
                output.write_json({"error": {"title": self.title, "message": self.message, "errors": self.errors}})


@contextmanager
def translated(ctx: click.Context) -> Iterator[None]:
    """Translate whatever the body raises into what click shows; with PEERMATCH_DEBUG=1 the traceback goes before it.

    click's own exceptions (usage errors: exit code 2; a broken pipe: silence) pass through.
    """
    try:
        yield
    except (click.ClickException, click.exceptions.Exit, click.Abort):
        raise
    except KeyboardInterrupt:
        raise click.exceptions.Exit(130) from None  # what a shell expects of a command that was interrupted
    except Exception as error:
        if isinstance(error, OSError) and error.errno == errno.EPIPE:
            raise
        if debugging():
            traceback.print_exc()
        title, message, details = _describe(error)
        raise Refused(message, details, title=title, as_json=output.json_wanted(ctx)) from error


def debugging() -> bool:
    """Return whether PEERMATCH_DEBUG asks for tracebacks."""
    return os.environ.get("PEERMATCH_DEBUG", "") not in ("", "0")


def unknown_command(ctx: click.Context, name: str, valid: Iterable[str]) -> NoReturn:
    """Refuse a command that does not exist, naming the nearest one (exit code 2)."""
    hint = nearest(name, valid)
    ctx.fail(f"there is no command {name!r}{hint}" if hint else f"there is no command {name!r}.")


def prepare_streams() -> None:
    """Make stdout and stderr safe to write to, and with PEERMATCH_DEBUG=1 log everything of ours.

    Otherwise nothing is set up: Python writes warnings of libraries to stderr by itself, and stdout is the result's.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal that cannot show a character shows '?' instead of failing
            stream.reconfigure(errors="replace")
    if debugging():
        logging.basicConfig(stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
        for ours in ("service", "matcher"):  # not the root: SQLAlchemy would write every statement
            logging.getLogger(ours).setLevel(logging.DEBUG)


def _describe(error: Exception) -> tuple[str, str, Mapping[str, str]]:
    """Return title, message and errors by path of an exception."""
    if isinstance(error, PeermatchError):
        return error.title, error.message, error.errors
    if isinstance(error, OSError) and error.filename is not None:
        return "A file cannot be used", f"{error.filename}: {error.strerror}", {}
    if isinstance(error, OSError) and error.errno is not None:
        return ("The operating system refused", f"{error.strerror}; free what is missing and run the command again", {})
    reference = _log(error)
    message = f"unexpected {type(error).__name__}; {reference} (PEERMATCH_DEBUG=1 shows the traceback)"
    return "Something unexpected happened", message, {}


def _log(error: Exception) -> str:
    """Append where `error` was raised to the log and return how to find it.

    The text of the exception stays out of the log: it may quote a record, and records are personal data.
    """
    reference = secrets.token_hex(4)
    frames = traceback.format_tb(error.__traceback__)
    path = Path(os.environ.get("PEERMATCH_HOME") or "var") / LOG_NAME
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as log:
            log.write(f"{datetime.now(UTC).isoformat()} {reference} {type(error).__qualname__}\n{''.join(frames)}\n")
    except OSError:
        last = traceback.extract_tb(error.__traceback__)[-1]
        return f"at {Path(last.filename).name}:{last.lineno} (the log {path} cannot be written)"
    return f"see {reference} in {path}"
