"""Programmes as a worker holds them: read again only when their stored text changes."""

from __future__ import annotations

from threading import Lock

from sqlalchemy.orm import Session

from matcher.errors import UnknownMemberError
from matcher.programme import Programme
from service.store import programmes


class ProgrammeCache:
    """The programmes that were asked for, each at its newest."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[str, Programme]] = {}
        self._lock = Lock()

    def get(self, session: Session, programme_id: str) -> Programme:
        """Return a programme as this transaction sees it."""
        digest = programmes.digest(session, programme_id)
        if digest is None:
            # Its key would be gone with it: told like every other thing that is not there.
            raise UnknownMemberError("the programme is gone")
        held = self._held.get(programme_id)
        if held is None or held[0] != digest:
            held = digest, programmes.load(session, programme_id)
            with self._lock:
                self._held[programme_id] = held
        return held[1]
