"""What a command prints: one JSON document for machines, tables and plain lines for people.

A command takes :func:`json_option` and ends in :func:`result`; stdout carries nothing else.
"""

from __future__ import annotations

import json
import math
import sys
import textwrap
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import click

_JSON = "service.cli.json"
_Command = TypeVar("_Command", bound=Callable[..., Any])


def json_option(command: _Command) -> _Command:
    """Add ``--json`` to a command; its function gets ``as_json: bool``."""
    option = click.option(
        "--json",
        "as_json",
        is_flag=True,
        callback=_remember,
        help="Write one JSON document to stdout; logs go to stderr.",
    )
    return option(command)


def example(*commands: str) -> str:
    r"""Return the example that ends a command's help (its `epilog`); click keeps the lines of a paragraph after \b."""
    return "\n".join(("\b", "Example:", *(f"  {command}" for command in commands)))


def json_wanted(ctx: click.Context) -> bool:
    """Return whether the command that runs under `ctx` was given ``--json`` (so that errors can answer in kind)."""
    return bool(ctx.meta.get(_JSON, False))


def result(document: Any, lines: Iterable[str], *, as_json: bool) -> None:
    """Print the result of a command: `document` as JSON, or `lines` for people (not evaluated when JSON is wanted)."""
    if as_json:
        write_json(document)
        return
    for line in lines:
        click.echo(line)


def write_json(document: Any) -> None:
    """Write `document` to stdout as JSON that every terminal encoding can carry: one line, but for who watches.

    Raises
    ------
    ValueError
        If a number is NaN or infinite: such a document is not JSON.
    """
    indent = 2 if sys.stdout.isatty() else None
    click.echo(json.dumps(document, indent=indent, ensure_ascii=True, allow_nan=False))


def note(message: str) -> None:
    """Say something to the person at the terminal, on stderr."""
    click.echo("peermatch: " + "\n  ".join(plain(line) for line in message.splitlines()), err=True)


def plain(text: str) -> str:
    """Return `text` without characters that could steer a terminal (controls, direction marks, lone surrogates)."""
    return "".join("?" if unicodedata.category(c) in ("Cc", "Cf", "Cs") else c for c in text)


def cell(value: object) -> str:
    """Return `value` as a table shows it: ``–`` for nothing, two decimals for a number between −10 and 10."""
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.2f}" if math.isfinite(value) and abs(value) < 10 else f"{value:.4g}"
    return plain(str(value))


def table(headers: Sequence[str], rows: Iterable[Sequence[object]], *, width: int = 110) -> list[str]:
    """Return an aligned table as lines; the last column wraps at `width`.

    Parameters
    ----------
    headers : sequence of str
        One per column.
    rows : iterable of sequences
        Values, shown by :func:`cell`; columns that hold only numbers are right-aligned.
    width : int
        Columns of the terminal to use.
    """
    values = [list(row) for row in rows]
    cells = [[cell(v) for v in row] for row in values]
    numeric = [
        bool(values) and all(isinstance(row[i], int | float) and not isinstance(row[i], bool) for row in values)
        for i in range(len(headers))
    ]
    widths = [max(_columns(row[i]) for row in [list(headers), *cells]) for i in range(len(headers))]
    room = max(20, width - sum(widths[:-1]) - 2 * (len(headers) - 1))
    lines = [_row(headers, widths, numeric), _row(["─" * min(w, room) for w in widths], widths, numeric)]
    for row in cells:
        wrapped = textwrap.wrap(row[-1], room) or [""]
        lines.append(_row([*row[:-1], wrapped[0]], widths, numeric))
        indent = " " * (sum(widths[:-1]) + 2 * (len(headers) - 1))
        lines.extend(indent + rest for rest in wrapped[1:])
    return lines


def _row(cells: Sequence[str], widths: Sequence[int], numeric: Sequence[bool]) -> str:
    padded = []
    for text, width, right in zip(cells, widths, numeric, strict=True):
        space = " " * (width - _columns(text))
        padded.append(space + text if right else text + space)
    return "  ".join(padded).rstrip()


def _columns(text: str) -> int:
    """Return how many columns of a terminal `text` takes (East Asian wide characters take two)."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _remember(ctx: click.Context, _param: click.Parameter, value: bool) -> bool:
    ctx.meta[_JSON] = bool(value) or ctx.meta.get(_JSON, False)
    return value
