"""Moments as narrow rows keep them: whole microseconds since 1970, UTC. Days are ordinals of UTC dates."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

FOREVER: Final = 2**62
"""A moment that never comes."""

_START = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DAY = timedelta(days=1) // _MICROSECOND


def micros(moment: datetime) -> int:
    """Return a moment, which must have its zone, in µs since 1970."""
    return (moment - _START) // _MICROSECOND


def moment(value: int) -> datetime:
    """Return µs since 1970 as a moment in UTC."""
    return _START + value * _MICROSECOND


def day(moment: datetime) -> int:
    """Return the ordinal of the UTC day of a moment."""
    return moment.astimezone(UTC).toordinal()


def start_of(ordinal: int) -> int:
    """Return when a UTC day begins: µs since 1970."""
    return (ordinal - _START.toordinal()) * _DAY
