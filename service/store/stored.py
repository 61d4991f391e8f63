"""Members as they are read back: a record that cannot be read is one member missing, never a whole programme."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matcher.errors import PeermatchError
from matcher.people import Member
from matcher.programme import Programme


def member(record: Mapping[str, Any], programme: Programme) -> Member | None:
    """Return the member of a record that this programme accepted, or None if it is damaged.

    `Member.from_stored` checks nothing: what somebody wrote into the database by hand fails in any of these ways.
    """
    try:
        return Member.from_stored(record, programme)
    except (KeyError, TypeError, ValueError, AttributeError, PeermatchError):
        return None
