"""Opaque names: of the lists that apps get, and of the candidates in them."""

from __future__ import annotations

import base64
import hmac
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from matcher.model.signing import derive
from service.store import Store, lists, names
from service.store.lists import StoredList
from service.store.moments import micros

BYTES: Final = 16
VALID: Final = timedelta(days=14)
"""For how long a list's handles name anybody, from the day on which it was last returned."""


class Named(NamedTuple):
    """Whom a handle names."""

    kind: str
    """``buddy`` or ``group``."""
    seeker: str
    candidate: str
    """A ``member_id``, or a ``group_id``."""
    rank: int
    """At which the candidate was first returned."""
    match_id: str


class Handles:
    """Makes names with keys derived from the installation's secret."""

    def __init__(self, secret_key: bytes) -> None:
        self._candidates = derive(secret_key, "handles/2")
        self._lists = derive(secret_key, "lists/2")

    def of_candidate(self, programme_id: str, match_id: str, candidate: int) -> str:
        """Name the candidate with the number `candidate` in one list: 128 bits that no other list shares."""
        return _name(self._candidates, programme_id, match_id, str(candidate))

    def of_list(self, programme_id: str, *parts: str) -> str:
        """Name a list by what it was made from: the same parts have the same name."""
        return _name(self._lists, programme_id, *parts)


def resolve(
    store: Store, handles: Handles, programme_id: str, match_id: str, handle: str, now: datetime
) -> Named | None:
    """Return whom a handle names, or None.

    None are: what was never returned, another seeker's or another programme's, what is older than `VALID`, and
    anybody who has been erased. They are not told apart.
    """
    if not (match_id.isascii() and handle.isascii() and "\x00" not in match_id):
        return None
    with store.hot.reading() as reader:
        stored = lists.by_match_id(reader, programme_id, match_id)
    if stored is None or stored.returned_at <= micros(now - VALID):
        return None
    found = [place for place in stored.shown if _is(handles, programme_id, stored, place, handle)]
    if not found:
        return None
    with store.reading() as session:
        seeker = names.of(session, programme_id, "buddy", stored.seeker_id)
        candidate = names.of(session, programme_id, stored.kind, stored.entries[found[0]].id)
    if seeker is None or candidate is None:
        return None
    return Named(stored.kind, seeker, candidate, stored.shown[found[0]][0], match_id)


def _is(handles: Handles, programme_id: str, stored: StoredList, place: int, handle: str) -> bool:
    right = handles.of_candidate(programme_id, stored.match_id, stored.entries[place].id)
    return hmac.compare_digest(right, handle)


def _name(key: bytes, *parts: str) -> str:
    # No part can hold a NUL, so parts cannot run into each other.
    digest = hmac.digest(key, "\0".join(parts).encode(), "sha256")
    return base64.urlsafe_b64encode(digest[:BYTES]).rstrip(b"=").decode()
