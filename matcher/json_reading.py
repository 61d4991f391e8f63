"""Reading JSON strictly: what standard readers let pass (duplicate keys, NaN, lone surrogates) is refused here."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final, NoReturn

import orjson

from matcher.errors import RecordError, shown
from matcher.records import ABSENT, MAX_DEPTH, Problems, refuse, scan

_DIGITS: Final = bytes(ord("0") if byte in b"0123456789" else ord(" ") for byte in range(256))
"""Turns every digit into 0 and everything else into a space."""

_MANY_DIGITS: Final = b"0" * 16
"""Fewer digits than these make numbers that every reader reads alike."""


class _Refused(ValueError):
    """Raised inside the JSON reader, which knows no RecordError."""


def parse_json(text: str | bytes) -> object:
    """Return the JSON value of `text`.

    Parameters
    ----------
    text : str or bytes
        One whole JSON document; bytes are UTF-8 without a byte-order mark.

    Raises
    ------
    RecordError
        If it is not JSON, has an object with the same key twice, NaN or Infinity (also written as 1e999), a lone
        surrogate, U+0000, a whole number of more than 64 bits, is nested too deeply, or is not UTF-8.
    """
    value = _plain(text)
    return _exact(text) if value is ABSENT else value


def _plain(text: str | bytes) -> object:
    """Return the JSON value of a text in which nothing can be wrong; ABSENT where something may be.

    orjson refuses NaN, Infinity, lone surrogates and what is not UTF-8. What it lets pass is looked for here: a key
    that stands twice takes its quotation marks away from what it writes again (as long as the text hides none of them
    as an escape), and a number is out of range or inexact only if it has many digits.
    """
    try:
        data = text.encode() if isinstance(text, str) else text
        value: object = orjson.loads(data)
        written = orjson.dumps(value)
    except (ValueError, TypeError):
        return ABSENT
    if (
        b"\\u0022" in data
        or b"\\u0000" in data
        or data.count(b'"') != written.count(b'"')
        or _MANY_DIGITS in data.translate(_DIGITS)
        or not _shallow(value)
    ):
        return ABSENT
    return value


def _shallow(value: object) -> bool:
    """Tell whether no more than `MAX_DEPTH` arrays and objects stand one in another."""
    level = [value] if type(value) is dict or type(value) is list else []
    for _ in range(MAX_DEPTH):
        if not level:
            return True
        level = [
            inner
            for outer in level
            for inner in (outer.values() if type(outer) is dict else outer)
            if type(inner) is dict or type(inner) is list
        ]
    return not level


def _exact(text: str | bytes) -> object:
    """Return the JSON value of `text`, or raise with what is wrong with it."""
    try:
        value: object = json.loads(
            _decoded(text),
            object_pairs_hook=_object,
            parse_constant=_constant,
            parse_float=_float,
            parse_int=_int,
        )
    except _Refused as error:
        raise RecordError(f"not valid JSON: {error}") from None
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise RecordError(f"not valid JSON at {place}: {error.msg[0].lower()}{error.msg[1:]}") from None
    except RecursionError:
        raise RecordError("not valid JSON: arrays or objects are nested too deeply") from None
    problems: Problems = {}
    scan(value, problems)
    refuse(problems)
    return value


def _decoded(text: str | bytes) -> str:
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8")
        except UnicodeDecodeError as error:
            raise RecordError(f"not valid JSON: byte {error.start} is not UTF-8") from None
    if text.startswith("\ufeff"):
        raise RecordError("not valid JSON: it begins with a byte-order mark; send plain UTF-8")
    return text


def _object(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    made = dict(pairs)
    if len(made) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise _Refused(f"found the key {shown(twice)} twice in one object; expected it once")
    return made


def _constant(name: str) -> NoReturn:
    raise _Refused(f"found {name}; expected a finite number")


def _float(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise _Refused("found a number beyond the range of a double; expected a finite number")
    return number


def _int(digits: str) -> int:
    if len(digits) > 20:
        raise _Refused("found a whole number of more than 64 bits; expected a smaller one")
    return int(digits)
