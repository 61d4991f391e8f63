"""Lengths of time and moments as they are written on the command line: ``90d``, ``24h``, ``2026-12-31``."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Final

import click

UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_LENGTH: Final = re.compile(r"(\d{1,6})([smhdw])", re.ASCII)
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def length(text: str) -> timedelta | None:
    """Return the length of time that a text says, or None if it says none."""
    found = _LENGTH.fullmatch(text)
    return timedelta(**{UNITS[found[2]]: int(found[1])}) if found else None


def moment(text: str, now: datetime) -> datetime | None:
    """Return the moment that a text says, to the second; None if it says none.

    It is so long after `now`, the beginning of a UTC day, or a date and time with its offset.
    """
    if (after := length(text)) is not None:
        try:
            return now.replace(microsecond=0) + after
        except OverflowError:
            return None
    try:
        if _DAY.fullmatch(text):
            return datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC)
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if found.tzinfo is None else found.astimezone(UTC).replace(microsecond=0)


def length_option(_ctx: click.Context, param: click.Parameter, value: str) -> timedelta:
    """Return the length of time of an option, or refuse what is none (exit code 2); click's `callback`."""
    found = length(value)
    if found is None:
        raise click.BadParameter("expected a number with s, m, h, d or w, such as 24h", param=param)
    return found
