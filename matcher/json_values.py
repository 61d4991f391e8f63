"""What JSON and Unicode allow in a value, and how what is wrong is noted: by its path."""

from __future__ import annotations

import json
import math
import re
from typing import Final, TypeAlias

import orjson

from matcher.errors import RecordError, shown

Problems: TypeAlias = dict[str, str]
"""One message per JSON path, e.g. ``consents[2].at``."""

MAX_DEPTH = 16
"""How deep objects and arrays may be nested: a member record needs four."""

_ONLY_JSON: Final = orjson.OPT_PASSTHROUGH_SUBCLASS | orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME
_ENCODE: Final = json.JSONEncoder(allow_nan=False).encode
_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]{1,60}")


def join(path: str, key: str) -> str:
    """Return the path of the field `key` of the object at `path`."""
    key = key if _PLAIN_KEY.fullmatch(key) else shown(key)
    return f"{path}.{key}" if path else key


def note(problems: Problems, path: str, message: str) -> None:
    """Note one problem; the first of a path is kept."""
    problems.setdefault(path or "(record)", message)


def refuse(problems: Problems) -> None:
    """Raise RecordError with all `problems`, if there are any; its message tells the first."""
    if problems:
        path, message = next(iter(problems.items()))
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise RecordError(f"{path}: {message}{more}", problems)


def flaw(text: str) -> str | None:
    """Return what no text may hold and this one does, as a message, or None."""
    if "\x00" in text:
        return "found the character U+0000; expected text without it"
    if not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
        return "found half of a surrogate pair; expected whole Unicode characters"
    return None


def sound(raw: object) -> bool:
    """Tell quickly that `scan` would find nothing that matters; False may be a false alarm."""
    try:
        # It refuses surrogates, and writes null for NaN. Its UUIDs and enumerations no field takes.
        fast = orjson.dumps(raw, option=_ONLY_JSON)
    except TypeError:
        fast = b"null"
    if b"null" not in fast and b"\\u0000" not in fast:
        return True
    try:
        text = _ENCODE(raw)
    except (ValueError, TypeError, RecursionError):
        return False
    # Characters beyond ASCII are escaped: those that stand for surrogates, also in pairs, begin with "\ud".
    return "\\u0000" not in text and "\\ud" not in text


def scan(raw: object, problems: Problems, path: str = "", depth: int = 0) -> bool:
    """Note every value that JSON or Unicode does not allow; tell whether the rest of `raw` can be read at all.

    Refused are U+0000, lone surrogates, NaN, Infinity, whole numbers of more than 64 bits, objects of other types and
    nesting beyond `MAX_DEPTH`. The last three make a value unreadable.
    """
    if isinstance(raw, str):
        message = flaw(raw)
        if message:
            note(problems, path, message)
        return True
    if raw is None or isinstance(raw, bool):
        return True
    if isinstance(raw, int):
        if -(2**63) <= raw < 2**63:
            return True
        note(problems, path, "found a number of more than 64 bits; expected a smaller one")
        return False
    if isinstance(raw, float):
        if not math.isfinite(raw):
            note(problems, path, f"found {raw}; expected a finite number")
        return True
    return _scan_inside(raw, problems, path, depth)


def _scan_inside(raw: object, problems: Problems, path: str, depth: int) -> bool:
    if not isinstance(raw, dict | list | tuple):
        note(problems, path, f"found a Python {type(raw).__name__}; expected a JSON value")
        return False
    if depth >= MAX_DEPTH:
        note(problems, path, f"found arrays or objects nested deeper than {MAX_DEPTH}; expected a flat record")
        return False
    readable = True
    if isinstance(raw, dict):
        for key, value in raw.items():
            if not isinstance(key, str):
                note(problems, path, f"found a key of type {type(key).__name__}; expected text")
                return False
            if message := flaw(key):
                note(problems, join(path, key), message)
            readable = scan(value, problems, join(path, key), depth + 1) and readable
    else:
        for place, value in enumerate(raw):
            readable = scan(value, problems, f"{path}[{place}]", depth + 1) and readable
    return readable
