"""Models: which there are, and the one row that says which is active."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from matcher.errors import PeermatchError, nearest, shown
from service.store import text
from service.store.tables import ActiveModelRow, ModelRow


class UnknownModelError(PeermatchError):
    """The programme has no such model."""

    title = "No such model"


@dataclass(frozen=True)
class StoredModel:
    """What the database knows of a model; its files lie in ``$PEERMATCH_HOME/models``."""

    version: str
    created_at: datetime
    verdict: dict[str, Any]
    active: bool


@dataclass(frozen=True)
class Active:
    """The active model of a programme."""

    version: str
    previous: str | None
    since: datetime


def add(session: Session, programme_id: str, version: str, verdict: Mapping[str, Any], *, now: datetime) -> None:
    """Record a model whose files are published; it is not active yet."""
    session.add(ModelRow(programme_id=programme_id, version=version, created_at=now, verdict=text.write(verdict)))
    session.flush()


def list_models(session: Session, programme_id: str) -> list[StoredModel]:
    """Return every model of a programme, oldest first."""
    current = active(session, programme_id)
    version = current.version if current else None
    rows = session.scalars(
        select(ModelRow).where(ModelRow.programme_id == programme_id).order_by(ModelRow.created_at, ModelRow.version)
    )
    return [StoredModel(row.version, row.created_at, text.read(row.verdict), row.version == version) for row in rows]


def active(session: Session, programme_id: str) -> Active | None:
    """Return which model is active, or None before the first."""
    row = session.get(ActiveModelRow, programme_id)
    return None if row is None else Active(row.version, row.previous, row.since)


def activate(session: Session, programme_id: str, version: str, *, now: datetime) -> Active:
    """Make a recorded model the active one; activating the active one changes nothing.

    Raises
    ------
    UnknownModelError
        If the programme has no model of this version.
    """
    _must_exist(session, programme_id, version)
    row = session.get(ActiveModelRow, programme_id)
    if row is None:
        row = ActiveModelRow(programme_id=programme_id, version=version, previous=None, since=now)
        session.add(row)
    elif row.version != version:
        row.previous, row.version, row.since = row.version, version, now
    session.flush()
    return Active(row.version, row.previous, row.since)


def rollback(session: Session, programme_id: str, *, now: datetime) -> Active:
    """Make the model active that was so before the present one; a second rollback goes forward again.

    Raises
    ------
    UnknownModelError
        If there was none before.
    """
    current = active(session, programme_id)
    if current is None or current.previous is None:
        raise UnknownModelError("rollback: found no model before the active one; `peermatch models list` shows them")
    return activate(session, programme_id, current.previous, now=now)


def _must_exist(session: Session, programme_id: str, version: str) -> None:
    if session.get(ModelRow, (programme_id, version)) is None:
        versions = [model.version for model in list_models(session, programme_id)]
        raise UnknownModelError(
            f"version: found {shown(version)}; expected one that `peermatch models list` shows"
            + nearest(version, versions)
        )
