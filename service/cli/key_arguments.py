"""What the options of ``peermatch keys`` say."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from service.cli.durations import moment
from service.security import split_token
from service.settings import MOST_PER_MINUTE
from service.store.keys import NO_BOUND, ApiKeyError

_ID: Final = re.compile(r"[a-z0-9]{16}")


def key_id_of(text: str) -> str:
    """Return the id of a key; what was found is not told, for it may be a whole key.

    Raises
    ------
    ApiKeyError
        If it is none.
    """
    whole = split_token(text)
    if whole is not None:
        raise ApiKeyError(
            f"KEY_ID: found a whole key, with its secret, which your shell may keep in its history; expected its id, "
            f"{whole[0]}. Consider the key known to others: rotate it without overlap, or revoke it"
        )
    if not _ID.fullmatch(text):
        raise ApiKeyError("KEY_ID: expected the 16 letters and digits that `peermatch keys list` shows")
    return text


def until(text: str | None, now: datetime) -> datetime | None:
    """Return the moment at which a key is to end, or None where nothing was said.

    Raises
    ------
    ApiKeyError
        If it is no moment.
    """
    if text is None:
        return None
    found = moment(text, now)
    if found is None:
        raise ApiKeyError(
            f"expires: found {text!r}; expected a length of time such as 90d, a day such as 2026-12-31, or a date and "
            "time with its offset from UTC"
        )
    return found


def bound(text: str | None) -> int | None:
    """Return how many requests a minute a key may send, or None where nothing was said.

    Raises
    ------
    ApiKeyError
        If it is no such number.
    """
    if text is None:
        return None
    if text == "none":
        return NO_BOUND
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= MOST_PER_MINUTE):
        raise ApiKeyError(f"per-minute: found {text!r}; expected 1 to {MOST_PER_MINUTE}, or `none`")
    return int(text)
