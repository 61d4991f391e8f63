"""What several resources ask before they change something: that it is there, and as the caller believes."""

from __future__ import annotations

from typing import Protocol

from flask import request
from sqlalchemy.orm import Session

from matcher.errors import UnknownMemberError
from service.access import access
from service.problems import PRECONDITION, Problem
from service.store import members
from service.store.members import Stored


class Revised(Protocol):
    """A member or a group as stored."""

    @property
    def revision(self) -> int:
        """Another with every change of what its GET returns, and never used twice."""


def existing(session: Session, member_id: str) -> Stored:
    """Return a member of the key's programme.

    Raises
    ------
    UnknownMemberError
        Unknown, foreign and erased alike.
    """
    stored = members.get(session, access().programme_id, member_id)
    if stored is None:
        raise UnknownMemberError("no such member")
    return stored


def check_preconditions(stored: Revised | None) -> None:
    """Honour If-Match and If-None-Match where they were sent (RFC 9110, 13.1).

    Raises
    ------
    Problem
        412, if what is stored is not what they ask for.
    """
    etag = None if stored is None else etag_of(stored)
    if "If-Match" in request.headers and (etag is None or not request.if_match.contains(etag)):
        raise Problem(PRECONDITION, "If-Match names another state; GET it and send its ETag.")
    if "If-None-Match" in request.headers and etag is not None and request.if_none_match.contains_weak(etag):
        raise Problem(PRECONDITION, "If-None-Match names the state there is; nothing was changed.")


def etag_of(stored: Revised) -> str:
    """Return the name of this state of a record, without the quotation marks."""
    return str(stored.revision)
