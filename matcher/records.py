"""Reading a JSON record so that every problem is noted by its path, and none ends the reading."""

from __future__ import annotations

import dataclasses
import json
import math
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Final, TypeAlias

from matcher.errors import RecordError, nearest, shown

Problems: TypeAlias = dict[str, str]
"""One message per JSON path, e.g. ``consents[2].at``."""

MAX_DEPTH = 16
"""How deep objects and arrays may be nested: a member record needs four."""

ABSENT: Final = object()
_ENCODE: Final = json.JSONEncoder(allow_nan=False).encode
_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]{1,60}")
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


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


class Fields:
    """One JSON object being read: getters note what is wrong and return None (or the default) in its place.

    Parameters
    ----------
    raw : object
        The JSON value, which should be an object and has passed `scan`.
    path : str
        Its path in the record; empty for the record itself.
    problems : dict
        Where problems are noted.
    valid : iterable of str
        All names that the object may have; others are refused with the nearest of these.
    what : str
        What a name stands for, for messages.
    """

    def __init__(self, raw: object, path: str, problems: Problems, valid: Iterable[str], what: str = "field") -> None:
        self.path = path
        self.problems = problems
        self.values: Mapping[str, object] = {}
        if not isinstance(raw, dict):
            note(problems, path, f"found {found(raw)}; expected an object")
            return
        self.values = raw
        for key in [key for key in raw if key not in valid]:
            if isinstance(key, str):
                self.note(key, f"unknown {what}; {_one_of(valid)}{nearest(key, valid)}")
            else:
                note(problems, path, f"found a key of type {type(key).__name__}; expected text")

    def note(self, key: str, message: str) -> None:
        """Note a problem of the field `key`."""
        note(self.problems, join(self.path, key), message)

    def get(self, key: str) -> object:
        """Return the raw value of `key`; ABSENT where it is missing or null, which is noted."""
        value = self.values.get(key, ABSENT)
        if value is None:
            self.note(key, "found null; leave the key out where there is nothing to say")
            return ABSENT
        return value

    def require(self, key: str, expected: str) -> object:
        """Return the raw value of `key`, or ABSENT after noting that it is missing."""
        value = self.get(key)
        if value is ABSENT:
            self.note(key, f"missing; expected {expected}")
        return value

    def text(
        self, key: str, expected: str, *, required: bool = True, choices: Iterable[str] = (), limit: int = 200
    ) -> str | None:
        """Return non-empty text of at most `limit` characters, one of `choices` where there are any."""
        value = self.require(key, expected) if required else self.get(key)
        if value is ABSENT:
            return None
        if not isinstance(value, str) or not value.strip() or len(value) > limit:
            self.note(key, f"found {found(value)}; expected {expected}, at most {limit} characters")
            return None
        if choices and value not in choices:
            self.note(key, f"found {shown(value)}; expected {expected}{nearest(value, choices)}")
            return None
        return value

    def whole(self, key: str, *, default: int, maximum: int) -> int:
        """Return a whole number from 0 to `maximum`; ``true`` is none, nor is ``1.0``."""
        value = self.get(key)
        if value is ABSENT:
            return default
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= maximum:
            self.note(key, f"found {found(value)}; expected a whole number from 0 to {maximum}")
            return default
        return value

    def boolean(self, key: str, *, default: bool) -> bool:
        """Return ``true`` or ``false``."""
        value = self.get(key)
        if value is ABSENT:
            return default
        if not isinstance(value, bool):
            self.note(key, f"found {found(value)}; expected true or false")
            return default
        return value

    def texts(self, key: str, *, choices: Iterable[str] | None = None, limit: int = 100) -> frozenset[str] | None:
        """Return an array of distinct strings, each one of `choices` if there are any; None where it is absent."""
        value = self.get(key)
        if value is ABSENT:
            return None
        if not isinstance(value, list | tuple) or len(value) > limit:
            self.note(key, f"found {found(value)}; expected an array of at most {limit} strings")
            return None
        good: set[str] = set()
        for place, item in enumerate(value):
            if not isinstance(item, str) or not item.strip() or len(item) > 100:
                message = f"found {found(item)}; expected a non-empty string, at most 100 characters"
            elif choices is not None and item not in choices:
                message = f"found {shown(item)}; {_one_of(choices)}{nearest(item, choices)}"
            elif item in good:
                message = f"found {shown(item)} twice; expected each value once"
            else:
                good.add(item)
                continue
            note(self.problems, f"{join(self.path, key)}[{place}]", message)
        return frozenset(good)

    def time(self, key: str, *, required: bool) -> datetime | None:
        """Return an instant written as RFC 3339 with its offset, in UTC."""
        expected = "a date and time with its offset from UTC (RFC 3339), e.g. 2026-02-03T10:00:00Z"
        value = self.require(key, expected) if required else self.get(key)
        if value is ABSENT:
            return None
        if isinstance(value, str) and _RFC3339.fullmatch(value):
            try:
                return datetime.fromisoformat(value.upper()).astimezone(UTC)
            except (ValueError, OverflowError):
                pass
        self.note(key, f"found {found(value)}; expected {expected}")
        return None


def written(moment: datetime) -> str:
    """Return an instant as records write it: RFC 3339 in UTC, ending in Z."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _one_of(names: Iterable[str]) -> str:
    return f"expected one of {', '.join(names)}" if names else "expected none"


def plain(value: object) -> object:
    """Return a parsed value as JSON has it: tuples as arrays, dataclasses as objects without what is None."""
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    if dataclasses.is_dataclass(value):
        items = ((part.name, getattr(value, part.name)) for part in dataclasses.fields(value))
        return {name: plain(item) for name, item in items if item is not None}
    return value


def found(value: object) -> str:
    """Return what was found: the value itself, but of arrays and objects only that they are one."""
    if isinstance(value, dict):
        return "an object"
    return f"an array of {len(value)}" if isinstance(value, list | tuple) else shown(value)
