"""Reading a JSON record so that every problem is noted by its path, and none ends the reading."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from matcher.errors import nearest, shown
from matcher.json_values import MAX_DEPTH, Problems, join, note, refuse, scan, sound

__all__ = [
    "ABSENT",
    "MAX_DEPTH",
    "Fields",
    "Problems",
    "found",
    "instant",
    "join",
    "note",
    "plain",
    "refuse",
    "scan",
    "sound",
    "written",
]

ABSENT: Final = object()
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


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
        All names that the object may have; others are refused with the nearest of these. Fastest as keys of a mapping.
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
        if isinstance(valid, Mapping) and raw.keys() <= valid.keys():
            return
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
        if isinstance(value, str) and (moment := instant(value)) is not None:
            return moment
        self.note(key, f"found {found(value)}; expected {expected}")
        return None


@lru_cache(maxsize=4096)
def instant(text: str) -> datetime | None:
    """Return an instant written as RFC 3339 with its offset, in UTC; None where `text` is none."""
    if not _RFC3339.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def written(moment: datetime) -> str:
    """Return an instant as records write it: RFC 3339 in UTC, ending in Z."""
    return (moment if moment.tzinfo is UTC else moment.astimezone(UTC)).isoformat().removesuffix("+00:00") + "Z"


def _one_of(names: Iterable[str]) -> str:
    return f"expected one of {', '.join(names)}" if names else "expected none"


def plain(value: object) -> object:
    """Return a parsed value as JSON has it: tuples as arrays, dataclasses as objects without what is None."""
    if isinstance(value, str):
        return value
    if isinstance(value, tuple):
        return [item if type(item) is str else plain(item) for item in value]
    kind: Any = type(value)
    if names := _parts(kind):
        items = ((name, getattr(value, name)) for name in names)
        return {name: plain(item) for name, item in items if item is not None}
    return value


@lru_cache(maxsize=64)
def _parts(kind: Any) -> tuple[str, ...]:
    """Return the names of a dataclass's fields; none of any other type."""
    return tuple(part.name for part in dataclasses.fields(kind)) if dataclasses.is_dataclass(kind) else ()


def found(value: object) -> str:
    """Return what was found: the value itself, but of arrays and objects only that they are one."""
    if isinstance(value, dict):
        return "an object"
    return f"an array of {len(value)}" if isinstance(value, list | tuple) else shown(value)
