"""JSON as the tables keep it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def write(value: Mapping[str, Any]) -> str:
    """Return `value` as compact JSON, keys in their order; NaN and infinities are refused with `ValueError`."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def read(text: str) -> dict[str, Any]:
    """Return the object that `write` wrote."""
    value: dict[str, Any] = json.loads(text)
    return value


def digest(value: Mapping[str, Any]) -> str:
    """Return SHA-256 of `value`, whatever the order of its keys, as 64 hex digits."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"), sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode("ascii")).hexdigest()
