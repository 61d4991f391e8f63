"""Peermatch's library: finds the right peer for a person in a peer-support programme.

No Flask, no SQL, no network, and no clock but for one reading in :mod:`matcher.facade`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matcher.facade import Matcher
    from matcher.people import Member
    from matcher.programme import Programme
    from matcher.support_group import Group

__version__ = "0.4.0"
__all__ = ["Group", "Matcher", "Member", "Programme"]

_HOMES = {
    "Group": "matcher.support_group",
    "Matcher": "matcher.facade",
    "Member": "matcher.people",
    "Programme": "matcher.programme",
}


def __getattr__(name: str) -> object:
    """Import these names on first use: a command that needs none of them starts without scikit-learn."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
