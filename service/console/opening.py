"""The two transactions of a page: on the programme of the session's key, and no other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flask import current_app
from sqlalchemy.orm import Session

from matcher.programme import Programme
from service.access import access
from service.state import state


@contextmanager
def reading() -> Iterator[tuple[Session, Programme]]:
    """Open a transaction that only reads, on the programme of the session's key."""
    here = state(current_app)
    with here.store.reading() as session:
        yield session, here.pools.programmes.get(session, access().programme_id)


@contextmanager
def writing() -> Iterator[tuple[Session, Programme]]:
    """Open a transaction that may write, on the programme of the session's key."""
    here = state(current_app)
    with here.store.transaction() as session:
        yield session, here.pools.programmes.get(session, access().programme_id)
