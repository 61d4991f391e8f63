"""Storing somebody again who was erased."""

from __future__ import annotations

from datetime import datetime
from typing import Any


def again(one: dict[str, Any], now: datetime) -> dict[str, Any]:
    """Return a record whose decisions were made anew `now`, which must be later than the erasure."""
    at = f"{now:%Y-%m-%dT%H:%M:%SZ}"
    return {**one, "consents": [{**event, "at": at} for event in one["consents"]]}
