"""What `tomllib` does not tell: on which line each table header of a TOML text stands. And reading the text itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from matcher.errors import ProgrammeError

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_KEY = r"""\s*(?:[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*')\s*"""
_HEADER = re.compile(rf"\s*\[\[?({_KEY}(?:\.{_KEY})*)\]")
_ONE_KEY = re.compile(_KEY)
_TOKEN = re.compile(
    r"""(?P<open>\"\"\"|''')|(?P<text>"(?:[^"\\]|\\.)*"|'[^']*')|(?P<comment>\#.*)|(?P<up>[\[{])|(?P<down>[\]}])"""
)


def header_of(*keys: str) -> str:
    """Return the header of the table at `keys` as TOML writes it, e.g. ``facets.conditions``."""
    return ".".join(key if _BARE_KEY.fullmatch(key) else f'"{ascii(key)[1:-1]}"' for key in keys)


def header_lines(text: str) -> dict[str, int]:
    """Return the line, from 1, of every table header in `text`, by header as `header_of` writes it.

    Headers inside comments, strings and arrays that span lines are none. `text` is taken to be valid TOML; of anything
    else the lines are a best guess.
    """
    lines: dict[str, int] = {}
    for number, line in _outer_lines(text):
        found = _HEADER.match(line)
        if found:
            keys = (key.strip() for key in _ONE_KEY.findall(found[1]))
            lines.setdefault(header_of(*(key[1:-1] if key[0] in "\"'" else key for key in keys)), number)
    return lines


def _outer_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield number and text of each line that begins outside strings and brackets."""
    string, depth = "", 0
    for number, line in enumerate(text.split("\n"), start=1):
        place = 0
        if not string and depth == 0:
            yield number, line
            header = _HEADER.match(line)
            place = header.end() if header else 0
        while place < len(line):
            if string:
                place, string = _string_end(line, place, string)
                continue
            token = _TOKEN.search(line, place)
            if token is None:
                break
            place = token.end()
            string = token["open"] or ""
            depth = max(0, depth + (token["up"] is not None) - (token["down"] is not None))


def _string_end(line: str, place: int, delimiter: str) -> tuple[int, str]:
    """Return where the scan of `line` goes on, and the delimiter if the string is still open there."""
    escape = r"(?:[^\\]|\\.)*?" if delimiter == '"""' else r".*?"
    end = re.compile(escape + delimiter + f"(?!{delimiter[0]})").match(line, place)
    return (end.end(), "") if end else (len(line), delimiter)


def read_text(path: Path | str, what: str = "a programme file") -> str:
    """Return the text of a TOML file.

    Raises
    ------
    ProgrammeError
        If it is missing, not a readable file, not UTF-8, or has a byte-order mark or a NUL in it.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ProgrammeError(f"{path}: found no readable file ({reason}); expected {what}, TOML in UTF-8") from None
    except ValueError:
        raise ProgrammeError(f"{str(path)!r}: found a path no file can have; expected {what}") from None
    if data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        raise ProgrammeError(f"{path}, line 1: found a byte-order mark; expected plain UTF-8 without one")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ProgrammeError(f"{path}, line {line}: found bytes that are not UTF-8; expected UTF-8 text") from None
    if "\x00" in text:
        line = text.count("\n", 0, text.index("\x00")) + 1
        raise ProgrammeError(f"{path}, line {line}: found the character U+0000; expected text without it")
    return text
