"""JSON as the tables keep it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

import orjson

# What is stored already was hashed from exactly these characters: no faster writer has the same for every number.
_HASHED: Final = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"), sort_keys=True, allow_nan=False).encode
_STRICT: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode
_ONLY_JSON: Final = orjson.OPT_PASSTHROUGH_SUBCLASS | orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME


def write(value: Mapping[str, Any]) -> str:
    """Return `value` as compact JSON, keys in their order; NaN and infinities are refused with `ValueError`."""
    try:
        text = orjson.dumps(value, option=_ONLY_JSON)
    except TypeError:  # a mapping or a number of another kind, which the slower writer may know
        return _STRICT(value)
    # It writes null for NaN, so wherever it says null the strict writer has the word.
    return _STRICT(value) if b"null" in text else text.decode()


def read(text: str | bytes) -> dict[str, Any]:
    """Return the object that `write` wrote."""
    value: dict[str, Any] = orjson.loads(text)
    return value


def digest(value: Mapping[str, Any]) -> str:
    """Return SHA-256 of `value`, whatever the order of its keys, as 64 hex digits."""
    return hashlib.sha256(_HASHED(value).encode("ascii")).hexdigest()
